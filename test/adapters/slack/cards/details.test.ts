// The Details modal offers the patches for Git as they can be copied, and names the report where they do not fit.
import { checkView } from 'slack-sandbox/limits';
import { expect, it } from 'vitest';
import { actions } from '../../../../src/actions/index.ts';
import { detailsView } from '../../../../src/adapters/slack/cards/details.ts';
import { inGit } from '../../../../src/domain/kubernetes/git-patch.ts';
import { planFor } from '../../../../src/domain/plan/planner.ts';
import { anIdentity, anIncident, aSituation, aWorkload, reported, T0 } from '../../../builders.ts';

/** A rotation of so many workloads that Argo CD manages, each with so many variables from the Secret. */
function shown({ workloads = 1, variables = 1 }) {
  const owned = { kind: 'Deployment', apiVersion: 'apps/v1', managedBy: ['Argo CD'] };
  const env = Array.from({ length: variables }, (_, i) => ({
    name: `T${i}`,
    valueFrom: { secretKeyRef: { name: 'api-token', key: 'token' } },
  }));
  const git = inGit(owned, { containers: [{ name: 'main', env }] }, ['api-token']);
  const some = Array.from({ length: workloads }, (_, i) =>
    aWorkload({ ...owned, name: `api-${i}`, uid: `uid-${i}`, ...(git && { git }) }),
  );
  const radius = { tier: 'low' as const, lines: [], bindings: [] };
  const situation = aSituation({ workloads: some, radius });
  const plan = planFor({ do: 'rotate', strategy: 'new-secret' }, anIdentity(), [situation], actions, T0);
  const view = detailsView(
    anIncident([
      reported(),
      { type: 'identified', identity: anIdentity() },
      { type: 'situation-observed', situations: [situation] },
      { type: 'plan-proposed', plan },
    ]),
    T0,
  );
  expect(checkView(view, 'modal')).toEqual([]);
  return { text: view.blocks.map((block) => JSON.stringify(block)).join('\n'), plan };
}

it('as YAML that keeps its lines, beside the commands of the live edit', () => {
  const { text, plan } = shown({});
  expect(text).toContain('*For Git:*\\n```\\n# Deployment api-0, which Argo CD manages.\\n');
  expect(text).toContain('        - name: main\\n          env:\\n            - name: T0\\n');
  expect(text).toContain('kubectl --context prod -n payments get deployment api-0');
  expect(plan.notes.join('\n')).toMatch(/kept in Git.*under Details/);
});

it.each([
  [{ variables: 60 }, '1 patch for Git did not fit here. See `tourniquet audit report inc-0001`.'],
  [{ workloads: 15 }, '3 patches for Git did not fit here.'],
])('or a word on where they are: %j', (many, words) => {
  expect(shown(many).text).toContain(words);
});
