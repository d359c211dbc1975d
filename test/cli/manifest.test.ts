// `tourniquet manifest`: the very manifest, or the same with other names of commands, which Slack would accept.
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { commands } from '../../commands/index.ts';
import { manifest } from '../../src/cli/manifest.ts';
import { read } from '../structure/tree.ts';
import { typed } from './terminal.ts';

describe('manifest', () => {
  it('is manifest.yml', async () => {
    expect(await typed(manifest, [])).toEqual({ code: 0, out: read('manifest.yml'), err: '' });
  });

  it('with a prefix differs in the names alone, and keeps what is said of each scope', async () => {
    const { code, out } = await typed(manifest, ['--prefix', 'team-']);
    expect(code).toBe(0);
    const [changed, original] = [parse(out), parse(read('manifest.yml'))];
    const names = changed.features.slash_commands.map(({ command }: { command: string }) => command);
    expect(names).toEqual(commands.map(({ name }) => `/team-${name}`));
    expect(changed.display_information.name).toBe('Tourniquet (team)');
    expect(changed.features.bot_user.display_name).toBe('team-tourniquet');
    for (const each of changed.features.slash_commands) each.command = each.command.replace('/team-', '/');
    changed.display_information.name = original.display_information.name;
    changed.features.bot_user.display_name = original.features.bot_user.display_name;
    expect(changed).toEqual(original);
    expect(out.match(/#/g)).toEqual(read('manifest.yml').match(/#/g));
  });

  it('keeps to the length that Slack allows, with the longest prefix', async () => {
    const { out } = await typed(manifest, ['--prefix', `${'x'.repeat(19)}-`]);
    for (const { command } of parse(out).features.slash_commands)
      expect(command.length).toBeLessThanOrEqual(32);
    expect(parse(out).display_information.name.length).toBeLessThanOrEqual(35);
  });

  it.each(['Team-', '/team-', 'a b', `${'x'.repeat(21)}`])('takes no prefix %j', async (prefix) => {
    const told = await typed(manifest, ['--prefix', prefix]);
    expect(told).toMatchObject({ code: 2, out: '' });
    expect(told.err).toContain('write at most 20 of a-z');
  });
});
