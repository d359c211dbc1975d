// How long from a signed alert until every real API server refused the token, and until that was proven by a second round?
import { statusWith } from '../sandbox/ask.ts';
import { type Reader, readerOf } from '../sandbox/incident-reader.ts';
import type { Incident } from '../src/domain/incident/incident.ts';
import type { Series } from './distribution.ts';
import { openStage, raiseAlarm, type Stage } from './stage.ts';

/** With the proof protocol as it is by default: two rounds, 15 seconds apart. */
export async function proofTimes(count: number): Promise<Series[]> {
  const stage = await openStage({ alerts: 2 * count, real: true, stability: '15s' });
  try {
    await stage.world.startRole('bot');
    await stage.world.startRole('worker');
    const reader = readerOf(stage.world);
    try {
      const cold = await proofs(stage, reader, count, false);
      const warm = await proofs(stage, reader, count, true);
      return [...named('not used before', cold), ...named('used just before', warm)];
    } finally {
      await reader.close();
    }
  } finally {
    await stage.close();
  }
}

const named = (what: string, proven: Incident[]): Series[] => [
  { name: `alert -> first refused everywhere, ${what}`, times: proven.map(toFirstRefusal) },
  { name: `alert -> proof, ${what}`, times: proven.map(toProof) },
];

const since = ({ openedAt }: Incident, iso = ''): number => Date.parse(iso) - Date.parse(openedAt);
const toProof = (incident: Incident): number => since(incident, incident.proof?.provedAt);
const toFirstRefusal = (incident: Incident): number =>
  since(incident, incident.proof?.rounds.find(({ outcome }) => outcome.verdict === 'done')?.at);

/** One after another until the kill, and then all at the same time, since they only wait. */
async function proofs(stage: Stage, reader: Reader, count: number, warm: boolean): Promise<Incident[]> {
  const { world, target } = stage;
  const cluster = world.cluster('prod');
  const proven: Promise<Incident>[] = [];
  for (let i = 0; i < count; i++) {
    const leak = await target.seed();
    if (warm) await Promise.all(cluster.servers.map(({ url }) => statusWith(url, cluster.caPem, leak.token)));
    const { incidentId } = await raiseAlarm(stage, leak);
    proven.push(reader.until(incidentId, ({ proof }) => proof?.outcome?.verdict === 'done'));
  }
  return await Promise.all(proven);
}
