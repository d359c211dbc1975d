// Prints what to paste at api.slack.com/apps, with names of the commands that no other installation in the workspace has.
import { readFileSync } from 'node:fs';
import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { commandPrefix } from '../config/file-schema.ts';
import { AppError } from '../errors.ts';
import { type CliCommand, defineCommand, parseCall, wrongCall } from './command.ts';

const OPTIONS = {
  prefix: {
    type: 'string',
    value: '<prefix>',
    does: 'what the names of the commands begin with, such as team-',
  },
} as const;

export const manifest: CliCommand = defineCommand({
  name: 'manifest',
  usage: [['manifest [--prefix team-]', 'print the manifest of the Slack app']],
  options: OPTIONS,
  about:
    'With a prefix, several installations can share a workspace: /team-revoke-sa and so on. Set slack.commandPrefix to the\n' +
    'same in the configuration of the bot, which then answers to these names and tells them in its texts.',
  exitCodes: '0 printed; 2 a wrong call.',
  run(argv, { stdout }) {
    const { positionals, values } = parseCall(manifest, argv, OPTIONS);
    const prefix = commandPrefix.safeParse(values.prefix ?? '');
    if (positionals.length > 0) throw wrongCall(manifest);
    if (!prefix.success) throw wrongCall(manifest, `--prefix: ${prefix.error.issues[0]?.message}.\n`);
    stdout.write(manifestFor(manifestFile(), prefix.data));
    return 0;
  },
});

function manifestFile(): string {
  try {
    return readFileSync(new URL('../../manifest.yml', import.meta.url), 'utf8');
  } catch (cause) {
    throw new AppError('bad-config', 'manifest.yml is not beside src/. Take it from the repository.', {
      cause,
    });
  }
}

/** Comments stay: they say what each scope is for. */
export function manifestFor(text: string, prefix: string): string {
  if (prefix === '') return text;
  const document = parseDocument(text);
  const label = prefix.replace(/[-_]+$/, '');
  document.setIn(['display_information', 'name'], `Tourniquet (${label})`);
  document.setIn(['features', 'bot_user', 'display_name'], `${label}-tourniquet`);
  const commands = document.getIn(['features', 'slash_commands']);
  for (const item of isSeq(commands) ? commands.items : []) {
    const command = isMap(item) ? item.get('command', true) : undefined;
    if (isScalar(command)) command.value = `/${prefix}${String(command.value).slice(1)}`;
  }
  return document.toString({ lineWidth: 0 });
}
