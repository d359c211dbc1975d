// Does the policy speak of what exists, and does it say what its author can have meant?
import { type PolicyConfig, policyOf } from '../../compose/policy.ts';
import { broken, fine, notChecked, warning } from '../../config/diagnosis.ts';
import type { FileConfig } from '../../config/file-schema.ts';
import { ruleDoubts } from '../../domain/rules/doubts.ts';
import type { Policy } from '../../domain/rules/policy.ts';
import { isAppError } from '../../errors.ts';
import { deeds } from '../policy.ts';
import type { Check } from './check.ts';

const NEEDED = ['people', 'protectedNamespaces', 'approvalExpiry', 'autoContain', 'policy'] as const;

/** Undefined where a part that it is made of is wrong. Throws AppError `bad-config`. */
export function policyIn(file: Partial<FileConfig>): Policy | undefined {
  return NEEDED.every((key) => file[key] !== undefined) ? policyOf(file as PolicyConfig) : undefined;
}

export const policy: Check = {
  group: 'Policy',
  run({ reading: { file } }) {
    const clusters = (file.clusters ?? []).map(({ name }) => name);
    try {
      const read = policyIn(file);
      if (read === undefined)
        return [notChecked('rules', 'The configuration file could not be read so far.')];
      const doubts = ruleDoubts(read, { deeds, clusters });
      if (doubts.length > 0) return doubts.map(tellDoubt);
      return [fine('rules', `${read.rules.length - 1} before the default; version ${read.version}`)];
    } catch (error) {
      if (!isAppError(error, 'bad-config')) throw error;
      const [, ...problems] = error.message.split('\n');
      return problems.map((line) => {
        const [, seen = line, remedy = ''] = /^ {2}- (.+?\.) (Write .+)$/.exec(line) ?? [];
        return broken('rules', seen, remedy);
      });
    }
  },
};

const tellDoubt = (doubt: string) =>
  warning('rules', doubt, 'Correct the rule, and look with: tourniquet policy check');
