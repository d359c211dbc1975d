// The only place that reads the environment: one YAML file for what may be seen, environment variables (or *_FILE) for secrets.
import { readFileSync } from 'node:fs';
import { type PolicySection, policySchema } from '../domain/rules/schema.ts';
import { AppError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { NEW_WEBHOOK_SECRET } from './escalation-schema.ts';
import { type FileConfig, fileSchema } from './file-schema.ts';
import { isOwnSecret } from './own-secrets.ts';
import { type Env, readSecrets, type Secrets } from './secrets.ts';
import { type Lines, readYaml, tellIssues } from './yaml-problems.ts';

export type Role = 'bot' | 'worker' | 'all';

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
