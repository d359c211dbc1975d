// Reads whom the API server asks, where Pods that may be replaced stand behind a Service: only then can it be one of them.
import { type Resource, resources } from '../../domain/kubernetes/resources.ts';
import {
  type AdmissionObject,
  type ApiServiceObject,
  type Callback,
  type CrdObject,
  callbacksOf,
} from '../../domain/situation/callbacks.ts';
import type { ClusterView } from '../../ports/cluster.ts';
import type { TryToRead } from './try-to-read.ts';

export async function readCallbacks(
  cluster: ClusterView,
  namespace: string,
  tryToRead: TryToRead,
): Promise<Callback[]> {
  const list = <T>(what: string, resource: Resource): Promise<T[]> =>
    tryToRead<T[]>(what, [], async () => (await cluster.list({ resource })) as unknown as T[]);
  const [validating, mutating, apiServices, crds, home] = await Promise.all([
    list<AdmissionObject>('ValidatingWebhookConfigurations', resources.validatingWebhooks),
    list<AdmissionObject>('MutatingWebhookConfigurations', resources.mutatingWebhooks),
    list<ApiServiceObject>('APIServices', resources.apiServices),
    list<CrdObject>('CustomResourceDefinitions', resources.crds),
    tryToRead(`labels of namespace ${namespace}`, null, () =>
      cluster.get({ resource: resources.namespaces, name: namespace }, { metadataOnly: true }),
    ),
  ]);
  const labels = { 'kubernetes.io/metadata.name': namespace, ...home?.metadata.labels };
  return callbacksOf({ name: namespace, labels }, { validating, mutating, apiServices, crds });
}
