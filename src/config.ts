// The only place that reads the environment: one YAML file for what may be seen, environment variables (or *_FILE) for secrets.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type Env, readSecrets, type Secrets } from './config-secrets.ts';
import { auditSchema, retentionSchema } from './domain/audit-schema.ts';
import { duration } from './domain/duration.ts';
import { escalationSchema, NEW_WEBHOOK_SECRET } from './domain/escalation-schema.ts';
import { isOwnSecret } from './domain/own-secrets.ts';
import { type PolicySection, policySchema, userId } from './domain/policy-schema.ts';
import { DEFAULT_LOOKS } from './domain/sightings.ts';
import { DEFAULT_PACE } from './domain/waves.ts';
import { type Lines, readYaml, tellIssues } from './domain/yaml-problems.ts';
import { AppError } from './errors.ts';
import type { Secret } from './secret.ts';

export { duration };

export type Role = 'bot' | 'worker' | 'all';

const dnsName = z.string().regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'write a lower-case Kubernetes name');

/** With it, the longest command still has the 32 characters that Slack allows. */
export const commandPrefix = z
  .string()
  .regex(/^([a-z0-9][a-z0-9_-]{0,19})?$/, 'write at most 20 of a-z, 0-9, - and _, such as team-');

const clusterSchema = z.strictObject({
  name: dnsName,
  /** Path of a kubeconfig; absent: the Pod's own ServiceAccount. */
  kubeconfig: z.string().optional(),
  context: z.string().optional(),
  /** Every API server, where one name hides several; absent: EndpointSlice default/kubernetes. */
  apiServers: z
    .array(z.strictObject({ url: z.url(), tlsServerName: z.string().optional() }))
    .min(1)
    .optional(),
  /** Namespaces in which Secrets may be read, values too, to find a token by its hash and copies of one. */
  searchNamespaces: z.array(dnsName).default([]),
  /** A ServiceAccount that a TokenRequest may be made for, for control requests; absent: the worker's own token. */
  control: z.strictObject({ namespace: dnsName, serviceAccount: dnsName }).optional(),
  /** Deadline of one request. */
  timeout: duration.default(10_000),
});

export const fileSchema = z.strictObject({
  slack: z.strictObject({
    /** Id of the incident channel. */
    channel: z.string().regex(/^[CG][A-Z0-9]{2,}$/, 'write the channel id such as C012ABCDEF, not its name'),
    /** What the names of the slash commands begin with, where several installations share a workspace: `team-`. */
    commandPrefix: commandPrefix.default(''),
    /** Another Slack Web API, for the sandbox. */
    apiUrl: z.url().default('https://slack.com/api/'),
    /** Shortest time between two updates of one card. */
    updateEvery: duration.default(1500),
    /** Many incidents in a short time share one summary instead of a card each. */
    burst: z
      .strictObject({
        /** Cards that such a time may bring before the summary begins. */
        cards: z.int().min(1).default(5),
        within: duration.default(60_000),
      })
      .prefault({}),
  }),
  people: z.strictObject({
    /** May contain a leak reversibly, and identify a token. */
    responders: z.array(userId).default([]),
    /** May also approve plans, decline, undo, and call a false alarm. */
    approvers: z.array(userId).min(1, 'name at least one approver'),
  }),
  clusters: z.array(clusterSchema).min(1, 'name at least one cluster'),
  protectedNamespaces: z.array(dnsName).default(['kube-system']),
  autoContain: z.enum(['off', 'token-in-hand']).default('off'),
  /** Automatic containments in any one hour. */
  autoContainPerHour: z.int().min(1).default(10),
  approvalExpiry: duration.default(86_400_000),
  policy: policySchema.prefault({}),
  escalation: escalationSchema,
  audit: auditSchema,
  retention: retentionSchema,
  proof: z
    .strictObject({
      /** Between the two rounds of probes that must both be refused. */
      stability: duration.default(15_000),
      retryEvery: duration.default(2000),
      /** How long a token may still be accepted before a person is called. */
      giveUpAfter: duration.default(120_000),
      /** Looks after an incident was closed, counted from there. */
      recheckAfter: z.array(duration).default([300_000, 3_600_000, 86_400_000]),
      /** Looks at an open incident, counted from the last change; the last one is repeated. */
      lookAfter: z
        .array(duration)
        .min(1)
        .default([...DEFAULT_LOOKS]),
    })
    .prefault({}),
  /** How long a leaked token is kept sealed, for conditional writes and proof. */
  keepTokenFor: duration.default(90_000_000),
  soak: duration.default(86_400_000),
  rollOut: z
    .strictObject({
      /** Of the workloads of one roll-out, at once. */
      percent: z.int().min(1).max(100).default(DEFAULT_PACE.percent),
      /** Never more than these at once. */
      most: z.int().min(1).default(DEFAULT_PACE.most),
      /** For each wave to become Ready. */
      deadline: duration.default(DEFAULT_PACE.deadline),
    })
    .prefault({}),
  http: z
    .strictObject({
      host: z.string().default('0.0.0.0'),
      port: z.int().min(0).max(65_535).default(8080),
      /** The worker's health and metrics; it serves nothing else. */
      healthPort: z.int().min(0).max(65_535).default(8081),
      /** The bot's health and metrics, apart from what the world may reach; absent: it serves no metrics. */
      metricsPort: z.int().min(0).max(65_535).optional(),
      maxBodyBytes: z.int().min(1024).default(1_048_576),
    })
    .prefault({}),
  metrics: z
    .strictObject({
      /** How often to count what is in Redis; a scrape itself asks nobody. */
      refreshEvery: duration.default(10_000),
    })
    .prefault({}),
  redis: z
    .strictObject({
      prefix: z
        .string()
        .regex(/^[a-z0-9-]+$/)
        .default('tourniquet'),
      /** PEM file of the authority that signed the certificates of Redis and its Sentinels. */
      caFile: z.string().optional(),
      /** How many replicas must have an entry of the log before it counts as kept. */
      waitForReplicas: z.int().min(0).max(9).default(0),
    })
    .prefault({}),
  sources: z
    .strictObject({
      /** How far a delivery's timestamp may be off. */
      tolerance: duration.default(60_000),
    })
    .prefault({}),
  sweepEvery: duration.default(5000),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export type FileConfig = z.output<typeof fileSchema>;
export type FileConfigInput = z.input<typeof fileSchema>;
export type ClusterConfig = z.output<typeof clusterSchema>;

export interface Config extends FileConfig, Secrets {
  role: Role;
  redisUrl: Secret;
  key: Secret;
}

/** What could be read, and everything that is wrong, each with its place and remedy. */
export interface ConfigReading {
  problems: string[];
  /** Present where nothing is wrong. */
  config: Config | undefined;
  /** The parts of the file that are right by themselves. */
  file: Partial<FileConfig>;
  secrets: Secrets;
}

/** Hands out the environment of this process, once: what is secret in it is for us, and not for the programs that we start. */
export function takeEnvironment(): Env {
  const env = { ...process.env };
  for (const name of Object.keys(env)) if (isOwnSecret(name)) delete process.env[name];
  return env;
}

/** Throws AppError `bad-config` whose message lists every problem with its path and remedy. */
export function loadConfig(role: Role, env: Env = process.env): Config {
  const { config, problems } = readConfig(role, env);
  if (config === undefined) throw badConfig(problems);
  return config;
}

/** As loadConfig, for whoever wants to go on with what is right. */
export function readConfig(role: Role, env: Env = process.env): ConfigReading {
  const problems: string[] = [];
  const parts: Partial<FileConfig> = {};
  const file = readFileConfig(env, problems, parts);
  const secrets = readSecrets(role !== 'worker', env, problems);
  const { redisUrl, key, escalationSecret } = secrets;
  if (role !== 'worker' && file?.escalation.url !== undefined && escalationSecret === undefined)
    problems.push(
      `TOURNIQUET_ESCALATION_SECRET: not set. It signs what is sent to escalation.url. ${NEW_WEBHOOK_SECRET}`,
    );
  const whole = file !== undefined && redisUrl !== undefined && key !== undefined && problems.length === 0;
  return {
    problems,
    config: whole ? { ...file, ...secrets, role, redisUrl, key } : undefined,
    file: file ?? parts,
    secrets,
  };
}

/** `parts`: gets those that are right, where others are not. */
function readFileConfig(
  env: Env,
  problems: string[],
  parts: Partial<FileConfig> = {},
): FileConfig | undefined {
  const { TOURNIQUET_CONFIG: path = 'tourniquet.yaml', TOURNIQUET_POLICY: policyPath } = env;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    problems.push(
      `TOURNIQUET_CONFIG: cannot read ${path}. Write the YAML file there (see docs/configuration.md) or name another.`,
    );
    return undefined;
  }
  const { raw, lines } = readYaml(text, path, problems);
  if (lines === undefined) return undefined;
  const config = parseFileConfig(raw, path, problems, lines);
  if (config === undefined) Object.assign(parts, rightParts(raw));
  if (config === undefined || policyPath === undefined) return config;
  const policy = readPolicyFile(policyPath, problems, 'TOURNIQUET_POLICY: ');
  if (typeof raw === 'object' && raw !== null && 'policy' in raw)
    problems.push(`${path}: policy: TOURNIQUET_POLICY names a file with a policy too. Keep one of the two.`);
  return policy && { ...config, policy };
}

function rightParts(raw: unknown): Partial<FileConfig> {
  if (typeof raw !== 'object' || raw === null) return {};
  const written = raw as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(fileSchema.shape).flatMap(([key, schema]) => {
      const { success, data } = schema.safeParse(written[key]);
      return success ? [[key, data]] : [];
    }),
  );
}

/** The YAML file alone, for the command line. Throws AppError `bad-config`. */
export function loadFileConfig(env: Env = process.env): FileConfig {
  const problems: string[] = [];
  const config = readFileConfig(env, problems);
  if (config === undefined || problems.length > 0) throw badConfig(problems);
  return config;
}

/** A file that holds what the section `policy` would. Throws AppError `bad-config`. */
export function loadPolicyFile(path: string): PolicySection {
  const problems: string[] = [];
  const policy = readPolicyFile(path, problems);
  if (policy === undefined || problems.length > 0) throw badConfig(problems);
  return policy;
}

const badConfig = (problems: readonly string[]): AppError =>
  new AppError(
    'bad-config',
    ['The configuration has problems:', ...problems.map((p) => `  - ${p}`)].join('\n'),
  );

function readPolicyFile(path: string, problems: string[], named = ''): PolicySection | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    problems.push(`${named}cannot read ${path}. Write the policy there (see docs/policy.md).`);
    return undefined;
  }
  const { raw, lines } = readYaml(text, path, problems);
  if (lines === undefined) return undefined;
  const result = policySchema.safeParse(raw ?? {});
  if (!result.success) tellIssues(result.error.issues, path, problems, lines);
  return result.data;
}

export function parseFileConfig(
  raw: unknown,
  path: string,
  problems: string[],
  lines?: Lines,
): FileConfig | undefined {
  const result = fileSchema.safeParse(raw);
  if (!result.success) {
    tellIssues(result.error.issues, path, problems, lines);
    return undefined;
  }
  const names = result.data.clusters.map((cluster) => cluster.name);
  for (const name of names.filter((name, i) => names.indexOf(name) !== i))
    problems.push(`${path}: clusters: the name ${name} is used twice. Give each cluster its own.`);
  return result.data;
}
