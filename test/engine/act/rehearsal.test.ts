// Nothing is killed for a way that cannot be finished: what a plan would make and change is tried by dry run before its first irreversible step.
import { afterEach, describe, expect, it } from 'vitest';
import { type Harness, type HarnessOptions, seedLegacy, startHarness, statusWith } from '../harness.ts';
import { dyingLog, everyCrash, ignoreCrash, survive } from './crash.ts';
import { denials, NO_TOKEN_SECRETS, noDryRun, rbac } from './denials.ts';
import { last, podsOf, settled, uids } from './rolling.ts';

const SECRETS = '/api/v1/namespaces/payments/secrets';
const ACCOUNTS = '/api/v1/namespaces/payments/serviceaccounts';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/payments/deployments';
type Seen = { method: string; path: string };
const creates =
  (path: string) =>
  (seen: Seen): boolean =>
    seen.method === 'POST' && seen.path.split('?')[0] === path;
const dry =
  (matches: (seen: Seen) => boolean) =>
  (seen: Seen): boolean =>
    seen.path.includes('dryRun=All') && matches(seen);
const earnest =
  (matches: (seen: Seen) => boolean) =>
  (seen: Seen): boolean =>
    !seen.path.includes('dryRun') && matches(seen);
const patches =
  (name: string) =>
  ({ method, path }: Seen): boolean =>
    method === 'PATCH' && path.startsWith(`${DEPLOYMENTS}/${name}`);

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.close();
  harness = undefined;
});

/** A plan to re-create payments/api, whose token Secret one workload reads and whose account another runs as. */
async function planned(
  refuse: (faults: Harness['simulated'][string]['faults']) => void = () => {},
  strategy: 'recreate' | 'new-secret' | 'new-service-account' = 'recreate',
  options: HarnessOptions = {},
): Promise<[Harness, string, string]> {
  const h = await startHarness({ settings: { autoContain: 'off' }, ...options });
  harness = h;
  const token = await seedLegacy(h.cluster());
  const { seed, faults } = h.cluster();
  seed.deployment('payments', 'runner', { serviceAccount: 'api' });
  seed.deployment('payments', 'reader', { secretMounts: ['api-token'] });
  await settled(h);
  refuse(faults);
  const { incidentId: id } = await h.leak(token, { goal: { do: 'rotate', strategy } });
  await h.run(id);
  return [h, id, token];
}
const notes = (h: Harness, id: string) => h.incident(id).plan?.notes.join('\n') ?? '';
const approve = async (h: Harness, id: string, forMs = 60_000) => {
  await h.click(id, 'approve', 'UINES');
  await h.run(id, forMs);
};
const answer = async (h: Harness, token: string) => {
  const [cluster] = h.connected;
  return cluster && (await statusWith(cluster, token));
};
const accountUid = (h: Harness) => h.cluster().get(`${ACCOUNTS}/api`)?.metadata.uid;

describe('re-creation where no token Secret may be made', () => {
  it('says so in the plan, by the policy and in its words', async () => {
    const [h, id] = await planned((faults) =>
      faults.answerNext(99, NO_TOKEN_SECRETS.status, NO_TOKEN_SECRETS.body, creates(SECRETS)),
    );
    expect(h.incident(id).plan?.notes[0]).toMatch(
      /^A dry run of this plan is refused, .*ValidatingAdmissionPolicy no-token-secrets .*would hold a token that never ends.*kubectl --context prod get validatingadmissionpolicy\/no-token-secrets /,
    );
  });

  it('stops before anything is done for good, and loses nothing', async () => {
    const [h, id, token] = await planned((faults) =>
      faults.answerNext(99, NO_TOKEN_SECRETS.status, NO_TOKEN_SECRETS.body, creates(SECRETS)),
    );
    const before = [accountUid(h), h.cluster().get(`${SECRETS}/api-token`)?.metadata.uid];
    await approve(h, id);
    expect([accountUid(h), h.cluster().get(`${SECRETS}/api-token`)?.metadata.uid]).toEqual(before);
    expect(h.cluster().requests.filter(({ method }) => method === 'DELETE')).toEqual([]);
    expect(last(h, id)?.stopped).toMatch(
      /Not begun, and nothing was done for good, .*Have it allowed and try again, or .*no-token-secrets/,
    );
    // The containment before it is reversible, and so it is done: the leak is not live for the sake of the rest.
    expect(await answer(h, token)).toBe('refused');
  });

  it('goes on once it is allowed, by a click', async () => {
    const [h, id, token] = await planned((faults) =>
      faults.answerNext(99, NO_TOKEN_SECRETS.status, NO_TOKEN_SECRETS.body, creates(SECRETS)),
    );
    await approve(h, id);
    h.cluster().faults.clear();
    const hash = last(h, id)?.id ?? '';
    expect(await h.click(id, 'retry', 'UINES', { hash })).toMatchObject({ decided: true });
    await h.run(id, 60_000);
    expect(last(h, id)?.stopped).toBeUndefined();
    expect(last(h, id)?.steps.every(({ outcome }) => outcome?.verdict === 'done')).toBe(true);
    expect(await answer(h, token)).toBe('refused');
    expect(h.cluster().get(`${SECRETS}/api-token`)).toBeDefined();
  });
});

describe.each(Object.entries(denials('deployments.apps "runner"')))(
  'a change to a workload that is refused by %s',
  (by, { status, body }) => {
    it('keeps the ServiceAccount, until a person goes on without that workload', async () => {
      const [h, id] = await planned((faults) => faults.answerNext(999, status, body, patches('runner')));
      const before = accountUid(h);
      expect(notes(h, id)).toContain(by);
      await approve(h, id);
      expect(accountUid(h)).toBe(before);
      expect(last(h, id)?.stopped).toContain(by);
      expect(last(h, id)?.stopped).toContain('go on without these workloads');
      const hash = last(h, id)?.id ?? '';
      await h.click(id, 'skip', 'UINES', { hash });
      await h.run(id, 60_000);
      expect(accountUid(h)).not.toBe(before);
      expect(last(h, id)?.stopped).toBeUndefined();
    });
  },
);

it('a right that is missing for what must follow stops it too, and is told as a right', async () => {
  const { status, body } = rbac('create', 'secrets');
  const [h, id] = await planned((faults) => faults.answerNext(99, status, body, creates(SECRETS)));
  const before = accountUid(h);
  await approve(h, id);
  expect(accountUid(h)).toBe(before);
  expect(last(h, id)?.stopped).toContain('lacks the permission "create" on secrets in namespace payments');
});

describe('a dry run that cannot answer', () => {
  it('says that names are taken, and stops nothing', async () => {
    const [h, id, token] = await planned();
    expect(notes(h, id)).toMatch(
      /Not known from a dry run: whether ServiceAccount payments\/api, Secret payments\/api-token will be let through\. The name is taken until the old one is gone/,
    );
    await approve(h, id);
    expect(last(h, id)?.stopped).toBeUndefined();
    expect(await answer(h, token)).toBe('refused');
  });

  const { status, body } = noDryRun('guard.example.test');
  it.each([
    [
      'a webhook with side effects',
      (faults: Harness['simulated'][string]['faults']) =>
        faults.answerNext(
          999,
          status,
          body,
          dry(() => true),
        ),
      /guard\.example\.test does not support dry run/,
    ],
    [
      'an API server that is busy',
      (faults: Harness['simulated'][string]['faults']) =>
        faults.failNext(
          999,
          503,
          dry(() => true),
        ),
      /503/,
    ],
    [
      'a quota that is full until the old one is gone',
      (faults: Harness['simulated'][string]['faults']) =>
        faults.answerNext(
          999,
          403,
          {
            kind: 'Status',
            message:
              'secrets "api-token" is forbidden: exceeded quota: few, requested: secrets=1, used: secrets=5, limited: secrets=5',
            reason: 'Forbidden',
            code: 403,
          },
          dry(creates(SECRETS)),
        ),
      /ResourceQuota few/,
    ],
  ] as const)('because of %s is said, and stops nothing', async (_, refuse, words) => {
    const [h, id, token] = await planned(refuse);
    expect(notes(h, id)).toMatch(/Not known from a dry run/);
    expect(notes(h, id)).toMatch(words);
    expect(notes(h, id)).not.toContain('is refused');
    await approve(h, id);
    expect(last(h, id)?.stopped).toBeUndefined();
    expect(await answer(h, token)).toBe('refused');
  });

  it('a quota in which too much is used already is no room that comes back', async () => {
    const message =
      'secrets "api-token" is forbidden: exceeded quota: none, requested: secrets=1, used: secrets=2, limited: secrets=0';
    const [h, id] = await planned((faults) =>
      faults.answerNext(99, 403, { kind: 'Status', message, code: 403 }, creates(SECRETS)),
    );
    const before = accountUid(h);
    await approve(h, id);
    expect(accountUid(h)).toBe(before);
    expect(last(h, id)?.stopped).toContain('ResourceQuota none');
  });
});

describe('what is refused only in earnest', () => {
  it('a token Secret: the Pods are replaced all the same, and the words come', async () => {
    const [h, id, token] = await planned((faults) =>
      faults.answerNext(99, NO_TOKEN_SECRETS.status, NO_TOKEN_SECRETS.body, earnest(creates(SECRETS))),
    );
    const before = await podsOf(h);
    await approve(h, id, 2_000_000);
    await settled(h);
    const [run] = h.incident(id).runs.slice(-1);
    expect(run?.stopped).toMatch(
      /ValidatingAdmissionPolicy no-token-secrets .*would hold a token that never ends/,
    );
    const verdicts = Object.fromEntries(
      run?.steps.map(({ step, outcome }) => [step.action, outcome?.verdict]) ?? [],
    );
    expect(verdicts).toMatchObject({
      'recreate-service-account': 'done',
      'recreate-token-secrets': 'not-done',
    });
    expect(verdicts['restart-workloads']).toBeDefined();
    const after = await podsOf(h);
    expect(uids(after, 'runner')).not.toEqual(uids(before, 'runner'));
    expect(await answer(h, token)).toBe('refused');
  });

  it('the ServiceAccount: says that it is gone, and nothing that holds no token is restarted', async () => {
    const { status, body } = Object.values(denials('serviceaccounts "api"'))[1] ?? noDryRun('x');
    const [h, id] = await planned((faults) =>
      faults.answerNext(99, status, body, earnest(creates(ACCOUNTS))),
    );
    await approve(h, id);
    expect(last(h, id)?.stopped).toMatch(/It is deleted, .*try again, .*ValidatingAdmissionPolicy frozen /);
    h.cluster().faults.clear();
    await h.click(id, 'retry', 'UINES', { hash: last(h, id)?.id ?? '' });
    await h.run(id, 60_000);
    expect(accountUid(h)).toBeDefined();
    expect(last(h, id)?.stopped).toBeUndefined();
  });
});

it.each(['new-secret', 'new-service-account'] as const)(
  'the way %s tells at planning what would be refused, and touches nothing when it is',
  async (strategy) => {
    const [h, id, token] = await planned(
      (faults) => faults.answerNext(99, NO_TOKEN_SECRETS.status, NO_TOKEN_SECRETS.body, creates(SECRETS)),
      strategy,
    );
    expect(h.incident(id).plan?.notes[0]).toContain('ValidatingAdmissionPolicy no-token-secrets');
    await approve(h, id);
    expect(last(h, id)?.stopped).toContain('ValidatingAdmissionPolicy no-token-secrets');
    expect(await answer(h, token)).toBe('accepted');
  },
);

it('a plan that does nothing for good, and one without a write to try, cost no request', async () => {
  const h = await startHarness();
  harness = h;
  const token = await seedLegacy(h.cluster());
  const { incidentId: id } = await h.leak(token);
  await h.run(id);
  await approve(h, id);
  expect(h.cluster().requests.filter(({ path }) => path.includes('dryRun'))).toEqual([]);
});

/** With little patience for the Pod whose Secret does not come, so that there are few appends to die at. */
const impatient: HarnessOptions = {
  settings: { autoContain: 'off', pace: { percent: 100, most: 5, deadline: 4000 } },
};
const denying = (which: (matches: (seen: Seen) => boolean) => (seen: Seen) => boolean) =>
  planned(
    (faults) =>
      faults.answerNext(999, NO_TOKEN_SECRETS.status, NO_TOKEN_SECRETS.body, which(creates(SECRETS))),
    'recreate',
    impatient,
  );
const deniedInEarnest = () => denying(earnest);
const deniedBefore = () => denying((matches) => matches);
async function approved(h: Harness, id: string): Promise<void> {
  await h.click(id, 'approve', 'UINES').catch(ignoreCrash);
  await survive(h, id, 60_000);
  if (h.incident(id).runs.length === 0) await approve(h, id, 60_000);
}

const late = await everyCrash(await deniedInEarnest(), approved);
describe('a crash while what brings things back is denied', () => {
  it.each(late)(
    'at append %i, %s it is written, loses neither the restarts nor the words',
    async (k, when) => {
      const [h, id] = await deniedInEarnest();
      const before = await podsOf(h);
      h.deps.log = dyingLog(h.deps.log, k, when);
      await approved(h, id);
      await settled(h);
      expect(last(h, id)?.stopped).toContain('ValidatingAdmissionPolicy no-token-secrets');
      expect(uids(await podsOf(h), 'runner')).not.toEqual(uids(before, 'runner'));
    },
  );
});

const early = await everyCrash(await deniedBefore(), approved);
describe('a crash around a rehearsal that is denied', () => {
  it.each(early)('at append %i, %s it is written, deletes nothing', async (k, when) => {
    const [h, id] = await deniedBefore();
    h.deps.log = dyingLog(h.deps.log, k, when);
    await approved(h, id);
    expect(h.cluster().requests.filter(({ method }) => method === 'DELETE')).toEqual([]);
    expect(last(h, id)?.stopped).toContain('Not begun');
  });
});
