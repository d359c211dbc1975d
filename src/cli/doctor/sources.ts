// Alert sources: does each secret belong to one, is it one that the source can use, and does the policy name only what is served?

import { broken, type Diagnosis, fine, warning } from '../../config/diagnosis.ts';
import type { Secrets } from '../../config/secrets.ts';
import type { PolicySection } from '../../domain/rules/schema.ts';
import { isAppError } from '../../errors.ts';
import type { Secret } from '../../secret.ts';
import { sources as known } from '../../sources/index.ts';
import type { Check } from './check.ts';

/** Characters; a webhook's secret is all that keeps strangers out. */
const SHORTEST = 20;

const variableOf = (name: string): string => `TOURNIQUET_SOURCE_${name.toUpperCase().replaceAll('-', '_')}`;

export const sources: Check = {
  group: 'Alert sources',
  role: 'bot',
  run({ reading: { file, secrets } }) {
    const { sourceSecrets } = secrets;
    const named = Object.entries(sourceSecrets).map(([name, secret]) => judge(name, secret));
    return [...named, ...none(sourceSecrets), ...shared(secrets), ...unserved(file.policy, sourceSecrets)];
  },
};

const none = (secrets: Secrets['sourceSecrets']): Diagnosis[] =>
  Object.keys(secrets).length > 0
    ? []
    : [
        warning(
          'sources',
          'No alert source has a secret, so no scanner can report anything; only people can.',
          `Set one of ${known.map(({ name }) => variableOf(name)).join(', ')} for the bot; docs/alert-sources.md says how.`,
        ),
      ];

function judge(name: string, secret: Secret): Diagnosis {
  const source = known.find((one) => one.name === name);
  const variable = variableOf(name);
  if (source === undefined)
    return broken(
      variable,
      `There is no alert source ${name}, so nothing is served for it.`,
      `Name it after one of: ${known.map((one) => variableOf(one.name)).join(', ')}.`,
    );
  const text = secret.reveal();
  if (text.trim() !== text || /^(['"]).*\1$/s.test(text))
    return broken(
      variable,
      'The secret has blanks, line breaks or quotes around it, so no signature will ever fit.',
      'Write the value alone, as the sender has it.',
    );
  try {
    source.checkSecret?.(secret);
  } catch (error) {
    if (!isAppError(error, 'bad-config')) throw error;
    const [, seen = error.message, remedy = ''] = /^(.+?\.) (.+)$/s.exec(error.message) ?? [];
    return broken(variable, seen, remedy);
  }
  if (text.length < SHORTEST)
    return warning(
      variable,
      `The secret has only ${text.length} characters, so it could be guessed, and alerts be forged.`,
      'Make a longer one, with: openssl rand -base64 32. Set it here and at the sender.',
    );
  return fine(variable, `served at POST /hooks/${name}`);
}

/** One secret for two things: whoever learns it at one place can use it at the other. */
function shared({ sourceSecrets, key, slackAppToken, slackBotToken }: Secrets): Diagnosis[] {
  const all: [string, Secret | undefined][] = [
    ['TOURNIQUET_KEY', key],
    ['SLACK_BOT_TOKEN', slackBotToken],
    ['SLACK_APP_TOKEN', slackAppToken],
    ...Object.entries(sourceSecrets ?? {}).map(([name, secret]): [string, Secret] => [
      variableOf(name),
      secret,
    ]),
  ];
  const alike = Map.groupBy(
    all.filter(([, secret]) => secret),
    ([, secret]) => secret?.reveal(),
  );
  return [...alike.values()]
    .filter((same) => same.length > 1)
    .map((same) =>
      warning(
        'secrets',
        `${same.map(([name]) => name).join(' and ')} have the same value.`,
        'Give each a value of its own: openssl rand -base64 32',
      ),
    );
}

/** Rules that wait for alerts of a source which nobody can send. */
function unserved(policy: PolicySection | undefined, secrets: Secrets['sourceSecrets']): Diagnosis[] {
  const named = (policy?.rules ?? []).flatMap(({ match }) => match.source ?? []);
  const missing = known.filter(({ name }) => named.includes(name) && secrets[name] === undefined);
  return missing.map(({ name }) =>
    warning(
      variableOf(name),
      `The policy has a rule for the source ${name}, but it has no secret and is not served.`,
      `Set ${variableOf(name)} for the bot, or take the rule out.`,
    ),
  );
}
