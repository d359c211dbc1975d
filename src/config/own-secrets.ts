// The environment variables that hold secrets of ours: no program that is started from here inherits them.

const NAMES = [
  'REDIS_URL',
  'TOURNIQUET_KEY',
  'SLACK_BOT_TOKEN',
  'SLACK_APP_TOKEN',
  'TOURNIQUET_ESCALATION_SECRET',
  'TOURNIQUET_SOURCE_REPORT',
  'TOURNIQUET_SOURCE_GITGUARDIAN',
  'OTEL_EXPORTER_OTLP_HEADERS',
];

/** Those that are known by name, each also as the file that it is in. */
export const OWN_SECRETS = NAMES.flatMap((name) => [name, `${name}_FILE`]);

export const isOwnSecret = (name: string): boolean =>
  OWN_SECRETS.includes(name) || name.startsWith('TOURNIQUET_SOURCE_');
