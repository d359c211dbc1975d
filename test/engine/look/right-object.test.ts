// What is verified, done again or undone is the very object that a step was about: whatever took its name is never touched.
import { afterEach, describe, expect, it } from 'vitest';
import { INVALID_SINCE, SERVICE_ACCOUNT_NAME } from '../../../src/domain/kubernetes/legacy-token-labels.ts';
import { MADE_BY, REPLACES } from '../../../src/domain/kubernetes/own-annotations.ts';
import { resources } from '../../../src/domain/kubernetes/resources.ts';
import { done } from '../../../src/domain/outcome.ts';
import { planned, RBAC } from '../act/moving.ts';
import { type Harness, type HarnessOptions, seedLegacy, startHarness } from '../harness.ts';

const MINUTE = 60_000;
const SECRETS = '/api/v1/namespaces/payments/secrets';
const OLD = `${SECRETS}/api-token`;
const NEXT = `${SECRETS}/api-token-r20261124`;
const DAY = '2020-01-01';

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.close();
  harness = undefined;
});

async function started(options: HarnessOptions = {}): Promise<[Harness, string]> {
  const h = await startHarness(options);
  harness = h;
  return [h, await seedLegacy(h.cluster(), { team: 'a' })];
}

/** Somebody deletes it and makes another of its name: with RSA it holds the same token, with ECDSA another. */
async function renamed(h: Harness, labels: Record<string, string>): Promise<string> {
  await h.connected[0]?.remove({ resource: resources.secrets, namespace: 'payments', name: 'api-token' }, {});
  await h.cluster().seed.tokenSecret('payments', 'api-token', 'api', { labels });
  return h.cluster().get(OLD)?.metadata.uid ?? '';
}
const RSA: HarnessOptions = { clusters: { prod: { signing: 'RS256' } } };
const ECDSA: HarnessOptions = { clusters: { prod: { signing: 'ES256' } } };
/** A process that dies after the kill, before it can say so. */
async function killedUnheard(h: Harness, id: string): Promise<void> {
  const { log } = h.deps;
  const dead = () => Promise.reject(new Error('dead'));
  let appends = 0;
  h.deps.log = { ...log, append: (request) => (++appends > 1 ? dead() : log.append(request)) };
  await expect(h.run(id)).rejects.toThrow('dead');
  h.deps.log = log;
  expect(h.cluster().get(OLD)?.metadata.labels).toHaveProperty([INVALID_SINCE]);
  expect(h.incident(id).runs[0]?.steps[0]?.outcome).toBeUndefined();
}

const labelled = { team: 'b', [INVALID_SINCE]: DAY };
const unlabelled = { team: 'b' };
const undo = (h: Harness, id: string) => h.click(id, 'undo', 'UINES', { reason: 'production is down' });
const patches = (h: Harness): number =>
  h
    .cluster()
    .requests.filter(({ method, path, status }) => method === 'PATCH' && path === OLD && status < 300).length;

describe('an automatic quarantine', () => {
  it.each([
    ['the same token', RSA],
    ['another token', ECDSA],
  ])(
    'is not lifted from a Secret that took the name and was quarantined by somebody else (%s)',
    async (_what, options) => {
      const [h, token] = await started(options);
      const { incidentId: id } = await h.leak(token);
      await h.run(id);
      const uid = await renamed(h, labelled);
      await undo(h, id);
      await h.run(id);
      expect(h.cluster().get(OLD)?.metadata).toMatchObject({ uid, labels: labelled });
      const run = h.incident(id).runs.at(-1);
      expect([run?.kind, run?.steps[0]?.outcome?.verdict]).toEqual(['undo', 'not-done']);
      expect(run?.stopped).toContain('Another Secret has taken this name');
    },
  );

  it('whose end was lost is not believed to have been done to a Secret that took the name', async () => {
    const [h, token] = await started(ECDSA);
    const { incidentId: id } = await h.leak(token);
    await killedUnheard(h, id);
    await renamed(h, labelled);
    const before = patches(h);
    await h.run(id);
    expect(h.incident(id).runs[0]?.steps[0]?.outcome).toMatchObject({
      verdict: 'not-done',
      detail: expect.stringContaining('does not hold the leaked token'),
    });
    expect(patches(h)).toBe(before);
  });

  it.each([
    ['the one that was meant', false],
    ['one that took the name', true],
  ])('whose end was lost is undone for %s only', async (_what, another) => {
    const [h, token] = await started(ECDSA);
    const { incidentId: id } = await h.leak(token);
    await killedUnheard(h, id);
    await h.run(id);
    if (another) await renamed(h, labelled);
    await undo(h, id);
    await h.run(id);
    expect(h.cluster().get(OLD)?.metadata.labels?.[INVALID_SINCE]).toBe(another ? DAY : undefined);
  });

  it('of which nothing says any more whose it was is not undone by guess, and the command is printed', async () => {
    const [h, token] = await started(ECDSA);
    const { incidentId: id } = await h.leak(token);
    await killedUnheard(h, id);
    // As an older version noted what it found done: without the UID. The sealed token is destroyed by then.
    const { steps = [], id: run = '' } = h.incident(id).runs[0] ?? {};
    const outcome = done('The label is set (2026-11-24). (found done when the job was taken up again)');
    await h.forge(id, { type: 'step-ended', run, step: steps[0]?.step.id ?? '', outcome });
    await h.forge(id, { type: 'token-forgotten', reason: 'it was kept as long as agreed' });
    await undo(h, id);
    await h.run(id);
    expect(h.cluster().get(OLD)?.metadata.labels).toHaveProperty([INVALID_SINCE]);
    expect(h.incident(id).runs.at(-1)?.stopped).toContain(`label secret api-token ${INVALID_SINCE}-`);
  });
});

it('a quarantine that a person approved is not done to a Secret that took the name, also where it holds the same token', async () => {
  const [h, token] = await started({ ...RSA, settings: { autoContain: 'off' } });
  const { incidentId: id } = await h.leak(token);
  await h.run(id);
  const uid = await renamed(h, unlabelled);
  await h.click(id, 'contain', 'UINES');
  await h.run(id);
  expect(h.cluster().get(OLD)?.metadata).toMatchObject({ uid });
  expect(h.cluster().get(OLD)?.metadata.labels).not.toHaveProperty([INVALID_SINCE]);
  expect(h.incident(id).runs[0]?.stopped).toContain('Another Secret has taken this name');
  // The next plan is about that one, and a person approves it.
  await h.click(id, 'contain', 'UINES');
  await h.run(id);
  expect(h.cluster().get(OLD)?.metadata.labels).toHaveProperty([INVALID_SINCE]);
});

it('a quarantine after an undo works again, also with the token in hand, and can be undone again', async () => {
  const [h, token] = await started();
  const { incidentId: id } = await h.leak(token);
  await h.run(id);
  for (let turn = 0; turn < 2; turn++) {
    await undo(h, id);
    await h.run(id);
    expect(h.cluster().get(OLD)?.metadata.labels).not.toHaveProperty([INVALID_SINCE]);
    expect(await h.click(id, 'contain', 'UINES')).toMatchObject({ decided: true });
    await h.run(id);
    expect(h.cluster().get(OLD)?.metadata.labels).toHaveProperty([INVALID_SINCE]);
  }
});

describe('a new Secret', () => {
  async function rotated(): Promise<[Harness, string]> {
    const [h, token] = await started();
    h.cluster().seed.deployment('payments', 'web', { secretMounts: ['api-token'], replicas: 1 });
    const { incidentId: id } = await h.leak(token, { goal: { do: 'rotate', strategy: 'new-secret' } });
    await h.run(id);
    return [h, id];
  }
  const annotations = { [REPLACES]: 'api-token' };

  it('that somebody made as the plan says is used, and left where all is taken back', async () => {
    const [h, id] = await rotated();
    await h.cluster().seed.tokenSecret('payments', 'api-token-r20261124', 'api', { annotations });
    const { uid } = h.cluster().get(NEXT)?.metadata ?? {};
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 10 * MINUTE);
    expect(h.incident(id).runs.at(-1)?.stopped).toBeUndefined();
    await undo(h, id);
    await h.run(id, 10 * MINUTE);
    expect(h.cluster().get(NEXT)?.metadata.uid).toBe(uid);
    expect(h.incident(id).runs.at(-1)?.steps.at(-1)?.outcome).toMatchObject({
      verdict: 'done',
      detail: expect.stringContaining('made by somebody else'),
    });
  });

  it('in whose place somebody made another is not deleted', async () => {
    const [h, id] = await rotated();
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 10 * MINUTE);
    expect(h.cluster().get(NEXT)?.metadata.annotations).toHaveProperty([MADE_BY]);
    const ref = { resource: resources.secrets, namespace: 'payments', name: 'api-token-r20261124' };
    await h.connected[0]?.remove(ref, {});
    await h.cluster().seed.tokenSecret('payments', 'api-token-r20261124', 'api', { annotations });
    await undo(h, id);
    await h.run(id, 10 * MINUTE);
    expect(h.cluster().get(NEXT)).toBeDefined();
  });

  it('that an older version made, which left no mark, is deleted by its UID', async () => {
    const [h, id] = await rotated();
    const [cluster] = h.deps.clusters.values();
    if (cluster === undefined) throw new Error('no cluster');
    const create: typeof cluster.create = (where, body) => {
      const { metadata, ...rest } = body as {
        metadata: { name: string; annotations: Record<string, string> };
      };
      const { [MADE_BY]: _, ...older } = metadata.annotations;
      return cluster.create(where, { ...rest, metadata: { ...metadata, annotations: older } });
    };
    h.deps.clusters = new Map([['prod', { ...cluster, create }]]);
    const { append } = h.deps.log;
    const unmarked = <E extends { type: string }>(event: E): boolean =>
      !(event.type === 'step-noted' && 'mark' in (event as unknown as { note: object }).note);
    h.deps.log = {
      ...h.deps.log,
      append: (request) => append({ ...request, events: request.events.filter(unmarked) }),
    };
    await h.click(id, 'approve', 'UINES');
    await h.run(id, 10 * MINUTE);
    const made = h.cluster().get(NEXT)?.metadata.annotations;
    expect(made).toMatchObject({ [SERVICE_ACCOUNT_NAME]: 'api' });
    expect(made).not.toHaveProperty([MADE_BY]);
    await undo(h, id);
    await h.run(id, 10 * MINUTE);
    expect(h.cluster().get(NEXT)).toBeUndefined();
  });
});

describe('a binding', () => {
  const OWN = `${RBAC}/namespaces/payments/rolebindings/own`;
  const others = [{ kind: 'ServiceAccount' as const, name: 'web', namespace: 'payments' }];

  it('whose name another has taken is neither overwritten nor said to be back', async () => {
    const [h, id] = await planned({ strategy: 'unbind' });
    harness = h;
    await h.click(id, 'approve', 'UINES');
    await h.run(id, MINUTE);
    expect(h.cluster().get(OWN)).toBeUndefined();
    h.cluster().seed.roleBinding('payments', 'own', {
      role: { kind: 'Role', name: 'own' },
      subjects: others,
    });
    await undo(h, id);
    await h.run(id, MINUTE);
    expect(h.incident(id).runs.at(-1)?.stopped).toContain('Another binding has taken the name');
    expect(h.cluster().get(OWN)).toMatchObject({ subjects: others });
  });
});
