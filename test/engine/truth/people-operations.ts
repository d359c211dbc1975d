// What alerts and people do: report, say which token it is, press buttons, pause.
import fc from 'fast-check';
import { aCase, isAbout, isAt } from './cases.ts';
import { type Draws, kind } from './cluster-operations.ts';
import { TEAM } from './process.ts';
import { bindsTo, type Coordinates, Secret, type Verb } from './product.ts';
import { ACCOUNTS, CLUSTERS, NAMESPACE, SECRETS, TOKENS } from './stage.ts';
import { PEOPLE, type World } from './world.ts';

const token = fc.oneof(
  { weight: 4, arbitrary: fc.constant('api-token' as const) },
  { weight: 3, arbitrary: fc.constantFrom(...TOKENS) },
);
const place = fc.oneof(
  fc.record({ secret: fc.constantFrom(...SECRETS, 'nothing') }),
  fc.record({ serviceAccount: fc.constantFrom(...ACCOUNTS, 'nobody') }),
);
const cluster = fc.constantFrom(...CLUSTERS, undefined);
const paste = fc.option(token, { nil: undefined, freq: 3 });
const verbs: Verb[] = [
  'contain',
  'approve',
  'decline',
  'not-a-leak',
  'undo',
  'retry',
  'roll-back',
  'break-glass',
];
/** Which of the incidents, in the order in which they opened. */
export const which = fc.nat(2);

export const peopleOperation = fc.oneof(
  { weight: 3, arbitrary: kind('leak', { token, by: fc.constantFrom('UMAYA', undefined) }) },
  { weight: 1, arbitrary: kind('report', { place, cluster }) },
  { weight: 2, arbitrary: kind('identify', { which, place, cluster, paste }) },
  /** Names another token when no cluster can be looked at: what was seen of the first is nothing that was seen of it. */
  { weight: 1, arbitrary: kind('identify-unseen', { which, paste: token }) },
  { weight: 3, arbitrary: kind('click', { which, verb: fc.constant<Verb>('approve'), by: fc.constant(0) }) },
  { weight: 4, arbitrary: kind('click', { which, verb: fc.constantFrom(...verbs), by: fc.nat(1) }) },
  { weight: 1, arbitrary: kind('pause', {}) },
  { weight: 1, arbitrary: kind('resume', {}) },
);

export type PeopleOperation = Draws<typeof peopleOperation>;

type Deeds = {
  [K in PeopleOperation['do']]: (world: World, each: Extract<PeopleOperation, { do: K }>) => unknown;
};

export const peopleDo: Deeds = {
  async leak(world, { token: name, by }) {
    const value = world.stage.tokens[name];
    const alert = { source: 'report', subject: { kind: 'token' as const }, ...(by && { reporter: by }) };
    const { incidentId } = await world.bot.report({ alert, token: new Secret(value) });
    const known = world.cases.find(({ id }) => id === incidentId);
    if (known) known.ever.add(value);
    else isAbout(world.addCase(aCase(incidentId)), name, world.stage);
  },
  async report(world, { place: where, cluster: name }) {
    const at = coordinates(where, name);
    const alert = { source: 'slash', reporter: 'UMAYA', subject: { kind: 'coordinates' as const, at } };
    const { incidentId } = await world.bot.report({ alert });
    if (!world.cases.some(({ id }) => id === incidentId)) isAt(world.addCase(aCase(incidentId)), at);
  },
  async identify(world, { which: nth, place: where, cluster: name, paste: pasted }) {
    const found = world.nthCase(nth);
    if (found === undefined) return;
    const at = coordinates(where, name);
    const click = { verb: 'identify' as const, by: person('UMAYA') };
    const value = pasted && world.stage.tokens[pasted];
    const decided = value
      ? await world.bot.decide(found.id, click, new Secret(value))
      : await world.bot.decide(found.id, { ...click, at });
    if (!decided.decided) return;
    if (pasted) isAbout(found, pasted, world.stage);
    else isAt(found, at);
  },
  async 'identify-unseen'(world, { which: nth, paste: pasted }) {
    for (const { servers } of world.stage.clusters.values()) await servers[0]?.stop();
    await peopleDo.identify(world, {
      do: 'identify',
      which: nth,
      place: { secret: 'nothing' },
      cluster: undefined,
      paste: pasted,
    });
  },
  async click(world, { which: nth, verb, by }) {
    const found = world.nthCase(nth);
    if (found === undefined) return;
    const hash = bindsTo(world.incident(found.id), verb);
    const click = { verb, by: person(PEOPLE.approvers[by] ?? ''), reason: 'as the model wants it' };
    await world.bot.decide(found.id, hash === undefined ? click : { ...click, hash });
  },
  pause: (world) => world.bot.pause(person('UINES'), 'as the model wants it'),
  resume: (world) => world.bot.pause(person('UINES')),
};

const person = (id: string) => ({
  id,
  teamId: TEAM,
  guest: false,
  bot: false,
  deactivated: false,
  groups: [],
});

const coordinates = (
  where: { secret?: string } | { serviceAccount?: string },
  name: string | undefined,
): Coordinates => ({ namespace: NAMESPACE, ...where, ...(name === undefined ? {} : { cluster: name }) });
