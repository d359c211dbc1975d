// What is installed today is what is installed tomorrow, and the lock names no host that somebody else cannot reach.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT, read } from './tree.ts';

const EXACT = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

interface Manifest {
  workspaces?: string[];
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
  packages: Record<string, { resolved?: string; link?: boolean; version?: string }>;
}

const resolvedHosts = ({ packages }: Lock, workspaces: readonly string[]): string[] =>
  Object.entries(packages).flatMap(([name, { resolved, link = false }]) =>
    resolved === undefined || (link && workspaces.includes(resolved)) ? [] : [name],
  );

const wantedBy = ({ dependencies, devDependencies }: Manifest) => ({ ...dependencies, ...devDependencies });

const manifest = JSON.parse(read('package.json')) as Manifest;
const lock = JSON.parse(read('package-lock.json')) as Lock;
const workspaces = manifest.workspaces ?? [];
const manifests = ['.', ...workspaces].map((folder): [string, Manifest] => [
  folder,
  JSON.parse(read(`${folder}/package.json`)) as Manifest,
]);

test('the workspaces are all that packages/ holds', () => {
  expect(workspaces.toSorted()).toEqual(
    readdirSync(join(ROOT, 'packages')).map((name) => `packages/${name}`),
  );
});

test.each(manifests)('every version in the package.json of %s is exact', (_, one) => {
  expect(Object.keys(wantedBy(one)).length).toBeGreaterThan(3);
  expect(looseVersions(one)).toEqual([]);
});

test('the lock file names no registry', () => {
  expect(Object.keys(lock.packages).length).toBeGreaterThan(50);
  expect(resolvedHosts(lock, workspaces)).toEqual([]);
});

test.each(manifests)('the lock file is of the very versions of %s, one of each for all', (_, one) => {
  const wanted = wantedBy(one);
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
      'node_modules/c': { resolved: 'packages/c', link: true },
      'node_modules/d': { resolved: '../d', link: true },
    };
    expect(resolvedHosts({ packages }, ['packages/c'])).toEqual(['node_modules/a', 'node_modules/d']);
  });
});
