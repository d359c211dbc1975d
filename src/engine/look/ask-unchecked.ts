// Asks again what could not be asked when a leak was identified: clusters that were away, and those that came since.
import type { Incident } from '../../domain/incident/incident.ts';
import type { TokenIdentity } from '../../domain/token/identity.ts';
import type { ClusterView } from '../../ports/cluster.ts';
import type { Secret } from '../../secret.ts';
import type { LookDeps } from '../ground/deps.ts';
import { isAbout, isVerbatim } from './held-token.ts';
import { whatItHolds } from './holders.ts';

/**
 * The identity as it is known now: more clusters, and fewer or other unchecked ones. Undefined where nothing changed.
 * Without the token its ServiceAccount's UID and its Secret are looked for. The token is sent nowhere. Never throws.
 */
export async function askUnchecked(
  { clusters }: Pick<LookDeps, 'clusters'>,
  { identity }: Pick<Incident, 'identity'>,
  token: Secret | undefined,
): Promise<TokenIdentity | undefined> {
  if (identity === undefined) return undefined;
  const held = token && isAbout(identity, token) ? token : undefined;
  const open = [...clusters.values()].filter(
    ({ name }) => !identity.clusters.includes(name) || identity.authenticity === 'claims',
  );
  const answers = await Promise.all(
    open.map(async (cluster) => ({ name: cluster.name, answer: await accepts(cluster, identity, held) })),
  );
  const of = (...wanted: Answer[]): string[] =>
    answers.filter(({ answer }) => wanted.includes(answer)).map(({ name }) => name);
  const found = of('signed', 'holds').filter((name) => !identity.clusters.includes(name));
  // One that is configured no more cannot be asked, and stays unchecked.
  const away = (identity.unchecked ?? []).filter((name) => !clusters.has(name));
  const silent = of('unknown').filter((name) => !identity.clusters.includes(name));
  const unchecked = [...away, ...silent];
  const verified = identity.authenticity === 'claims' && of('signed').length > 0;
  if (found.length === 0 && !verified && same(unchecked, identity.unchecked ?? [])) return undefined;
  const { unchecked: _, ...rest } = identity;
  return {
    ...rest,
    clusters: [...identity.clusters, ...found],
    ...(unchecked.length > 0 ? { unchecked } : {}),
    ...(verified ? { authenticity: 'signature' as const } : {}),
  };
}

const same = (some: string[], others: string[]): boolean =>
  some.toSorted().join('\n') === others.toSorted().join('\n');

type Answer = 'signed' | 'holds' | 'no' | 'unknown';

async function accepts(
  cluster: ClusterView,
  identity: TokenIdentity,
  token: Secret | undefined,
): Promise<Answer> {
  const signed = token ? await cluster.signed(token, 'refresh') : 'unknown';
  if (signed === 'signed') return 'signed';
  const { kind, authenticity } = identity;
  const { has } = await whatItHolds(cluster, identity, token);
  if (has === 'nothing') return 'no';
  // An external signer may have hidden the key while API servers still take it, and its ServiceAccount is there: not known.
  if (token && signed === 'not-signed' && kind !== 'legacy' && authenticity !== 'claims') return 'unknown';
  if (has === 'token' || authenticity === 'claims') return has === 'unknown' ? 'unknown' : 'holds';
  if (kind === 'legacy') return inSecret(has, token !== undefined && isVerbatim(token));
  if (has !== 'account') return 'unknown';
  // All tokens of the ServiceAccount are meant; a single one is known by the key that signed it, where that is shown.
  if (kind === 'every-token') return 'holds';
  const { keyId } = identity;
  const verified = keyId !== undefined && authenticity === 'signature' && token === undefined;
  return verified && (await cluster.shows(keyId)) === 'shown' ? 'holds' : 'unknown';
}

/** What the Secret holds decides, where it could be compared; without that, that it is there. */
function inSecret(has: 'secret' | 'account' | 'unknown', compared: boolean): Answer {
  if (has === 'unknown') return 'unknown';
  return has === 'secret' && !compared ? 'holds' : 'no';
}
