// The generic source: anything that can sign a Standard Webhook reports a leak, with the token or with its coordinates.
import { timingSafeEqual } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import type { AlertSource, Finding, Parsed, RawRequest } from '../contracts/alert-source.ts';
import type { LeakAlert } from '../domain/incident/alert.ts';
import { isNamespaceName, isObjectName } from '../domain/kubernetes/names.ts';
import type { Coordinates } from '../domain/token/identity.ts';
import { findTokens, type LeakMaterial } from '../domain/token/leak-material.ts';
import { AppError } from '../errors.ts';
import { Secret } from '../secret.ts';
import { checkFresh, TOLERANCE_MS } from './parts/freshness.ts';
import { jsonObject, plainText, plainUrl } from './parts/plain-text.ts';

const NAME = 'report';

export const report = {
  name: NAME,
  verify,
  parse,
  checkSecret: (secret: Secret) => void webhook(secret),
} satisfies AlertSource;

function verify(request: RawRequest, secret: Secret, nowMs: number, toleranceMs = TOLERANCE_MS): string {
  const {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signature,
  } = request.headers;
  if (!id || !timestamp || !signature)
    throw new AppError(
      'bad-signature',
      'The headers webhook-id, webhook-timestamp and webhook-signature are missing. Sign the request as Standard Webhooks says.',
    );
  if (!/^[!-~]{1,256}$/.test(id))
    throw new AppError('bad-signature', 'webhook-id has to be 1 to 256 visible ASCII characters.');
  const sentMs = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) * 1000 : Number.NaN;
  checkFresh(sentMs, nowMs, toleranceMs);
  // The library's own verify() knows only the real time and five minutes.
  const expected = Buffer.from(webhook(secret).sign(id, new Date(sentMs), request.body));
  const fits = signature.split(' ').some((one) => {
    const given = Buffer.from(one);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!fits)
    throw new AppError(
      'bad-signature',
      'webhook-signature does not fit the id, the timestamp and the body. Check that both sides hold the same secret.',
    );
  return id;
}

function webhook(secret: Secret): Webhook {
  try {
    return new Webhook(secret.reveal());
  } catch {
    throw new AppError(
      'bad-config',
      'TOURNIQUET_SOURCE_REPORT is not a Standard Webhooks secret. Make one with: echo "whsec_$(openssl rand -base64 32)"',
    );
  }
}

const DATA_KEYS =
  'token, kubeconfig, manifest, text, cluster, namespace, serviceAccount, secret, jti, redacted, id, where, severity, reason';
const material = z.string().max(1_048_576, 'must be at most 1 MiB of text').optional();
/** Cut and not refused where it is long: an alert is worth more than its wording. */
const line = (max: number) =>
  z
    .string()
    .transform((text) => plainText(text, max))
    .optional();
const name = z
  .string()
  .refine(isObjectName, 'must be the name of a Kubernetes object, such as ci-bot')
  .optional();
/** Names and ids that are kept as they are, and so must not hide anything. */
const id = (max: number) =>
  z
    .string()
    .max(max)
    .refine((text) => plainText(text, max) === text, `must be one line of at most ${max} characters`);
const url = z
  .string()
  .transform((text, context) => {
    const clean = plainUrl(text);
    if (clean !== undefined) return clean;
    context.addIssue({
      code: 'custom',
      message: 'must be an address that begins with https:// or http://, of at most 2048 characters',
    });
    return z.NEVER;
  })
  .optional();

const bodySchema = z.strictObject({
  type: z.literal('leak.reported').optional(),
  timestamp: z.union([z.string().max(64), z.number()]).optional(),
  data: z.strictObject({
    token: material,
    kubeconfig: material,
    manifest: material,
    text: material,
    cluster: name,
    namespace: z
      .string()
      .refine(isNamespaceName, 'must be the name of a namespace, such as payments')
      .optional(),
    serviceAccount: name,
    secret: name,
    jti: id(256).optional(),
    /** A token was found, and the sender does not have it: a person has to say which. */
    redacted: z.literal(true).optional(),
    id: z.union([z.int().transform(String), id(200)]).optional(),
    where: z.strictObject({ text: line(300), url }).optional(),
    severity: z.enum(['critical', 'high', 'medium', 'low', 'info', 'unknown']).optional(),
    reason: line(500),
  }),
});
type Data = z.output<typeof bodySchema>['data'];

function parse(request: RawRequest): Parsed {
  const body = jsonObject(request.body);
  if (body === undefined) throw new AppError('bad-input', `The body is not a JSON object. ${HOW}`);
  const parsed = bodySchema.safeParse(body);
  if (!parsed.success) throw new AppError('bad-input', parsed.error.issues.map(sentence).join(' '));
  return { kind: 'findings', findings: findings(parsed.data.data) };
}

const HOW =
  'Send {"data": {…}} with the leaked token in token, kubeconfig, manifest or text, or with namespace and one of serviceAccount, secret and jti.';

/** What zod says of a key names it, and so would give back what was sent. */
function sentence(issue: z.core.$ZodIssue): string {
  const where = issue.path.join('.') || 'The body';
  if (issue.code === 'unrecognized_keys')
    return issue.path.length === 0
      ? 'The body has fields other than type, timestamp and data.'
      : `${where} has a field that is not known here. Known in data: ${DATA_KEYS}; in where: text and url.`;
  return `${where}: ${issue.message}.`;
}

function findings(data: Data): Finding[] {
  const found = [data.token, data.kubeconfig, data.manifest, data.text]
    .filter((text) => text !== undefined)
    .map((text) => findTokens(text));
  const tokens = [...new Set(found.flatMap(({ tokens }) => tokens))].slice(0, 20);
  const opaque = found.reduce((sum, one) => sum + one.opaque, 0);
  if (tokens.length > 0)
    return tokens.map((token, i) => ({
      alert: { ...alertOf(data, tokens.length > 1 ? i + 1 : 0, opaque), subject: { kind: 'token' } },
      token: new Secret(token),
    }));
  const places = placesOf(data, found);
  if (places.length > 0)
    return places.map((at, i) => ({
      alert: {
        ...alertOf(data, places.length > 1 ? i + 1 : 0, opaque),
        subject: { kind: 'coordinates', at },
      },
    }));
  if (opaque > 0 || data.redacted)
    return [{ alert: { ...alertOf(data, 0, opaque), subject: { kind: 'unnamed' } } }];
  const why = found.flatMap(({ problems }) => problems);
  throw new AppError(
    'bad-input',
    [...new Set(why.length > 0 ? why : ['The report names no token.']), HOW].join(' '),
  );
}

/** What the sender says, or else what the manifests say. */
function placesOf(
  { cluster, namespace, serviceAccount, secret, jti }: Data,
  found: LeakMaterial[],
): Coordinates[] {
  const given = {
    ...(cluster === undefined ? {} : { cluster }),
    ...(serviceAccount === undefined ? {} : { serviceAccount }),
    ...(secret === undefined ? {} : { secret }),
    ...(jti === undefined ? {} : { jti }),
  };
  if (namespace !== undefined && (serviceAccount ?? secret ?? jti) !== undefined)
    return [{ namespace, ...given }];
  const named = found.flatMap(({ coordinates }) => coordinates).slice(0, 20);
  return named.map((at) => (cluster === undefined ? at : { ...at, cluster }));
}

/** `nth` tells several findings of one report apart, 0 where there is one. */
function alertOf(data: Data, nth: number, opaque: number): Omit<LeakAlert, 'subject'> {
  const person = `The report holds ${opaque} credential(s) that are not ServiceAccount tokens: a person must look at them.`;
  const reason = [data.reason, opaque > 0 ? person : ''].filter(Boolean).join(' ');
  const { text, url } = data.where ?? {};
  return {
    source: NAME,
    ...(data.id === undefined ? {} : { externalId: nth > 0 ? `${data.id}/${nth}` : data.id }),
    ...(text || url
      ? { where: { text: text || 'the reported address', ...(url === undefined ? {} : { url }) } }
      : {}),
    ...(data.severity === undefined ? {} : { severity: data.severity }),
    ...(reason === '' ? {} : { reason }),
  };
}
