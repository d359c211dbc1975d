// Helm itself: the one that HELM names, or built once from its Go module, and run with nothing of this machine's configuration.
import { execFile } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { ROOT } from '../structure/tree.ts';

const VERSION = 'v4.3.1';
const CHART = join(ROOT, 'helm');
const run = promisify(execFile);

export async function helmExecutable(): Promise<string> {
  const named = process.env.HELM;
  if (named) return named;
  const directory = join(ROOT, '.cache/helm', VERSION);
  const executable = join(directory, 'helm');
  if (await isExecutable(executable)) return executable;
  console.error(
    `Building Helm ${VERSION} once, from its Go module; this takes minutes. HELM can name one of yours.`,
  );
  await mkdir(directory, { recursive: true });
  // Moved into place whole: nobody ever starts half an executable.
  const unfinished = await mkdtemp(join(directory, 'build-'));
  const env = { ...process.env, GOBIN: unfinished, CGO_ENABLED: '0' };
  await run('go', ['install', '-trimpath', '-ldflags=-s -w', `helm.sh/helm/v4/cmd/helm@${VERSION}`], { env });
  await rename(join(unfinished, 'helm'), executable);
  await rm(unfinished, { recursive: true });
  return executable;
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

export interface HelmResult {
  stdout: string;
  stderr: string;
  code: number;
}

export type Values = Record<string, unknown>;

export interface Helm {
  /** `helm <args> helm/ -f <values>`. Never rejects because of a non-zero code. */
  (args: string[], values: Values): Promise<HelmResult>;
  close(): Promise<void>;
}

export async function openHelm(): Promise<Helm> {
  const executable = await helmExecutable();
  const home = await mkdtemp(join(tmpdir(), 'tourniquet-helm-'));
  const helm = async (args: string[], values: Values): Promise<HelmResult> => {
    const file = join(home, 'values.yaml');
    await writeFile(file, stringify(values));
    try {
      const all = [...args, CHART, '--values', file];
      return { ...(await run(executable, all, { env: { HOME: home }, maxBuffer: 1e7 })), code: 0 };
    } catch (error) {
      const { stdout = '', stderr = '', code } = error as Partial<HelmResult>;
      if (typeof code !== 'number') throw error;
      return { stdout, stderr, code };
    }
  };
  return Object.assign(helm, { close: () => rm(home, { recursive: true, force: true }) });
}
