// Tells a client which kinds there are, as kubectl wants to know before its first request.
import { apiVersion, type Resource, resources } from '../apimachinery/resources.ts';

const VERBS = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

/** Each group is served in one version. */
const groups = new Map(
  resources.filter(({ group }) => group !== '').map((resource) => [resource.group, resource.version]),
);

function resourceList(of: Resource[]): unknown {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: of[0] && apiVersion(of[0]),
    resources: of.map(({ plural, kind, namespaced }) => ({
      name: plural,
      singularName: kind.toLowerCase(),
      namespaced,
      kind,
      verbs: VERBS,
    })),
  };
}

function groupList(): unknown {
  const described = [...groups].map(([name, version]) => {
    const served = { groupVersion: `${name}/${version}`, version };
    return { name, versions: [served], preferredVersion: served };
  });
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: described };
}

/** Undefined: this path is no discovery document. */
export function discovery(path: string): unknown {
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  if (path === '/apis') return groupList();
  const [group] =
    path === '/api/v1'
      ? ['']
      : ([...groups].find(([name, version]) => path === `/apis/${name}/${version}`) ?? []);
  return group === undefined ? undefined : resourceList(resources.filter((each) => each.group === group));
}
