// What kills which token, as the real control plane showed it: the tests hold it to these bounds, and the document is made of them.

/** How long API servers remember that a token was good. Milliseconds, as everything here. */
export const CACHE = 10_000;
/** How long tokens bound to an object outlive the moment at which it is to be gone. */
export const LEEWAY = 60_000;
/** Of timestamps in whole seconds. */
export const SECOND = 1000;
const GRACE = 5;
export const GRACE_SECONDS = GRACE;

export interface Fact {
  /** Which token. */
  token: string;
  /** What is done, or asked. */
  act: string;
  /** What comes of it, for people. */
  effect: string;
  /** Bounds of the time that was measured, from the act on. */
  after?: { atLeast?: number; under?: number };
  undo?: string;
}

const LEGACY = 'legacy (in a Secret)';
const POD = 'bound to a Pod';
const SECRET = 'bound to a Secret';
const NODE = 'bound to a Node';
const UNBOUND = 'bound to nothing';

export const FACTS = {
  'label-cold': {
    token: LEGACY,
    act: 'label `kubernetes.io/legacy-token-invalid-since` on its Secret; the token was not used in the last 10 s',
    effect: 'dead at the next request',
    after: { under: CACHE },
    undo: 'remove the label: it works again',
  },
  'label-warm': {
    token: LEGACY,
    act: 'the same; the token was used just before',
    effect: 'dead 10 s after the last use that an API server had to check',
    after: { atLeast: CACHE, under: CACHE + 5 * SECOND },
    undo: 'remove the label',
  },
  'label-auto-listed': {
    token: 'legacy, listed in the `secrets` of its ServiceAccount (made before 1.24)',
    act: 'the same label',
    effect: 'dead as well: made by hand or not makes no difference',
    after: { under: CACHE },
    undo: 'remove the label',
  },
  'secret-deleted': {
    token: LEGACY,
    act: 'its Secret is deleted',
    effect: 'dead at the next request that an API server has to check',
    after: { under: CACHE },
    undo: 'none',
  },
  'same-name-rsa': {
    token: LEGACY,
    act: 'its Secret is created again under the same name; the cluster signs with RSA',
    effect: '**comes back to life**: the new token is the leaked one, byte for byte',
  },
  'same-name-ecdsa': {
    token: LEGACY,
    act: 'the same; the cluster signs with ECDSA',
    effect: 'stays dead: each signature is another one',
  },
  'blanked-rsa': {
    token: LEGACY,
    act: '`data.token` of its Secret is removed; RSA',
    effect: '**stays alive**: the controller writes the same token again',
  },
  'blanked-ecdsa': {
    token: LEGACY,
    act: 'the same; ECDSA',
    effect: 'dead: the controller writes another token',
  },
  'restored-elsewhere': {
    token: LEGACY,
    act: 'its old value is put into a Secret of that name and of *any* type (a backup, a Secret operator)',
    effect: '**comes back to life**',
  },
  'two-servers': {
    token: LEGACY,
    act: 'used at one of two API servers, then killed',
    effect: 'each server remembers for itself: dead at one while the other still accepts it',
  },
  'kept-connection': {
    token: LEGACY,
    act: 'probed through a load balancer over one connection',
    effect:
      '**says nothing about the other servers**: the one that still accepts it answers every time; a 401 ends the connection, so the next probe may meet another server',
  },
  forbidden: {
    token: LEGACY,
    act: 'asked for something that it may not do',
    effect: '403 while it is alive, 401 when it is dead: a 403 is no proof',
  },
  audit: {
    token: LEGACY,
    act: 'tried again after it was labelled',
    effect: 'the audit log has each attempt with 401, and names neither ServiceAccount nor token',
  },
  'secret-bound-cold': {
    token: SECRET,
    act: 'that Secret is deleted',
    effect: 'dead at the next request; a new Secret of that name does not bring it back',
    after: { under: CACHE },
    undo: 'none',
  },
  'secret-bound-reviewed': {
    token: SECRET,
    act: 'the same, just after a `TokenReview` of it',
    effect: 'dead after 10 s: a `TokenReview` is remembered like a use',
    after: { atLeast: CACHE, under: CACHE + 5 * SECOND },
    undo: 'none',
  },
  'pod-grace': {
    token: POD,
    act: `the Pod is deleted with ${GRACE} s of grace and is still there, the token in use`,
    effect: 'dead after the grace period, 60 s of leeway, and up to 10 s of cache',
    after: { atLeast: GRACE * SECOND + LEEWAY - SECOND, under: GRACE * SECOND + LEEWAY + CACHE + 5 * SECOND },
    undo: 'none',
  },
  'pod-force': {
    token: POD,
    act: 'the Pod is deleted with grace 0',
    effect: 'dead at the next request',
    after: { under: CACHE },
    undo: 'none',
  },
  'pod-shorter': {
    token: POD,
    act: 'a Pod that is being deleted is deleted again with a shorter grace period',
    effect: 'the end moves forward',
  },
  'pod-completed': {
    token: POD,
    act: 'the Pod has completed (a finished Job)',
    effect: '**stays alive** for as long as the Pod object is there',
  },
  'pod-completed-deleted': {
    token: POD,
    act: 'the completed Pod is deleted',
    effect: 'dead at the next request: there is nobody to wait for',
    after: { under: CACHE },
    undo: 'none',
  },
  'node-deleted': {
    token: NODE,
    act: 'the Node is deleted',
    effect: 'dead at the next request',
    after: { under: CACHE },
    undo: 'none',
  },
  'pod-on-deleted-node': {
    token: POD,
    act: 'the Node that the Pod is on is deleted',
    effect: '**stays alive** until the Pod is deleted',
  },
  'account-deleted-legacy': {
    token: LEGACY,
    act: 'its ServiceAccount is deleted and created again',
    effect: 'dead at the next request, and its Secret is removed',
    after: { under: CACHE },
    undo: 'none',
  },
  'account-deleted-unbound': {
    token: UNBOUND,
    act: 'its ServiceAccount is deleted and created again',
    effect: 'dead at the next request: the UID is another one',
    after: { under: CACHE },
    undo: 'none',
  },
  'account-finalizer-legacy': {
    token: LEGACY,
    act: 'its ServiceAccount is deleted, but held by a finalizer',
    effect: 'dead at the next request',
    after: { under: CACHE },
    undo: 'none',
  },
  'account-finalizer-unbound': {
    token: UNBOUND,
    act: 'the same',
    effect: 'lives for 60 s more (and 10 s of cache), and the name cannot be used again meanwhile (409)',
    after: { atLeast: LEEWAY - SECOND, under: LEEWAY + CACHE + 5 * SECOND },
    undo: 'none',
  },
  'account-default': {
    token: 'any of the ServiceAccount `default`',
    act: 'the ServiceAccount is deleted',
    effect: 'its controller makes it again at once, with another UID',
    after: { under: CACHE },
    undo: 'none',
  },
  'other-audience': {
    token: 'made for another audience',
    act: 'sent to the API server, or reviewed without its audience',
    effect:
      'refused in the same words whether it is alive or dead: only a `TokenReview` with its own audience tells',
  },
} as const satisfies Record<string, Fact>;

export type FactId = keyof typeof FACTS;

/** The document. `node test/cluster/facts/write-document.ts` writes it. */
export function factsDocument(version: string): string {
  const rows = (Object.values(FACTS) as Fact[]).map(
    ({ token, act, effect, after, undo }) =>
      `| ${[token, act, effect, bounds(after), undo ?? ''].join(' | ')} |`,
  );
  return `# What kills which token

Each line is a test on a real control plane (Kubernetes ${version}): \`npm run test:cluster\` fails where one does not hold, and prints the times that it saw. This file is made of the same list (\`test/cluster/facts/facts.ts\`) by \`node test/cluster/facts/write-document.ts\`; do not edit it by hand.

"Next request" means: the next one that an API server has to check. A success is remembered for 10 s at each server, so a token in use lives up to 10 s longer than its line says, unless the line says so itself. How the kinds of tokens are told apart is in the [glossary](glossary.md); how death is proven, in [How proof works](how-proof-works.md).

| Token | What happens | What comes of it | Time, as tested | Undo |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

function bounds(after: Fact['after']): string {
  if (after === undefined) return '';
  const seconds = (ms: number): string => `${ms / 1000} s`;
  const { atLeast, under } = after;
  return [
    atLeast !== undefined && `at least ${seconds(atLeast)}`,
    under !== undefined && `under ${seconds(under)}`,
  ]
    .filter((part) => part !== false)
    .join(', ');
}
