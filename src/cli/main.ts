// The command line: for auditors, for terminals and CI, and for when Slack is down.
import process from 'node:process';
import { takeEnvironment } from '../config/config.ts';
import { call } from './call.ts';

const { argv, stdout, stderr } = process;
const env = takeEnvironment();
process.exitCode = await call(argv.slice(2), {
  get stdin() {
    return process.stdin;
  },
  stdout,
  stderr,
  env,
});
