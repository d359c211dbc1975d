// `/tourniquet`: what is open, whether all parts are well, and how everything is used.
import type { Command, CommandTools, Reply } from '../src/contracts/command.ts';
import { nearest } from '../src/domain/kubernetes/near.ts';
import { helpOf, shortHelp } from './text/help.ts';

const NEWEST = 50;
const INCIDENT_ID = /^[\w-]{4,64}$/;

export const tourniquet: Command = {
  name: 'tourniquet',
  help: {
    summary: 'Show open incidents, find one, check health, pause everything, or read help.',
    usage: '[<incident id> | health | pause <reason> | resume | help [command]]',
    whoCanUse:
      'Everybody in this workspace, except guests. Responders and approvers may pause, approvers may resume.',
    examples: [
      '/tourniquet',
      '/tourniquet health',
      '/tourniquet pause we are being flooded',
      '/tourniquet help revoke-sa',
    ],
  },
  async run(tools, text) {
    const [word = '', rest = '', ...more] = text.trim().replaceAll('`', '').split(/\s+/);
    if (word === '') return overview(tools);
    if (word === 'health') return { kind: 'text', text: await health(tools) };
    if (word === 'pause') return { kind: 'text', text: await pause(tools, [rest, ...more].join(' ')) };
    if (word === 'resume') return { kind: 'text', text: await tools.pause() };
    if (word === 'help') return { kind: 'text', text: help(tools.commands, rest.replace(/^\//, '')) };
    return find(tools, word);
  },
};

async function overview(tools: CommandTools): Promise<Reply> {
  const [incidents, state] = await Promise.all([tools.incidents(NEWEST), health(tools)]);
  const open = incidents.filter(({ closed }) => closed === undefined);
  return { kind: 'incidents', incidents: open, note: `${state}\n${shortHelp(tools.commands)}` };
}

async function health(tools: CommandTools): Promise<string> {
  const problems = await tools.health();
  if (problems.length === 0) return '*Health:* all parts answer.';
  return ['*Health:* something is wrong.', ...problems.map((problem) => `• ${problem}`)].join('\n');
}

async function pause(tools: CommandTools, reason: string): Promise<string> {
  if (reason.trim() !== '') return await tools.pause(reason.trim());
  return 'Say why, for those who find everything standing still: `/tourniquet pause <reason>`. Nothing was changed.';
}

function help(commands: readonly Command[], name: string): string {
  if (name === '')
    return `${shortHelp(commands)}\nMore about one: \`/tourniquet help ${commands[0]?.name ?? ''}\``;
  const command = commands.find((candidate) => candidate.name === name);
  if (command) return helpOf(command);
  const names = commands.map((candidate) => candidate.name);
  const meant = nearest(name, names)[0];
  return `There is no such command. ${meant ? `Did you mean \`${meant}\`?` : `There are: ${names.join(', ')}.`}`;
}

async function find(tools: CommandTools, id: string): Promise<Reply> {
  const incident = INCIDENT_ID.test(id) ? await tools.incident(id) : undefined;
  if (incident) return { kind: 'incidents', incidents: [incident] };
  return {
    kind: 'text',
    text: `No incident begins with what you typed. \`/tourniquet\` lists those that are open.\n${shortHelp(tools.commands)}`,
  };
}
