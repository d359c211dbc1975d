// Loads a kubeconfig or the Pod's own credential, and answers anew for each request what to authenticate with, since tokens and certificates rotate.
import { existsSync, readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { dirname } from 'node:path';
import { bufferFromFileOrString, KubeConfig, makeAbsolutePath } from '@kubernetes/client-node';
import { parse } from 'yaml';
import type { ClusterConfig } from '../../config/file-schema.ts';
import { OWN_SECRETS } from '../../config/own-secrets.ts';
import { AppError } from '../../errors.ts';

/** How a server proves itself, and, where `cert` is given, how we do. */
export interface TlsOptions {
  ca?: RequestOptions['ca'];
  cert?: RequestOptions['cert'];
  key?: RequestOptions['key'];
}

export interface Credential {
  /** Authorization, and Impersonate-User where the kubeconfig asks for it. */
  headers: Record<string, string>;
  tls: TlsOptions;
}

export interface Access {
  /** The API server that the kubeconfig names, without a final slash. */
  server: string;
  proxy: string | undefined;
  /** Name that the certificate at this address must carry; undefined: the address's own host. */
  tlsName(address: string): string | undefined;
  /** What verifies the servers; undefined: the system's authorities. Needs no credential. */
  authority(): TlsOptions['ca'];
  /** The credential is renewed by something else than a person: a plug-in, a file, or the kubelet. */
  rotates: boolean;
  credential(): Promise<Credential>;
}

/** Every API server's certificate carries this name, whatever the address is. */
const IN_CLUSTER_NAME = 'kubernetes.default.svc';

export const withoutFinalSlash = (url: string): string => url.replace(/\/+$/, '');

/** Throws AppError `bad-config`. */
export function loadAccess(config: ClusterConfig): Access {
  const kube = config.kubeconfig === undefined ? fromPod(config) : fromFile(config, config.kubeconfig);
  const cluster = kube.getCurrentCluster();
  const user = kube.getCurrentUser();
  const problem = (text: string) => new AppError('bad-config', `Cluster ${config.name}: ${text}`);
  if (!cluster || !user) {
    const known = kube.getContexts().map((context) => context.name);
    const wanted = kube.getCurrentContext() || '(none)';
    throw problem(`the kubeconfig has no usable context ${wanted}. It has: ${known.join(', ') || 'none'}.`);
  }
  if (!cluster.server.startsWith('https://'))
    throw problem(`the server ${cluster.server} is not https. A token may only travel over verified TLS.`);
  if (cluster.skipTLSVerify)
    throw problem(
      'insecure-skip-tls-verify is set. Give its certificate-authority instead: proof needs verified TLS.',
    );
  const server = withoutFinalSlash(cluster.server);
  const names = new Map([[server, cluster.tlsServerName]]);
  for (const { url, tlsServerName } of config.apiServers ?? [])
    names.set(withoutFinalSlash(url), tlsServerName);
  return {
    server,
    proxy: cluster.proxyUrl,
    tlsName: (address) => (names.has(address) ? names.get(address) : IN_CLUSTER_NAME),
    authority: () => bufferFromFileOrString(cluster.caFile, cluster.caData) ?? undefined,
    rotates: config.kubeconfig === undefined || Boolean(user.exec ?? user.authProvider),
    credential: () => readCredential(config, kube),
  };
}

function fromPod(config: ClusterConfig): KubeConfig {
  const kube = new KubeConfig();
  kube.loadFromCluster();
  if (kube.getCurrentCluster()?.server.includes('undefined'))
    throw new AppError(
      'bad-config',
      `Cluster ${config.name}: no kubeconfig is configured and this is not a Pod. Set clusters[].kubeconfig.`,
    );
  return kube;
}

/** The names in a kubeconfig, for the command line; undefined where there is no such file. Throws AppError `bad-config`. */
export function readContexts(path: string): { contexts: string[]; current: string } | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const kube = new KubeConfig();
    kube.loadFromString(readFileSync(path, 'utf8'));
    return { contexts: kube.getContexts().map(({ name }) => name), current: kube.getCurrentContext() };
  } catch {
    // The parser's own message quotes the file, which holds credentials.
    throw new AppError('bad-config', `Cannot read the kubeconfig ${path}. ${checkIt(path)}`);
  }
}

const checkIt = (path: string): string => `Check it with: kubectl --kubeconfig ${path} config view`;

function fromFile(config: ClusterConfig, path: string): KubeConfig {
  const kube = new KubeConfig();
  try {
    const text = readFileSync(path, 'utf8');
    kube.loadFromString(text);
    kube.makePathsAbsolute(dirname(path));
    if (config.context !== undefined) kube.setCurrentContext(config.context);
    useTokenFile(kube, text, dirname(path));
    keepSecrets(kube);
  } catch {
    // The parser's own message quotes the file, which holds credentials.
    throw new AppError(
      'bad-config',
      `Cluster ${config.name}: cannot read the kubeconfig ${path}. ${checkIt(path)}`,
    );
  }
  return kube;
}

/** client-node ignores `tokenFile` of a kubeconfig's user; its in-cluster authenticator reads such a file anew every minute. */
function useTokenFile(kube: KubeConfig, text: string, folder: string): void {
  const raw = parse(text) as { users?: { name: string; user?: { tokenFile?: string } }[] };
  kube.users = kube.users.map((user) => {
    const file = raw.users?.find(({ name }) => name === user.name)?.user?.tokenFile;
    if (file === undefined) return user;
    const { token: _, ...rest } = user;
    return {
      ...rest,
      authProvider: { name: 'tokenFile', config: { tokenFile: makeAbsolutePath(folder, file) } },
    };
  });
}

/** client-node lets an exec plug-in inherit everything; what is undefined is left out. */
function keepSecrets(kube: KubeConfig): void {
  const none = OWN_SECRETS.map((name) => ({ name, value: undefined }));
  for (const { exec, authProvider } of kube.users)
    for (const call of [exec, authProvider?.config?.exec])
      if (call) call.env = [...none, ...(call.env ?? [])];
}

async function readCredential(config: ClusterConfig, kube: KubeConfig): Promise<Credential> {
  const options: RequestOptions = {};
  try {
    await kube.applyToHTTPSOptions(options);
  } catch (error) {
    // An exec plug-in's own message may hold what it printed.
    const code = (error as NodeJS.ErrnoException).code;
    throw new AppError(
      'unauthorized',
      `Cluster ${config.name}: the credential to authenticate with could not be had${code ? ` (${code})` : ''}. ` +
        'Check the exec plug-in, token file or certificate files that the kubeconfig names.',
      { retry: true },
    );
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {}))
    headers[name.toLowerCase()] = String(value).trim();
  if (options.auth) headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  return { headers, tls: { ca: options.ca, cert: options.cert, key: options.key } };
}
