// Who refused a write: told from what API servers say, whichever the status, and never from a word that a policy happens to use.
import { describe, expect, it } from 'vitest';
import { denialIn, deniedText } from '../../../src/domain/kubernetes/denials.ts';
import { legacyToken } from '../token/token-samples.ts';

const place = { cluster: 'prod', namespace: 'payments' };
const vap = (words: string) =>
  `secrets "api-token-2" is forbidden: ValidatingAdmissionPolicy 'no-token-secrets' with binding 'all' denied request: ${words}`;
const hook = (name: string, words: string) => `admission webhook "${name}" denied the request${words}`;
const kyverno =
  ": \n\nresource Secret/payments/api-token was blocked due to the following policies \n\nno-token-secrets:\n  check-type: 'validation error: long-lived tokens cannot be made. rule check-type failed'\n";

type Case = [what: string, message: string, by: RegExp, words: RegExp, look: RegExp];
const refusals: Case[] = [
  [
    'ValidatingAdmissionPolicy',
    vap('Use a short-lived one.'),
    /^ValidatingAdmissionPolicy no-token-secrets \(binding all\)$/,
    /^Use a short-lived one\.$/,
    /^kubectl --context prod get validatingadmissionpolicy\/no-token-secrets validatingadmissionpolicybinding\/all -o yaml$/,
  ],
  [
    'a policy whose words are those of RBAC',
    vap('User "bot" cannot patch resource "secrets" in API group ""'),
    /^ValidatingAdmissionPolicy/,
    /^User "bot" cannot patch/,
    /validatingadmissionpolicy/,
  ],
  [
    'ValidatingAdmissionPolicy without a binding, for a group',
    `deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'frozen' denied request: no`,
    /^ValidatingAdmissionPolicy frozen$/,
    /^no$/,
    /get validatingadmissionpolicy\/frozen -o yaml$/,
  ],
  [
    'MutatingAdmissionPolicy',
    `pods is forbidden: policy 'sidecar' with binding 'all' denied request: no such key: x`,
    /^MutatingAdmissionPolicy sidecar \(binding all\)$/,
    /^no such key: x$/,
    /mutatingadmissionpolicy\/sidecar mutatingadmissionpolicybinding\/all/,
  ],
  [
    'Gatekeeper',
    hook('validation.gatekeeper.sh', ': [no-hand-edits] Deployments cannot be changed by hand'),
    /^admission webhook validation\.gatekeeper\.sh \(constraint no-hand-edits\)$/,
    /^\[no-hand-edits\] Deployments cannot be changed by hand$/,
    /^kubectl --context prod get constraints$/,
  ],
  [
    'Kyverno',
    hook('validate.kyverno.svc-fail', kyverno),
    /^admission webhook validate\.kyverno\.svc-fail \(policy no-token-secrets\)$/,
    /was blocked due to the following policies no-token-secrets: check-type: .*cannot be made/,
    /get clusterpolicies\.kyverno\.io no-token-secrets -o yaml$/,
  ],
  [
    'Kyverno, a ValidatingPolicy',
    hook('vpol.validate.kyverno.svc-fail', ': Policy no-tokens failed: not here'),
    /\(policy no-tokens\)$/,
    /^Policy no-tokens failed: not here$/,
    /get validatingpolicies\.policies\.kyverno\.io no-tokens -o yaml$/,
  ],
  [
    'any webhook',
    hook('guard.example.test', ': you cannot do that'),
    /^admission webhook guard\.example\.test$/,
    /^you cannot do that$/,
    /get validatingwebhookconfigurations,mutatingwebhookconfigurations -o custom-columns=/,
  ],
  [
    'a webhook without words',
    hook('guard.example.test', ' without explanation'),
    /^admission webhook guard\.example\.test$/,
    /^without explanation$/,
    /webhookconfigurations/,
  ],
  [
    'quota',
    'pods "web-1" is forbidden: exceeded quota: full, requested: pods=1, used: pods=2, limited: pods=2',
    /^ResourceQuota full$/,
    /^exceeded quota: full, requested/,
    /^kubectl --context prod -n payments describe resourcequota full$/,
  ],
  [
    'quota that wants limits',
    'pods "web-1" is forbidden: failed quota: compute: must specify limits.cpu for: main',
    /^ResourceQuota compute$/,
    /must specify/,
    /describe resourcequota compute$/,
  ],
  [
    'LimitRange',
    'pods "web-1" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, minimum memory usage per Pod is 1Gi, but request is 1Mi]',
    /^a LimitRange$/,
    /^\[maximum cpu/,
    /^kubectl --context prod -n payments describe limitrange$/,
  ],
  [
    'Pod Security',
    'pods "web-1" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "main" must set x)',
    /^Pod Security \(restricted:latest\)$/,
    /^violates PodSecurity/,
    /^kubectl --context prod get namespace payments --show-labels$/,
  ],
  [
    'a namespace that is being deleted',
    'secrets "x" is forbidden: unable to create new content in namespace payments because it is being terminated',
    /^the namespace, which is being deleted$/,
    /being terminated$/,
    /get namespace payments$/,
  ],
  [
    'another plug-in, whose words hold "cannot"',
    'pods "x" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a resource you cannot set finalizers on',
    /^an admission plug-in of the API server$/,
    /^cannot set blockOwnerDeletion/,
    /^$/,
  ],
];

describe('a refusal', () => {
  it.each(refusals)('by %s is told', (_, message, by, words, look) => {
    const refusal = denialIn(message, place);
    expect(refusal?.by).toMatch(by);
    expect(refusal?.words).toMatch(words);
    expect(refusal?.look ?? '').toMatch(look);
  });

  it.each([
    [
      'RBAC',
      'secrets "a" is forbidden: User "w" cannot patch resource "secrets" in API group "" in the namespace "p"',
    ],
    ['RBAC about a path', 'forbidden: User "w" cannot get path "/metrics"'],
    [
      'RBAC with a reason behind it',
      'pods is forbidden: User "w" cannot list resource "pods" in API group "" at the cluster scope: RBAC: clusterrole.rbac.authorization.k8s.io "x" not found',
    ],
    [
      'who hands out more than they hold',
      'rolebindings.rbac.authorization.k8s.io "r" is forbidden: user "w" (groups=["g"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""]}',
    ],
    ['a patch that does not apply', 'the server rejected our request due to an error in our request'],
    [
      'a field that is wrong',
      'Secret "admission webhook" is invalid: metadata.labels: Invalid value: "admission webhook \\"x\\" denied the request"',
    ],
    ['a conflict', 'Operation cannot be fulfilled on secrets "a": the object has been modified'],
    ['a name that is taken', 'secrets "a" already exists'],
    [
      'a webhook that cannot be reached',
      'Internal error occurred: failed calling webhook "x.test": failed to call webhook: Post "https://x": EOF',
    ],
    ['a webhook that knows no dry run', 'admission webhook "x.test" does not support dry run'],
  ])('is not read into the words of %s', (_, message) => {
    expect(denialIn(message, place)).toBeUndefined();
  });

  it.each([
    ['exceeded quota: q, requested: secrets=1, used: secrets=5, limited: secrets=5', true],
    [
      'exceeded quota: q, requested: pods=1,secrets=1, used: pods=1,secrets=6, limited: pods=9,secrets=5',
      false,
    ],
    ['exceeded quota: q, requested: limits.cpu=500m, used: limits.cpu=2, limited: limits.cpu=2', true],
    [
      'exceeded quota: q, requested: limits.memory=1Gi, used: limits.memory=3Gi, limited: limits.memory=2Gi',
      true,
    ],
    ['violates PodSecurity "restricted:latest": x', false],
  ])('may pass by itself, or stays: %s', (words, passing) => {
    expect(denialIn(`pods "x" is forbidden: ${words}`, place)?.passing).toBe(passing);
  });

  it('repeats no token, however it is hidden, and nothing that could not stand in one line', () => {
    const token = legacyToken();
    const hidden = `${token.slice(0, 20)}\u200b${token.slice(20)}`;
    const base64 = Buffer.from(token).toString('base64');
    const refusal = denialIn(
      hook('x.test', `: got ${token} and ${hidden}, ${base64}\u202e \u0007 \n next ${'long '.repeat(200)}`),
      place,
    );
    const text = refusal ? deniedText(refusal) : '';
    expect(text).not.toContain(token);
    expect(text).not.toContain(token.slice(-30));
    expect(text).not.toContain(base64.slice(10, 60));
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text).toContain('token removed');
    expect(text.length).toBeLessThan(600);
  });

  it('puts no name into a command that could be one itself', () => {
    const text = deniedText(
      denialIn(`pods "x" is forbidden: exceeded quota: $(reboot), requested: pods=1`, place) ?? {
        by: '',
        words: '',
        passing: false,
      },
    );
    expect(text).toMatch(/describe resourcequota$/);
  });
});
