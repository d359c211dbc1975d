// Finds tokens again in the values of Secrets, by keyed hashes: what comes out names places and never holds a value. Pure.
import { SERVICE_ACCOUNT_NAME, TOKEN_SECRET_TYPE } from '../kubernetes/legacy-token-labels.ts';
import { managedBy, ownersOf, restorers } from '../kubernetes/managed-by.ts';
import type { Meta } from '../kubernetes/objects.ts';
import { readClaims } from '../token/claims.ts';
import { layersOf, tokensIn } from '../token/in-text.ts';
import type { CopyFact, CopyShape } from './situation.ts';

export interface SecretContent {
  metadata: Meta;
  type?: string;
  /** base64, as the API answers it. */
  data?: Record<string, string>;
}

/** What is looked for. */
export interface Wanted {
  /** Keyed hashes of tokens, and the token Secret that each is from; null: it is the one that leaked. */
  hashes: ReadonlyMap<string, string | null>;
  hash(value: string): string;
  account: { namespace: string; name: string; uid?: string };
  /** The Secrets that hold its tokens, which are no copies. */
  tokenSecrets: readonly string[];
  /** Unix milliseconds. */
  now: number;
}

export type Found = Omit<CopyFact, 'usedBy'>;

export interface CopySearch {
  found: Found[];
  /** Keys whose values were looked at only in part, as `key`. */
  cut: string[];
}

/** Of one value: more than any kubeconfig, and little enough to be looked through in a tenth of a second. */
export const MAX_VALUE_CHARS = 256 * 1024;
/** Longer than any token. */
const MAX_TOKEN_CHARS = 16 * 1024;
/** Of one value. */
const MAX_TOKENS = 1000;

/** Any key of any type: the value alone, with white space around it, within a text, and within base64 in that text. */
export function copiesIn(secret: SecretContent, wanted: Wanted): CopySearch {
  const { metadata, data = {} } = secret;
  if (isOriginal(secret, wanted)) return { found: [], cut: [] };
  const looks = Object.entries(data).map(([key, base64]) => {
    const bytes = Buffer.from(base64, 'base64');
    const hit = hitIn(bytes.subarray(0, MAX_VALUE_CHARS).toString('latin1'), wanted);
    return { key, hit, isCut: bytes.length > MAX_VALUE_CHARS };
  });
  return {
    found: looks.flatMap(({ key, hit }) => (hit ? [factOf(secret, key, hit)] : [])),
    cut: looks
      .filter(({ isCut }) => isCut)
      .map(({ key }) => `${metadata.namespace}/${metadata.name} key ${key}`),
  };
}

function isOriginal({ metadata, type }: SecretContent, { account, tokenSecrets }: Wanted): boolean {
  const { namespace, name, annotations } = metadata;
  if (namespace !== account.namespace) return false;
  const own = type === TOKEN_SECRET_TYPE && annotations?.[SERVICE_ACCOUNT_NAME] === account.name;
  return own || tokenSecrets.includes(name);
}

interface Hit extends Pick<CopyFact, 'holds' | 'of'> {
  /** The value is the token and nothing else. */
  whole: boolean;
  /** What stands around it. */
  text: string;
}

const WEIGHT: Record<CopyFact['holds'], number> = { leaked: 2, secret: 1, account: 0 };

/** The gravest of what one value holds. */
function hitIn(text: string, wanted: Wanted): Hit | undefined {
  const trimmed = text.trim();
  const exact = trimmed.length <= MAX_TOKEN_CHARS ? judged(trimmed, wanted) : undefined;
  if (exact) return { ...exact, whole: true, text };
  const seen = new Set<string>();
  let best: Hit | undefined;
  for (const { text: around, blocks } of layersOf(text, 1))
    for (const block of blocks)
      for (const token of tokensIn(block, () => {})) {
        if (seen.size >= MAX_TOKENS) return best;
        if (seen.has(token)) continue;
        seen.add(token);
        const hit = judged(token, wanted);
        if (hit && (best === undefined || WEIGHT[hit.holds] > WEIGHT[best.holds]))
          best = { ...hit, whole: false, text: around };
      }
  return best;
}

function judged(value: string, wanted: Wanted): Pick<CopyFact, 'holds' | 'of'> | undefined {
  if (value === '') return undefined;
  const from = wanted.hashes.get(wanted.hash(value));
  if (from === null) return { holds: 'leaked' };
  if (from !== undefined) return { holds: 'secret', of: from };
  return isOfAccount(value, wanted) ? { holds: 'account' } : undefined;
}

/** By what it says of itself, which nobody verified: a token that was requested is in no Secret to compare with. */
function isOfAccount(value: string, { account, now }: Wanted): boolean {
  if (account.uid === undefined || !value.startsWith('eyJ')) return false;
  const claims = readClaims(value);
  if ('problem' in claims) return false;
  const { namespace, serviceAccount, expiresAt } = claims;
  return (
    namespace === account.namespace &&
    serviceAccount.uid === account.uid &&
    (expiresAt === undefined || expiresAt * 1000 > now)
  );
}

function factOf({ metadata, type }: SecretContent, key: string, { whole, text, holds, of }: Hit): Found {
  const { namespace = '', name, uid, labels, managedFields = [] } = metadata;
  const managers = restorers(managedFields.flatMap(({ manager }) => manager ?? []));
  return {
    namespace,
    name,
    uid,
    key,
    shape: shapeOf({ type, labels }, key, whole, text),
    holds,
    ...(of === undefined ? {} : { of }),
    managedBy: [
      ...new Set([...managers, ...managedBy(metadata), ...ownersOf(metadata).map(({ tool }) => tool)]),
    ].sort(),
  };
}

const ARGO_CD = 'argocd.argoproj.io/secret-type';
const KUBECONFIG = /(?:^|[\s{,])"?kind"?\s*:\s*"?Config\b/;

function shapeOf(
  { type = '', labels }: { type: string | undefined; labels: Record<string, string> | undefined },
  key: string,
  whole: boolean,
  text: string,
): CopyShape {
  if (labels?.[ARGO_CD] === 'cluster' && key === 'config') return 'argo-cd';
  if (type.startsWith('kubernetes.io/dockerc')) return 'docker';
  if (whole) return 'plain';
  if (!KUBECONFIG.test(text)) return 'text';
  return key === 'value' || key === 'value.yaml' ? 'flux' : 'kubeconfig';
}
