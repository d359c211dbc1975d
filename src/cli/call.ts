// One call of the command line: finds the command, answers help, and takes no token as an argument.
import { scrub } from '../domain/token/leak-material.ts';
import { AppError, isAppError } from '../errors.ts';
import { helpOf } from './command.ts';
import { gated } from './gate.ts';
import { commands } from './index.ts';
import type { Terminal } from './terminal.ts';

const HELP = ['help', '--help', '-h'];

function help(): string {
  const rows = commands.flatMap(({ usage }) => usage);
  const width = Math.max(...rows.map(([call]) => call.length).filter((length) => length < 48));
  const lines = rows.map(([call, does]) =>
    call.length > width ? `  ${call}\n  ${' '.repeat(width)}  ${does}` : `  ${call.padEnd(width)}  ${does}`,
  );
  return `Usage: tourniquet <command>

${lines.join('\n')}

Most commands read the configuration file and the environment of the worker (docs/configuration.md); plan and report need
neither. Options: tourniquet <command> --help. Examples: docs/cli.md.
Exit codes: 0 fine, 1 the answer is bad news, 2 it could not be answered.
`;
}

/** Whether a word of the call may be a token or a good part of one. */
const mayBeToken = (word: string): boolean => /eyJ[\w-]{12}/.test(word) || scrub(word) !== word;

/** Answers the exit code. Whatever goes wrong is told in words, without a token in them. */
export async function call(argv: string[], given: Terminal): Promise<number> {
  const terminal = gated(given);
  try {
    return await dispatch(argv, terminal);
  } catch (error) {
    terminal.stderr.write(`${isAppError(error) ? error.message : String(error)}\n`);
    return 2;
  }
}

async function dispatch(argv: string[], terminal: Terminal): Promise<number> {
  if (argv.some(mayBeToken))
    throw new AppError(
      'bad-input',
      'One of the arguments looks like a token, and was not used. Arguments are seen by everybody on this machine and kept in ' +
        "the shell's history, so treat it as leaked there too. Give tokens on standard input: tourniquet plan < file.",
    );
  // "help status" is what "status --help" is.
  const [name, ...rest] = HELP.includes(argv[0] ?? '') ? [...argv.slice(1, 2), '--help'] : argv;
  if (name === undefined || HELP.includes(name)) {
    terminal.stdout.write(help());
    return 0;
  }
  const command = commands.find((one) => one.name === name);
  if (command === undefined)
    throw new AppError(
      'bad-input',
      `There is no command ${name}. There are: ${commands.map((one) => one.name).join(', ')}. What each does: tourniquet --help`,
    );
  if (rest.some((word) => word === '--help' || word === '-h')) {
    terminal.stdout.write(helpOf(command));
    return 0;
  }
  return command.run(rest, terminal);
}
