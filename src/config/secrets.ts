// Reads what may not stand in the configuration file: each secret from its environment variable, or from the file that NAME_FILE names.
import { readFileSync } from 'node:fs';
import { Secret } from '../secret.ts';
import { isWebhookSecret, NEW_WEBHOOK_SECRET } from './escalation-schema.ts';
import { parseRedisUrl, REDIS_URL_FORMS } from './redis-url.ts';

export type Env = Record<string, string | undefined>;

export interface Secrets {
  redisUrl: Secret | undefined;
  /** 32 bytes, from which the sealing, chaining and fingerprint keys are derived. */
  key: Secret | undefined;
  slackBotToken: Secret | undefined;
  slackAppToken: Secret | undefined;
  /** Signs what is sent to `escalation.url`. */
  escalationSecret: Secret | undefined;
  /** Webhook secrets by source name; a source without one is not served. */
  sourceSecrets: Record<string, Secret>;
  /** Where traces go; undefined: nowhere. */
  tracing: { endpoint: string; headers: Secret | undefined } | undefined;
}

const ESCALATION_SECRET = 'TOURNIQUET_ESCALATION_SECRET';

/** Adds to `problems` what is missing or wrong, with its remedy. */
export function readSecrets(isBot: boolean, env: Env, problems: string[]): Secrets {
  const secret = (name: string, needed: boolean, remedy: string): Secret | undefined => {
    const value = readSecret(env, name, problems);
    if (value === undefined && needed) problems.push(`${name}: not set. ${remedy}`);
    return value;
  };
  const redisUrl = secret(
    'REDIS_URL',
    true,
    'Set it to the Redis that holds the incident log, such as redis://redis:6379.',
  );
  if (redisUrl && parseRedisUrl(redisUrl.reveal()) === undefined)
    problems.push(`REDIS_URL: is not the address of a Redis. Write ${REDIS_URL_FORMS}.`);
  const key = secret('TOURNIQUET_KEY', true, 'Make one with: openssl rand -base64 32');
  if (key && Buffer.from(key.reveal(), 'base64').length !== 32)
    problems.push('TOURNIQUET_KEY: must be 32 bytes in base64. Make one with: openssl rand -base64 32');
  const slackBotToken = secret(
    'SLACK_BOT_TOKEN',
    isBot,
    "Copy the Bot User OAuth Token from your Slack app's page.",
  );
  const slackAppToken = secret(
    'SLACK_APP_TOKEN',
    isBot,
    'Create an app-level token with the scope connections:write.',
  );
  const escalationSecret = readSecret(env, ESCALATION_SECRET, problems);
  if (escalationSecret && !isWebhookSecret(escalationSecret.reveal()))
    problems.push(
      `${ESCALATION_SECRET}: must be whsec_ and at least 24 bytes in base64. ${NEW_WEBHOOK_SECRET}`,
    );
  const sourceSecrets = readSourceSecrets(env, problems);
  const tracing = readTracing(env, problems);
  return { redisUrl, key, slackBotToken, slackAppToken, escalationSecret, sourceSecrets, tracing };
}

/** By the names that OpenTelemetry has for them everywhere. */
function readTracing(env: Env, problems: string[]): Secrets['tracing'] {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint = '' } = env;
  const headers = readSecret(env, 'OTEL_EXPORTER_OTLP_HEADERS', problems);
  if (endpoint === '') return undefined;
  if (!/^https?:$/.test(URL.parse(endpoint)?.protocol ?? ''))
    problems.push(
      'OTEL_EXPORTER_OTLP_ENDPOINT: not a URL. Write the address of a collector that takes OTLP over HTTP, such as http://collector:4318.',
    );
  return { endpoint, headers };
}

/** NAME, or the content of the file that NAME_FILE names, without the final line break. */
export function readSecret(env: Env, name: string, problems: string[]): Secret | undefined {
  const path = env[`${name}_FILE`];
  const direct = env[name];
  if (path !== undefined && direct !== undefined)
    problems.push(`${name}: set both directly and by ${name}_FILE. Unset one of them.`);
  if (direct !== undefined && direct !== '') return new Secret(direct);
  if (path === undefined) return undefined;
  try {
    return new Secret(readFileSync(path, 'utf8').replace(/\r?\n$/, ''));
  } catch {
    problems.push(`${name}_FILE: cannot read ${path}. Check that the file exists and may be read.`);
    return undefined;
  }
}

const SOURCE_SECRET = /^TOURNIQUET_SOURCE_([A-Z0-9_]+?)(_FILE)?$/;

/** TOURNIQUET_SOURCE_GITGUARDIAN → { gitguardian: Secret }. */
function readSourceSecrets(env: Env, problems: string[]): Record<string, Secret> {
  const found: Record<string, Secret> = {};
  for (const variable of Object.keys(env)) {
    const name = SOURCE_SECRET.exec(variable)?.[1];
    if (name === undefined) continue;
    const value = readSecret(env, `TOURNIQUET_SOURCE_${name}`, problems);
    if (value !== undefined) found[name.toLowerCase().replaceAll('_', '-')] = value;
  }
  return found;
}
