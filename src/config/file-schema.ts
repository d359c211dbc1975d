// What the YAML file may say: each key with its default, its bounds, and what to write instead of what is wrong.
import { z } from 'zod';
import { duration } from '../domain/duration.ts';
import { DEFAULT_LOOKS } from '../domain/incident/sightings.ts';
import { DEFAULT_PACE } from '../domain/plan/waves.ts';
import { policySchema, userId } from '../domain/rules/schema.ts';
import { auditSchema, retentionSchema } from './audit-schema.ts';
import { escalationSchema } from './escalation-schema.ts';

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
