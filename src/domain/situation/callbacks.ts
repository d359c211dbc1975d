// Whom the API server itself asks, and whose Pods answer: admission and conversion webhooks, and APIs that are served elsewhere. Pure.
import { type LabelSelector, type Meta, selects } from '../kubernetes/objects.ts';
import type { CallbackFact } from './situation.ts';

export interface ServiceObject {
  metadata: Meta;
  spec?: { selector?: Record<string, string> };
}

interface ServiceReference {
  namespace?: string;
  name?: string;
}

interface Rule {
  operations?: string[];
  apiGroups?: string[];
  resources?: string[];
}

/** A configuration has several of these. */
interface Webhook {
  name?: string;
  clientConfig?: { service?: ServiceReference };
  rules?: Rule[];
  failurePolicy?: string;
  namespaceSelector?: LabelSelector;
  objectSelector?: LabelSelector;
}

export interface AdmissionObject {
  metadata: Meta;
  webhooks?: Webhook[];
}
export interface ApiServiceObject {
  metadata: Meta;
  spec?: { service?: ServiceReference };
}
export interface CrdObject {
  metadata: Meta;
  spec?: { conversion?: { webhook?: { clientConfig?: { service?: ServiceReference } } } };
}

export interface Callers {
  validating: readonly AdmissionObject[];
  mutating: readonly AdmissionObject[];
  apiServices: readonly ApiServiceObject[];
  crds: readonly CrdObject[];
}

/** One of them that asks a Service of the namespace; what comes of it depends on the labels of the Pods that answer. */
export interface Callback {
  kind: CallbackFact['kind'];
  name: string;
  service: string;
  effect(podLabels: Record<string, string>): CallbackFact['effect'];
}

export function callbacksOf(
  namespace: { name: string; labels: Record<string, string> },
  { validating, mutating, apiServices, crds }: Callers,
): Callback[] {
  const here = (service: ServiceReference | undefined): string | undefined =>
    service?.namespace === namespace.name ? service.name : undefined;
  const admission = (kind: CallbackFact['kind'], all: readonly AdmissionObject[]): Callback[] =>
    all.flatMap(({ metadata, webhooks = [] }) =>
      webhooks.flatMap((webhook) => {
        const service = here(webhook.clientConfig?.service);
        if (service === undefined) return [];
        return [
          {
            kind,
            name: metadata.name,
            service,
            effect: (labels) => effectOf(webhook, namespace.labels, labels),
          },
        ];
      }),
    );
  return [
    ...admission('ValidatingWebhookConfiguration', validating),
    ...admission('MutatingWebhookConfiguration', mutating),
    ...apiServices.flatMap(({ metadata, spec }) => plain('APIService', metadata, here(spec?.service))),
    ...crds.flatMap(({ metadata, spec }) =>
      plain('CustomResourceDefinition', metadata, here(spec?.conversion?.webhook?.clientConfig?.service)),
    ),
  ];
}

const plain = (kind: CallbackFact['kind'], { name }: Meta, service: string | undefined): Callback[] =>
  service === undefined ? [] : [{ kind, name, service, effect: () => 'unavailable' }];

/** What a roll-out writes, and what its controllers make for it. */
const ROLLED: readonly [group: string, resource: string][] = [
  ['', 'pods'],
  ['apps', 'deployments'],
  ['apps', 'replicasets'],
  ['apps', 'statefulsets'],
  ['apps', 'daemonsets'],
  ['batch', 'jobs'],
  ['batch', 'cronjobs'],
];

function effectOf(
  { failurePolicy, rules = [], namespaceSelector, objectSelector }: Webhook,
  namespaceLabels: Record<string, string>,
  podLabels: Record<string, string>,
): CallbackFact['effect'] {
  if (failurePolicy === 'Ignore') return 'unchecked';
  // Unlike a disruption budget's, a selector that is not there selects everything.
  const asked =
    (namespaceSelector === undefined || selects(namespaceSelector, namespaceLabels)) &&
    (objectSelector === undefined || selects(objectSelector, podLabels));
  return asked && rules.some(coversRollOut) ? 'blocks' : 'refuses';
}

const has = (list: readonly string[] | undefined, ...names: string[]): boolean =>
  (list ?? []).some((each) => each === '*' || names.includes(each));

const coversRollOut = ({ operations, apiGroups, resources }: Rule): boolean =>
  has(operations, 'CREATE', 'UPDATE') &&
  ROLLED.some(([group, resource]) => has(apiGroups, group) && has(resources, resource, '*/*'));

/** Services that send to Pods with these labels; one without a selector has its addresses from somebody else. */
export const servicesFor = (
  services: readonly ServiceObject[],
  labels: Record<string, string> | undefined,
): string[] =>
  services
    .filter(({ spec }) => {
      const wanted = Object.entries(spec?.selector ?? {});
      return (
        labels !== undefined && wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value)
      );
    })
    .map(({ metadata }) => metadata.name)
    .toSorted();

/** Each once, gravest first: a configuration often asks the same Service many times. */
export function callbackFacts(
  callbacks: readonly Callback[],
  services: readonly string[],
  labels: Record<string, string> = {},
): CallbackFact[] {
  const facts = callbacks
    .filter(({ service }) => services.includes(service))
    .map(({ kind, name, effect }): CallbackFact => ({ kind, name, effect: effect(labels) }));
  const sorted = facts.toSorted((a, b) => EFFECTS.indexOf(a.effect) - EFFECTS.indexOf(b.effect));
  return [
    ...new Map(sorted.toReversed().map((fact) => [`${fact.kind}/${fact.name}`, fact])).values(),
  ].reverse();
}

const EFFECTS: readonly CallbackFact['effect'][] = ['blocks', 'refuses', 'unavailable', 'unchecked'];

const SAYS: Record<CallbackFact['effect'], (path: string, names: string) => string> = {
  blocks: (path, names) =>
    `${path} answers for ${names}, which fails closed and is asked about what this roll-out makes: while none of its Pods is Ready, nothing here can be rolled, itself included. Keep one Ready, or set its failurePolicy to Ignore meanwhile.`,
  refuses: (path, names) =>
    `${path} answers for ${names}, which fails closed: while none of its Pods is Ready, the API server refuses what it is to be asked about.`,
  unavailable: (path, names) =>
    `${path} answers for ${names}: while none of its Pods is Ready, that part of the API does not work.`,
  unchecked: (path, names) =>
    `${path} answers for ${names}, which fails open: while none of its Pods is Ready, what it checks or changes passes as it is.`,
};

const MOST = 5;

/** What a person must know before the Pods of this workload are replaced; one sentence for each effect, gravest first. */
export function callbackNotes(
  path: string,
  facts: readonly CallbackFact[] = [],
): Record<'grave' | 'other', string[]> {
  const notes = EFFECTS.flatMap((effect) => {
    const names = facts.filter((fact) => fact.effect === effect).map(({ kind, name }) => `${kind} ${name}`);
    const more = names.length > MOST ? ` and ${names.length - MOST} more` : '';
    return names.length > 0
      ? [{ effect, note: SAYS[effect](path, `${names.slice(0, MOST).join(', ')}${more}`) }]
      : [];
  });
  const of = (isGrave: boolean) =>
    notes.filter(({ effect }) => (effect === 'blocks') === isGrave).map(({ note }) => note);
  return { grave: of(true), other: of(false) };
}
