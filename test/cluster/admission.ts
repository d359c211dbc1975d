// Puts what refuses writes in front of one namespace of a real control plane: real policies, and webhooks that answer as recorded.
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { issueServingCertificate } from 'kube-sandbox/certificates';
import { type RealWorldCluster, USERNAME } from '../../sandbox/real-world.ts';

export const WORDS = 'hands cannot touch this';

/** Of the object as the policy sees it. */
export interface Target {
  namespace: string;
  apiGroups: string[];
  resources: string[];
  operations: ('CREATE' | 'UPDATE' | 'DELETE')[];
  /** Whose writes are refused; absent: the worker's. */
  whose?: 'anybody';
}

const ADMISSION = 'admissionregistration.k8s.io/v1';
const only = ({ namespace, whose }: Target) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  matchConditions:
    whose === 'anybody' ? [] : [{ name: 'worker', expression: `request.userInfo.username == '${USERNAME}'` }],
});
const ruleOf = ({ apiGroups, resources, operations }: Target) => ({
  apiGroups,
  resources,
  operations,
  apiVersions: ['*'],
});

/** `reason`: absent, the API server answers 422. */
export function policy(
  name: string,
  target: Target,
  reason?: 'Forbidden' | 'RequestEntityTooLarge',
): object[] {
  const { namespaceSelector, matchConditions } = only(target);
  return [
    {
      apiVersion: ADMISSION,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules: [ruleOf(target)] },
        matchConditions,
        validations: [{ expression: 'false', message: WORDS, ...(reason ? { reason } : {}) }],
      },
    },
    {
      apiVersion: ADMISSION,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'], matchResources: { namespaceSelector } },
    },
  ];
}

/** What is in an AdmissionResponse beside `allowed: false`. */
export const KYVERNO = (policyName: string) => ({
  message: `\n\nresource was blocked due to the following policies \n\n${policyName}:\n  by-hand: '${WORDS}'\n`,
});
export const GATEKEEPER = (constraint: string) => ({
  message: `[${constraint}] ${WORDS}`,
  reason: 'Forbidden',
  code: 403,
});

export interface Webhooks {
  /** A webhook of this name that refuses with this status; `in-earnest`: it looks away at dry runs, as many do. */
  refusing(
    name: string,
    status: object,
    target: Target,
    when?: 'always' | 'in-earnest',
  ): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

/** One server for all of them: the path says with what it refuses. */
export async function startWebhooks(): Promise<Webhooks> {
  const { caPem, certPem, keyPem } = issueServingCertificate('webhooks', ['127.0.0.1']);
  const answers: { status: object; when: 'always' | 'in-earnest' }[] = [];
  const server: Server = createServer({ cert: certPem, key: keyPem }, async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const { request: asked, apiVersion } = JSON.parse(text) as {
      apiVersion: string;
      request: { uid: string; dryRun?: boolean };
    };
    const { status, when } = answers[Number(request.url?.slice(1).split('?')[0])] ?? {};
    const allowed = when === 'in-earnest' && asked.dryRun === true;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        apiVersion,
        kind: 'AdmissionReview',
        response: { uid: asked.uid, allowed, ...(allowed ? {} : { status }) },
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    async refusing(name, status, target, when = 'always') {
      const path = answers.push({ status, when }) - 1;
      return {
        apiVersion: ADMISSION,
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: `${name}-${path}` },
        webhooks: [
          {
            name,
            clientConfig: {
              url: `https://127.0.0.1:${port}/${path}`,
              caBundle: Buffer.from(caPem).toString('base64'),
            },
            rules: [ruleOf(target)],
            sideEffects: when === 'always' ? 'None' : 'NoneOnDryRun',
            admissionReviewVersions: ['v1'],
            failurePolicy: 'Fail',
            ...only(target),
          },
        ],
      };
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Takes them away again, so that nothing outlives its test. */
export async function remove({ plane }: RealWorldCluster, manifests: object[]): Promise<void> {
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests });
  const { code, stderr } = await plane.kubectl(['delete', '--filename=-'], list);
  if (code !== 0) throw new Error(stderr);
}
