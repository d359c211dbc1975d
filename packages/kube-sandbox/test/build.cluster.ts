// Building the control plane fails with what to do, not with a stack.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const BUILD = fileURLToPath(new URL('../src/controlplane/executable/build.ts', import.meta.url));

test('without Go on PATH, the build says what to install', async () => {
  const build = spawn(process.execPath, [BUILD], {
    env: { PATH: '/nowhere' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [said] = await Promise.all([text(build.stderr), once(build, 'close')]);
  expect(build.exitCode).toBe(1);
  expect(said).toContain('https://go.dev/dl');
  expect(said).not.toContain('    at ');
});
