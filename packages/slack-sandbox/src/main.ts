// Starts a workspace by itself: prints what an app needs to connect, and runs until it is told to stop.
import { parseArgs } from 'node:util';
import { defaultCommands } from './state/people.ts';
import { startWorkspace } from './workspace.ts';

const USAGE = `usage: npm start -- [--port <number>] [--command </name>]... [--rates slack|off]`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      command: { type: 'string', multiple: true, default: [] },
      rates: { type: 'string', default: 'slack' },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`${values.port} is not a port.`);
  if (values.rates !== 'slack' && values.rates !== 'off') throw new Error('--rates is slack or off.');
  const commands = values.command.map((command) => ({ command, description: '', usageHint: '' }));
  return { port, rates: values.rates, commands: commands.length > 0 ? commands : defaultCommands } as const;
}

try {
  const workspace = await startWorkspace(readOptions());
  console.error(`The workspace is at ${workspace.pageUrl}, where you are any of its people. An app needs:`);
  console.log(`SLACK_API_URL=${workspace.apiUrl}`);
  console.log(`SLACK_BOT_TOKEN=${workspace.botToken}`);
  console.log(`SLACK_APP_TOKEN=${workspace.appToken}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void workspace.close());
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  process.exitCode = 2;
}
