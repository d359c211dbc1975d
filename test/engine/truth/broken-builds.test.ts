// The model must fail against builds that were broken on purpose: one that looks at no open incident again, and one that calls contained what was once contained.
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const HERE = join(import.meta.dirname, '../../..');
const COPIED = ['src', 'commands', 'sandbox', 'test', 'package.json', 'tsconfig.json'];

let copy: string;
beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'tourniquet-broken-'));
  await Promise.all(COPIED.map((name) => cp(join(HERE, name), join(copy, name), { recursive: true })));
  await symlink(join(HERE, 'node_modules'), join(copy, 'node_modules'));
});
afterAll(() => rm(copy, { recursive: true, force: true }));

/** Replaces one passage of a file while the sequences run. */
async function campaign(file: string, from: string, to: string): Promise<{ code: number; told: string }> {
  const path = join(copy, file);
  const whole = await readFile(path, 'utf8');
  if (!whole.includes(from)) throw new Error(`${file} has changed: say anew how to break it.`);
  await writeFile(path, whole.replace(from, to));
  try {
    return await run(['test/engine/truth/campaign.ts', '600', '1', 'plain']);
  } finally {
    await writeFile(path, whole);
  }
}

function run(args: string[]): Promise<{ code: number; told: string }> {
  const child = spawn(process.execPath, args, { cwd: copy, stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  child.stdout.on('data', (chunk) => {
    told += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, told }));
  });
}

it.each([
  [
    'no look is owed while an incident is open',
    'src/domain/owed/looks.ts',
    'if (looks === undefined || !isWatched(incident)) return undefined;',
    'if (looks === undefined || !isWatched(incident) || !closed) return undefined;',
    /no look is owed/,
  ],
  [
    'sightings are not tied to an identity',
    'src/domain/incident/sightings.ts',
    'return JSON.stringify([kind, namespace,',
    'return JSON.stringify([]) || JSON.stringify([kind, namespace,',
    /hidden \| .*(Contained|contained|quarantine stays)/,
  ],
  [
    'contained is what was done, whatever was seen since',
    'src/domain/incident/runs.ts',
    'isStopped(incident) && hasQuarantine(incident);',
    'hasQuarantine(incident);',
    /(wrong after the look|no look is owed) \| accepted \| .*(Contained|contained|quarantine stays)/,
  ],
])(
  '%s: found',
  async (_name, file, from, to, fault) => {
    const { code, told } = await campaign(file, from, to);
    expect(told).toMatch(fault);
    expect(code).toBe(1);
  },
  300_000,
);
