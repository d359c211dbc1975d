// No file needs, in the end, itself: and the search for that is shown to find circles of any length.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { circles } from './circles.ts';
import { filesIn, type SourceFile } from './tree.ts';

const importing = (path: string, targets: readonly string[]): SourceFile => ({
  path: `src/${path}.ts`,
  text: targets.map((target) => `import type { T } from './${target}.ts';\n`).join(''),
});

test('there is none in src/ and commands/', () => {
  const files = filesIn(['src', 'commands'], ['.ts']);
  expect(files.length).toBeGreaterThan(200);
  expect(circles(files)).toEqual([]);
});

test('a circle of any length is found, wherever it is entered and whatever hangs on it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 30 }), fc.integer({ min: 0, max: 29 }), (length, from) => {
      const names = Array.from({ length }, (_, i) => `f${i}`);
      const ring = names.map((name, i) => importing(name, ['leaf', `f${(i + 1) % length}`]));
      const turned = [...ring.slice(from % length), ...ring.slice(0, from % length)];
      const files = [importing('entry', [names[0] ?? '']), ...turned, importing('leaf', [])];
      expect(circles(files)).toEqual([names.map((name) => `src/${name}.ts`).sort()]);
    }),
  );
});

test('what only leads to one place in two ways is none', () => {
  const files = [
    importing('a', ['b', 'c']),
    importing('b', ['d']),
    importing('c', ['d']),
    importing('d', []),
  ];
  expect(circles(files)).toEqual([]);
});

test('two circles are told apart', () => {
  const files = [
    importing('a', ['b']),
    importing('b', ['a', 'c']),
    importing('c', ['d']),
    importing('d', ['c']),
  ];
  expect(circles(files)).toEqual([
    ['src/c.ts', 'src/d.ts'],
    ['src/a.ts', 'src/b.ts'],
  ]);
});
