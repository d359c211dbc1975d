// Packages stand alone and are entered by their exports, and each rule that says so is shown to refuse what it forbids.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Package, packageViolations } from './package-boundaries.ts';
import { filesIn, ROOT, read } from './tree.ts';

const folders = readdirSync(join(ROOT, 'packages')).map((name) => `packages/${name}`);
const packages = Object.fromEntries(
  folders.map((folder) => [folder, JSON.parse(read(`${folder}/package.json`)) as Package]),
);

describe('packages', () => {
  test('are left and entered as they allow', () => {
    const files = filesIn(['packages', 'src', 'commands', 'sandbox', 'test', 'bench'], ['.ts', '.js']);
    expect(files.filter(({ path }) => path.startsWith('packages/')).length).toBeGreaterThan(100);
    expect(packageViolations(files, packages)).toEqual([]);
  });

  test.each(folders)('%s is private, has a README, and exports files that exist', (folder) => {
    expect(packages[folder]).toMatchObject({ private: true, type: 'module', name: folder.split('/')[1] });
    const files = [...Object.values(packages[folder]?.exports ?? {}), 'README.md'];
    expect(files.length).toBeGreaterThan(2);
    expect(files.filter((file) => !existsSync(join(ROOT, folder, file)))).toEqual([]);
  });
});

const PLANTED = {
  'packages/slack': {
    name: 'slack',
    dependencies: { ws: '1.0.0' },
    devDependencies: { '@slack/bolt': '1.0.0' },
    exports: { '.': './src/index.ts', './limits': './src/limits.ts' },
  },
  'packages/kube': { name: 'kube', exports: { '.': './src/index.ts' } },
};

const violations = (path: string, line: string): string[] =>
  packageViolations([{ path, text: `// A planted violation.\n${line}\n` }], PLANTED);

describe('planted violations are found', () => {
  test.each([
    ['packages/slack/src/a.ts', '../../../src/errors.ts', 'a package, the product'],
    ['packages/slack/src/a.ts', '../../../sandbox/redis.ts', 'a package, the sandbox'],
    ['packages/slack/test/a.test.ts', '../../../test/builders.ts', 'a package, the tests of others'],
    ['packages/slack/src/a.ts', '../../kube/src/b.ts', 'a package, the files of another'],
    ['packages/slack/src/a.ts', 'kube', 'a package, another that it does not declare'],
    ['packages/slack/src/a.ts', 'zod', 'a package, a dependency of the repository'],
    ['packages/slack/src/a.ts', '@slack/bolt', 'the code of a package, what only its tests need'],
    ['packages/slack/src/a.ts', '../test/bolt.ts', 'the code of a package, its tests'],
    ['test/a.test.ts', '../packages/slack/src/a.ts', 'a test, the files of a package'],
    ['sandbox/world.ts', '../packages/kube/src/index.ts', 'the sandbox, the files of a package'],
    ['bench/a.ts', 'slack/src/a.ts', 'a benchmark, what is not exported'],
    ['bench/a.ts', 'kube/limits', 'a benchmark, what another exports'],
  ])('%s importing %s (%s)', (path, target) => {
    expect(violations(path, `import { thing } from '${target}';`)).toHaveLength(1);
    expect(violations(path, `const thing = await import('${target}');`)).toHaveLength(1);
  });

  test.each([
    ['packages/slack/src/a.ts', '../../../.cache'],
    ['packages/slack/test/a.test.ts', '../../../README.md'],
    ['test/a.test.ts', '../packages/slack/src/main.ts'],
  ])('%s with the path of %s', (path, target) => {
    expect(violations(path, `const url = new URL('${target}', import.meta.url);`)).toHaveLength(1);
  });
});

describe('what is fine is let through', () => {
  test.each([
    ['packages/slack/src/a.ts', './b.ts'],
    ['packages/slack/src/a.ts', 'ws'],
    ['packages/slack/src/a.ts', 'node:http'],
    ['packages/slack/test/a.test.ts', '../src/a.ts'],
    ['packages/slack/test/a.test.ts', '@slack/bolt'],
    ['test/a.test.ts', 'slack/limits'],
    ['sandbox/world.ts', 'kube'],
    ['test/a.test.ts', '../src/errors.ts'],
  ])('%s importing %s', (path, target) => {
    expect(violations(path, `import { thing } from '${target}';`)).toEqual([]);
  });
});
