// A place where a token may be, as every format is read into: some text, where it was found, and what the finder says of it.
import type { LeakAlert } from '../../domain/incident/alert.ts';

export type Severity = NonNullable<LeakAlert['severity']>;

export interface Candidate {
  /** What may hold tokens. */
  text: string;
  /** It is the thing itself, so that the number of a line in it means something. */
  whole?: true;
  /** For people: file, line, commit, detector. */
  where: string;
  url?: string;
  severity?: Severity;
  /** The finder's own id of the finding. */
  id?: string;
  /** The finder takes it for something of Kubernetes, so that it matters also where its value is left out. */
  suspect: boolean;
}

export const isSuspect = (detector: string): boolean =>
  /kube|k8s|openshift|jwt|json.?web.?token|service.?account/i.test(detector);

/** "deploy/kc.yaml:4 at commit 1a2b3c4d5e6f (gitleaks: jwt)" */
export function placeText(parts: {
  in?: string | undefined;
  file?: string | undefined;
  line?: number | undefined;
  commit?: string | undefined;
  by: string;
}): string {
  const { file, line, commit, by } = parts;
  const spot = file === undefined ? 'a place that is not named' : `${file}${line ? `:${line}` : ''}`;
  return [
    ...(parts.in ? [`${parts.in}:`] : []),
    spot,
    ...(commit ? [`at commit ${commit.slice(0, 12)}`] : []),
    `(${by})`,
  ].join(' ');
}
