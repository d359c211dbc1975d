// The list of commands of the command line: a new one is a file and a line here.
import { audit } from './audit/audit.ts';
import { collect } from './collect/collect.ts';
import type { CliCommand } from './command.ts';
import { completionOf } from './completion.ts';
import { doctor } from './doctor/doctor.ts';
import { incidents } from './incident/incidents.ts';
import { status } from './incident/status.ts';
import { manifest } from './manifest.ts';
import { plan } from './plan/plan.ts';
import { policy } from './policy.ts';
import { report } from './report/report.ts';

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
  completionOf(() => commands),
];
