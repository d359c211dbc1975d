// Reads what trufflehog prints with --json: one finding a line, whose place has another shape for each kind of source.
import { z } from 'zod';
import { type Candidate, isSuspect, placeText } from './candidate.ts';

const text = z.string().catch('');
const lineSchema = z.object({
  SourceMetadata: z.object({ Data: z.record(z.string(), z.unknown()) }),
  DetectorName: text,
  Raw: text,
  RawV2: text,
  Verified: z.boolean().catch(false),
});

const placeSchema = z.object({
  repository: text,
  file: text,
  image: text,
  bucket: text,
  channel_name: text,
  commit: text,
  line: z.int().catch(0),
  link: text,
});

export const isTrufflehogLine = (line: string): boolean => lineOf(line) !== undefined;

/** Lines of another kind, such as of its log, are looked through as plain text. */
export function fromTrufflehog(input: string, where: string): Candidate[] {
  const others: string[] = [];
  const found = input.split('\n').flatMap((line): Candidate[] => {
    const one = lineOf(line);
    if (one === undefined) others.push(line);
    return one === undefined ? [] : [candidateOf(one)];
  });
  const rest = others.join('\n');
  return rest.trim() === '' ? found : [...found, { text: rest, where, suspect: false }];
}

function candidateOf(found: z.output<typeof lineSchema>): Candidate {
  const [kind = '', raw] = Object.entries(found.SourceMetadata.Data)[0] ?? [];
  const { repository, file, image, bucket, channel_name, commit, line, link } =
    placeSchema.safeParse(raw).data ?? placeSchema.parse({});
  const place = placeText({
    in: repository || image || bucket || channel_name || kind,
    file: file || undefined,
    line,
    commit,
    by: `trufflehog: ${found.DetectorName}`,
  });
  return {
    text: `${found.Raw}\n\n${found.RawV2}`,
    where: place,
    ...(link === '' ? {} : { url: link }),
    // It cannot verify most ServiceAccount tokens, so that "not verified" says nothing.
    ...(found.Verified ? { severity: 'critical' as const } : {}),
    id: `trufflehog:${place}`,
    suspect: isSuspect(found.DetectorName),
  };
}

function lineOf(line: string): z.output<typeof lineSchema> | undefined {
  if (!line.startsWith('{') || !line.includes('SourceMetadata')) return undefined;
  try {
    return lineSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
