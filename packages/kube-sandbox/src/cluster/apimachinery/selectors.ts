// Label and field selectors of list and watch requests.
import type { KubeObject } from './objects.ts';
import type { Resource } from './resources.ts';
import { badRequest } from './status.ts';

type Test = (object: KubeObject) => boolean;

const SET = /^([^\s,!=()]+)\s+(in|notin)\s+\(([^)]*)\)$/;
const EQUALITY = /^([^\s,!=()]+)\s*(==|=|!=)\s*([^\s,!=()]*)$/;
const EXISTS = /^(!?)\s*([^\s,!=()]+)$/;

function labelTest(term: string): Test {
  const set = SET.exec(term);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => value.trim()));
    const isIn: Test = (object) => {
      const value = object.metadata.labels?.[key];
      return value !== undefined && values.has(value);
    };
    return operator === 'in' ? isIn : (object) => !isIn(object);
  }
  const equality = EQUALITY.exec(term);
  if (equality !== null) {
    const [, key = '', operator, value] = equality;
    return (object) => (object.metadata.labels?.[key] === value) === (operator !== '!=');
  }
  const exists = EXISTS.exec(term);
  if (exists === null) {
    throw badRequest(`unable to parse requirement: ${JSON.stringify(term)} is not a label selector`);
  }
  const [, not, key = ''] = exists;
  return (object) => (object.metadata.labels?.[key] !== undefined) === (not === '');
}

function fieldTest(resource: Resource, term: string): Test {
  const [, path = '', operator, value] = /^([^=!]+)(==|=|!=)(.*)$/.exec(term) ?? [];
  const known = ['metadata.name', 'metadata.namespace', ...resource.fields];
  if (!known.includes(path)) {
    throw badRequest(
      resource.fields.length > 0
        ? `field label not supported: ${path || term}`
        : `"${path || term}" is not a known field selector: only "metadata.name", "metadata.namespace"`,
    );
  }
  return (object) => (fieldOf(object, path) === value) === (operator !== '!=');
}

function fieldOf(object: unknown, path: string): string {
  let value: unknown = object;
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key];
  return typeof value === 'string' ? value : '';
}

/** One test from the labelSelector and fieldSelector of a request. */
export function selector(resource: Resource, labels: string | null, fields: string | null): Test {
  const labelTerms = (labels ?? '').split(/,(?![^(]*\))/);
  const fieldTerms = (fields ?? '').split(',');
  const given = (term: string): boolean => term !== '';
  const tests = [
    ...labelTerms
      .map((term) => term.trim())
      .filter(given)
      .map(labelTest),
    ...fieldTerms.filter(given).map((term) => fieldTest(resource, term)),
  ];
  return (object) => tests.every((test) => test(object));
}
