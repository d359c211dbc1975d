// The card says what is known and no more, within Slack's limits whatever the state.
import { checkBlocks } from 'slack-sandbox/limits';
import { describe, expect, it } from 'vitest';
import { type CardContext, likeness, renderCard } from '../../../../src/adapters/slack/cards/card.ts';
import type { EventBody } from '../../../../src/domain/incident/events.ts';
import { done, notDone, unknown } from '../../../../src/domain/outcome.ts';
import {
  anIdentity,
  anIncident,
  aPlan,
  aPolicy,
  aRound,
  aSituation,
  aWorkload,
  collected,
  contained,
  identified,
  observed,
  planned,
  quarantine,
  remove,
  reported,
  revoked,
  T0,
  waiting,
} from '../../../builders.ts';
import { legacyToken } from '../../../domain/token/token-samples.ts';

const context: CardContext = {
  now: T0 + 60_000,
  policy: aPolicy(),
  head: 'abcdef0123456789',
};
const card = (bodies: EventBody[]) => renderCard(anIncident(bodies), context);
const title = (bodies: EventBody[]) => card(bodies).text;
const words = (bodies: EventBody[]) => JSON.stringify(card(bodies).blocks);
const buttons = (bodies: EventBody[]) =>
  card(bodies).blocks.flatMap((block) =>
    block.type === 'actions' ? block.elements.map((element) => element.action_id) : [],
  );
const element = (bodies: EventBody[], actionId: string) =>
  card(bodies)
    .blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []))
    .find((candidate) => candidate.action_id === actionId) as Record<string, never> | undefined;

const loadBalancer = aRound({ level: 'load-balancer' });
const byState = aRound({ level: 'object-state', answers: [] });

describe('headline', () => {
  it.each<[string, EventBody[], RegExp]>([
    ['reported', [reported()], /being looked into$/],
    [
      'not identified',
      [reported(), { type: 'unidentified', reason: 'no match', near: [] }],
      /a person must say which token/,
    ],
    ['alive', waiting(), /^🔴 LEAK LIVE · payments\/api on prod$/],
    [
      'alive is not known',
      [
        reported(),
        identified,
        {
          type: 'situation-observed',
          situations: [aSituation({ liveness: { alive: 'unknown', reason: 'forbidden' } })],
        },
      ],
      /not known whether the token works/,
    ],
    ['contained', contained(), /^🟠 Contained, proof under way/],
    [
      'contained and proven',
      [...contained(), { type: 'probed', rounds: [aRound()] }, { type: 'proved', outcome: done('refused') }],
      /^🟠 Contained: refused by 3 of 3 API servers/,
    ],
    ['revoked', revoked(), /^🟢 Revoked: refused by 3 of 3 API servers/],
    [
      'revoked behind a load balancer',
      revoked([loadBalancer]),
      /^🟢 Refused on 3 of 3 fresh connections through the load balancer/,
    ],
    ['by object state', revoked([byState]), /^🟢 Dead by object state, not probed/],
    [
      'the kill failed',
      [...revoked().slice(0, -1), { type: 'proved', outcome: notDone('still accepted') }],
      /^🔴 LEAK LIVE: the kill did not work/,
    ],
    [
      'not proven',
      [...revoked().slice(0, -1), { type: 'proved', outcome: unknown('no answer') }],
      /^🟠 Not proven dead/,
    ],
    [
      'live again',
      [...revoked(), { type: 'reopened', reason: 'Helm brought it back' }],
      /^🔴 LEAK LIVE AGAIN/,
    ],
    [
      'declined alive',
      [...waiting(), { type: 'closed', as: 'declined', reason: 'no' }],
      /^🔴 Declined: LEAK STILL LIVE/,
    ],
    [
      'declined contained',
      [...contained(), { type: 'closed', as: 'declined', reason: 'no' }],
      /^🟠 Declined, the quarantine stays/,
    ],
    [
      'false alarm',
      [...waiting(), { type: 'closed', as: 'false-alarm', reason: 'a test' }],
      /^⚪ False alarm/,
    ],
  ])('%s', (_name, bodies, expected) => {
    expect(title(bodies)).toMatch(expected);
  });

  it('says "Revoked" and "every server" only of evidence from each server', () => {
    for (const rounds of [
      [loadBalancer],
      [byState],
      [aRound(), aRound({ cluster: 'staging', level: 'object-state', answers: [] })],
    ])
      expect(title(revoked(rounds))).not.toMatch(/Revoked|API servers ·/);
  });

  it('has one status mark at most on the whole card', () => {
    for (const bodies of [waiting(), contained(), revoked()])
      expect(words(bodies).match(/[🔴🟠🟢⚪]/gu)?.length).toBe(1);
  });
});

describe('card', () => {
  it('shows what a person needs to decide', () => {
    const shown = words(waiting());
    for (const part of [
      '<https://gist.example/1?a=1&amp;b=2|a public gist>',
      'Long-lived token of ServiceAccount `payments/api` on prod, in Secret `api-token`',
      '*Expires:* never',
      '*Still works:* *yes* (as the objects show, not probed): the Secret exists and is not quarantined',
      '*Last used:* on 2026-11-23',
      '*Used by:* `Deployment/api` (2 Pods)',
      '*What a thief can do:* severe',
      'can read every Secret in all namespaces',
      '*Watch out:* Argo CD owns this Secret',
      '1. *Quarantine Secret payments/api-token*',
      'Can be undone.',
      '2. *Delete Secret payments/api-token*',
      '*Cannot be undone.*',
      '*Must be approved by:* <@UINES00001> or <@UTOMAS0001>',
      '*May quarantine at once:* <@UMAYA00001>',
      'abcdef0123456789',
    ])
      expect(shown).toContain(part);
  });

  it('says that whoever asked must not approve', () => {
    expect(words(waiting('UINES00001'))).toContain(
      '*Must be approved by:* <@UTOMAS0001> (not <@UINES00001>, who asked for it)',
    );
  });

  it('offers exactly what can be decided', () => {
    expect(buttons([reported()])).toEqual(['details']);
    expect(buttons(waiting())).toEqual([
      'decide:contain',
      'decide:approve',
      'decide:decline',
      'decide:break-glass',
      'decide:not-a-leak',
      'details',
    ]);
    expect(buttons(contained())).toEqual([
      'decide:approve',
      'decide:decline',
      'decide:break-glass',
      'decide:not-a-leak',
      'decide:undo',
      'details',
    ]);
    expect(buttons(revoked())).toEqual(['decide:not-a-leak', 'details']);
  });

  it('asks back before anything that cannot be undone, by name', () => {
    const approve = element(waiting(), 'decide:approve');
    expect(JSON.stringify(approve)).toContain('cannot be undone: Delete Secret payments/api-token');
    expect(approve).toMatchObject({
      style: 'danger',
      value: JSON.stringify({ i: 'inc-0001', h: aPlan().hash }),
    });
    const reversible = [
      reported(),
      identified,
      observed,
      { type: 'plan-proposed', plan: aPlan([quarantine]) } as const,
    ];
    expect(element(reversible, 'decide:approve')).toMatchObject({ style: 'primary' });
    expect(element(waiting(), 'decide:contain')).toMatchObject({
      value: JSON.stringify({ i: 'inc-0001', h: aPlan().containHash }),
    });
  });

  it('lets one Secret be picked where every token is meant', () => {
    const bodies: EventBody[] = [
      reported(),
      { type: 'identified', identity: anIdentity({ kind: 'every-token' }) },
      observed,
      planned,
    ];
    expect(buttons(bodies)).toContain('pick-secret');
    expect(JSON.stringify(element(bodies, 'pick-secret'))).toContain('api-token');
  });

  it('shows trouble, skipped containment, and until when it is accepted offline', () => {
    const identity = anIdentity({
      kind: 'unbound',
      audiences: ['vault'],
      expiresAt: (T0 + 3_600_000) / 1000,
    });
    const shown = words([
      reported(),
      { type: 'identified', identity },
      { type: 'auto-contain-skipped', reason: 'kube-system is protected' },
      { type: 'trouble', work: 'investigate', message: 'The cluster prod does not answer.' },
      { type: 'trouble', work: 'investigate', message: 'The cluster prod does not answer.' },
    ]);
    expect(shown).toContain('The cluster prod does not answer. Trying again (2 attempts so far).');
    expect(shown).toContain('*Not contained automatically:* kube-system is protected');
    expect(shown).toMatch(/`vault` may accept it until <!date\^/);
  });

  it('shows a proof with its times, and not what was true before', () => {
    const shown = words(revoked());
    expect(shown).toMatch(/Proof.*Killed 12 s after the alert .*Seen refused everywhere in this proof since/);
    expect(shown).not.toMatch(/Still works|Breaks:/);
  });

  it('counts from the request where a person asked', () => {
    const asked = revoked().map((body, index) => (index === 0 ? reported('UINES00001') : body));
    expect(words(asked)).toContain('Killed 12 s after the request');
  });

  it('shows the notes of a plan until it was approved, and not while only its waiting deletion is left', () => {
    const plan = aPlan([quarantine, { ...remove, soak: true }], ['Images may be gone.']);
    const proposed: EventBody[] = [reported(), identified, observed, { type: 'plan-proposed', plan }];
    const ran = contained().slice(waiting().length);
    expect(words(proposed)).toContain('*Note:* Images may be gone.');
    expect(words([...proposed, ...ran])).toMatch(/Waits after the proof/);
    expect(words([...proposed, ...ran])).not.toContain('*Note:*');
  });

  it('leaves the servers to the thread, but for those that cast doubt', () => {
    expect(words(revoked())).not.toContain('https://10.0.0.2:6443');
    const answers = aRound().answers.map((answer, index) =>
      index === 1 ? { ...answer, control: 'failed' as const } : answer,
    );
    const doubtful = words(revoked([aRound({ answers })]));
    expect(doubtful).toContain('`https://10.0.0.2:6443`: refused (401); control refused too');
    expect(doubtful).not.toContain('https://10.0.0.1:6443');
    expect(words(revoked([loadBalancer]))).toContain('only the load balancer could be asked');
  });

  it('tells whom a kill of this token hurts from who only shares its ServiceAccount', () => {
    const pod = { uid: 'u', owner: 'Deployment/refunds', via: 'serviceAccountName' as const };
    const pods = [...aSituation().pods, { ...pod, name: 'refunds-1' }];
    const seen: EventBody = { type: 'situation-observed', situations: [aSituation({ pods })] };
    expect(words([reported(), identified, seen])).toContain(
      '*Used by:* `Deployment/api` (2 Pods)\\n*Same ServiceAccount, tokens of their own:* `Deployment/refunds` (1 Pod)',
    );
    const { boundTo: _, ...unbound } = anIdentity({ kind: 'unbound' });
    expect(words([reported(), { type: 'identified', identity: unbound }, seen])).toContain(
      '*Used by:* `Deployment/api`, `Deployment/refunds` (3 Pods)',
    );
  });

  it('says how users outside get their new tokens, once there are any, and who took one', () => {
    const gives = { namespace: 'payments', serviceAccount: 'api', secrets: ['api-token-r20261124'] };
    const given = aPlan([{ ...quarantine, gives }]);
    const before: EventBody[] = [
      ...waiting().slice(0, -1),
      { type: 'plan-proposed', plan: given },
      { type: 'decided', decision: { verb: 'approve', by: 'UINES00001', hash: given.hash } },
    ];
    expect(words(before)).not.toContain('tourniquet collect');
    const step = quarantine.id;
    const after: EventBody[] = [...before, { type: 'step-ended', run: 'plan-5', step, outcome: done('x') }];
    expect(words(after)).toContain('`tourniquet collect inc-0001 --for USER --out token`');
    expect(words(after)).toContain('collect --service-account prod/payments/api --for USER');
    expect(words(after)).toMatch(
      /get secret api-token-r20261124 -o go-template='\{\{.*&gt; api-token-r20261124\.token/,
    );
    const taken = words([...after, collected]);
    expect(taken).toContain('Collected so far: `api-ci` by maya@example.test');
    expect(words([...after, { type: 'closed', as: 'resolved', reason: 'x' }])).not.toContain('collect inc');
  });

  it('shows no token and no mention that came from outside', () => {
    const token = legacyToken();
    const bodies: EventBody[] = [
      {
        type: 'alert-received',
        alert: {
          source: 'trufflehog',
          subject: { kind: 'token' },
          where: { text: `${token} <!channel> a&b` },
          reason: `x ${token}`,
        },
      },
      identified,
      {
        type: 'situation-observed',
        situations: [
          aSituation({ warnings: [`annotation ${token}`], workloads: [aWorkload({ name: '`x`' })] }),
        ],
      },
      { type: 'plan-proposed', plan: aPlan([{ ...remove, title: `Delete <!here> ${token}` }]) },
    ];
    const shown = words(bodies);
    expect(shown).not.toContain(token.slice(0, 30));
    const mrkdwn = card(bodies).blocks.flatMap((block) => (block.type === 'section' ? block.text?.text : []));
    expect(mrkdwn.join('\n')).not.toMatch(/<!(channel|here)>/);
    expect(shown).toContain('&lt;!channel&gt; a&amp;b');
  });

  it('shows no plan once it was called a false alarm', () => {
    expect(words([...waiting(), { type: 'closed', as: 'false-alarm', reason: 'a test' }])).not.toMatch(
      /Plan|Breaks|approved by/,
    );
  });

  it('still shows the plan of a dry run, which was all that was asked for', () => {
    expect(words([...waiting(), { type: 'closed', as: 'dry-run', reason: 'nothing was changed' }])).toMatch(
      /Dry run.*\*Plan\*.*Quarantine Secret/,
    );
  });

  it('is alike as long as only the log went on', () => {
    const bodies = waiting();
    const again = renderCard(anIncident(bodies), { ...context, head: 'other' });
    expect(likeness(again)).toBe(likeness(card(bodies)));
    expect(likeness(card(contained()))).not.toBe(likeness(card(bodies)));
    const ids = (blocks: { block_id?: string }[]) => blocks.map(({ block_id }) => block_id);
    expect(ids(card(contained()).blocks)).not.toEqual(ids(card(bodies).blocks));
    expect(checkBlocks(card(bodies).blocks, 'message')).toEqual([]);
  });
});
