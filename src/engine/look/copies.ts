// Looks for copies of a token in the Secrets of namespaces that were opted in; only places and keyed hashes are kept, no value.
import { TOKEN_SECRET_TYPE } from '../../domain/kubernetes/legacy-token-labels.ts';
import { consumersOf, pathOf } from '../../domain/situation/consumers.ts';
import {
  copiesIn,
  type Found,
  MAX_VALUE_CHARS,
  type SecretContent,
  type Wanted,
} from '../../domain/situation/copies.ts';
import type { Listed } from '../../domain/situation/listed.ts';
import type { CopySearch, TokenSecretFact } from '../../domain/situation/situation.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';
import type { ClusterView } from '../../ports/cluster.ts';
import { Secret } from '../../secret.ts';
import { readConsumers } from './consumers.ts';
import { type TryToRead, tryingToRead } from './try-to-read.ts';

/** Where copies may be looked for, and how values are compared. */
export interface Search {
  namespaces: readonly string[];
  fingerprint(token: Secret): string;
  /** Keyed fingerprint of the leaked token, where one was ever held. */
  leaked?: string | undefined;
}

export interface Around {
  identity: TokenIdentity;
  /** UID of the ServiceAccount as it is. */
  uid?: string | undefined;
  tokenSecrets: readonly TokenSecretFact[];
  /** Of its namespace. */
  listed: Listed;
  now: number;
}

/** Of a cluster whose Secrets are all copies, the rest is counted. */
const MOST = 50;
/** Compressed, and of no use to a reader of Secrets: looking into them would cost more than all the others. */
const NOT_HELM = 'type!=helm.sh/release.v1';

export async function readCopies(cluster: ClusterView, around: Around, search: Search): Promise<CopySearch> {
  if (search.namespaces.length === 0) return { searched: [], found: [], gaps: [] };
  const gaps: string[] = [];
  const tryToRead = tryingToRead(gaps);
  const wanted = await wantedFor(cluster, around, search, tryToRead);
  const searched: string[] = [];
  const found: CopySearch['found'] = [];
  for (const namespace of search.namespaces) {
    const looked = await tryToRead(`Secrets of ${namespace} were not looked into for copies`, undefined, () =>
      cluster.searchSecrets({ namespace, fieldSelector: NOT_HELM }, (secret) => [copiesIn(secret, wanted)]),
    );
    if (looked === undefined) continue;
    searched.push(namespace);
    const cut = looked.flatMap((look) => look.cut);
    if (cut.length > 0)
      gaps.push(
        `Only the first ${MAX_VALUE_CHARS / 1024} KiB were looked at of ${cut.slice(0, 5).join(', ')}.`,
      );
    const here = looked.flatMap((look) => look.found);
    if (here.length > 0) found.push(...(await withUsers(cluster, namespace, here, around, tryToRead)));
  }
  if (found.length > MOST) gaps.push(`${found.length - MOST} more copies were found than are listed.`);
  return { searched, found: found.sort(byPlace).slice(0, MOST), gaps };
}

const byPlace = (a: Found, b: Found): number =>
  a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name) || a.key.localeCompare(b.key);

/** The leaked token, and those in the ServiceAccount's own Secrets, because a rotation may kill them as well. */
async function wantedFor(
  cluster: ClusterView,
  { identity, uid, tokenSecrets, now }: Around,
  { fingerprint, leaked }: Search,
  tryToRead: TryToRead,
): Promise<Wanted> {
  const { namespace, serviceAccount, boundTo } = identity;
  const hash = (value: string): string => fingerprint(new Secret(value));
  const names = tokenSecrets.map(({ name }) => name);
  const own = await tryToRead(`Token Secrets of ${namespace} were not read to compare copies with`, [], () =>
    names.length === 0
      ? Promise.resolve([])
      : cluster.searchSecrets(
          { namespace, fieldSelector: `type=${TOKEN_SECRET_TYPE}` },
          (secret): [string, string][] => hashOf(secret, names, hash),
        ),
  );
  return {
    hashes: new Map<string, string | null>([
      ...own,
      ...(leaked === undefined ? [] : [[leaked, null] as const]),
    ]),
    hash,
    account: { namespace, name: serviceAccount.name, ...(uid === undefined ? {} : { uid }) },
    tokenSecrets: boundTo?.kind === 'Secret' && identity.kind === 'legacy' ? [...names, boundTo.name] : names,
    now,
  };
}

function hashOf(
  { metadata, data }: SecretContent,
  names: readonly string[],
  hash: (value: string) => string,
): [string, string][] {
  const value = Buffer.from(data?.token ?? '', 'base64').toString();
  return value !== '' && names.includes(metadata.name) ? [[hash(value), metadata.name]] : [];
}

/** Who mounts or reads them there. */
async function withUsers(
  cluster: ClusterView,
  namespace: string,
  found: readonly Found[],
  around: Around,
  tryToRead: TryToRead,
): Promise<CopySearch['found']> {
  const isHome = namespace === around.identity.namespace;
  const there: TryToRead = (what, fallback, read) => tryToRead(`${what} of ${namespace}`, fallback, read);
  const listed = isHome ? around.listed : await readConsumers(cluster, namespace, there);
  const secrets = [...new Set(found.map(({ name }) => name))];
  const { workloads } = consumersOf(listed, { serviceAccount: '', secrets });
  return found.map((copy) => ({
    ...copy,
    usedBy: workloads.filter(({ references }) => references.secrets.includes(copy.name)).map(pathOf),
  }));
}
