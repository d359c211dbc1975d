// The command line: for auditors, for terminals and CI, and for when Slack is down.
import process from 'node:process';
import { call } from './call.ts';

process.exitCode = await call(process.argv.slice(2), process);
