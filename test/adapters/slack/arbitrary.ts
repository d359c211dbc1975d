// Generates incidents of any size and any mischief, folded from events in any order.
import fc from 'fast-check';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import type { Step } from '../../../src/domain/plan/plan.ts';
import { makePlan } from '../../../src/domain/plan/plan-hash.ts';
import type { ProofRound } from '../../../src/domain/proof/evidence.ts';
import type { Situation } from '../../../src/domain/situation/situation.ts';
import { anIdentity, aSituation, aWorkload } from '../../builders.ts';

/** Long, full of what must be escaped, multi-line, or empty. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('', '<!channel>', '`*_~', '\n\n', '&&&&', 'word '),
  fc
    .tuple(fc.constantFrom('&', '<', 'x', '`', '😀', '*'), fc.integer({ min: 1, max: 4000 }))
    .map(([c, n]) => c.repeat(n)),
);
const name = fc.stringMatching(/^[a-z][-a-z0-9]{0,60}$/);
const longName = fc.oneof(name, fc.constant('n'.repeat(253)));
const iso = fc
  .date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());
const user = fc.stringMatching(/^U[A-Z0-9]{8}$/);
const many = <T>(of: fc.Arbitrary<T>, maxLength = 40) => fc.array(of, { maxLength, size: 'max' });
const outcome = fc.record({ verdict: fc.constantFrom('done', 'not-done', 'unknown'), detail: text });

const heir = { namespace: name, serviceAccount: longName, secrets: many(longName, 8) };

const step: fc.Arbitrary<Step> = fc.record({
  id: name,
  gives: fc.record(heir),
  action: name,
  phase: fc.constantFrom('contain', 'replace', 'roll-out', 'revoke', 'harden'),
  cluster: name,
  params: fc.record({ n: fc.integer({ min: 0, max: 3 }) }),
  title: text,
  breaks: text,
  reversible: fc.boolean(),
  kubectl: many(text, 6),
  forGit: many(text, 4),
});

const situation: fc.Arbitrary<Situation> = fc
  .record({
    cluster: name,
    workloads: many(
      text.map((name) => aWorkload({ name, managedBy: [name] })),
      60,
    ),
    warnings: many(text, 20),
    unread: many(text, 20),
    alive: fc.constantFrom('alive', 'quarantined', 'dead', 'unknown'),
    reason: text,
    tier: fc.constantFrom('severe', 'high', 'moderate', 'low', 'unknown'),
    lines: many(text),
    bindings: many(text),
    secrets: many(longName, 120),
    pods: many(longName, 200),
  })
  .map(({ alive, reason, tier, lines, bindings, secrets, pods, ...rest }) =>
    aSituation({
      ...rest,
      liveness: { alive, reason },
      radius: { tier, lines, bindings },
      tokenSecrets: secrets.map((secret) => ({
        name: secret,
        uid: secret,
        resourceVersion: '1',
        deleting: false,
        hasLabels: false,
        managers: [],
      })),
      pods: pods.map((pod) => ({ name: pod, uid: pod, owner: `Pod/${pod}`, via: 'secret' as const })),
    }),
  );

const round: fc.Arbitrary<ProofRound> = fc.record({
  cluster: name,
  level: fc.constantFrom('each-server', 'load-balancer', 'object-state'),
  at: iso,
  answers: many(
    fc.record({
      server: text,
      answer: fc.constantFrom('refused', 'accepted', 'inconclusive'),
      seen: text,
      control: fc.constantFrom('accepted', 'failed', 'none'),
    }),
  ),
  outcome,
});

const of = <T extends EventBody['type']>(
  type: T,
  rest: fc.Arbitrary<Omit<Extract<EventBody, { type: T }>, 'type'>>,
) => rest.map((fields) => ({ type, ...fields }) as unknown as EventBody);

const alert = of(
  'alert-received',
  fc.record({
    alert: fc.record(
      {
        source: text,
        subject: fc.constant({ kind: 'unnamed' as const }),
        where: fc.record({ text, url: fc.oneof(fc.webUrl(), text) }),
        severity: fc.constantFrom('critical', 'unknown'),
        reporter: user,
        reason: text,
      },
      { requiredKeys: ['source', 'subject'] },
    ),
  }),
);

const identity = fc.record({
  kind: fc.constantFrom('legacy', 'pod-bound', 'unbound', 'every-token'),
  clusters: fc.array(name, { minLength: 1, maxLength: 12 }),
  namespace: name,
  serviceAccount: longName.map((account) => ({ name: account })),
  audiences: many(text, 10),
  expiresAt: fc.integer({ min: 0, max: 1e11 }),
});

const event: fc.Arbitrary<EventBody> = fc.oneof(
  alert,
  of(
    'identified',
    identity.map((changes) => ({ identity: anIdentity(changes as never) })),
  ),
  of('unidentified', fc.record({ reason: text, near: many(text) })),
  of('auto-contained', fc.record({ steps: many(step, 3), rule: text })),
  of('auto-contain-skipped', fc.record({ reason: text })),
  of('situation-observed', fc.record({ situations: fc.array(situation, { maxLength: 6 }) })),
  of(
    'plan-proposed',
    fc.tuple(many(step), many(text)).map(([steps, notes]) => ({
      plan: makePlan(
        steps.map((each, i) => ({ ...each, id: `s${i}` })),
        notes,
        [],
      ),
    })),
  ),
  of(
    'decided',
    fc.record({
      decision: fc.record({
        verb: fc.constantFrom('contain', 'approve', 'decline', 'not-a-leak', 'undo', 'identify'),
        by: user,
        reason: text,
      }),
    }),
  ),
  of(
    'step-ended',
    fc.record({
      run: fc.constantFrom('contain-4', 'plan-5', 'plan-6'),
      step: fc.constantFrom('s0', 's1'),
      outcome,
    }),
  ),
  of('run-stopped', fc.record({ run: fc.constantFrom('contain-4', 'plan-5'), reason: text })),
  of('probed', fc.record({ rounds: fc.array(round, { maxLength: 6 }) })),
  of('proved', fc.record({ outcome })),
  of('rechecked', fc.record({ index: fc.nat(3), outcome })),
  of('reopened', fc.record({ reason: text })),
  of(
    'closed',
    fc.record({ as: fc.constantFrom('resolved', 'declined', 'false-alarm', 'expired'), reason: text }),
  ),
  of(
    'collected',
    fc.record({ collected: fc.record({ ...heir, cluster: name, by: text, anchor: longName, until: iso }) }),
  ),
  of('trouble', fc.record({ work: fc.constantFrom('investigate', 'run', 'prove', 'report'), message: text })),
);

/** The first event is always an alert; a plan that waits is likely, being the fullest card. */
export const anyEvents: fc.Arbitrary<EventBody[]> = fc
  .tuple(alert, fc.array(event, { maxLength: 12 }))
  .map(([first, others]) => [first, ...others]);
