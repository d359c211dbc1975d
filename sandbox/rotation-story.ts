// Plays a rotation as people live it: asked for, approved, seen wave by wave on the card, and judged by the cluster itself.

import type { Message } from 'slack-sandbox';
import { askForRotation } from './demos.ts';
import { answersOf, button, current, fail, firstCard, placesOf, press, reply, text, until } from './hands.ts';
import { LEDGER } from './harbour.ts';
import { INCIDENTS, type World } from './world.ts';

/** Exit code: 0 only if old Pods and the old token are gone, the new ones work, and no value was written anywhere. */
export async function tellRotation(world: World): Promise<number> {
  const before = podsOf(world);
  const old = tokenIn(world, LEDGER.secret);
  console.log(
    `${before.length} Pods mount the long-lived token of ${LEDGER.namespace}/${LEDGER.serviceAccount}. Maya types /rotate-sa.`,
  );
  await askForRotation(world, 'maya');
  const card = await firstCard(world);
  await until(world, 'the plan', () => button(world, card, 'Approve plan'));
  console.log(
    'The plan is on the card. Ines approves it. The Pods are replaced in waves, then comes the proof.\n',
  );
  const waves = watchWaves(world, card);
  const approved = Date.now();
  await press(world, card, 'ines', 'Approve plan');
  await until(world, 'the roll-out', () => reply(world, card, /Pods of \d+ workloads replaced/));
  const rolled = Date.now();
  await until(world, 'the proof', () => reply(world, card, /Evidence:|Proof:/));
  waves.stop();

  console.log(
    'The channel as it stands now: the card, which was rewritten all the time, and under it its thread.\n',
  );
  console.log(world.slack.transcript(INCIDENTS));
  console.log(`
Seen on the card while it ran:
${waves.seen.map((line) => `  ${line}`).join('\n')}

Approval to the last new Pod: ${((rolled - approved) / 1000).toFixed(1)} s`);
  return await judgeRotation(world, { before, old, waves: waves.seen });
}

export interface Before {
  /** UIDs of the Pods. */
  before: string[];
  /** The token that had to go. */
  old: string;
  /** Lines of progress that the card showed. */
  waves: string[];
}

/** Asks the cluster itself, and looks for both values in all that was written. */
export async function judgeRotation(world: World, { before, old, waves }: Before): Promise<number> {
  const left = podsOf(world).filter((uid) => before.includes(uid));
  const successor = successorOf(world);
  const fresh = successor === undefined ? '' : tokenIn(world, successor);
  const [oldAnswers, newAnswers] = [await answersOf(world, old), await answersOf(world, fresh)];
  console.log(
    `Pods from before: ${left.length} of ${before.length}. Pods now: ${podsOf(world).length}, ${allUse(world, successor) ? 'all' : 'not all'} Ready with ${successor}.`,
  );
  console.log(`API servers answer the old token with: ${oldAnswers.join(', ')}`);
  console.log(`API servers answer the new token with: ${newAnswers.join(', ')}`);
  const found = [
    ...(await placesOf(world, "the old token's", old)),
    ...(await placesOf(world, "the new token's", fresh)),
  ];
  const faults = [
    left.length > 0 && 'Pods from before the rotation are left.',
    podsOf(world).length !== before.length && 'There are not as many Pods as before.',
    !allUse(world, successor) && 'A Pod does not mount the new Secret, or is not Ready.',
    !oldAnswers.every((status) => status === 401) && 'The old token is not refused by every API server.',
    !newAnswers.every((status) => status === 201) && 'The new token is not accepted by every API server.',
    found.length > 0 && 'The value of a token was written somewhere.',
    new Set(waves.map((line) => /Wave \d+ of \d+/.exec(line)?.[0])).size < 2 &&
      'The waves could not be seen on the card.',
  ].filter((fault) => fault !== false);
  if (faults.length > 0) return fail(faults.join(' '));
  console.log('\nEvery Pod is new, the new token works, the old one is dead, and no value is anywhere.');
  return 0;
}

/** Each line of progress that the card showed, once. */
function watchWaves(world: World, card: Message) {
  const seen: string[] = [];
  const look = (): void => {
    const line = /\d+ of \d+[^"\\`]*Wave \d+ of \d+[^"\\]*/.exec(text(current(world, card)))?.[0];
    if (line !== undefined && !seen.includes(line)) seen.push(line);
  };
  return { seen, stop: world.slack.onChange(look) };
}

interface Pod {
  kind: string;
  metadata: { uid: string; namespace?: string };
  spec?: { volumes?: { secret?: { secretName?: string } }[] };
  status?: { conditions?: { type: string; status: string }[] };
}

const podsIn = (world: World): Pod[] =>
  (world.cluster('prod').objects() as Pod[]).filter(
    ({ kind, metadata }) => kind === 'Pod' && metadata.namespace === LEDGER.namespace,
  );
export const podsOf = (world: World): string[] => podsIn(world).map(({ metadata }) => metadata.uid);

const allUse = (world: World, secret: string | undefined): boolean =>
  podsIn(world).every(
    ({ spec, status }) =>
      spec?.volumes?.some((volume) => volume.secret?.secretName === secret) &&
      status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
  );

const secretsPath = `/api/v1/namespaces/${LEDGER.namespace}/secrets`;

export function tokenIn(world: World, name: string): string {
  const secret = world.cluster('prod').get(`${secretsPath}/${name}`) as
    | { data?: { token?: string } }
    | undefined;
  return Buffer.from(secret?.data?.token ?? '', 'base64').toString();
}

const successorOf = (world: World): string | undefined =>
  world
    .cluster('prod')
    .objects()
    .find(
      ({ kind, metadata }) =>
        kind === 'Secret' && metadata.namespace === LEDGER.namespace && metadata.name !== LEDGER.secret,
    )?.metadata.name;
