// The list of commands of the command line: a new one is a file and a line here.
import { audit } from './audit.ts';
import { collect } from './collect.ts';
import type { CliCommand } from './command.ts';
import { completion } from './completion.ts';
import { doctor } from './doctor.ts';
import { incidents } from './incidents.ts';
import { manifest } from './manifest.ts';
import { plan } from './plan.ts';
import { policy } from './policy.ts';
import { report } from './report.ts';
import { status } from './status.ts';

export const commands: readonly CliCommand[] = [
  doctor,
  report,
  incidents,
  status,
  plan,
  collect,
  audit,
  policy,
  manifest,
  completion,
];
