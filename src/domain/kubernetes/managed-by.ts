// Who makes or applies an object again and again from somewhere else, and so takes back what is changed or deleted by hand. Pure.

import { isNamespaceName, isObjectName } from './names.ts';
import type { Meta } from './objects.ts';

/** An object by what others say of it; an API group of '' and a kind in lower case is no object of Kubernetes. */
export interface OwningObject {
  group: string;
  version?: string;
  kind: string;
  namespace?: string;
  name: string;
}

/** Somebody who would bring the object back. */
export interface Owner {
  tool: string;
  /** What told so, as people are told; the first that tells anything counts. */
  by: 'owner reference' | 'field manager' | 'labels and annotations';
  /** What of that tool stands behind the object, as far as it says. */
  of?: OwningObject;
  /** Whether it is still there: looked for, or not to be told. */
  stands?: 'seen' | 'unknown';
  /** Who keeps that one in turn: deleted by hand, it would come back as well. */
  keptBy?: string[];
}

type Marked = Pick<Meta, 'name' | 'labels' | 'annotations'>;

interface Tool {
  name: string;
  /** Of its kinds, in owner references. */
  groups?: RegExp;
  kinds?: RegExp;
  managers?: RegExp;
  /** By a manager that is called like this; what follows a slash is the name of its object. */
  named?: Pick<OwningObject, 'group' | 'kind'>;
  /** Undefined: it bears no mark of this tool. */
  marks?(meta: Marked): { of?: OwningObject } | undefined;
}

const TOOLS: readonly Tool[] = [
  {
    name: 'External Secrets',
    groups: /(^|\.)external-secrets\.io$/,
    managers: /^external-?secrets/i,
    named: { group: 'external-secrets.io', kind: 'ExternalSecret' },
    marks: ({ labels }) => (labels?.['reconcile.external-secrets.io/managed'] === 'true' ? {} : undefined),
  },
  {
    name: 'Sealed Secrets',
    groups: /^bitnami\.com$/,
    // The name of its binary, and nothing that says whose.
    managers: /^controller$|^sealed-?secrets/i,
    marks: ({ name, annotations }) =>
      annotations?.['sealedsecrets.bitnami.com/managed'] === 'true' ? { of: sealed(name) } : undefined,
  },
  {
    name: 'Vault Secrets Operator',
    groups: /^secrets\.hashicorp\.com$/,
    managers: /^vault-secrets-operator$/i,
    marks: ({ labels }) => (labels?.['secrets.hashicorp.com/vso-ownerRefUID'] ? {} : undefined),
  },
  {
    name: 'Crossplane',
    groups: /(^|\.)(crossplane|upbound)\.io$/,
    managers: /^(crossplane|provider-kubernetes|apiextensions\.crossplane\.io)/i,
    marks: ({ labels }) => objectAt('composite resource', labels?.['crossplane.io/composite']),
  },
  {
    name: 'Argo CD',
    groups: /^argoproj\.io$/,
    kinds: /^Application/,
    managers: /^argocd/i,
    marks: argoCd,
  },
  {
    name: 'Flux',
    groups: /\.toolkit\.fluxcd\.io$/,
    managers: /^(kustomize|helm)-controller|^flux/i,
    marks: ({ labels = {} }) =>
      flux(labels, 'kustomize', 'Kustomization') ?? flux(labels, 'helm', 'HelmRelease'),
  },
  { name: 'Helm', managers: /^helm$/i, marks: helm },
  {
    name: 'Reflector',
    managers: /^(ES\.Kubernetes\.)?Reflector/i,
    // One that a person made for it to fill is not made again.
    marks: ({ annotations = {} }) =>
      annotations[`${REFLECTOR}/auto-reflects`]?.toLowerCase() === 'true'
        ? (objectAt('Secret', annotations[`${REFLECTOR}/reflects`]) ?? {})
        : undefined,
  },
];

const REFLECTOR = 'reflector.v1.k8s.emberstack.com';

/** A backup that is restored brings it back too, but nothing restores it by itself. */
const VELERO: [RegExp, string] = [/^velero/i, 'Velero'];

const sealed = (name: string): OwningObject => ({ group: 'bitnami.com', kind: 'SealedSecret', name });

/** `namespace/name`, or a name alone. */
function objectAt(kind: string, path: string | undefined, group = ''): { of: OwningObject } | undefined {
  if (!path) return undefined;
  const [name = '', namespace] = path.split('/').toReversed();
  return { of: { group, kind, name, ...(namespace === undefined ? {} : { namespace }) } };
}

function flux(labels: Record<string, string>, part: string, kind: string) {
  const group = `${part}.toolkit.fluxcd.io`;
  const [namespace, name] = [labels[`${group}/namespace`], labels[`${group}/name`]];
  if (name === undefined) return undefined;
  return objectAt(kind, namespace === undefined ? name : `${namespace}/${name}`, group);
}

/** `app:group/Kind:namespace/name`; a mark that names another object was copied from that one. */
function argoCd({ name, labels, annotations }: Marked): { of?: OwningObject } | undefined {
  const tracked = annotations?.['argocd.argoproj.io/tracking-id'];
  const instance = labels?.['argocd.argoproj.io/instance'];
  const app = tracked?.endsWith(`/${name}`) ? tracked.split(':')[0] : instance;
  // Of an Application outside its own namespace it says `namespace_name`.
  return objectAt('Application', app?.replace('_', '/'), 'argoproj.io');
}

/** Helm itself takes nothing for its own without both annotations; the label alone is often copied. */
function helm({ annotations = {} }: Marked): { of: OwningObject } | undefined {
  const { 'meta.helm.sh/release-name': name, 'meta.helm.sh/release-namespace': namespace } = annotations;
  return objectAt('release', name && namespace ? `${namespace}/${name}` : name);
}

/**
 * Whoever would make this object again once it is deleted: by owner references and field managers; labels and annotations
 * count only where those say nothing, because operators copy them from their own objects.
 */
export function ownersOf(meta: Marked & Pick<Meta, 'ownerReferences' | 'managedFields'>): Owner[] {
  const { ownerReferences = [], managedFields = [] } = meta;
  const found = [
    ...ownerReferences.flatMap(byReference),
    ...managedFields.flatMap(({ manager = '' }) => byManager(manager, meta)),
  ];
  const all = found.length > 0 ? found : TOOLS.flatMap((tool) => byMarks(tool, meta));
  const named = all.map(({ of, ...owner }) => (of && isSound(of) ? { ...owner, of } : owner));
  return [...Map.groupBy(named, (owner) => keyOf(owner, named)).values()].flatMap(([first]) => first ?? []);
}

/** One that does not say what it is adds nothing to one of the same tool that does. */
function keyOf({ tool, of }: Owner, all: readonly Owner[]): string {
  const { kind, namespace, name } = of ?? all.find((other) => other.tool === tool && other.of)?.of ?? {};
  return JSON.stringify([tool, kind, namespace, name]);
}

/** Whoever can write the Secret wrote these, and people paste commands that are made of them. */
const isSound = ({ group, kind, namespace, name }: OwningObject): boolean =>
  isObjectName(name) &&
  (namespace === undefined || isNamespaceName(namespace)) &&
  (group === '' || isObjectName(group)) &&
  KIND.test(kind);

const KIND = /^[A-Za-z][A-Za-z0-9 ]{0,62}$/;

/** What belongs to Kubernetes itself goes with its owner, and is made again by nobody. */
const isBuiltIn = (group: string): boolean => !group.includes('.') || /(^|\.)k8s\.io$/.test(group);

function byReference({
  apiVersion,
  kind,
  name,
}: {
  apiVersion: string;
  kind: string;
  name: string;
}): Owner[] {
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  if (isBuiltIn(group)) return [];
  const tool = TOOLS.find(({ groups, kinds }) => groups?.test(group) && (kinds?.test(kind) ?? true));
  return [
    {
      tool: tool?.name ?? (KIND.test(kind) ? `the controller of ${kind}` : 'an unknown controller'),
      by: 'owner reference',
      of: { group, version, kind, name },
    },
  ];
}

function byManager(manager: string, meta: Marked): Owner[] {
  const tool = TOOLS.find(({ managers }) => managers?.test(manager));
  if (tool === undefined) return [];
  const [, name] = manager.split('/');
  const of =
    tool.named && name
      ? { ...tool.named, name }
      : manager === 'controller'
        ? sealed(meta.name)
        : tool.marks?.(meta)?.of;
  return [{ tool: tool.name, by: 'field manager', ...(of ? { of } : {}) }];
}

function byMarks({ name, marks }: Tool, meta: Marked): Owner[] {
  const marked = marks?.(meta);
  return marked ? [{ tool: name, by: 'labels and annotations', ...marked }] : [];
}

export const restorers = (managers: readonly string[]): string[] =>
  [...TOOLS.map(({ managers: pattern, name }) => [pattern, name] as const), VELERO].flatMap(
    ([pattern, name]) => (managers.some((manager) => pattern?.test(manager)) ? [name] : []),
  );

const OF_WORKLOADS = ['Argo CD', 'Flux', 'Helm'];

/** Of a workload. Sorted. Secret operators are no owners of workloads, so their managers do not count here. */
export function managedBy(meta: Meta): string[] {
  const { labels = {}, annotations = {}, managedFields = [] } = meta;
  const marked = TOOLS.filter(({ marks }) => marks?.(meta) !== undefined).map(({ name }) => name);
  const byManagers = restorers(managedFields.flatMap(({ manager }) => manager ?? []));
  const tracked = annotations['argocd.argoproj.io/tracking-id'] ? ['Argo CD'] : [];
  const helm = labels['app.kubernetes.io/managed-by'] === 'Helm' ? ['Helm'] : [];
  const all = [...marked, ...byManagers, ...tracked, ...helm];
  return [...new Set(all.filter((tool) => OF_WORKLOADS.includes(tool)))].sort();
}
