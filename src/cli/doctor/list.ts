// The list of checks: a new one is a file and a line here.
import type { Check } from './check.ts';
import { clusters } from './clusters.ts';
import { configuration } from './configuration.ts';
import { policy } from './policy.ts';
import { redis } from './redis.ts';
import { slack } from './slack.ts';
import { sources } from './sources.ts';

export const checks: readonly Check[] = [configuration, policy, sources, slack, redis, clusters];
