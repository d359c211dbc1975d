// The JSON that `tourniquet plan` promises to whoever reads it by program.
import type { Situation } from '../../domain/situation/situation.ts';
import type { Answer } from './answer.ts';
import { script } from './text.ts';

/** Documented in docs/cli.md: what is here stays; more may come. */
export function planJson(answer: Answer): object {
  if ('unidentified' in answer)
    return {
      version: 1,
      identified: false,
      reason: answer.unidentified,
      near: answer.near,
      notes: answer.problems,
    };
  const { goal, identity, situations, plan, problems } = answer;
  return {
    version: 1,
    identified: true,
    changed: false,
    goal,
    identity,
    clusters: situations.map(clusterJson),
    steps: plan.steps.map(({ id, action, phase, cluster, title, breaks, reversible, kubectl }) => ({
      id,
      action,
      phase,
      cluster,
      title,
      breaks,
      reversible,
      kubectl,
    })),
    notes: [...plan.notes, ...problems],
    script: script(plan.steps),
  };
}

function clusterJson(situation: Situation) {
  const { cluster, observedAt, liveness, radius, workloads, pods, warnings, unread, copies } = situation;
  return {
    cluster,
    observedAt,
    alive: liveness.alive,
    why: liveness.reason,
    radius: { tier: radius.tier, lines: radius.lines },
    workloads: workloads.map(({ kind, name, replicas, ready, references }) => ({
      kind,
      name,
      replicas,
      ready,
      secrets: references.secrets,
    })),
    pods: pods.map(({ name, owner, via }) => ({ name, owner, via })),
    copies: copies ?? null,
    warnings,
    unread,
  };
}
