// Imports point inwards, and each rule that says so is shown to refuse what it forbids.
import { describe, expect, test } from 'vitest';
import { boundaryViolations, ROOMS } from './boundaries.ts';
import { importsOf } from './imports.ts';
import { filesIn, type SourceFile } from './tree.ts';

describe('import boundaries', () => {
  test('hold in src/ and commands/', () => {
    const files = filesIn(['src', 'commands'], ['.ts']);
    expect(files.length).toBeGreaterThan(80);
    expect(boundaryViolations(files)).toEqual([]);
  });

  test.each([
    ['src/domain/incident/fold.ts', '../../engine/door/work.ts', 'the domain, the engine'],
    ['src/domain/incident/fold.ts', '../../ports/clock.ts', 'the domain, the ports'],
    ['src/domain/incident/fold.ts', 'ioredis', 'the domain, an SDK'],
    ['src/domain/incident/fold.ts', 'node:fs', 'the domain, the file system'],
    ['src/domain/incident/fold.ts', '../../words/standing/proof.ts', 'the domain, the words'],
    ['src/domain/incident/fold.ts', '@slack/types', 'the domain, a chat'],
    ['src/words/standing/proof.ts', '@slack/types', 'the words, a chat'],
    ['src/words/standing/proof.ts', '../../adapters/slack/mrkdwn/mrkdwn.ts', 'the words, an adapter'],
    ['src/words/standing/proof.ts', '../../engine/door/work.ts', 'the words, the engine'],
    ['src/words/pieces/plain.ts', '../standing/proof.ts', 'a piece, what is made of pieces'],
    ['src/engine/door/work.ts', '../../words/standing/proof.ts', 'the engine, the words'],
    ['src/domain/incident/fold.ts', '../rules/policy.ts', 'a room of the domain, one after it'],
    ['src/domain/outcome.ts', './incident/fold.ts', 'what every room may import, a room'],
    ['src/domain/newcomer/x.ts', '../outcome.ts', 'a room that nobody knows, anything'],
    ['src/engine/door/work.ts', '../../adapters/redis/vault.ts', 'the engine, an adapter'],
    ['src/engine/door/work.ts', '../../config/config.ts', 'the engine, the configuration'],
    ['src/engine/door/work.ts', '../../actions/index.ts', 'the engine, a registry'],
    ['src/engine/door/work.ts', 'undici', 'the engine, a network library'],
    ['src/engine/look/observe.ts', '../act/run-job.ts', 'a room of the engine, one after it'],
    ['src/actions/harden.ts', './quarantine-token.ts', 'a plug-in, another'],
    ['src/actions/harden.ts', '../sources/text/plain.ts', "a plug-in, another kind's helpers"],
    ['src/actions/harden.ts', '../engine/door/work.ts', 'a plug-in, the engine'],
    ['src/sources/lab.ts', '../log.ts', 'a plug-in, the log'],
    ['commands/ping.ts', './tourniquet.ts', 'a command, another'],
    ['commands/ping.ts', '../src/adapters/slack/cards/card.ts', 'a command, an adapter'],
    ['commands/index.ts', '../src/engine/door/work.ts', 'a registry, the engine'],
    ['src/adapters/slack/app.ts', '../redis/vault.ts', 'an adapter, another'],
    ['src/adapters/slack/app.ts', '../../compose.ts', 'an adapter, what joins them'],
    ['src/adapters/slack/app.ts', '../../main.ts', 'an adapter, the entry'],
    ['src/adapters/slack/app.ts', '../../actions/index.ts', 'an adapter, a registry'],
    ['src/adapters/slack/app.ts', '../../config/config.ts', 'an adapter, the configuration as a value'],
    ['src/adapters/slack/cards/card.ts', '../conversation/clicks.ts', 'a card, the conversation'],
    ['src/config/config.ts', '../log.ts', 'the configuration, the log'],
    ['src/compose.ts', '../sandbox/redis.ts', 'the product, the sandbox'],
    ['src/compose.ts', 'slack-sandbox', 'the product, an emulator'],
    [
      'src/cli/audit/audit.ts',
      '../../../packages/kube-sandbox/src/index.ts',
      'the product, the files of a simulation',
    ],
    ['src/adapters/kubernetes/jwks.ts', 'kube-sandbox/certificates', 'an adapter, a simulation'],
    ['src/cli/audit/audit.ts', '../../../test/builders.ts', 'the product, the tests'],
    ['commands/ping.ts', '../sandbox/world.ts', 'a command, the sandbox'],
  ])('refuse %s importing %s (%s)', (path, target) => {
    const text = `// A planted violation.\nimport { thing } from '${target}';\n`;
    expect(boundaryViolations([{ path, text }])).toHaveLength(1);
  });

  test.each([
    ['src/domain/incident/fold.ts', './incident.ts'],
    ['src/domain/incident/fold.ts', '../plan/plan.ts'],
    ['src/domain/incident/fold.ts', '../outcome.ts'],
    ['src/domain/incident/fold.ts', '../../errors.ts'],
    ['src/engine/door/work.ts', '../../ports/clock.ts'],
    ['src/engine/door/work.ts', '../act/run-job.ts'],
    ['src/actions/harden.ts', '../domain/outcome.ts'],
    ['src/sources/lab.ts', './text/plain.ts'],
    ['commands/ping.ts', './text/help.ts'],
    ['commands/text/help.ts', '../../src/contracts/command.ts'],
    ['src/words/standing/proof.ts', '../../domain/incident/evidence.ts'],
    ['src/adapters/slack/app.ts', '../../words/standing/proof.ts'],
    ['src/adapters/slack/cards/card.ts', './buttons.ts'],
    ['src/adapters/slack/app.ts', './cards/card.ts'],
    ['src/adapters/slack/app.ts', '@slack/bolt'],
  ])('let %s import %s', (path, target) => {
    expect(boundaryViolations([{ path, text: `import { thing } from '${target}';\n` }])).toEqual([]);
  });

  test('let an adapter import the configuration as a type, in both ways to write that', () => {
    for (const line of [
      "import type { ClusterConfig } from '../../config/file-schema.ts';",
      "import { type ClusterConfig, type FileConfig } from '../../config/file-schema.ts';",
    ])
      expect(boundaryViolations([{ path: 'src/adapters/kubernetes/jwks.ts', text: line }])).toEqual([]);
    const mixed = "import { type ClusterConfig, fileSchema } from '../../config/file-schema.ts';";
    expect(boundaryViolations([{ path: 'src/adapters/kubernetes/jwks.ts', text: mixed }])).toHaveLength(1);
  });

  test('cover every file: one that no rule knows is refused', () => {
    expect(boundaryViolations([{ path: 'src/newcomer.ts', text: '' }])).toEqual([
      expect.stringContaining('no rule'),
    ]);
  });
});

describe('what is read as an import', () => {
  test.each([
    ["import { a } from './x.ts';", 'src/x.ts'],
    ["import {\n  a,\n  type B,\n} from './x.ts';", 'src/x.ts'],
    ["import * as all from './x.ts';", 'src/x.ts'],
    ["import pkg from '../package.json' with { type: 'json' };", 'package.json'],
    ["export { a } from './x.ts';", 'src/x.ts'],
    ["export * from './x.ts';", 'src/x.ts'],
    ["import './x.ts';", 'src/x.ts'],
    ["const x = await import('./x.ts');", 'src/x.ts'],
    ["type X = import('./x.ts').X;", 'src/x.ts'],
    ['const x = await import(name);', 'src/?'],
  ])('%s', (text, target) => {
    expect(importsOf({ path: 'src/here.ts', text }).map((one) => one.target)).toEqual([target]);
  });

  test('not what a comment or a sentence says', () => {
    const text = "// import { a } from './x.ts';\n/* import './y.ts'; */\nconst s = 'taken from \"z\"';\n";
    expect(importsOf({ path: 'src/here.ts', text })).toEqual([]);
  });
});

describe('each room has its sign', () => {
  const rooms = Object.entries(ROOMS).flatMap(([folder, names]) => names.map((name) => `${folder}/${name}`));
  /** Rooms whose README does not say in two lines what lives there and what may not. */
  const unsigned = (files: readonly SourceFile[]): string[] =>
    rooms.filter((room) => {
      const sign =
        files
          .find(({ path }) => path === `${room}/README.md`)
          ?.text.trim()
          .split('\n') ?? [];
      return sign.length !== 4 || !sign[3]?.startsWith('Not here: ');
    });

  test('of two lines', () => {
    expect(unsigned(filesIn(['src'], ['README.md']))).toEqual([]);
  });

  test('and one that is missing, or says only half, is named', () => {
    const files = filesIn(['src'], ['README.md']);
    const [first = '', second = ''] = rooms;
    const spoiled = files
      .filter(({ path }) => path !== `${first}/README.md`)
      .map((file) => (file.path === `${second}/README.md` ? { ...file, text: '# x\n\nOne line.\n' } : file));
    expect(unsigned(spoiled)).toEqual([first, second]);
  });

  test('a room that has no files is no room', () => {
    const files = filesIn(['src'], ['.ts']);
    expect(rooms.filter((room) => !files.some(({ path }) => path.startsWith(`${room}/`)))).toEqual([]);
  });
});
