// Is the configuration whole, and is the key one that nobody can guess?
import { broken, type Diagnosis, fine, warning } from '../../config/diagnosis.ts';
import type { Secret } from '../../secret.ts';
import type { Check } from './check.ts';

export const configuration: Check = {
  group: 'Configuration',
  run({ reading: { problems, secrets } }) {
    const file = problems.map(told);
    if (problems.length === 0)
      file.push(fine('file and environment', 'Everything that is needed is there, and well formed.'));
    return secrets.key ? [...file, ...judgeKey(secrets.key)] : file;
  },
};

/** `VARIABLE: what is wrong. What to do.`, or the same of a place in a file. */
function told(problem: string): Diagnosis {
  const [, variable, rest = problem] = /^([A-Z][A-Z0-9_]+): (.+)$/s.exec(problem) ?? [];
  const [, seen = rest, remedy = IN_THE_FILE] = /^(.+?\.) (.+)$/s.exec(rest) ?? [];
  return broken(variable ?? 'file', seen, remedy);
}

const IN_THE_FILE = 'Correct it there; docs/configuration.md lists every key.';

const KEY_BYTES = 32;

/** Random bytes repeat themselves a little; typed ones a lot. The form is checked where the configuration is read. */
function judgeKey(key: Secret): Diagnosis[] {
  const bytes = Buffer.from(key.reveal(), 'base64');
  if (bytes.length !== KEY_BYTES) return [];
  const typed = bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
  if (!typed && new Set(bytes).size > KEY_BYTES / 2) return [fine('TOURNIQUET_KEY', '32 bytes in base64')];
  return [
    warning(
      'TOURNIQUET_KEY',
      'It does not look random, so it could be guessed: it seals leaked tokens and signs the log.',
      'Make another with: openssl rand -base64 32. Incidents written with the old one can then no longer be read.',
    ),
  ];
}
