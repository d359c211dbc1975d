// What was filled in of a request, as what a person would have typed: the form and the command are one way in.
import { STRATEGIES, type Strategy } from '../../../domain/plan/goal.ts';
import { type FormErrors, readNames, readReason, said, type Values } from './form-answers.ts';
import type { Named } from './request-forms.ts';

export type Target = { errors: FormErrors } | { target: string; named: Named };

export function readTargetFields(values: Values): Target {
  const errors: FormErrors = {};
  readNames(values, errors);
  const [cluster, namespace, account] = (['cluster', 'namespace', 'account'] as const).map((name) =>
    said(values, name),
  );
  if (!namespace) errors.namespace ??= 'Which namespace is it in?';
  if (!account) errors.account ??= 'Which ServiceAccount is it?';
  if (Object.keys(errors).length > 0) return { errors };
  return {
    target: [cluster, namespace, account].filter(Boolean).join('/'),
    named: { cluster, namespace, account },
  };
}

const OPTIONS = ['--dry-run', '--all'];

/** What follows the target. */
export function readRequestFields(values: Values): { errors: FormErrors } | { text: string } {
  const errors: FormErrors = {};
  const reason = readReason(values, 'reason', errors);
  if (Object.keys(errors).length > 0) return { errors };
  const way = said(values, 'way');
  const chosen = (values.options?.options?.selected_options ?? []).map(({ value }) => value);
  const parts = [
    ...(isStrategy(way) ? [way] : []),
    ...OPTIONS.filter((option) => chosen.includes(option)),
    ...(reason ? ['--', reason] : []),
  ];
  return { text: parts.join(' ') };
}

export const isStrategy = (word: string): word is Strategy =>
  (STRATEGIES as readonly string[]).includes(word);
