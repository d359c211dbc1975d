// The image holds what src/ imports and nothing secret or for tests only, and starts without a shell as nobody.
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { fileSchema } from '../../src/config/file-schema.ts';
import {
  copiedFrom,
  dockerfileProblems,
  execForm,
  filesOf,
  isSent,
  type Stage,
  stagesOf,
  textsOf,
} from './dockerfile.ts';
import { importsOf } from './imports.ts';
import { filesIn, read } from './tree.ts';

const stages = stagesOf(read('Dockerfile'));
const [build, image] = stages as [Stage, Stage];
const manifest = JSON.parse(read('package.json')) as {
  version: string;
  dependencies: Record<string, string>;
};

test('has two stages, and nothing is wrong with them', () => {
  expect(stages).toHaveLength(2);
  expect(dockerfileProblems(stages)).toEqual([]);
});

test('installs what the lock says, without what only development needs', () => {
  expect(textsOf(build, 'RUN')).toEqual(['npm ci --omit=dev --ignore-scripts']);
  expect(
    filesOf(build)
      .map(([path]) => path)
      .toSorted(),
  ).toEqual(['.npmrc', 'package-lock.json', 'package.json']);
});

test('only node_modules comes from the first stage', () => {
  const [from, ...others] = textsOf(image, 'COPY').filter((text) => text.startsWith('--from='));
  expect(from).toBe(`--from=${build.name} /app/node_modules ./node_modules`);
  expect(others).toEqual([]);
});

test('is of this version', () => {
  expect(textsOf(image, 'LABEL')[0]).toContain(`org.opencontainers.image.version="${manifest.version}"`);
});

test('brings the Node of development, so that what was tested is what runs', () => {
  const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: { node: string } };
  expect(stages.map(({ base }) => /^node:(\d+)/.exec(base)?.[1])).toEqual(
    stages.map(() => devDependencies.node.split('.')[0]),
  );
});

test('exposes the ports that the configuration and the chart have by default', () => {
  const { config } = parse(read('helm/values.yaml')) as { config: { http: { metricsPort: number } } };
  const { port, healthPort } = fileSchema.shape.http.parse({});
  const ports = [port, healthPort, config.http.metricsPort];
  expect(textsOf(image, 'EXPOSE').join(' ').split(' ').map(Number)).toEqual(ports);
});

describe('the files', () => {
  const files = filesOf(image).map(([path]) => path);

  test('are code, what npm needs, and the licence', () => {
    expect(files.length).toBeGreaterThan(150);
    expect(
      files.filter((path) => !/^(src|commands)\/.*(\.(ts|js)|\/README\.md)$/.test(path)).toSorted(),
    ).toEqual(['LICENSE', 'manifest.yml', 'package.json']);
  });

  test('are sent to the builder, and no others are', () => {
    const ignore = read('.dockerignore');
    for (const path of [
      '.env',
      '.git/config',
      'test/builders.ts',
      'sandbox/world.ts',
      'packages/slack-sandbox/src/index.ts',
      'tourniquet.yaml',
      'node_modules/a',
    ])
      expect(isSent(ignore, path), path).toBe(false);
    const named = ignore.split('\n').filter((line) => line.startsWith('!'));
    const copied = stages.flatMap((stage) => copiedFrom(stage).flatMap(({ sources }) => sources));
    expect(named.map((line) => line.slice(1)).toSorted()).toEqual([...new Set(copied)].toSorted());
  });

  test('import one another and production dependencies, and nothing else', () => {
    const imported = files
      .filter((path) => /\.(ts|js)$/.test(path))
      .flatMap((path) => importsOf({ path, text: read(path) }))
      .filter(({ typeOnly }) => !typeOnly);
    const packageOf = (target: string) =>
      target
        .split('/')
        .slice(0, target.startsWith('@') ? 2 : 1)
        .join('/');
    const missing = imported.filter(({ own, target }) =>
      own
        ? !files.includes(target)
        : !target.startsWith('node:') && !(packageOf(target) in manifest.dependencies),
    );
    expect(imported.length).toBeGreaterThan(500);
    expect(missing).toEqual([]);
  });

  test('hold what people are told to run in a container', () => {
    const told = [
      'helm/templates/NOTES.txt',
      'README.md',
      ...filesIn(['docs'], ['.md']).map(({ path }) => path),
    ]
      .flatMap((path) => [...read(path).matchAll(/exec deployment\/\S+ -- (\S+) (\S+)/g)])
      .map(([, program, script]) => [program, script]);
    expect(told.length).toBeGreaterThan(3);
    expect(textsOf(image, 'WORKDIR')).toEqual(['/app']);
    for (const [program, script] of told) {
      expect(program).toBe('node');
      expect(files).toContain(script);
    }
  });

  test('hold what is started', () => {
    const [program, script] = execForm(textsOf(image, 'ENTRYPOINT')[0] ?? '') ?? [];
    expect(program).toBe('node');
    expect(files).toContain(script);
  });
});

describe('what is wrong would be seen', () => {
  const good = read('Dockerfile');
  const problems = (changed: string): string[] => {
    expect(changed).not.toBe(good);
    return dockerfileProblems(stagesOf(changed));
  };

  test.each([
    [good.replace('USER 65532:65532\n', ''), /USER/],
    [good.replace('65532:65532', 'node'), /USER node/],
    [good.replace('65532:65532', '0'), /USER 0/],
    [good.replace('65532:65532', '65532:0'), /USER/],
    [good.replace('["node", "src/main.ts"]', 'node src/main.ts'), /ENTRYPOINT/],
    [good.replace('HEALTHCHECK', 'ONBUILD'), /HEALTHCHECK/],
    [good.replace('CMD ["node"', 'CMD node ["'), /HEALTHCHECK/],
    [good.replace('node:26-slim AS', 'node AS'), /no tag/],
    [good.replace('node:26-slim AS', 'node:latest AS'), /no tag/],
    [good.replace('node:26-slim AS', 'registry.example:5000/node:26 AS'), /registry/],
    [good.replace('ENV NODE_ENV', 'ENV TOURNIQUET_KEY'), /secret/],
    [good.replace('COPY src ./src', 'COPY src ./src\nRUN apt-get install curl'), /RUN/],
  ])('%#', (changed, expected) => {
    expect(problems(changed)).toEqual([expect.stringMatching(expected)]);
  });

  test('a file that is copied but not sent', () => {
    const [stage] = stagesOf('FROM a:1\nCOPY test ./test\n') as [Stage];
    expect(() => filesOf(stage)).toThrow(/\.dockerignore/);
  });
});
