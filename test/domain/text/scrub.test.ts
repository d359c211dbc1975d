// No token passes the door, in whatever way it stands in a text; what holds none passes as it is, and soon.
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scrub, scrubbed } from '../../../src/domain/text/scrub.ts';
import { Secret } from '../../../src/secret.ts';
import { base64, boundToken, legacyToken, part, wrap } from '../token/token-samples.ts';

const legacy = legacyToken();
const elliptic = boundToken('ES256');

/** A stretch of the claims or the signature that is long enough to be somebody's, and not also of the other token. */
function traces(token: string, text: string, other = ''): string[] {
  const seen = text.replaceAll(/[^\w-]/g, '');
  const [, payload = '', signature = ''] = token.split('.');
  const stretches = [payload, signature].flatMap((piece) =>
    Array.from({ length: Math.max(0, piece.length - 15) }, (_, at) => piece.slice(at, at + 16)),
  );
  return stretches.filter((one) => seen.includes(one) && !other.includes(one)).slice(0, 1);
}

const every = (text: string, count: number, mark: (nth: number) => string): string =>
  (text.match(new RegExp(`[\\s\\S]{1,${count}}`, 'g')) ?? [])
    .map((piece, i) => `${piece}${mark(i)}`)
    .join('');
const escaped = (text: string): string => JSON.stringify(text).slice(1, -1);
const ESC = '\x1b';

const disguises: [string, (token: string) => string][] = [
  ['in one colour', (token) => `${ESC}[31m${token}${ESC}[0m`],
  ['with its parts in colours', (token) => token.split('.').join(`${ESC}[0m${ESC}[33m.${ESC}[0m`)],
  ['with a colour for every character', (token) => every(token, 1, (i) => `${ESC}[38;5;${i % 256}m`)],
  [
    'with a match in it, as grep marks it',
    (token) => token.replace('.', `${ESC}[01;31m${ESC}[K.${ESC}[m${ESC}[K`),
  ],
  ['with colours that JSON wrote out', (token) => escaped(every(token, 30, () => `${ESC}[1m`))],
  ['with colours as cat -v shows them', (token) => every(token, 30, () => '^[[32m')],
  ['with colours whose escape was taken out', (token) => every(token, 30, () => '[32m')],
  ['with colours that a shell wrote out', (token) => every(token, 30, () => String.raw`\033[1;32m`)],
  ['with percent-encoded dots', (token) => token.replaceAll('.', '%2E')],
  ['with percent-encoded dots, in small letters', (token) => token.replaceAll('.', '%2e')],
  ['with dots that were encoded twice', (token) => token.replaceAll('.', '%252E')],
  [
    'percent-encoded throughout',
    (token) => [...token].map((c) => `%${c.charCodeAt(0).toString(16)}`).join(''),
  ],
  ['with dots as entities', (token) => token.replaceAll('.', '&#46;')],
  ['with dots as entities in hex', (token) => token.replaceAll('.', '&#x2E;')],
  ['with dots as entities with zeros', (token) => token.replaceAll('.', '&#0046;')],
  ['with dots as named entities', (token) => token.replaceAll('.', '&period;')],
  ['with dots as entities that were encoded again', (token) => token.replaceAll('.', '&amp;#46;')],
  ['with escaped dots', (token) => token.replaceAll('.', String.raw`\u002e`)],
  ['with escaped dots, twice', (token) => token.replaceAll('.', String.raw`\\u002E`)],
  ['with dots in hex', (token) => token.replaceAll('.', String.raw`\x2e`)],
  ['with dots in brackets', (token) => token.replaceAll('.', '[.]')],
  ['with dots of another width', (token) => token.replaceAll('.', '\uff0e')],
  [
    'in letters of another width',
    (token) => [...token].map((c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0)).join(''),
  ],
  ['with zero-width spaces', (token) => every(token, 10, () => '\u200b')],
  ['with soft hyphens', (token) => every(token, 10, () => '\u00ad')],
  ['with joiners, written out', (token) => every(token, 10, () => String.raw`\u200d`)],
  ['with a byte order mark', (token) => every(token, 50, () => '\ufeff')],
  ['with marks of direction', (token) => every(token, 25, () => '\u202e')],
  ['with variation selectors', (token) => every(token, 9, () => '\ufe0f')],
  ['with tag characters', (token) => every(token, 9, () => '\u{e0041}')],
  ['with Hangul fillers', (token) => every(token, 9, () => '\u3164')],
  ['struck through', (token) => every(token, 1, () => '\u0336')],
  ['with a zero byte behind each character', (token) => every(token, 1, () => '\0')],
  ['with places where a browser may break it', (token) => every(token, 30, () => '<wbr>')],
  [
    'with tags around its parts',
    (token) =>
      token
        .split('.')
        .map((one) => `<span class="k">${one}</span>`)
        .join('.'),
  ],
  ['in lines that HTML breaks', (token) => every(token, 60, () => '<br/>')],
  ['in quoted-printable', (token) => wrap(token, 75).replaceAll('\n', '=\r\n')],
  ['in base64 of UTF-16', (token) => Buffer.from(`x = ${token}`, 'utf16le').toString('base64')],
  ['in base64 with percent-encoded signs', (token) => encodeURIComponent(base64(`?>${token}?>`))],
  ['in base64 with escaped slashes', (token) => base64(`?>?>${token}?>?`).replaceAll('/', String.raw`\/`)],
  ['in base64 of base64', (token) => base64(`one: ${base64(token)}`)],
  ['without its header', (token) => token.slice(token.indexOf('.') + 1)],
  ['without its signature', (token) => token.slice(0, token.lastIndexOf('.'))],
  ['without the end of its signature', (token) => token.slice(0, -25)],
  ['in a link of Slack', (token) => `<https://logs.test/?t=${token}|here>`],
  ['in two copies, side by side', (token) => `${token},${token}`],
  ['behind a word that begins like one', (token) => `heyJude ${token}`],
];

const WIDTHS = [2, 5, 8, 13, 19, 20, 33, 40, 60, 64, 72, 76, 79, 80, 100, 120, 132, 200];
const pad = (n: number): string => String(n).padStart(2, '0');
const lines = (text: string, width: number): string[] => wrap(text, width).split('\n');
const wraps: [string, (text: string, width: number) => string][] = [
  ['plainly', wrap],
  ['and indented', (text, width) => wrap(text, width, '      ')],
  ['by Windows', (text, width) => wrap(text, width).replaceAll('\n', '\r\n')],
  ['in a mail', (text, width) => wrap(text, width, '> > ')],
  ['in JSON', (text, width) => JSON.stringify({ text: wrap(text, width) })],
  ['in JSON in JSON', (text, width) => JSON.stringify(JSON.stringify({ text: wrap(text, width) }))],
  ['in a comment', (text, width) => wrap(text, width, '# ')],
  ['in a diff', (text, width) => wrap(text, width, '+')],
  [
    'in a list of strings',
    (text, width) =>
      `[\n${lines(text, width)
        .map((line) => `  "${line}",`)
        .join('\n')}\n]`,
  ],
  [
    'in code',
    (text, width) =>
      lines(text, width)
        .map((line) => `  '${line}' +`)
        .join('\n'),
  ],
  ['in a shell', (text, width) => lines(text, width).join('\\\n')],
  [
    'with the time before each line',
    (text, width) =>
      lines(text, width)
        .map((line, i) => `2026-11-30T03:00:${pad(i % 60)}.${i}0Z ${line}`)
        .join('\n'),
  ],
  [
    'with a number before each line',
    (text, width) =>
      lines(text, width)
        .map((line, i) => `${String(i + 7).padStart(4)} | ${line}`)
        .join('\n'),
  ],
  [
    'with a name before each line',
    (text, width) =>
      lines(text, width)
        .map((line, i) => `Nov 30 03:00:${pad(i % 60)} node-1 job[71]: ${line}`)
        .join('\n'),
  ],
  ['with an empty line between', (text, width) => lines(text, width).join('\n\n')],
  ['with percent-encoded ends', (text, width) => lines(text, width).join('%0A')],
  ['by space', (text, width) => lines(text, width).join(' ')],
];

describe('what passes the door', () => {
  describe.each([
    ['legacy', legacy],
    ['elliptic', elliptic],
  ])('a %s token', (_, token) => {
    it.each(disguises)('not %s', (__, disguise) => {
      const clean = scrub(`before it: ${disguise(token)} after it`);
      expect(clean).toContain('[token removed]');
      expect(traces(token, clean)).toEqual([]);
      expect(clean.startsWith('before it: ')).toBe(true);
    });

    it.each(wraps)('not wrapped %s, at any width', (name, wrapped) => {
      for (const width of WIDTHS) {
        const clean = scrub(`it was\n${wrapped(token, width)}\n\nThat was: it.`);
        expect(traces(token, clean), `${name} at ${width}`).toEqual([]);
        expect(clean).toMatch(/it was[\s\S]*That was: it\.$/);
      }
    });

    it.each(wraps.filter(([name]) => name !== 'by space'))('not in base64, wrapped %s', (name, wrapped) => {
      for (const width of WIDTHS.filter((one) => one >= 20)) {
        const encoded = base64(`here: ${token}\n`);
        const clean = scrub(`it was\n${wrapped(encoded, width)}\n\nThat was: it.`);
        const kept = clean.replaceAll(/[^\w+/]/g, '');
        for (let at = 8; at + 40 <= encoded.length - 8; at += 20)
          expect(kept.includes(encoded.slice(at, at + 40)), `${name} at ${width}: ${at}`).toBe(false);
      }
    });
  });

  it('not several in lines of their own, and every word between', () => {
    const text = `first ${legacy}\nsecond ${elliptic}\nthird ${base64(legacy)} fourth\n`;
    expect(scrub(text)).toBe('first [token removed]\nsecond [token removed]\nthird [token removed] fourth\n');
  });

  it('not one within words that a log wraps at its width', () => {
    const line = `+ kubectl --server https://kube.example.test:6443 --token ${legacy} get pods`;
    const log = `#7 [3/5] RUN make deploy\n${wrap(line, 80)}\nNAME   READY\n`;
    const clean = scrub(log);
    expect(traces(legacy, clean)).toEqual([]);
    expect(clean).toMatch(
      /^#7 \[3\/5\] RUN make deploy\n\+ kubectl --server .*--token \[token removed\][\s\S]*pods\nNAME {3}READY\n$/,
    );
  });

  it('not in a manifest, of which the rest stays', () => {
    const manifest = (token: string) =>
      `apiVersion: v1\nkind: Secret\ndata:\n  namespace: cGF5bWVudHM=\n  token: ${token}\nmetadata:\n  name: checkout\n`;
    expect(scrub(manifest(base64(legacy)))).toBe(manifest('[token removed]'));
  });
});

const word = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.base64String(),
  fc.constantFrom(
    'eyJ',
    'ZXlK',
    '.',
    '=',
    '/',
    '\n',
    ' ',
    '%2E',
    '&#46;',
    `${ESC}[31m`,
    '\u200b',
    '\\n',
    '"',
    '+',
    '> ',
  ),
  fc.constantFrom(
    legacy,
    elliptic,
    base64(elliptic),
    wrap(elliptic, 20),
    elliptic.slice(0, 90),
    '[token removed]',
  ),
  fc.constantFrom(...disguises).map(([, disguise]) => disguise(elliptic)),
);
const anything = fc.array(word, { maxLength: 12 }).map((words) => words.join(''));

describe('whatever the text', () => {
  it('nothing is thrown, and what came out comes out as it is', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const once = scrub(text);
        expect(scrub(once)).toBe(once);
      }),
      { numRuns: 1000 },
    );
  });

  it('a token in it is gone', () => {
    fc.assert(
      fc.property(anything, anything, fc.constantFrom(' ', '\n', '"', '; '), (before, after, edge) => {
        expect(traces(legacy, scrub(`${before}${edge}${legacy}${edge}${after}`), elliptic)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    'nothing to hide',
    'commit 4f1d3c2b5a69788796a5b4c3d2e1f00112233445 in rohan/mark/deploy.yaml',
    `${ESC}[31mred${ESC}[0m and \u202eback\u202c and 100%25 of &lt;it&gt;`,
    'fileUpload.moduleUrl.singleUse.eyJudgement.eyJournal',
    'eyJ is how tokens begin, and eyJhbGciOiJSUzI1NiJ9 is all that many of them share',
    'C:\\new\\table\\eyJ.txt',
    randomBytes(3000).toString('base64'),
    wrap(randomBytes(3000).toString('base64'), 64),
    randomBytes(3000).toString('hex'),
    Array.from({ length: 200 }, () => part({ n: randomBytes(3).toString('hex') })).join('\n'),
  ])('one without a token stays: %j', (text) => {
    expect(scrub(text)).toBe(text);
  });
});

describe('however long the text', () => {
  const LENGTH = 400_000;
  const filled = (unit: string): string => unit.repeat(Math.ceil(LENGTH / unit.length));

  it.each([
    ['beginnings of tokens', filled('eyJ')],
    ['beginnings with their dots', filled('eyJaaaaaaaaaa.')],
    ['the same, apart', filled('eyJ aaaaaaaaaa . ')],
    ['headers without claims', filled(`${part({ alg: 'RS256' })} `)],
    ['short lines', filled('a\n')],
    ['lines of a log', filled('2026-11-30T03:00:00Z eyJaaaaaaaaaa.eyJ\n')],
    ['lines of code', filled(`'a' +\n`)],
    ['words', filled('hello and so on ')],
    ['digits apart', filled('1 ')],
    ['dots', filled('.')],
    ['space', filled(' ')],
    ['quotes', filled('"')],
    ['signs of equality, and lines', filled('=\n')],
    ['backslashes', filled('\\')],
    ['beginnings of colours', filled(`${ESC}[`)],
    ['beginnings of tags', filled('<a ')],
    ['percent signs that were encoded', filled('%25')],
    ['ampersands that were encoded', filled('&amp;')],
    ['letters with marks', filled('e\u0301')],
    ['zero-width spaces', filled('\u200b')],
    ['base64 of beginnings', base64('eyJaaaaaaaaaa.'.repeat(LENGTH / 20))],
    ['base64 of that', base64(base64('eyJaaaaaaaaaa.'.repeat(LENGTH / 28)))],
    ['tokens', filled(`${elliptic} `)],
    ['tokens in base64', filled(`${base64(elliptic)}\n`)],
  ])('it is looked through at once: %s', (_, text) => {
    const began = performance.now();
    scrub(`${text} eyJ`);
    // Far more than it takes, also on a busy machine; what grows with the square of the length takes a minute.
    expect(performance.now() - began).toBeLessThan(8000);
  });
});

describe('whatever the value', () => {
  it('texts and keys are cleaned at any depth, and the rest is the same', () => {
    const clean = scrubbed({
      [legacy]: 1,
      list: [legacy, { deep: [`see ${elliptic}`] }],
      none: null,
      yes: true,
    });
    expect(clean).toEqual({
      '[token removed]': 1,
      list: ['[token removed]', { deep: ['see [token removed]'] }],
      none: null,
      yes: true,
    });
  });

  it('what holds none is not copied', () => {
    const value = { a: [1, { b: 'text' }], secret: new Secret('x') };
    expect(scrubbed(value)).toBe(value);
  });
});
