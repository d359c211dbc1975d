// What is advised after an incident: only what fits what was seen there, each with a line that can be pasted.
import { describe, expect, it } from 'vitest';
import { adviceAfter, hardening } from '../../../src/domain/afterwards/hardening.ts';
import type { EventBody } from '../../../src/domain/incident/events.ts';
import type { Situation } from '../../../src/domain/situation/situation.ts';
import {
  anIdentity,
  anIncident,
  aPlan,
  aSituation,
  aWorkload,
  identified,
  observed,
  remove,
  reported,
} from '../../builders.ts';

const secret = (
  changes: Partial<Situation['tokenSecrets'][number]> = {},
): Situation['tokenSecrets'][number] => ({
  name: 'api-token',
  uid: 'uid-secret',
  resourceVersion: '1',
  deleting: false,
  hasLabels: true,
  managers: [],
  ...changes,
});

const account = (automountServiceAccountToken?: boolean): Situation['serviceAccount'] => ({
  name: 'api',
  uid: 'uid-sa',
  deleting: false,
  finalizers: [],
  manifest: {
    metadata: { name: 'api' },
    ...(automountServiceAccountToken === undefined ? {} : { automountServiceAccountToken }),
  },
});

const without = aWorkload({
  name: 'quiet',
  references: { serviceAccount: true, tokenless: true, secrets: [] },
});

const advised = (changes: Partial<Situation>, identity = anIdentity()): string =>
  hardening(identity, aSituation(changes))
    .map(({ why, kubectl }) => [why, ...kubectl].join('\n'))
    .join('\n');

describe('advice', () => {
  it.each<[string, Partial<Situation>, RegExp[], RegExp[]]>([
    [
      'a token Secret that is left',
      { tokenSecrets: [secret()] },
      [/api-token is still there/, /create token api --duration=1h/],
      [/label namespace/],
    ],
    [
      'none left, or only one that goes',
      { tokenSecrets: [secret({ deleting: true })] },
      [
        /No token in a Secret is left/,
        /kubectl --context prod label namespace payments long-lived-tokens=denied/,
      ],
      [/still there/],
    ],
    [
      'a source that writes it again',
      { tokenSecrets: [secret({ managers: ['external-secrets'] })] },
      [/External Secrets writes api-token: take the token out at its source/],
      [],
    ],
    [
      'an owner that is known by a reference alone',
      {
        tokenSecrets: [
          secret({ owners: [{ tool: 'Vault Secrets Operator', by: 'owner reference', stands: 'seen' }] }),
        ],
      },
      [/Vault Secrets Operator writes api-token: take the token out at its source/],
      [],
    ],
    [
      'Pods that get the token',
      { workloads: [aWorkload()], serviceAccount: account() },
      [
        /Each Pod of Deployment\/api gets its token/,
        /patch serviceaccount api -p '\{"automountServiceAccountToken":false\}'/,
      ],
      [/No Pod runs/],
    ],
    [
      'only those of the Pods that get it',
      { workloads: [aWorkload(), without], serviceAccount: account() },
      [/Each Pod of Deployment\/api gets its token/],
      [/quiet/],
    ],
    [
      'Pods that get none',
      { workloads: [without], serviceAccount: account() },
      [/No Pod that runs as api wants its token/, /patch serviceaccount api/],
      [/Each Pod/],
    ],
    [
      'nothing that runs as it',
      { workloads: [], pods: [], serviceAccount: account() },
      [/No Pod runs as api/],
      [/Each Pod/],
    ],
    ['automount that is off already', { serviceAccount: account(false) }, [], [/patch serviceaccount/]],
    ['a ServiceAccount that is gone', { serviceAccount: null }, [], [/patch serviceaccount/]],
    [
      'much power',
      {
        radius: { tier: 'severe', lines: [], bindings: ['ClusterRoleBinding/x → ClusterRole/cluster-admin'] },
      },
      [/power is severe.*cluster-admin/],
      [],
    ],
    ['little power', { radius: { tier: 'low', lines: [], bindings: [] } }, [], [/power is/]],
  ])('%s', (_name, changes, said, unsaid) => {
    const text = advised(changes);
    for (const pattern of said) expect(text).toMatch(pattern);
    for (const pattern of unsaid) expect(text).not.toMatch(pattern);
  });

  it('tells apart the ServiceAccount that everybody shares', () => {
    const shared = anIdentity({ serviceAccount: { name: 'default', uid: 'uid-sa' } });
    expect(advised({}, shared)).toMatch(/names no ServiceAccount runs as default/);
    expect(advised({})).not.toMatch(/runs as default/);
  });
});

describe('after the incident', () => {
  const seen: EventBody[] = [
    reported(),
    { type: 'identified', identity: anIdentity() },
    { type: 'situation-observed', situations: [aSituation(), aSituation({ cluster: 'clone' })] },
  ];
  const closed: EventBody = { type: 'closed', as: 'resolved', reason: 'Refused.' };

  it('speaks of each cluster, and only once it ended well', () => {
    const resolved = anIncident([...seen, closed]);
    const lines = adviceAfter(resolved).flatMap(({ kubectl }) => kubectl);
    expect(lines.filter((line) => line.includes('--context prod ')).length).toBeGreaterThan(0);
    expect(lines.filter((line) => line.includes('--context clone ')).length).toBeGreaterThan(0);
    expect(adviceAfter(anIncident(seen))).toEqual([]);
    const alarm = anIncident([...seen, { type: 'closed', as: 'false-alarm', reason: 'a test' }]);
    expect(adviceAfter(alarm)).toEqual([]);
  });

  it('knows what the steps removed and made since it was looked', () => {
    const adviceOnce = (...steps: [action: string, params: Record<string, unknown>][]): string => {
      const plan = aPlan(
        steps.map(([action, params], index) => ({ ...remove, id: `s-${index}`, action, params })),
      );
      const done: EventBody[] = plan.steps.map(({ id }) => ({
        type: 'step-ended',
        run: 'plan-5',
        step: id,
        outcome: { verdict: 'done', detail: 'It is done.' },
      }));
      const approved: EventBody = {
        type: 'decided',
        decision: { verb: 'approve', by: 'UINES00001', hash: plan.hash },
      };
      const events = [
        reported(),
        identified,
        observed,
        { type: 'plan-proposed', plan } as EventBody,
        approved,
      ];
      return adviceAfter(anIncident([...events, ...done, closed]))
        .map(({ why, kubectl }) => [why, ...kubectl].join(' '))
        .join('\n');
    };
    expect(adviceOnce(['delete-token-secret', { secret: 'api-token' }])).toMatch(
      /No token in a Secret is left/,
    );
    expect(adviceOnce(['recreate-service-account', { name: 'api' }])).toMatch(/No token in a Secret is left/);
    expect(adviceOnce(['replace-token-secret', { name: 'api-token-r1' }])).toMatch(
      /api-token, api-token-r1 are still/,
    );
    const replaced = adviceOnce(
      [
        'replace-service-account',
        { name: 'api-r1', secrets: [{ replaces: 'api-token', name: 'api-r1-token' }] },
      ],
      ['delete-service-account', { name: 'api', secrets: ['api-token'] }],
    );
    expect(replaced).toMatch(/api-r1-token is still there.*create token api-r1 /);
  });
});
