// What the documents, the dashboard and the alert rules say of metrics is what the code has, and every alert has its runbook.
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { DEFINITIONS, type Definition } from '../../src/adapters/prometheus/definitions.ts';
import { document, withTable } from './metrics-doc.ts';
import { read } from './tree.ts';

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; runbook: string };
}

const { groups } = parse(read('helm/rules/tourniquet.yaml')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

interface Panel {
  title: string;
  type: string;
  targets?: { expr: string; legendFormat: string }[];
}

const { panels } = JSON.parse(read('helm/dashboards/tourniquet.json')) as { panels: Panel[] };
const graphs = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })),
);

const definitions: Record<string, Definition> = DEFINITIONS;

/** What the names and label matchers of an expression get wrong, as sentences. */
function wrongIn(expr: string): string[] {
  return [...expr.matchAll(/\b(tourniquet_[a-z_]+)\b(?:\{([^}]*)\})?/g)].flatMap(
    ([, written = '', matchers = '']) => {
      const name = definitions[written] ? written : written.replace(/_(bucket|sum|count)$/, '');
      const definition = definitions[name];
      if (definition === undefined) return [`there is no metric ${written}`];
      if (name !== written && definition.kind !== 'histogram') return [`${name} is no histogram`];
      const labels = [...matchers.matchAll(/(\w+)\s*[=!]/g)].map(([, label = '']) => label);
      return labels
        .filter((label) => !(definition.labels as string[]).includes(label))
        .map((label) => `${name} has no label ${label}`);
    },
  );
}

/** Labels that are grouped by, and belong to none of the metrics. */
function strangersIn(expr: string): string[] {
  const names = [...expr.matchAll(/tourniquet_[a-z_]+/g)].map(([name]) =>
    name.replace(/_(bucket|sum|count)$/, ''),
  );
  const known = new Set(['le', ...names.flatMap((name) => definitions[name]?.labels ?? [])]);
  return [...expr.matchAll(/\bby \(([^)]*)\)/g)]
    .flatMap(([, list = '']) => list.split(',').map((label) => label.trim()))
    .filter((label) => !known.has(label));
}

const balanced = (expr: string): boolean => {
  let depth = 0;
  for (const sign of expr.replace(/"[^"]*"/g, '')) {
    if ('([{'.includes(sign)) depth += 1;
    if (')]}'.includes(sign)) depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
};

const heading = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
const anchors = [...read('docs/runbooks.md').matchAll(/^## (.+)$/gm)].map(([, text = '']) => heading(text));

test('the table of metrics in docs/observability.md is generated', () => {
  expect(document(), 'write it anew: node test/structure/metrics-doc.ts').toBe(withTable(document()));
});

describe('alert rules', () => {
  test('are there, each name once', () => {
    expect(rules.length).toBeGreaterThan(15);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });

  test.each(rules)('$alert asks for metrics and labels that exist', ({ expr }) => {
    expect([...wrongIn(expr), ...strangersIn(expr)]).toEqual([]);
    expect(expr).toContain('tourniquet_');
    expect(balanced(expr)).toBe(true);
  });

  test.each(rules)(
    '$alert has a severity, a summary and a runbook that exists',
    ({ labels, annotations }) => {
      expect(['critical', 'warning']).toContain(labels.severity);
      expect(annotations.summary).toMatch(/^[A-Z].*\.$/);
      const [path, anchor] = annotations.runbook.split('#');
      expect(path).toBe('docs/runbooks.md');
      expect(anchors).toContain(anchor);
    },
  );

  test.each(rules)('$alert sums no number that every process has', ({ expr }) => {
    const shared = Object.entries(definitions).filter(([, definition]) => definition.shared);
    for (const [name] of shared) expect(expr).not.toMatch(new RegExp(`sum( by \\([^)]*\\))? ?\\(${name}`));
  });
});

describe('the dashboard', () => {
  test('has every panel somewhere', () => {
    expect(graphs.length).toBeGreaterThan(20);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  });

  test.each(graphs)('$title asks for metrics and labels that exist', ({ expr, legendFormat }) => {
    expect([...wrongIn(expr), ...strangersIn(expr)]).toEqual([]);
    expect(balanced(expr)).toBe(true);
    for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
      expect(label === 'pod' || expr.includes(`${label})`) || expr.includes(`${label},`), label).toBe(true);
  });

  test('shows or alerts on every metric but those that only say what is running or how long something took', () => {
    const asked = [...rules.map(({ expr }) => expr), ...graphs.map(({ expr }) => expr)].join('\n');
    const unseen = Object.keys(definitions).filter((name) => !asked.includes(name));
    expect(unseen).toEqual([
      'tourniquet_identifications_total',
      'tourniquet_auto_containments_total',
      'tourniquet_runs_stopped_total',
      'tourniquet_incidents_closed_total',
      'tourniquet_job_seconds',
      'tourniquet_slack_request_seconds',
    ]);
  });
});

test('what is wrong with an expression would be seen', () => {
  expect(wrongIn('sum(tourniquet_nothing_total)')).toEqual(['there is no metric tourniquet_nothing_total']);
  expect(wrongIn('tourniquet_paused{cluster="a"}')).toEqual(['tourniquet_paused has no label cluster']);
  expect(wrongIn('rate(tourniquet_paused_bucket[5m])')).toEqual(['tourniquet_paused is no histogram']);
  expect(strangersIn('sum by (namespace) (tourniquet_paused)')).toEqual(['namespace']);
  expect(balanced('max(max(a)')).toBe(false);
});
