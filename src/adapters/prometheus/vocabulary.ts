// Which values a label may have, so that nothing from outside can make the number of series grow.
import { resources } from '../../domain/kubernetes/resources.ts';
import type { Label } from './definitions.ts';

/** What is known only when a process starts. */
export interface Names {
  sources: readonly string[];
  clusters: readonly string[];
  actions: readonly string[];
}

type Rule = readonly string[] | RegExp;
export type Vocabulary = Partial<Record<Label, Rule>>;

const VERDICTS = ['done', 'not-done', 'unknown'];
const HTTP_OR_WORD = /^([1-5]\d\d|failed|timeout|unreachable|unauthorized|invalid|bad-config)$/;

export function vocabulary({ sources, clusters, actions }: Names): Vocabulary {
  return {
    source: [...sources, 'slash'],
    cluster: clusters,
    action: actions,
    by: ['policy', 'people'],
    result: [...VERDICTS, 'identified', 'unidentified', 'started', 'skipped', 'failed'],
    outcome: [
      ...['new', 'duplicate', 'accepted', 'ignored', 'noted'],
      ...['bad-signature', 'bad-input', 'bad-request', 'too-large', 'too-slow', 'not-kept', 'failed'],
    ],
    resource: [
      ...Object.values(resources).map(({ plural }) => plural),
      ...['serviceaccounts/token', 'selfsubjectreviews', 'tokenreviews', 'endpointslices', 'pods/eviction'],
      ...['/openid/v1/jwks', '/version'],
    ],
    code: HTTP_OR_WORD,
    verb: /^[a-z]+(-[a-z]+){0,3}$/,
    method: /^[a-z]+(\.[a-zA-Z]+){1,4}$/,
    reason: /^[a-z]+(-[a-z]+){0,3}$/,
  };
}

export const isKnown = (rule: Rule | undefined, value: string): boolean => {
  if (rule === undefined) return true;
  return rule instanceof RegExp ? rule.test(value) && value.length <= 60 : rule.includes(value);
};
