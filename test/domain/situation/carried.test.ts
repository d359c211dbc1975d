// What a ServiceAccount leaves to the one that takes its place: everything but what was made for it alone.
import { describe, expect, it } from 'vitest';
import { manifestOf, withList } from '../../../src/domain/situation/carried.ts';
import type { TokenSecretFact } from '../../../src/domain/situation/situation.ts';

const PULL = 'openshift.io/internal-registry-pull-secret-ref';
const names = (...all: string[]) => all.map((name) => ({ name }));
const account = (fields: object, annotations?: Record<string, string>) =>
  manifestOf({ metadata: { name: 'api', ...(annotations ? { annotations } : {}) }, ...fields });

describe('a manifest', () => {
  it.each<[string, object, string[] | undefined]>([
    [
      'its list of Secrets',
      { secrets: names('git-credentials', 'api-token') },
      ['git-credentials', 'api-token'],
    ],
    ['each once', { secrets: names('git', 'git') }, ['git']],
    ['no UID of an old Secret', { secrets: [{ name: 'git', uid: 'u', resourceVersion: '7' }] }, ['git']],
    ['what has no name', { secrets: [{}, { name: 'git' }] }, ['git']],
    ['no pull Secret that was generated', { secrets: names('git', 'api-dockercfg-x2b4z') }, ['git']],
    [
      'one that a person has named so',
      { secrets: names('api-dockercfg-production') },
      ['api-dockercfg-production'],
    ],
    ['one of another', { secrets: names('web-dockercfg-x2b4z') }, ['web-dockercfg-x2b4z']],
    ['no empty list', { secrets: names('api-dockercfg-x2b4z') }, undefined],
    ['no list', {}, undefined],
  ])('carries %s', (_what, fields, expected) => {
    expect(account(fields).secrets?.map(({ name }) => name)).toEqual(expected);
    const pull = account({ imagePullSecrets: (fields as { secrets?: object }).secrets });
    expect(pull.imagePullSecrets?.map(({ name }) => name)).toEqual(expected);
  });

  it('is without the pull Secret that OpenShift has made, whatever it is called, and without its annotation', () => {
    const made = account(
      { secrets: names('made', 'git'), imagePullSecrets: names('made') },
      { [PULL]: 'made', mine: 'x' },
    );
    expect(made).toEqual({ metadata: { name: 'api', annotations: { mine: 'x' } }, secrets: names('git') });
  });

  it('keeps labels and automount, and is without what kubectl applied', () => {
    const kept = manifestOf({
      metadata: {
        name: 'api',
        labels: { team: 'a' },
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
      },
      automountServiceAccountToken: false,
    });
    expect(kept).toEqual({
      metadata: { name: 'api', labels: { team: 'a' } },
      automountServiceAccountToken: false,
    });
  });
});

describe('the list of the next one', () => {
  const secret = (name: string, marks: Partial<TokenSecretFact> = {}): TokenSecretFact => ({
    name,
    uid: name,
    resourceVersion: '1',
    deleting: false,
    hasLabels: false,
    managers: [],
    listed: true,
    ...marks,
  });
  it.each<[string, string[], TokenSecretFact[], string[]]>([
    ['what is no token Secret, as it is', ['git'], [secret('api-token')], ['git']],
    [
      'a token Secret that is carried, by its new name',
      ['git', 'api-token'],
      [secret('api-token')],
      ['git', 'api-token-new'],
    ],
    ['none that is being deleted', ['git', 'api-token'], [secret('api-token', { deleting: true })], ['git']],
    ['a Secret of another type, which stays', ['copy'], [secret('copy', { otherType: true })], ['copy']],
  ])('holds %s', (_what, list, tokenSecrets, expected) => {
    const manifest = { metadata: { name: 'api' }, secrets: names(...list) };
    expect(withList(manifest, tokenSecrets, (name) => `${name}-new`).secrets).toEqual(names(...expected));
  });
});
