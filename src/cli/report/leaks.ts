// From candidates to what is to be reported: each token once, with every place; and why the rest is nothing to report here.

import { readClaims, TRUNCATED } from '../../domain/token/claims.ts';
import type { Coordinates } from '../../domain/token/identity.ts';
import { KIND_WORDS } from '../../domain/token/identity.ts';
import { findTokens, type LeakMaterial, MAX_CHARS, scrub } from '../../domain/token/leak-material.ts';
import { Secret } from '../../secret.ts';
import type { Candidate, Severity } from './candidate.ts';

export interface Leak {
  what: { token: Secret } | { at: Coordinates } | { redacted: true } | { data: Record<string, unknown> };
  /** For people, without the token: "Long-lived token of payments/checkout". */
  title: string;
  where: string[];
  url?: string;
  severity?: Severity;
  id?: string;
}

export interface Sifted {
  leaks: Leak[];
  /** What looked like something and is not reported. */
  ignored: { where: string; why: string }[];
}

/** More than there can be in as much text as is looked at at once. */
const MOST = 2000;
/** Longer than any token in base64 of base64. */
const OVERLAP = 64 * 1024;

export function sift(candidates: readonly Candidate[]): Sifted {
  const leaks = new Map<string, Leak>();
  const ignored: Sifted['ignored'] = [];
  const add = (key: string, leak: Leak): void => {
    const before = leaks.get(key);
    if (before === undefined) leaks.set(key, leak);
    else if (!before.where.includes(leak.where[0] ?? '')) before.where.push(...leak.where);
  };
  for (const candidate of candidates) {
    const found = search(candidate.text);
    const { where, url, severity, id, suspect } = candidate;
    const rest = { ...(url && { url }), ...(severity && { severity }) };
    for (const token of found.tokens)
      add(`token ${token}`, {
        what: { token: new Secret(token) },
        title: titleOf(token),
        where: [lineIn(candidate, token)],
        ...rest,
      });
    if (found.tokens.length > 0) continue;
    for (const at of found.coordinates)
      add(`at ${at.namespace}/${at.secret}`, {
        what: { at },
        title: `Token Secret ${at.namespace}/${at.secret}, without its token`,
        where: [where],
        ...rest,
      });
    if (found.coordinates.length > 0) continue;
    // Left out or cut by the finder: a person can still look where it was found.
    const hidden = found.opaque === 0 && found.problems.every((problem) => problem === TRUNCATED);
    if (suspect && hidden)
      add(`hidden ${id ?? where}`, {
        what: { redacted: true },
        title: 'A token whose value the finder left out',
        where: [where],
        ...rest,
        ...(id === undefined ? {} : { id }),
      });
    else for (const why of reasons(found)) ignored.push({ where, why });
  }
  return { leaks: [...leaks.values()], ignored };
}

function reasons({ problems, opaque }: LeakMaterial): string[] {
  const other = 'a credential that is not a Kubernetes ServiceAccount token: revoke it where it was issued.';
  return opaque > 0 ? [...problems, `There is ${other}`] : problems;
}

/** Piece by piece, so that nothing of a long text is left out. */
function search(text: string): LeakMaterial {
  const pieces: LeakMaterial[] = [];
  for (let from = 0; from === 0 || from + OVERLAP < text.length; from += MAX_CHARS - OVERLAP)
    pieces.push(findTokens(text.slice(from, from + MAX_CHARS), MOST));
  const all = <K extends 'tokens' | 'problems'>(key: K): string[] => [
    ...new Set(pieces.flatMap((one) => one[key])),
  ];
  return {
    tokens: all('tokens'),
    // A token that was cut by the end of a piece is whole in the next.
    problems: pieces.length > 1 ? all('problems').filter((one) => one !== TRUNCATED) : all('problems'),
    coordinates: pieces.flatMap(({ coordinates }) => coordinates),
    opaque: pieces.reduce((sum, { opaque }) => sum + opaque, 0),
  };
}

function titleOf(token: string): string {
  const claims = readClaims(token);
  if ('problem' in claims) return 'A token';
  return `${KIND_WORDS[claims.kind]} of ${claims.namespace}/${claims.serviceAccount.name}`;
}

/** The line, where the text has several and the token stands in it as it is. */
function lineIn({ text, where, whole }: Candidate, token: string): string {
  const at = text.indexOf(token.slice(0, 60));
  if (!whole || at < 0 || !text.trim().includes('\n')) return where;
  return `${where}, line ${text.slice(0, at).split('\n').length}`;
}

const plainId = (id: string): string =>
  scrub(id)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .slice(-200)
    .trim();

const isAddress = (url: string | undefined): url is string =>
  url !== undefined && url.length <= 2048 && /^https?:\/\//i.test(url) && URL.canParse(url);

/** The `data` of the report, in our own format. */
export function dataOf(
  { what, where, url, severity, id }: Leak,
  override?: Severity,
): Record<string, unknown> {
  if ('data' in what) return what.data;
  const [first = '', ...more] = where;
  const others = more.length > 0 ? `, and ${more.length} more: ${more.join(', ')}` : '';
  const level = override ?? severity;
  return {
    ...('token' in what ? { token: what.token.reveal() } : 'at' in what ? what.at : { redacted: true }),
    // What the other side would refuse must not keep it from taking the rest.
    ...(id === undefined ? {} : { id: plainId(id) }),
    where: { text: scrub(`${first}${others}`), ...(isAddress(url) ? { url } : {}) },
    ...(level === undefined ? {} : { severity: level }),
  };
}
