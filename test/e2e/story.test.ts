// The main job as people live it: real processes, real Bolt, real BullMQ, real Redis, HTTPS to clusters, everything over the wire.
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { leakToken } from '../../sandbox/harbour.ts';
import { inspectTraces } from '../../sandbox/traces.ts';
import type { World } from '../../sandbox/world.ts';
import {
  answersTo,
  cardShows,
  cards,
  opened,
  openStage,
  press,
  pressWithReason,
  repliesOf,
  textOf,
  tourniquet,
} from './stage.ts';

let world: World;
/** Takes traces, as OTLP over HTTP. */
let collector: Server;
const traces: string[] = [];
beforeAll(async () => {
  collector = createServer(async (request, response) => {
    traces.push((await request.toArray()).join(''));
    response.end('{}');
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  world = await openStage({ config: { http: { port: 0, healthPort: 0, metricsPort: 0 } } });
  world.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  await Promise.all([world.startRole('bot'), world.startRole('worker')]);
});
afterAll(async () => {
  await world?.close();
  collector?.close();
});
beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript('incidents'))));

describe('a leaked token', () => {
  it('is contained, proven, approved by another person, deleted and proven again, in one thread, and its value is nowhere', async () => {
    const { token, where } = await leakToken(world.cluster('prod'), 'legacy');
    const id = await opened(await world.report({ token, where: { text: where }, severity: 'critical' }));
    await cardShows(world, id, /Contained/);
    expect(await answersTo(world, token)).toEqual([401, 401]);
    await press(world, id, 'dan', 'Approve plan');
    await world.slack.waitFor(() =>
      world.slack.ephemerals('dan').some((said) => textOf(said).includes('not on the list')),
    );
    await press(world, id, 'tomas', 'Approve plan');
    const card = await cardShows(world, id, /Revoked/);
    await world.slack.waitFor(() =>
      repliesOf(world, card).some((reply) => reply.includes('Closed as resolved')),
    );
    const replies = repliesOf(world, card);
    expect(replies.some((reply) => reply.includes('refused by 2 of 2 API servers'))).toBe(true);
    expect(new Set(replies).size).toBe(replies.length);
    expect(cards(world).filter(({ metadata }) => JSON.stringify(metadata).includes(id))).toHaveLength(1);

    const exported = await tourniquet(world, 'audit', 'export', id);
    const verified = await tourniquet(world, 'audit', 'verify', id);
    expect(verified).toMatchObject({ code: 0 });
    expect(exported.output).toContain('"closed"');
    const [, payload = 'x', signature = 'x'] = token.split('.');
    for (const secret of [payload, signature])
      expect(exported.output + verified.output).not.toContain(secret);
    expect(await inspectTraces(world, token)).toMatchObject({ found: [] });
  });

  it('can be given back by an approver with a reason, and the card says that the leak is live again', async () => {
    const { token } = await leakToken(world.cluster('prod'), 'legacy');
    const id = await opened(await world.report({ token }));
    await cardShows(world, id, /Contained/);
    await pressWithReason(world, id, 'ines', 'Undo quarantine', 'checkout cannot charge anybody');
    await cardShows(world, id, /LEAK LIVE AGAIN/);
    expect(await answersTo(world, token)).toEqual([201, 201]);
    await press(world, id, 'maya', 'Quarantine now');
    await cardShows(world, id, /Contained/);
    expect(await answersTo(world, token)).not.toContain(500);
  });

  it('of a Pod is killed with the Pod on approval', async () => {
    const { token } = await leakToken(world.cluster('prod'), 'pod');
    const id = await opened(await world.report({ token }));
    await press(world, id, 'ines', 'Approve plan');
    await cardShows(world, id, /Revoked/);
    expect(await answersTo(world, token)).toEqual([401, 401]);
  });

  it('that GitGuardian knows only by its hash is found in an opted-in namespace, and asks before anything is done', async () => {
    const { token } = await leakToken(world.cluster('prod'), 'legacy');
    const id = await opened(await world.gitguardian(token));
    await cardShows(world, id, /payments\/checkout/);
    expect(await answersTo(world, token)).toEqual([201, 201]);
    await press(world, id, 'maya', 'Quarantine now');
    const card = await cardShows(world, id, /refused by 2 of 2/);
    await world.slack.waitFor(() =>
      repliesOf(world, card).some((reply) => reply.includes('refused by 2 of 2')),
    );
    expect(await inspectTraces(world, token)).toMatchObject({ found: [] });
  });

  it('reported by a command opens an incident that its reporter cannot approve', async () => {
    await world.slack.slash('ines', 'incidents', '/revoke-sa prod/ci/release-robot seen in a build log');
    const card = await world.slack.waitFor(
      () =>
        cards(world).find(
          (one) => textOf(one).includes('ci/release-robot') && textOf(one).includes('Approve plan'),
        ),
      15_000,
    );
    const id = /"incident_id":"([0-9a-f]+)"/.exec(JSON.stringify(card.metadata))?.[1] ?? '';
    await press(world, id, 'ines', 'Approve plan');
    await world.slack.waitFor(() =>
      world.slack.ephemerals('ines').some((said) => textOf(said).includes('somebody else must approve')),
    );
    await press(world, id, 'tomas', 'Approve plan');
    await cardShows(world, id, /object state/);
  });
});

it('is counted by the process that did it, in numbers that hold no token, no name and no incident', async () => {
  const scraped = async (role: 'bot' | 'worker'): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${world[role]().ports.health}/metrics`);
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    return await answer.text();
  };
  const { token } = await leakToken(world.cluster('prod'), 'legacy');
  const id = await opened(await world.report({ token }));
  await cardShows(world, id, /refused by 2 of 2/);
  const [bot, worker] = [await scraped('bot'), await scraped('worker')];
  for (const pattern of [
    /^tourniquet_alerts_total\{source="report",outcome="new"\} [1-9]/m,
    /^tourniquet_deliveries_total\{source="report",outcome="accepted"\} [1-9]/m,
    /^tourniquet_slack_requests_total\{method="chat.postMessage",code="200"\} [1-9]/m,
    /^tourniquet_slack_sockets 2$/m,
    /^tourniquet_report_lag_seconds_count\{reporter="slack"\} [1-9]/m,
    /^tourniquet_jobs_total\{work="report",result="done"\} [1-9]/m,
  ])
    expect(bot).toMatch(pattern);
  for (const pattern of [
    /^tourniquet_time_to_contain_seconds_count\{by="policy"\} [1-9]/m,
    /^tourniquet_kubernetes_requests_total\{cluster="prod",verb="patch",resource="secrets",code="200"\} [1-9]/m,
    /^tourniquet_kubernetes_requests_total\{cluster="prod",verb="probe",resource="selfsubjectreviews",code="401"\} [1-9]/m,
    /^tourniquet_cluster_up\{cluster="staging"\} 1$/m,
    /^tourniquet_clock_ahead_seconds -?\d/m,
    /^tourniquet_redis_up 1$/m,
    /^tourniquet_queue_jobs\{queue="worker",state="waiting"\} \d/m,
    /^tourniquet_build_info\{version="[\d.]+",role="worker",node="v\d/m,
  ])
    expect(worker).toMatch(pattern);
  const [, payload = 'x', signature = 'x'] = token.split('.');
  for (const secret of [payload, signature, id, 'checkout', 'payments'])
    expect(bot + worker).not.toContain(secret);
  expect((await fetch(`http://127.0.0.1:${world.bot().ports.http}/metrics`)).status).toBe(404);
});

it('is one trace of both processes, without the token in it', async () => {
  const { token } = await leakToken(world.cluster('prod'), 'legacy');
  const id = await opened(await world.report({ token }));
  await cardShows(world, id, /refused by 2 of 2/);
  const traceId = createHash('sha256').update(`trace ${id}`).digest('hex').slice(0, 32);
  const namesFrom = (role: string): string[] =>
    traces
      .filter((body) => body.includes(`{"stringValue":"${role}"}`))
      .flatMap((body) => [...body.matchAll(/"traceId":"(\w+)"[^{}]*?"name":"([^"]+)"/g)])
      .flatMap(([, trace, name = '']) => (trace === traceId ? [name] : []));
  await vi.waitFor(
    () => {
      expect(namesFrom('bot')).toEqual(expect.arrayContaining(['receive', 'report']));
      expect(namesFrom('worker')).toEqual(
        expect.arrayContaining([
          'identify',
          'run contain',
          'step quarantine-token',
          'probe',
          'prove',
          'incident',
        ]),
      );
    },
    { timeout: 15_000 },
  );
  const [, payload = 'x', signature = 'x'] = token.split('.');
  for (const secret of [payload, signature, 'checkout', 'payments'])
    expect(traces.join('')).not.toContain(secret);
});

it('every line that is written during a job says for which incident and which job', async () => {
  const { token } = await leakToken(world.cluster('prod'), 'legacy');
  const id = await opened(await world.report({ token }));
  await cardShows(world, id, /refused by 2 of 2/);
  const lines = world
    .output()
    .split('\n')
    .filter((line) => line.includes(id))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toContainEqual(
    expect.objectContaining({ msg: 'incident: alert-received', incident: id, delivery: expect.any(String) }),
  );
  expect(lines).toContainEqual(
    expect.objectContaining({
      msg: 'incident: step-ended',
      role: 'worker',
      incident: id,
      job: expect.stringContaining(`${id}-investigate-`),
      work: 'investigate',
      step: 'quarantine-token-1',
      result: 'done',
    }),
  );
});
