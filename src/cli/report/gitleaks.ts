// Reads the JSON report of gitleaks: a list of findings, whose values may have been replaced by REDACTED.
import { z } from 'zod';
import { type Candidate, isSuspect, placeText } from './candidate.ts';

const text = z.string().catch('');
const findingSchema = z.object({
  RuleID: text,
  Secret: text,
  Match: text,
  File: text,
  StartLine: z.int().catch(0),
  Commit: text,
  Link: text,
  Fingerprint: text,
});

export const isGitleaks = (json: unknown): json is unknown[] =>
  Array.isArray(json) && json.every((one) => typeof one === 'object' && one !== null && 'RuleID' in one);

export function fromGitleaks(json: unknown[]): Candidate[] {
  return json.map((one) => {
    const { RuleID, Secret, Match, File, StartLine, Commit, Link, Fingerprint } = findingSchema.parse(one);
    return {
      // What matched may hold more of the token than what was captured.
      text: `${Secret}\n\n${Match}`,
      where: placeText({ file: File, line: StartLine, commit: Commit, by: `gitleaks: ${RuleID}` }),
      ...(Link === '' ? {} : { url: Link }),
      ...(Fingerprint === '' ? {} : { id: `gitleaks:${Fingerprint}` }),
      suspect: isSuspect(RuleID),
    };
  });
}
