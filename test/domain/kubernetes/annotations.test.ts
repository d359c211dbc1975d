// Copies of objects in annotations are known by their names and by what they hold; what people and clouds note is kept.
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { isCopy, withoutCopies } from '../../../src/domain/kubernetes/annotations.ts';
import { base64, legacyToken } from '../token/token-samples.ts';

const secret = JSON.stringify({ kind: 'Secret', data: { password: base64('not a token at all') } });

describe('a copy', () => {
  it.each([
    ['of kubectl', 'kubectl.kubernetes.io/last-applied-configuration', ''],
    ['of Hypershift', 'hypershift.openshift.io/last-applied-configuration', ''],
    ['of KubeVela', 'app.oam.dev/last-applied-configuration', ''],
    ['of an operator', 'banzaicloud.com/last-applied', ''],
    ['of Rancher', 'objectset.rio.cattle.io/applied', ''],
    ['of kapp', 'kapp.k14s.io/original', ''],
    ['in JSON', 'x', secret],
    ['in JSON that was cut', 'x', secret.slice(0, 30)],
    ['in a list', 'x', `[${secret}]`],
    ['in base64', 'x', base64(secret)],
    ['in base64 of gzip', 'x', gzipSync(Buffer.from(secret + legacyToken())).toString('base64')],
    ['in YAML', 'x', `kind: Secret\nstringData:\n  password: a\n`],
    ['of a token alone', 'x', legacyToken()],
    ['of a token in base64', 'x', base64(legacyToken())],
  ])('%s', (_, key, value) => {
    expect(isCopy(key, value)).toBe(true);
  });
});

describe('no copy', () => {
  it.each([
    ['eks.amazonaws.com/role-arn', 'arn:aws:iam::1:role/api'],
    ['iam.gke.io/gcp-service-account', 'api@project.iam.gserviceaccount.com'],
    ['azure.workload.identity/client-id', '00000000-0000-0000-0000-000000000000'],
    ['kubernetes.io/service-account.name', 'api'],
    ['kubernetes.io/enforce-mountable-secrets', 'true'],
    ['checksum/config', 'ab'.repeat(32)],
    ['description', 'What the data: of this account is for.'],
    ['example.com/was-applied-by', 'maya'],
    [
      'serviceaccounts.openshift.io/oauth-redirectreference.first',
      '{"kind":"OAuthRedirectReference","apiVersion":"v1","reference":{"kind":"Route","name":"jenkins"}}',
    ],
    ['k8s.v1.cni.cncf.io/networks', '[{"name":"net-1","namespace":"default"}]'],
  ])('%s', (key, value) => {
    expect(withoutCopies({ [key]: value })).toEqual({ [key]: value });
  });
});
