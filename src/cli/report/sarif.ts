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
  results: z.array(z.unknown()).catch([]),
});

const LEVELS: Record<string, Severity> = { error: 'high', warning: 'medium', note: 'low' };
const MAX_DEPTH = 12;

export function fromSarif({ runs }: Sarif): Candidate[] {
  return runs.flatMap((run) => {
    const { tool, results } = runSchema.parse(run);
    return results.map((result) => fromResult(tool.driver.name || 'a scanner', result));
  });
}

function fromResult(tool: string, raw: unknown): Candidate {
  const { ruleId, level, locations, partialFingerprints } = resultSchema.parse(raw);
  const place = locations[0]?.physicalLocation;
  const commit = partialFingerprints.commitSha;
  const severity = LEVELS[level];
  const where = placeText({
    file: place?.artifactLocation.uri,
    line: place?.region?.startLine,
    commit: typeof commit === 'string' ? commit : undefined,
    by: `${tool}: ${ruleId}`,
  });
  return {
    text: stringsIn(raw, MAX_DEPTH).join('\n\n'),
    where,
    ...(severity === undefined ? {} : { severity }),
    id: `sarif:${where}`,
    suspect: isSuspect(ruleId),
  };
}

/** Snippets may stand in several places, and each tool has its own. */
function stringsIn(value: unknown, depth: number): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null || depth === 0) return [];
  return Object.values(value).flatMap((inner) => stringsIn(inner, depth - 1));
}
