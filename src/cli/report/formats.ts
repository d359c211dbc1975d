// Reads what scanners print into candidates: told apart by what is in it, or as the caller says. Lenient in everything but that.
import { AppError } from '../../errors.ts';
import type { Candidate } from './candidate.ts';
import { fromGitleaks, isGitleaks } from './gitleaks.ts';
import { fromSarif, isSarif } from './sarif.ts';
import { fromTrufflehog, isTrufflehogLine } from './trufflehog.ts';

export const FORMATS = ['text', 'sarif', 'gitleaks', 'trufflehog', 'report'] as const;
export type Format = (typeof FORMATS)[number];

export interface Read {
  format: Format;
  candidates: Candidate[];
  /** `data` of a report in our own format: sent as it is. */
  data?: Record<string, unknown>;
}

/** Throws AppError `bad-input` where the text is not of the format that it is said to be. */
export function readFindings(text: string, wanted: Format | undefined, where: string): Read {
  const json = parsed(text);
  const format = wanted ?? formatOf(text, json);
  const refuse = (what: string): never => {
    throw new AppError('bad-input', `The input is not ${what}. Leave out --format to have it found out.`);
  };
  switch (format) {
    case 'sarif':
      return { format, candidates: isSarif(json) ? fromSarif(json) : refuse('a SARIF log (JSON with runs)') };
    case 'gitleaks':
      return {
        format,
        candidates: isGitleaks(json) ? fromGitleaks(json) : refuse('a JSON report of gitleaks'),
      };
    case 'trufflehog':
      return { format, candidates: fromTrufflehog(text, where) };
    case 'report':
      return { format, candidates: [], data: dataOf(json) ?? refuse('a report: {"data": {…}}') };
    default:
      return { format, candidates: [{ text, where, whole: true, suspect: false }] };
  }
}

function formatOf(text: string, json: unknown): Format {
  if (isSarif(json)) return 'sarif';
  if (isGitleaks(json)) return 'gitleaks';
  if (dataOf(json) !== undefined) return 'report';
  return text.split('\n').some(isTrufflehogLine) ? 'trufflehog' : 'text';
}

function dataOf(json: unknown): Record<string, unknown> | undefined {
  const data = typeof json === 'object' && json !== null && 'data' in json ? json.data : undefined;
  const own = typeof data === 'object' && data !== null && !Array.isArray(data);
  // The data of a Secret is something else.
  return own && !('kind' in (json as object)) ? (data as Record<string, unknown>) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}
