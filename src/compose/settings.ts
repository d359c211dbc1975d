// The engine's settings, as the configuration has them.
import type { Config } from '../config/config.ts';
import type { Settings } from '../engine/ground/deps.ts';
import { policyOf } from './policy.ts';

/** Every reporter of every process, so that the worker knows what the bot owes. */
const REPORTERS = ['slack', 'anchor'] as const;

export function settingsOf(config: Config): Settings {
  const { approvalExpiry, keepTokenFor, soak, proof, escalation } = config;
  const { stability, retryEvery, recheckAfter, lookAfter, giveUpAfter } = proof;
  return {
    timing: {
      approvalExpiry,
      keepTokenFor,
      soak,
      stability,
      retryEvery,
      recheckAfter,
      lookAfter,
      ...(escalation.url !== undefined && { escalation: { reviewAfter: escalation.reviewAfter } }),
    },
    giveUpAfter,
    policy: policyOf(config),
    autoContainPerHour: config.autoContainPerHour,
    pace: config.rollOut,
    searchNamespaces: Object.fromEntries(
      config.clusters.map((cluster) => [cluster.name, cluster.searchNamespaces]),
    ),
    reporters: REPORTERS,
  };
}
