// What is installed today is what is installed tomorrow, and the lock names no host that somebody else cannot reach.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT, read } from './tree.ts';

const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

interface Manifest {
  bin?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  overrides?: Record<string, string>;
}

function looseVersions(manifest: Manifest): string[] {
  const { dependencies, devDependencies, optionalDependencies, overrides } = manifest;
  return Object.entries({ ...overrides, ...dependencies, ...devDependencies, ...optionalDependencies })
    .filter(([, version]) => !EXACT.test(version))
    .map(([name, version]) => `${name}@${version}`);
}

test('what package.json installs as a command is a file of ours', () => {
  const commands = Object.values(manifest.bin ?? {});
  expect(commands.length).toBeGreaterThan(0);
  expect(commands.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

interface Lock {
  packages: Record<string, { resolved?: string; version?: string }>;
}

const resolvedHosts = ({ packages }: Lock): string[] =>
  Object.entries(packages).flatMap(([name, { resolved }]) => (resolved === undefined ? [] : [name]));

const manifest = JSON.parse(read('package.json')) as Manifest;
const lock = JSON.parse(read('package-lock.json')) as Lock;

test('every version in package.json is exact', () => {
  expect(Object.keys(manifest.dependencies ?? {}).length).toBeGreaterThan(5);
  expect(looseVersions(manifest)).toEqual([]);
});

test('the lock file names no registry', () => {
  expect(Object.keys(lock.packages).length).toBeGreaterThan(50);
  expect(resolvedHosts(lock)).toEqual([]);
});

test('the lock file is of these very versions', () => {
  const wanted = { ...manifest.dependencies, ...manifest.devDependencies };
  const locked = Object.keys(wanted).map((name) => [name, lock.packages[`node_modules/${name}`]?.version]);
  expect(Object.fromEntries(locked)).toEqual(wanted);
});

describe('planted violations are found', () => {
  test.each(['^1.2.3', '~1.2.3', '1.x', '*', 'latest', '>=1.0.0', 'git+ssh://git@example.com/a.git'])(
    '%s',
    (version) => {
      expect(looseVersions({ devDependencies: { a: version, b: '1.2.3' } })).toEqual([`a@${version}`]);
      expect(looseVersions({ overrides: { a: version } })).toEqual([`a@${version}`]);
    },
  );

  test('a lock with a host in it', () => {
    const packages = {
      'node_modules/a': { resolved: 'https://registry.example/a.tgz' },
      'node_modules/b': {},
    };
    expect(resolvedHosts({ packages })).toEqual(['node_modules/a']);
  });
});
