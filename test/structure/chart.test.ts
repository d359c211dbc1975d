// What the chart says twice is the same: generated files, versions, names of secrets, ports and times.
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { sources } from '../../src/sources/index.ts';
import { chartFiles } from './chart-files.ts';
import { filesIn, read } from './tree.ts';

const values = parse(read('helm/values.yaml')) as Record<string, unknown> & {
  terminationGracePeriodSeconds: number;
};
const schema = JSON.parse(read('helm/values.schema.json')) as { properties: Record<string, object> };

test.each(Object.entries(chartFiles()))('%s is generated', (path, content) => {
  expect(read(path), 'write it anew: node test/structure/chart-files.ts').toBe(content);
});

test('Chart.yaml is of the version of the program', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  expect(parse(read('helm/Chart.yaml'))).toMatchObject({ version, appVersion: version });
});

test('every value is in the schema, and has a default', () => {
  const known = Object.keys(schema.properties).filter((key) => key !== 'global');
  expect(Object.keys(values).toSorted()).toEqual(known.toSorted());
});

test('every value is used by a template', () => {
  const templates = filesIn(['helm/templates'], ['.yaml', '.tpl', '.txt']).map(({ text }) => text);
  for (const key of Object.keys(values).filter((one) => !['bot', 'worker'].includes(one)))
    expect(
      templates.some((text) => text.includes(`.Values.${key}`)),
      key,
    ).toBe(true);
});

describe('the power to hand out power', () => {
  const rules = read('helm/templates/rbac.yaml')
    .split(/^(?= {2}- apiGroups:)/m)
    .slice(1);
  const withVerb = (verb: string) => rules.filter((text) => text.includes(`      - ${verb}\n`));

  test('is over named roles alone, which are in the values', () => {
    const bind = withVerb('bind').map((text) => /^ {4}resourceNames: (.*)$/m.exec(text)?.[1]);
    expect(bind.length).toBeGreaterThan(0);
    expect(new Set(bind)).toEqual(new Set(['{{- toYaml . | nindent 6 }}']));
    expect(values.rbac).toMatchObject({ bind: { clusterRoles: [], roles: [], clusterWide: false } });
  });

  test('is not given in another way', () => {
    expect(['escalate', 'impersonate', '*', '"*"'].flatMap(withVerb)).toEqual([]);
    const changing = rules.filter(
      (text) => /- (roles|clusterroles)\n/.test(text) && !/- (bind|list)\n/.test(text),
    );
    expect(changing).toEqual([]);
  });
});

test('the documents forward to the port that the Service has', () => {
  const port = /\{ name: http, port: (\d+),/.exec(read('helm/templates/service.yaml'))?.[1];
  const documents = [read('README.md'), ...filesIn(['docs'], ['.md']).map((file) => file.text)];
  const forwarded = documents.flatMap((document) => [
    ...document.matchAll(/port-forward service\/\S+ \d+:(\d+)/g),
  ]);
  expect(forwarded.length).toBeGreaterThan(0);
  expect(new Set(forwarded.map(([, to]) => to))).toEqual(new Set([port]));
});

test('a Pod has more time to end than the process takes', () => {
  const grace = Number(/GRACE_MS = ([\d_]+)/.exec(read('src/main.ts'))?.[1]?.replaceAll('_', ''));
  expect(values.terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(grace + 10_000);
});

describe('the secrets', () => {
  const rendered = [
    ...read('helm/templates/_helpers.tpl').matchAll(/^- name: ([A-Z_]+)$|\(list \. "([A-Z_]+)"\)/gm),
  ];
  const common = new Set(rendered.map(([, plain, secret]) => plain ?? secret ?? ''));
  const ofBot = [...read('helm/templates/deployments.yaml').matchAll(/\(list \$ "([A-Z_]+)"\)/g)].map(
    ([, name = '']) => name,
  );

  test('are those of .env.example', () => {
    const named = [...read('.env.example').matchAll(/^#? ?([A-Z][A-Z0-9_]*)=/gm)].map(
      ([, name = '']) => name,
    );
    const ofSources = sources.map(
      ({ name }) => `TOURNIQUET_SOURCE_${name.toUpperCase().replaceAll('-', '_')}`,
    );
    expect([...common, ...ofBot, ...ofSources].toSorted()).toEqual(named.toSorted());
  });

  test('of Slack, of the webhook and of the sources are given to the bot alone', () => {
    expect(ofBot).toEqual(['SLACK_BOT_TOKEN', 'SLACK_APP_TOKEN', 'TOURNIQUET_ESCALATION_SECRET']);
  });
});
