// Clusters: does the worker reach each API server, is it known there, and can it show that a token is refused?
import { type ConnectedCluster, connectCluster } from '../../adapters/kubernetes/cluster.ts';
import { type ClusterInspection, inspectCluster } from '../../adapters/kubernetes/inspection.ts';
import { broken, type Diagnosis, fine, notChecked, warning } from '../../config/diagnosis.ts';
import type { ClusterConfig } from '../../config/file-schema.ts';
import { isAppError } from '../../errors.ts';
import { type Check, failed, type Given, plural } from './check.ts';
import { checkRights } from './rights.ts';

/** The first that heeds the label of a quarantine. */
const QUARANTINE_MINOR = 29;
const DAY_MS = 86_400_000;
const SOON_MS = 7 * DAY_MS;
const LARGEST_SKEW_MS = 5000;

export const clusters: Check = {
  group: 'Clusters',
  role: 'worker',
  async run(given) {
    const configured = given.reading.file.clusters;
    if (configured === undefined)
      return [notChecked('clusters', 'The section clusters of the configuration could not be read.')];
    const found = await Promise.all(configured.map((config) => lookAt(config, given)));
    return found.flat();
  },
};

async function lookAt(config: ClusterConfig, given: Given): Promise<Diagnosis[]> {
  const named = (found: Diagnosis[]) => found.map((one) => ({ ...one, name: `${config.name}: ${one.name}` }));
  let inspection: ClusterInspection | undefined;
  let cluster: ConnectedCluster | undefined;
  try {
    inspection = inspectCluster(config, given.now);
    cluster = connectCluster(config, given);
    return named(await examine(config, given, inspection, cluster));
  } catch (error) {
    return named([failed('kubeconfig', error, kubeconfigRemedy(config))]);
  } finally {
    await Promise.all([inspection?.close(), cluster?.close()]);
  }
}

const kubeconfigRemedy = ({ kubeconfig }: ClusterConfig): string =>
  kubeconfig === undefined
    ? 'Without clusters[].kubeconfig the worker must run in a Pod with its ServiceAccount token mounted.'
    : `Correct the file that clusters[].kubeconfig names; look at it with: kubectl --kubeconfig ${kubeconfig} config view`;

async function examine(
  config: ClusterConfig,
  given: Given,
  inspection: ClusterInspection,
  cluster: ConnectedCluster,
): Promise<Diagnosis[]> {
  const credential = await judgeCredential(inspection, config, given.now());
  let version: string;
  try {
    version = await inspection.version();
  } catch (error) {
    return [...credential, unreachable(error, inspection.server)];
  }
  const reached = fine('connection', `Kubernetes ${version} at ${inspection.server}`);
  const parts = await Promise.all([
    lookAtClock(inspection),
    lookAtKeys(cluster),
    lookAtServers(cluster),
    checkRights(config, given, inspection, cluster),
  ]);
  return [...credential, reached, ...parts.flat()];
}

function unreachable(error: unknown, server: string): Diagnosis {
  if (isAppError(error, 'unauthorized'))
    return broken(
      'connection',
      error.message,
      'Make a new credential for the worker, for a first try: kubectl -n tourniquet create token worker --duration=8h',
    );
  return failed(
    'connection',
    error,
    `Check the server's address in the kubeconfig, its certificate-authority, and the way to it: curl -k ${server}/version`,
  );
}

async function judgeCredential(
  inspection: ClusterInspection,
  { name }: ClusterConfig,
  now: number,
): Promise<Diagnosis[]> {
  try {
    const { expires, rotates } = await inspection.credential();
    if (expires === undefined) return [];
    const day = new Date(expires).toISOString().slice(0, 16).replace('T', ' ');
    const remedy =
      'Renew it, or use a kubeconfig with tokenFile or an exec plug-in, which renew by themselves. The worker reads a changed kubeconfig when it starts.';
    if (expires <= now)
      return [broken('credential', `The worker's credential expired at ${day} UTC.`, remedy)];
    if (!rotates && expires - now < SOON_MS)
      return [
        warning('credential', `The worker's credential ends at ${day} UTC, and nothing renews it.`, remedy),
      ];
    return [fine('credential', rotates ? 'renewed by itself' : `valid until ${day} UTC`)];
  } catch (error) {
    return [
      failed(
        'credential',
        error,
        `Try what the kubeconfig of ${name} does for it by hand: kubectl auth whoami`,
      ),
    ];
  }
}

async function lookAtClock(inspection: ClusterInspection): Promise<Diagnosis[]> {
  try {
    const skew = await inspection.clockSkew();
    if (skew === undefined) return [notChecked('clock', 'The server sends no date.')];
    if (Math.abs(skew) <= LARGEST_SKEW_MS) return [fine('clock', 'this machine and the API server agree')];
    const seconds = plural(Math.round(Math.abs(skew) / 1000), 'second');
    return [
      warning(
        'clock',
        `This machine's clock is ${seconds} ${skew > 0 ? 'ahead of' : 'behind'} the API server's, so it is wrong about which tokens have expired.`,
        'Let the worker’s machine set its clock by NTP; look with: timedatectl',
      ),
    ];
  } catch (error) {
    return [failed('clock', error, 'See the other lines about this cluster.')];
  }
}

async function lookAtKeys(cluster: ConnectedCluster): Promise<Diagnosis[]> {
  const name = 'signing keys';
  try {
    await cluster.warm();
    return [fine(name, 'the JWKS can be read, so tokens are identified offline')];
  } catch (error) {
    if (!isAppError(error)) throw error;
    return [
      failed(
        name,
        error,
        'Let every authenticated identity read /openid/v1/jwks, as Kubernetes does by default: ' +
          'kubectl create clusterrolebinding tourniquet-jwks --clusterrole=system:service-account-issuer-discovery --group=system:authenticated',
      ),
    ];
  }
}

const APISERVERS =
  'Name each API server by its own address:\nclusters:\n  - name: <this>\n    apiServers: [{ url: https://10.0.0.11:6443 }, { url: https://10.0.0.12:6443 }]';

async function lookAtServers(cluster: ConnectedCluster): Promise<Diagnosis[]> {
  try {
    const { servers, each } = await cluster.servers();
    const old = servers.filter(({ minor }) => minor !== null && minor < QUARANTINE_MINOR);
    const found: Diagnosis[] = old.map(({ address, minor }) =>
      warning(
        'version',
        `The API server ${address} is Kubernetes 1.${minor}: before 1.29 it ignores the label of a quarantine, so a leaked legacy token can only be deleted.`,
        'Upgrade it to 1.29 or newer; until then plans offer the deletion of the Secret instead.',
      ),
    );
    if (!each)
      found.push(
        warning(
          'API servers',
          'Their own addresses are not known, so a proof can only speak of the one address in the kubeconfig.',
          APISERVERS,
        ),
      );
    return [
      ...found,
      ...(await proveControl(
        cluster,
        servers.map(({ address }) => address),
      )),
    ];
  } catch (error) {
    return [failed('API servers', error, 'See the other lines about this cluster.')];
  }
}

/** As a proof does: each address must accept a healthy token over a connection of its own. */
async function proveControl(cluster: ConnectedCluster, addresses: string[]): Promise<Diagnosis[]> {
  const token = await controlToken(cluster);
  if ('name' in token) return [token];
  const seen = await Promise.all(
    addresses.map(async (address) => ({ address, ...(await cluster.probe(address, token.token)) })),
  );
  const found = seen.flatMap(({ address, answer, seen: what }) => {
    if (answer === 'accepted') return [];
    const remedy =
      answer === 'refused'
        ? 'This address does not belong to the same cluster, or a proxy before it removes ServiceAccount tokens. Correct clusters[].apiServers.'
        : `Open the way from the worker to ${address} (NetworkPolicy, firewall), or correct clusters[].apiServers and its tlsServerName.`;
    return [
      broken(
        'API servers',
        `${address} ${answer === 'refused' ? 'refuses a healthy token' : 'cannot be asked'} (${what}), so no proof can include it.`,
        remedy,
      ),
    ];
  });
  if (found.length > 0) return found;
  return [
    fine(
      'API servers',
      `${plural(addresses.length, 'address', 'addresses')} asked, each accepts a healthy token`,
    ),
  ];
}

async function controlToken(
  cluster: ConnectedCluster,
): Promise<Diagnosis | NonNullable<Awaited<ReturnType<ConnectedCluster['control']>>>> {
  const name = 'control token';
  const remedy =
    'Make a ServiceAccount without rights, let the worker create tokens for it, and name it:\n' +
    'clusters:\n  - name: <this>\n    control: { namespace: tourniquet, serviceAccount: control }';
  try {
    const token = await cluster.control();
    if (token !== null) return token;
    return warning(
      name,
      'The worker’s credential is no ServiceAccount token, and no other one is named, so a proof cannot show that healthy tokens are accepted.',
      remedy,
    );
  } catch (error) {
    return failed(name, error, remedy);
  }
}
