// The policy that a configuration means: its rules over today's lists of people, checked against the actions that exist.
import { actions } from '../actions/index.ts';
import type { FileConfig } from '../config/file-schema.ts';
import { PHASES } from '../domain/plan/plan.ts';
import { createPolicy, type Policy, unknownDeeds } from '../domain/rules/policy.ts';
import { AppError } from '../errors.ts';

export type PolicyConfig = Pick<
  FileConfig,
  'people' | 'protectedNamespaces' | 'approvalExpiry' | 'autoContain' | 'policy'
>;

/** The policy of this configuration. Throws AppError `bad-config` where a rule speaks of what does not exist. */
export function policyOf(config: PolicyConfig): Policy {
  const { people, protectedNamespaces, approvalExpiry, autoContain, policy: section } = config;
  const known = [...actions.map(({ name }) => name), ...PHASES, 'any'];
  const wrong = unknownDeeds(section, known);
  if (wrong.length > 0)
    throw new AppError(
      'bad-config',
      [
        'The policy has problems:',
        ...wrong.map(
          ({ rule, key }) =>
            `  - policy.rules.${rule}.do.${key}: there is no such action. Write one of: ${known.join(', ')}.`,
        ),
      ].join('\n'),
    );
  return createPolicy({ section, people, protectedNamespaces, approvalExpiry, autoContain });
}
