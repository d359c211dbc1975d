// A worker process that is frozen in the middle of its work, while another one does and undoes all of it, changes nothing when it wakes up.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { askForRotation } from '../../../sandbox/demos.ts';
import { LEDGER } from '../../../sandbox/harbour.ts';
import type { RoleProcess } from '../../../sandbox/process.ts';
import { tokenIn } from '../../../sandbox/rotation-story.ts';
import { INCIDENTS, type World } from '../../../sandbox/world.ts';
import {
  answersTo,
  cardShows,
  idOf,
  openStage,
  press,
  pressWithReason,
  reportLeak,
  START_MS,
  threadSays,
  toldOnce,
} from '../stage.ts';
import { freezeWorkerAfter, isTrial, on } from './kill.ts';

/** The lock of a frozen worker's job lapses after 10 s, and machines may be busy. */
const TAKEN_UP_MS = 90_000;
const DEPLOYMENTS = `/apis/apps/v1/namespaces/${LEDGER.namespace}/deployments/`;
const LABEL = 'kubernetes.io/legacy-token-invalid-since';

let world: World;
beforeAll(async () => {
  world = await openStage({
    clusters: { prod: { servers: 2, podStartMs: 300, tokenCacheMs: 300 }, staging: {} },
  });
  await world.startRole('bot');
}, START_MS);
afterAll(() => world?.close());
beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript(INCIDENTS))));

/** Templates, Secrets and bindings: all that a worker changes, and no controller. */
const templates = () =>
  world
    .cluster('prod')
    .objects()
    .filter(({ kind }) => ['Deployment', 'Secret', 'ServiceAccount'].includes(kind))
    .map(({ kind, metadata, ...rest }) => [kind, metadata.name, metadata.uid, metadata.labels, rest]);
/** Without what a controller writes, and what an API server notes of a token's use. */
const lasting = () =>
  JSON.stringify(templates(), (key, value: unknown) =>
    ['status', 'kubernetes.io/legacy-token-last-used'].includes(key) ? undefined : value,
  );

/** It is told to end as soon as it wakes up, and finishes what it has in hand. */
async function wokenUp(frozen: RoleProcess, wake: () => void, id: string): Promise<void> {
  const before = lasting();
  const said = toldOnce(world, id);
  wake();
  expect(await frozen.stop()).toBe(0);
  expect(lasting()).toBe(before);
  expect(toldOnce(world, id)).toEqual(said);
}

it('does not quarantine again what was quarantined by another worker and given back by a person', async () => {
  const frozen = await world.startRole('worker');
  const secret = '/api/v1/namespaces/payments/secrets/slept-through';
  let leak: Awaited<ReturnType<typeof reportLeak>> | undefined;
  const wake = await freezeWorkerAfter(world, on('PATCH', secret), async () => {
    leak = await reportLeak(world, 'slept-through');
  });
  const { id = '', token = '' } = leak ?? {};
  const other = await world.startRole('worker');
  await cardShows(world, id, /Contained: refused by 2 of 2/, TAKEN_UP_MS);
  await pressWithReason(world, id, 'ines', 'Undo quarantine', 'checkout cannot charge anybody');
  await threadSays(world, id, /Undone: .*works again/);
  await threadSays(world, id, /A new plan is on the card/);
  await wokenUp(frozen, wake, id);
  expect(world.cluster('prod').get(secret)?.metadata.labels).not.toHaveProperty([LABEL]);
  expect(await answersTo(world, token)).toEqual([201, 201]);
  await other.stop();
}, 180_000);

it('does not go on with a rotation that another worker has done and taken back', async () => {
  const frozen = await world.startRole('worker');
  const old = tokenIn(world, LEDGER.secret);
  const known = new Set(world.slack.messages(INCIDENTS).map(({ ts }) => ts));
  await askForRotation(world, 'maya');
  const card = await world.slack.waitFor(
    () => world.slack.messages(INCIDENTS).find(({ ts, metadata }) => metadata && !known.has(ts)),
    20_000,
    'the card of the rotation',
  );
  const id = idOf(card);
  const isMove = ({ method, path }: { method: string; path: string }) =>
    method === 'PATCH' && path.startsWith(DEPLOYMENTS) && !isTrial({ path });
  const wake = await freezeWorkerAfter(world, isMove, () => press(world, id, 'ines', 'Approve plan'));
  const other = await world.startRole('worker');
  await threadSays(world, id, /Pods of 8 workloads replaced/, TAKEN_UP_MS);
  await cardShows(world, id, /refused by 2 of 2/, TAKEN_UP_MS);
  await pressWithReason(world, id, 'ines', 'Roll back', 'the ledger cannot read the new one');
  await threadSays(world, id, /Undone: Create token Secret/, TAKEN_UP_MS);
  expect(await answersTo(world, old)).toEqual([201, 201]);
  await threadSays(world, id, /A new plan is on the card/);
  await wokenUp(frozen, wake, id);
  expect(await answersTo(world, old)).toEqual([201, 201]);
  await other.stop();
}, 240_000);
