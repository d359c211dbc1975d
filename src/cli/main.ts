// The command line: for auditors and for when Slack is down.
import { openStore } from '../adapters/redis/connect.ts';
import { createIncidentLog } from '../adapters/redis/incident-log.ts';
import { deriveKeys } from '../adapters/redis/keys.ts';
import { loadConfig } from '../config.ts';
import { isAppError } from '../errors.ts';
import { createLog } from '../log.ts';
import { runAudit } from './audit.ts';
import { runPolicy } from './policy.ts';

const USAGE = `Usage: tourniquet <command>

  audit verify <incident>     check that nobody changed the log of an incident
  audit export <incident>     print it as JSON Lines that can be checked elsewhere
  audit report <incident>     print it as a report that people read, in Markdown
  audit verify --file <file>  check such an export, without Redis
  policy check [file]         is the policy valid, and does it say what it can hardly mean?
  policy explain <source> <cluster>/<namespace>/<serviceaccount> <action>
                              what would it ask for?
  policy schema               print its JSON Schema, for editors

It reads the same configuration file and environment as the worker (see docs/configuration.md).
`;

async function main([command, ...rest]: string[]): Promise<number> {
  if (command === 'policy') return runPolicy(rest, { stdout: process.stdout });
  if (command !== 'audit') {
    const asked = command === undefined || ['help', '--help', '-h'].includes(command);
    (asked ? process.stdout : process.stderr).write(
      asked ? USAGE : `There is no command ${command}.\n\n${USAGE}`,
    );
    return asked ? 0 : 2;
  }
  const config = loadConfig('worker');
  const { prefix } = config.redis;
  const keys = deriveKeys(config.key);
  const clock = { now: () => Date.now() };
  let store: ReturnType<typeof openStore> | undefined;
  const trail = () => {
    store ??= openStore(config.redisUrl, createLog({ level: 'silent' }));
    return createIncidentLog({ store, prefix, keys, clock });
  };
  try {
    return await runAudit(rest, { trail, key: config.key, stdout: process.stdout });
  } finally {
    await store?.close();
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${isAppError(error) ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
