// What may be called a proof: nothing that an outage, a proxy or one server of several could have caused.
import { describe, expect, it } from 'vitest';
import type { ProbeAnswer, ProofLevel, ProofRound } from '../../../src/domain/proof/evidence.ts';
import { judgeProof, judgeRound } from '../../../src/domain/proof/judge-proof.ts';

const ask = (
  answer: ProbeAnswer['answer'],
  control: ProbeAnswer['control'],
  server = 'https://a',
): ProbeAnswer => ({
  server,
  answer,
  control,
  seen: answer,
});

const KILL = Date.parse('2026-11-24T03:00:00Z');

function round(
  second: number,
  answers: ProbeAnswer[],
  level: ProofLevel = 'each-server',
  cluster = 'prod',
): ProofRound {
  return {
    cluster,
    level,
    at: new Date(KILL + second * 1000).toISOString(),
    answers,
    outcome: judgeRound(answers),
  };
}

const refused = (second: number, level?: ProofLevel, cluster?: string) =>
  round(second, [ask('refused', 'accepted')], level, cluster);
const judge = (rounds: ProofRound[], seconds = 20, clusters = ['prod']) =>
  judgeProof({ killedAt: new Date(KILL).toISOString(), rounds }, clusters, 120_000, KILL + seconds * 1000);

describe('one round', () => {
  it.each<[string, ProbeAnswer[], string]>([
    [
      'refused everywhere, control accepted everywhere',
      [ask('refused', 'accepted'), ask('refused', 'accepted', 'https://b')],
      'done',
    ],
    [
      'accepted by one of two',
      [ask('refused', 'accepted'), ask('accepted', 'accepted', 'https://b')],
      'not-done',
    ],
    [
      'accepted by one while another is unreachable',
      [ask('inconclusive', 'failed'), ask('accepted', 'accepted')],
      'not-done',
    ],
    ['refused, but so is the control', [ask('refused', 'failed')], 'unknown'],
    ['refused, with no control to compare', [ask('refused', 'none')], 'unknown'],
    [
      'one server did not answer',
      [ask('refused', 'accepted'), ask('inconclusive', 'failed', 'https://b')],
      'unknown',
    ],
    ['nobody was asked', [], 'unknown'],
  ])('%s', (_name, answers, verdict) => {
    expect(judgeRound(answers).verdict).toBe(verdict);
  });

  it('names the server that is the reason', () => {
    expect(
      judgeRound([ask('refused', 'accepted'), ask('accepted', 'accepted', 'https://b')]).detail,
    ).toContain('https://b');
  });
});

describe('a proof', () => {
  it('at each server needs two refusals in a row', () => {
    expect(judge([refused(1)]).kind).toBe('again');
    expect(judge([refused(1), refused(16)])).toMatchObject({
      kind: 'proved',
      outcome: { detail: expect.stringContaining('every API server (1 of 1)') },
    });
  });

  it('starts again after a round that was not a refusal', () => {
    const outage = round(8, [ask('refused', 'failed')]);
    expect(judge([refused(1), outage, refused(16)]).kind).toBe('again');
    expect(judge([refused(1), outage, refused(16), refused(31)]).kind).toBe('proved');
  });

  it('through a load balancer needs three rounds and never says "every API server"', () => {
    const rounds = [refused(1, 'load-balancer'), refused(16, 'load-balancer')];
    expect(judge(rounds).kind).toBe('again');
    const judged = judge([...rounds, refused(31, 'load-balancer')]);
    expect(judged.kind).toBe('proved');
    expect(JSON.stringify(judged)).not.toContain('every API server');
  });

  it('does not add up rounds of different levels', () => {
    expect(judge([refused(1, 'load-balancer'), refused(16, 'each-server')]).kind).toBe('again');
  });

  it('needs every cluster that could accept the token', () => {
    const prod = [refused(1), refused(16)];
    expect(judge(prod, 20, ['prod', 'restored']).kind).toBe('again');
    expect(
      judge([...prod, refused(1, 'each-server', 'restored'), refused(16, 'each-server', 'restored')], 20, [
        'prod',
        'restored',
      ]).kind,
    ).toBe('proved');
  });

  it('calls a person when the token is still accepted after the deadline, and not for mere silence', () => {
    const accepted = round(130, [ask('accepted', 'accepted')]);
    expect(judge([accepted], 100).kind).toBe('again');
    expect(judge([accepted], 130)).toMatchObject({ kind: 'alive', reason: expect.stringContaining('prod') });
    expect(judge([round(130, [ask('inconclusive', 'failed')])], 9999).kind).toBe('again');
  });

  const gone = (second: number): ProofRound => ({
    ...round(second, [], 'object-state'),
    outcome: { verdict: 'done', detail: 'The Secret is gone.' },
  });

  it('by object state needs a second look after the memory of an API server', () => {
    expect(judge([gone(1)]).kind).toBe('again');
    expect(judge([gone(1), gone(12)]).kind).toBe('again');
    expect(judge([gone(1), gone(13)]).kind).toBe('proved');
    expect(judge([gone(1), gone(6), gone(13)]).kind).toBe('proved');
    expect(judge([gone(1), { ...gone(14), began: gone(9).at }]).kind).toBe('again');
  });

  it('of nothing is no proof', () => {
    expect(judge([]).kind).toBe('again');
  });
});
