// Reads what a person filled in: either inline errors that name no token, or what is to be reported.

import { isNamespaceName, isObjectName } from '../../../domain/kubernetes/names.ts';
import { readClaims } from '../../../domain/token/claims.ts';
import type { Coordinates } from '../../../domain/token/identity.ts';
import { findTokens, scrub } from '../../../domain/token/leak-material.ts';
import { Secret } from '../../../secret.ts';
import type { Field } from './forms.ts';

/** Slack's `view.state.values`, as far as it is used. */
export type Values = Record<
  string,
  Record<
    string,
    {
      value?: string | null | undefined;
      selected_option?: { value: string } | null | undefined;
      selected_options?: { value: string }[] | null | undefined;
    }
  >
>;

export interface Filled {
  token?: Secret;
  at?: Coordinates;
  where?: string;
  reason?: string;
}

export type FormErrors = Partial<Record<Field, string>>;
export type Answers = { errors: FormErrors } | { filled: Filled };

export const said = (values: Values, field: Field): string => {
  const given = values[field]?.[field];
  return (given?.selected_option?.value ?? given?.value ?? '').trim();
};

export function readAnswers(values: Values): Answers {
  const errors: FormErrors = {};
  const pasted = readPaste(said(values, 'paste'), errors);
  const named = readNames(values, errors);
  const where = readReason(values, 'where', errors);
  const reason = readReason(values, 'reason', errors);
  const at = named ?? pasted.at;
  if (Object.keys(errors).length === 0 && !pasted.token && !at)
    errors.namespace = 'Paste the token, or fill in the namespace and the ServiceAccount.';
  if (Object.keys(errors).length > 0) return { errors };
  return {
    filled: {
      ...(pasted.token ? { token: pasted.token } : {}),
      ...(at ? { at } : {}),
      ...(where ? { where } : {}),
      ...(reason ? { reason } : {}),
    },
  };
}

/** A token in a field that is kept and shown would be a second leak. */
export function readReason(values: Values, field: 'where' | 'reason', errors: FormErrors): string {
  const text = said(values, field);
  if (scrub(text) !== text)
    errors[field] = 'This holds a token. Take it out: only a field for the token is sealed.';
  return text;
}

function readPaste(text: string, errors: FormErrors): { token?: Secret; at?: Coordinates } {
  if (text === '') return {};
  const { tokens, coordinates, problems } = findTokens(text);
  const [token, another] = tokens;
  const [at] = coordinates;
  if (another !== undefined) {
    errors.paste = `There are ${tokens.length} tokens in this. Report one at a time.`;
    return {};
  }
  if (token !== undefined) {
    const claims = readClaims(token);
    if (!('problem' in claims)) return { token: new Secret(token) };
    errors.paste = claims.problem;
    return {};
  }
  if (at !== undefined) return { at };
  // The reader of claims explains best what is wrong with something that looks like a token.
  const alone = readClaims(text);
  errors.paste =
    problems[0] ??
    ('problem' in alone && text.startsWith('eyJ')
      ? alone.problem
      : 'No ServiceAccount token was found in this. It begins with eyJ and has two dots. If it was cut off, name the ServiceAccount below instead.');
  return {};
}

export function readNames(values: Values, errors: FormErrors): Coordinates | undefined {
  const [cluster, namespace] = [said(values, 'cluster'), said(values, 'namespace')];
  const [serviceAccount, secret] = [said(values, 'account'), said(values, 'secret')];
  if (namespace === '' && serviceAccount === '' && secret === '') return undefined;
  if (!isNamespaceName(namespace)) errors.namespace = namespace ? NOT_A_NAME : 'Which namespace is it in?';
  if (serviceAccount && !isObjectName(serviceAccount)) errors.account = NOT_A_NAME;
  if (secret && !isObjectName(secret)) errors.secret = NOT_A_NAME;
  if (!serviceAccount && !secret) errors.account = 'Which ServiceAccount, or which Secret, is it?';
  return {
    namespace,
    ...(cluster ? { cluster } : {}),
    ...(serviceAccount ? { serviceAccount } : {}),
    ...(secret ? { secret } : {}),
  };
}

const NOT_A_NAME =
  'Not a Kubernetes name: lower-case letters, digits and dashes, beginning and ending with a letter or digit.';
