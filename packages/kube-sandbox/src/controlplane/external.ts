// Lets the tests run against a cluster of yours: only the context that you name, in the file that you name.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { kubeconfig as render } from './client/kubeconfig.ts';
import { createKubectl, type Kubectl } from './client/kubectl.ts';
import type { RealCluster } from './real-cluster.ts';

export interface ExternalRequest {
  /** Path of a kubeconfig. */
  kubeconfig: string;
  context: string;
  /** What to run as kubectl. */
  command?: string[];
}

/** Both must be set: neither KUBECONFIG nor ~/.kube/config is ever looked at. Undefined where neither is. */
export function externalFromEnvironment(
  env: Record<string, string | undefined> = process.env,
): ExternalRequest | undefined {
  const { CONTROLPLANE_KUBECONFIG: kubeconfig, CONTROLPLANE_CONTEXT: context } = env;
  if (!kubeconfig && !context) return undefined;
  if (kubeconfig && context) return { kubeconfig, context };
  throw new Error(
    'To test on a cluster of yours, set both CONTROLPLANE_KUBECONFIG (the path) and CONTROLPLANE_CONTEXT (the name of the ' +
      'context to use; everything in it may be changed). Unset both to get a control plane of your own.',
  );
}

export async function externalCluster(request: ExternalRequest): Promise<RealCluster> {
  const { context, command = ['kubectl'] } = request;
  const directory = await mkdtemp(join(tmpdir(), 'kube-sandbox-external-'));
  const close = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const named = createKubectl(command, request.kubeconfig, process.env);
    const view = ['config', 'view', '--raw', '--flatten', '--minify', `--context=${context}`];
    const adminKubeconfig = await output(named, view);
    const path = join(directory, 'kubeconfig');
    // From here on the file holds this one context and no other.
    await writeFile(path, adminKubeconfig, { mode: 0o600 });
    const kubectl = createKubectl(command, path, process.env);
    const { url, caPem } = readServer(adminKubeconfig);
    return {
      name: context,
      servers: [{ url }],
      caPem,
      adminKubeconfig,
      kubectl,
      async kubeconfig({ namespace, serviceAccount }) {
        await kubectl(['create', 'namespace', namespace]);
        await kubectl(['create', 'serviceaccount', serviceAccount, `--namespace=${namespace}`]);
        const wanted = ['create', 'token', serviceAccount, `--namespace=${namespace}`, '--duration=8h'];
        return render(context, url, caPem, { token: (await output(kubectl, wanted)).trim() });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function output(kubectl: Kubectl, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await kubectl(args);
  if (code !== 0) throw new Error(`kubectl ${args.slice(0, 2).join(' ')} failed: ${stderr.trim()}`);
  return stdout;
}

function readServer(kubeconfigText: string): { url: string; caPem: string } {
  const config = parse(kubeconfigText) as {
    clusters?: { cluster: { server: string; 'certificate-authority-data'?: string } }[];
  };
  const cluster = config.clusters?.[0]?.cluster;
  const ca = cluster?.['certificate-authority-data'];
  if (!cluster || !ca)
    throw new Error('That context names no cluster with a certificate authority: add one to it.');
  return { url: cluster.server, caPem: Buffer.from(ca, 'base64').toString() };
}
