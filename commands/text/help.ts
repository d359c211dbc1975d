// Turns what a command says about itself into the text that people read.
import type { Command } from '../../src/contracts/command.ts';

const usage = ({ name, help }: Command): string => `/${name}${help.usage ? ` ${help.usage}` : ''}`;

export function helpOf(command: Command): string {
  const { summary, whoCanUse, examples } = command.help;
  return [
    `*\`${usage(command)}\`*`,
    summary,
    `*Who can use it:* ${whoCanUse}`,
    '*Examples:*',
    ...examples.map((example) => `• \`${example}\``),
  ].join('\n');
}

export const shortHelp = (commands: readonly Command[]): string =>
  commands.map((command) => `\`${usage(command)}\`: ${command.help.summary}`).join('\n');
