// Does the work of each delivery once, however often Slack delivers it, to which bot, and whichever of them dies.
import { setTimeout as wait } from 'node:timers/promises';

export type Once = (triggerId: string, work: () => Promise<void>) => Promise<void>;

/** What all bots know of a delivery. */
export interface Deliveries {
  /** `under-way`: another bot has it in hand, for as long as it lives. `done`: it is in hand here, and handled now. */
  begin(id: string): Promise<'handled' | 'under-way' | { done(): Promise<void> }>;
}

const REMEMBERED = 5000;
const ASK_AGAIN_MS = 250;
/** Longer than the hold of a bot that died, and than what Slack takes of a form or an answer. */
const LONGEST_WAIT_MS = 30_000;

/**
 * Noted as handled once it was, and not before: a bot that dies in between leaves it to the second delivery. Where nobody can
 * say, it counts as the first: the incident log refuses a second decision, and a person must be answered.
 */
export function onceEach({ begin }: Deliveries): Once {
  const here = new Set<string>();
  return async (id, work) => {
    if (here.has(id)) return;
    here.add(id);
    const [oldest] = here;
    if (here.size > REMEMBERED && oldest !== undefined) here.delete(oldest);
    const mine = await inHand(begin, id);
    if (mine === undefined) return;
    try {
      await work();
    } finally {
      // At worst a second delivery is answered too.
      await mine.done().catch(() => undefined);
    }
  };
}

const UNKNOWN = { done: async () => {} };

async function inHand(begin: Deliveries['begin'], id: string): Promise<typeof UNKNOWN | undefined> {
  for (let waited = 0; waited <= LONGEST_WAIT_MS; waited += ASK_AGAIN_MS) {
    const begun = await begin(id).catch(() => UNKNOWN);
    if (begun === 'handled') return undefined;
    if (begun !== 'under-way') return begun;
    await wait(ASK_AGAIN_MS, undefined, { ref: false });
  }
  return undefined;
}
