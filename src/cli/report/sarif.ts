// Reads SARIF 2.1.0, which many scanners can write: gitleaks and trufflehog put the value into the snippet, others leave it out.
import { z } from 'zod';
import { type Candidate, isSuspect, placeText, type Severity } from './candidate.ts';

interface Sarif {
  runs: unknown[];
}

export const isSarif = (json: unknown): json is Sarif =>
  typeof json === 'object' && json !== null && 'runs' in json && Array.isArray(json.runs);

const text = z.string().catch('');
const locationSchema = z
  .object({
    physicalLocation: z.object({
      artifactLocation: z.object({ uri: text }),
      region: z
        .object({ startLine: z.int().optional().catch(undefined) })
        .optional()
        .catch(undefined),
    }),
  })
  .optional()
  .catch(undefined);
const resultSchema = z.object({
  ruleId: text,
  level: text,
  locations: z.array(locationSchema).catch([]),
  partialFingerprints: z.record(z.string(), z.unknown()).catch({}),
});
const runSchema = z.object({
  tool: z.object({ driver: z.object({ name: text }) }).catch({ driver: { name: '' } }),
  results: z.preprocess((given) => (Array.isArray(given) ? given : [given]), z.array(z.unknown())),
});

const LEVELS = new Map<string, Severity>([
  ['error', 'high'],
  ['warning', 'medium'],
  ['note', 'low'],
]);
const MAX_DEPTH = 12;

export function fromSarif({ runs }: Sarif): Candidate[] {
  return runs.flatMap((run) => {
    const read = runSchema.safeParse(run).data;
    if (read === undefined) return odd('a scanner', run);
    const tool = read.tool.driver.name || 'a scanner';
    return read.results.flatMap((result) => fromResult(tool, result));
  });
}

/** Not of this format, and no reason to leave out the others: whatever text is in it is looked through. */
const odd = (tool: string, raw: unknown): Candidate[] => [
  { text: stringsIn(raw, MAX_DEPTH).join('\n\n'), where: placeText({ by: tool }), suspect: false },
];

function fromResult(tool: string, raw: unknown): Candidate[] {
  const result = resultSchema.safeParse(raw).data;
  if (result === undefined) return odd(tool, raw);
  const { ruleId, level, locations, partialFingerprints } = result;
  const place = locations[0]?.physicalLocation;
  const commit = partialFingerprints.commitSha;
  const severity = LEVELS.get(level);
  const where = placeText({
    file: place?.artifactLocation.uri,
    line: place?.region?.startLine,
    commit: typeof commit === 'string' ? commit : undefined,
    by: `${tool}: ${ruleId}`,
  });
  return [
    {
      text: stringsIn(raw, MAX_DEPTH).join('\n\n'),
      where,
      ...(severity === undefined ? {} : { severity }),
      id: `sarif:${where}`,
      suspect: isSuspect(ruleId),
    },
  ];
}

/** Snippets may stand in several places, and each tool has its own. */
function stringsIn(value: unknown, depth: number): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null || depth === 0) return [];
  return Object.values(value).flatMap((inner) => stringsIn(inner, depth - 1));
}
