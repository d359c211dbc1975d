// Makes strings of an alert fit to be kept and shown: no token, no control characters, bounded.
import { scrub } from '../../domain/token/leak-material.ts';

/** One line of at most `max` characters. Escaping for where it is shown is up to who shows it. */
export function plainText(text: string, max: number): string {
  // Invisible characters go first, or they could hide a token from the scrub; line breaks after it, for wrapped tokens.
  const line = scrub(text.replace(/\p{Cf}/gu, ''))
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  return line.length > max ? `${line.slice(0, max - 1).toWellFormed()}…` : line;
}

/** An http(s) address without a token or credentials in it; undefined where it is no such address. */
export function plainUrl(text: string): string | undefined {
  if (text.length > 2048 || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  url.username = '';
  url.password = '';
  const clean = scrub(url.href);
  return URL.canParse(clean) ? new URL(clean).href : undefined;
}

/** The body as a JSON object, or undefined. */
export function jsonObject(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
