// The manifest that people install and the commands that answer are the same.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { commands } from '../../commands/index.ts';

const manifest = parse(readFileSync(new URL('../../manifest.yml', import.meta.url), 'utf8'));

describe('manifest.yml', () => {
  it('lists exactly the commands, with their own help', () => {
    expect(manifest.features.slash_commands).toEqual(
      commands.map(({ name, help }) => ({
        command: `/${name}`,
        description: help.summary,
        usage_hint: help.usage,
        should_escape: true,
      })),
    );
  });

  it('keeps to what Slack allows', () => {
    for (const { command } of manifest.features.slash_commands)
      expect(command.length).toBeLessThanOrEqual(32);
    expect(manifest.display_information.description.length).toBeLessThanOrEqual(140);
    expect(manifest.settings).toMatchObject({
      socket_mode_enabled: true,
      interactivity: { is_enabled: true },
    });
  });

  it('asks for no power that nothing uses', () => {
    expect(manifest.oauth_config.scopes.bot.toSorted()).toEqual(
      [
        'channels:history',
        'chat:write',
        'commands',
        'groups:history',
        'usergroups:read',
        'users:read',
      ].toSorted(),
    );
  });
});
