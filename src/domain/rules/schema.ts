// The policy as people write it: rules that match an incident and say what each action needs. Validated where the configuration is.
import { z } from 'zod';
import { duration } from '../duration.ts';

export const userId = z
  .string()
  .regex(/^[UW][A-Z0-9]{2,}$/, 'write a Slack user id such as U012ABCDEF, not a name');
const groupId = z.string().regex(/^S[A-Z0-9]{2,}$/, 'write the id of a Slack user group such as S012ABCDEF');

const whoSchema = z
  .string()
  .regex(
    /^([UWS][A-Z0-9]{2,}|approvers|responders)$/,
    'write approvers, responders, a Slack user id such as U012ABCDEF or the id of a user group such as S012ABCDEF',
  )
  .describe(
    'approvers or responders (the lists in `people`), a Slack user id, or the id of a Slack user group',
  );

const approveSchema = z
  .strictObject({
    approvals: z.int().min(1).max(9).default(1).describe('How many different people must approve.'),
    from: z.array(whoSchema).min(1, 'name somebody').default(['approvers']),
    excludeRequester: z.boolean().default(true).describe('Who asked for the incident does not count.'),
    expiry: duration.optional().describe('How long the plan waits. Absent: approvalExpiry.'),
    group: z
      .boolean()
      .default(false)
      .describe('An approval of many incidents at once counts. Otherwise each needs its own.'),
    reason: z.boolean().default(false).describe('Each approval needs a written reason.'),
  })
  .describe('People approve.');

const decisionSchema = z.union([z.literal('auto'), z.literal('never'), approveSchema], {
  error: 'write auto, never, or what an approval needs: { approvals: 2, from: [approvers] }',
});

const list = <T extends z.ZodType>(item: T) => z.array(item).min(1, 'leave the key out, or name something');
const glob = z
  .string()
  .regex(/^[a-z0-9.*?-]+$/, 'write lower-case letters, digits, dashes, and * for anything')
  .describe('* stands for any characters, ? for one.');

const matchSchema = z
  .strictObject({
    cluster: list(glob),
    namespace: list(glob),
    serviceAccount: list(glob),
    labels: z.record(z.string(), z.string()).describe('Labels of the ServiceAccount, all of them.'),
    tokenKind: list(
      z.enum(['legacy', 'pod-bound', 'secret-bound', 'node-bound', 'unbound', 'other-bound', 'every-token']),
    ),
    source: list(glob).describe('The source that brought the token, or else the first that reported.'),
    severity: list(z.enum(['critical', 'high', 'medium', 'low', 'info', 'unknown'])),
    tier: list(z.enum(['severe', 'high', 'moderate', 'low', 'unknown'])).describe('What a thief could do.'),
  })
  .partial()
  .describe('Every key must fit; of each key one entry is enough. Nothing: everything fits.');

const ruleSchema = z.strictObject({
  name: z.string().regex(/^[\w .:/-]{1,60}$/, 'write a short name, without special characters'),
  match: matchSchema.default({}),
  do: z
    .record(z.string(), decisionSchema)
    .describe('By action (quarantine-token), phase (contain, revoke …) or any, the narrowest first.'),
});

const sectionSchema = z.strictObject({
  rules: z.array(ruleSchema).default([]),
  breakGlass: z
    .array(whoSchema)
    .default(['responders', 'approvers'])
    .describe('Who may run a plan alone in an emergency. Empty: nobody.'),
  fallback: z
    .array(whoSchema)
    .default(['approvers', 'responders'])
    .describe('Who is called when a plan expires while the token still works.'),
  lowTrustSources: z
    .array(z.string())
    .default([])
    .describe('Sources whose alerts never start anything by themselves, unless a rule names them.'),
  groupMembers: z
    .record(groupId, z.array(userId))
    .default({})
    .describe('For the worker, which cannot ask Slack: who is in a user group.'),
  automatic: z
    .strictObject({
      mode: z.enum(['on', 'dry-run']).default('on').describe('dry-run: only say what would have been done.'),
      perClusterPerHour: z.int().min(0).default(1000),
      perNamespacePerHour: z.int().min(0).default(1000),
      distinctServiceAccounts: z.int().min(1).default(1000),
      within: duration.default(600_000),
    })
    .prefault({}),
});

/** Ids as Slack writes them; what kind each is, is told from here on by `groups`, and nobody looks at an id again. */
export const policySchema = sectionSchema.transform((section) => ({ ...section, groups: groupsIn(section) }));

function groupsIn({ rules, breakGlass, fallback, groupMembers }: z.output<typeof sectionSchema>): string[] {
  const asked = rules.flatMap(({ do: deeds }) =>
    Object.values(deeds).flatMap((decision) => (typeof decision === 'string' ? [] : decision.from)),
  );
  const named = [...asked, ...breakGlass, ...fallback, ...Object.keys(groupMembers)];
  return [...new Set(named.filter((who) => groupId.safeParse(who).success))];
}

export type PolicySection = z.output<typeof policySchema>;
export type PolicyRule = PolicySection['rules'][number];
export type PolicyMatch = PolicyRule['match'];
export type PolicyDecision = PolicyRule['do'][string];
