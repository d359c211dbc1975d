// Who refused a write that RBAC allows, in whose words, and where to look at it: read from what the API server says. Pure.
import { scrub } from '../text/scrub.ts';

export interface Denial {
  /** As people know it: `ValidatingAdmissionPolicy no-token-secrets (binding all)`. */
  by: string;
  /** What it said: one line, bounded, without tokens. */
  words: string;
  /** Shows where it lives; absent where nothing is known that would. */
  look?: string;
  /** Asked again later it may let it through, without anybody changing anything: room in a quota comes and goes. */
  passing: boolean;
}

export interface DeniedAt {
  cluster: string;
  namespace?: string | undefined;
}

/** Who, in which words, and how to look at it; `after`: what else is to be said before that. */
export const deniedText = ({ by, words, look }: Denial, after = ''): string =>
  `${by} refused it: "${words}".${after}${look === undefined ? '' : ` To see it: ${look}`}`;

/**
 * Undefined: this is no refusal of that kind. The status does not matter, because policies choose their own; nor do single
 * words, because policies choose those too. Only how the API server itself begins the message counts.
 */
export function denialIn(message: string, place: DeniedAt): Denial | undefined {
  const [, webhook, said] =
    /^admission webhook "([^"]*)" denied the request(?:: ?| (?=without explanation$))([\s\S]*)$/.exec(
      message,
    ) ?? [];
  if (webhook !== undefined && said !== undefined) return refusal(byWebhook(webhook, said), said, place);
  if (!FORBIDDEN.test(message) || rbacIn(message) !== undefined) return undefined;
  const rest = message.replace(FORBIDDEN, '');
  for (const [pattern, origin] of PLUG_INS) {
    const match = pattern.exec(rest);
    if (match) return refusal(origin(match), match.groups?.words ?? rest, place);
  }
  return refusal({ by: 'an admission plug-in of the API server' }, rest, place);
}

const FORBIDDEN = /^(?:\S+ (?:"[^"]*" )?is )?forbidden: /;

/** The authorizer's own sentence, or that of the check that nobody hands out more than they hold. */
export function rbacIn(message: string): 'right' | 'escalation' | undefined {
  const words = message.replace(FORBIDDEN, '');
  if (/^user "[^"]*" \(groups=/.test(words)) return 'escalation';
  return /^User "[^"]*" cannot \S+ (?:resource|path) "/.test(words) ? 'right' : undefined;
}

interface Origin {
  by: string;
  /** What kubectl is asked, where that is the same in every namespace. */
  get?: string;
  /** What kubectl is asked in the namespace. */
  inNamespace?: string;
  /** What kubectl is asked about the namespace itself. */
  ofNamespace?: string;
  passing?: boolean;
}

const named = (name: string): string => (/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(name) ? name : '');

/** `type/name`, or all of them where the name could be no name. */
const objects = (type: string, name = ''): string => (named(name) ? `${type}/${name}` : type);

const policy =
  (kind: string) =>
  ([, name = '', binding]: readonly (string | undefined)[]): Origin => {
    const type = kind.toLowerCase();
    return {
      by: `${kind} ${name}${binding === undefined ? '' : ` (binding ${binding})`}`,
      get: `get ${objects(type, name)}${binding && named(name) && named(binding) ? ` ${type}binding/${binding}` : ''} -o yaml`,
    };
  };

const quota = ([words, name = '']: readonly (string | undefined)[]): Origin => ({
  by: name === '' ? 'a ResourceQuota' : `ResourceQuota ${name}`,
  inNamespace: `describe resourcequota ${named(name)}`.trimEnd(),
  passing: words?.startsWith('exceeded') === true && !isOverdrawn(words),
});

type PlugIn = [pattern: RegExp, origin: (match: readonly (string | undefined)[]) => Origin];

/** What the API server's own admission plug-ins write behind "is forbidden". */
const PLUG_INS: readonly PlugIn[] = [
  [
    /^ValidatingAdmissionPolicy '([^']*)'(?: with binding '([^']*)')? denied request: (?<words>[\s\S]*)$/,
    policy('ValidatingAdmissionPolicy'),
  ],
  [
    /^policy ['"]([^'"]*)['"](?: with binding '([^']*)')? denied request: (?<words>[\s\S]*)$/,
    policy('MutatingAdmissionPolicy'),
  ],
  [/^(?:exceeded|failed|status unknown for) quota: ([^,:]+)[\s\S]*$/, quota],
  [/^insufficient quota to match/, () => quota([])],
  [
    /(?:maximum|minimum) \S+ usage per |max limit to request ratio per /,
    () => ({ by: 'a LimitRange', inNamespace: 'describe limitrange' }),
  ],
  [
    /^violates PodSecurity "([^"]*)"/,
    ([, level]) => ({ by: `Pod Security (${level})`, ofNamespace: '--show-labels' }),
  ],
  [
    /^unable to create new content in namespace \S+ because it is being terminated/,
    () => ({ by: 'the namespace, which is being deleted', ofNamespace: '' }),
  ],
  [
    /^unable to validate against any security context constraint/,
    () => ({ by: 'a SecurityContextConstraint', get: 'get securitycontextconstraints' }),
  ],
];

/** More is used than is allowed already: that one goes makes no room for another. */
function isOverdrawn(words: string): boolean {
  const [, used = '', limited = ''] = /, used: (\S+), limited: (\S+)$/.exec(words) ?? [];
  const amounts = (list: string) =>
    new Map(list.split(',').map((each): [string, number] => [each.split('=')[0] ?? '', whole(each)]));
  const limits = amounts(limited);
  return [...amounts(used)].some(([resource, amount]) => amount > (limits.get(resource) ?? Number.NaN));
}

/** Quantities with a unit are not compared. */
const whole = (each: string): number => (/=\d+$/.test(each) ? Number(each.split('=')[1]) : Number.NaN);

const WEBHOOKS =
  'get validatingwebhookconfigurations,mutatingwebhookconfigurations -o custom-columns=NAME:.metadata.name,WEBHOOKS:.webhooks[*].name';

/** Policy engines are one webhook for all their policies, and name the policy in their words. */
function byWebhook(name: string, words: string): Origin {
  const by = `admission webhook ${name}`;
  if (/\bgatekeeper\b/.test(name)) {
    const [, constraint] = /^\[([^\]\s]{1,253})\]/.exec(words) ?? [];
    return { by: constraint === undefined ? by : `${by} (constraint ${constraint})`, get: 'get constraints' };
  }
  const [, rules] = /following policies\s+([^\s:]{1,253}):/.exec(words) ?? [];
  const [, cel] = /^Policy (\S{1,253}) (?:rule \S+ )?failed/.exec(words) ?? [];
  const found = rules ?? cel;
  if (!/\bkyverno\b/.test(name) || found === undefined) return { by, get: WEBHOOKS };
  const type = cel === undefined ? 'clusterpolicies.kyverno.io' : 'validatingpolicies.policies.kyverno.io';
  return { by: `${by} (policy ${found})`, get: `get ${type} ${named(found)} -o yaml`.replace('  ', ' ') };
}

function refusal(origin: Origin, said: string, { cluster, namespace }: DeniedAt): Denial {
  const { get, inNamespace, ofNamespace, passing = false } = origin;
  const kubectl = `kubectl --context ${cluster}`;
  const here = namespace === undefined ? '' : ` -n ${namespace}`;
  const about = ofNamespace !== undefined && namespace !== undefined;
  const look = inNamespace ? `${kubectl}${here} ${inNamespace}` : get && `${kubectl} ${get}`;
  const asked = about ? `${kubectl} get namespace ${namespace} ${ofNamespace}`.trimEnd() : look;
  return {
    by: oneLine(origin.by, 200),
    words: oneLine(said, WORDS_MAX),
    ...(asked === undefined ? {} : { look: asked }),
    passing,
  };
}

const WORDS_MAX = 240;
/** What scrubbing looks at: a policy may write as much as it likes. */
const READ_MAX = 8192;

/** Others wrote this, so nothing of it is trusted: no token, no marks that are not seen, no end of line. */
export function oneLine(text: string, most: number): string {
  const seen = text.slice(0, READ_MAX).replace(/(?![\t\r\n])[\p{Cc}\p{Cf}]/gu, '');
  const line = scrub(scrub(seen).replace(/[\s\u2028\u2029]+/g, ' ')).trim();
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}
