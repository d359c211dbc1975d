// The command line: for auditors, for terminals and CI, and for when Slack is down.
import process from 'node:process';
import { isAppError } from '../errors.ts';
import type { Terminal } from './command.ts';
import { commands } from './index.ts';

const HELP = ['help', '--help', '-h'];

function help(): string {
  const rows = commands.flatMap(({ usage }) => usage);
  const width = Math.max(...rows.map(([call]) => call.length).filter((length) => length < 48));
  const lines = rows.map(([call, does]) =>
    call.length > width ? `  ${call}\n  ${' '.repeat(width)}  ${does}` : `  ${call.padEnd(width)}  ${does}`,
  );
  return `Usage: tourniquet <command>

${lines.join('\n')}

It reads the same configuration file and environment as the bot and the worker (see docs/configuration.md).
Exit codes: 0 fine, 1 the answer is bad news, 2 it could not be answered.
`;
}

async function main([name, ...rest]: string[], terminal: Terminal): Promise<number> {
  if (name === undefined || HELP.includes(name)) {
    terminal.stdout.write(help());
    return 0;
  }
  const command = commands.find((one) => one.name === name);
  if (command === undefined) {
    terminal.stderr.write(`There is no command ${name}.\n\n${help()}`);
    return 2;
  }
  if (rest.some((word) => word === '--help' || word === '-h')) {
    terminal.stdout.write(
      `Usage: tourniquet ${command.usage.map(([call, does]) => `${call}\n    ${does}`).join('\n  ')}\n`,
    );
    return 0;
  }
  return command.run(rest, terminal);
}

try {
  process.exitCode = await main(process.argv.slice(2), process);
} catch (error) {
  process.stderr.write(`${isAppError(error) ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
