// Builds the control plane's executable once and keeps it: compiling Kubernetes takes minutes, starting it seconds.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, constants, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOURCES = fileURLToPath(new URL('.', import.meta.url));
const CACHE = fileURLToPath(new URL('../../../.cache/controlplane', import.meta.url));
const PROGRESS_MS = 15_000;
const LOOK_AGAIN_MS = 1000;
const GO_ENV = { ...process.env, CGO_ENABLED: '0' };
const run = promisify(execFile);

type Say = (line: string) => void;

/** The path of the executable, built first where this version of it was never built on this machine. */
export async function controlPlaneExecutable(say: Say = (line) => console.error(line)): Promise<string> {
  const directory = join(process.env.CONTROLPLANE_CACHE ?? CACHE, await sourcesKey(await goVersion()));
  const executable = join(directory, 'controlplane');
  if (await isExecutable(executable)) return executable;
  await mkdir(directory, { recursive: true });
  await locked(join(directory, 'lock'), say, async () => {
    if (await isExecutable(executable)) return;
    // Its own name, and moved into place whole: nobody ever starts half an executable.
    const unfinished = `${executable}.${process.pid}`;
    await build(unfinished, say);
    await rename(unfinished, executable);
  });
  return executable;
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

async function goVersion(): Promise<string> {
  try {
    return (await run('go', ['version'], { cwd: SOURCES })).stdout;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new Error(
      'There is no Go on PATH, which the real control plane is built with. Install Go 1.26 or later from ' +
        'https://go.dev/dl (macOS: brew install go), then try again. The simulated cluster needs none.',
      { cause },
    );
  }
}

async function sourcesKey(version: string): Promise<string> {
  const hash = createHash('sha256').update(version);
  const names = (await readdir(SOURCES)).filter((name) => /^go\.(mod|sum)$|\.go$/.test(name));
  for (const name of names.sort()) hash.update(`\0${name}\0`).update(await readFile(join(SOURCES, name)));
  return hash.digest('hex').slice(0, 16);
}

/** One build at a time: two would take twice as long, and the second finds the work done. */
async function locked(path: string, say: Say, work: () => Promise<void>): Promise<void> {
  let told = false;
  while (!(await take(path))) {
    const holder = Number(await readFile(path, 'utf8').catch(() => ''));
    if (holder > 0 && !isAlive(holder)) {
      await rm(path, { force: true });
    } else {
      if (!told) say(`Process ${holder} is building the control plane already: waiting for it.`);
      told = true;
      await delay(LOOK_AGAIN_MS);
    }
  }
  try {
    await work();
  } finally {
    await rm(path, { force: true });
  }
}

const take = (path: string): Promise<boolean> =>
  writeFile(path, String(process.pid), { flag: 'wx' }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Which Kubernetes it is, like 1.37.2. */
export async function kubernetesVersion(): Promise<string> {
  const modules = await readFile(join(SOURCES, 'go.mod'), 'utf8');
  const [, version] = /k8s\.io\/kubernetes v(\d+\.\d+\.\d+)/.exec(modules) ?? [];
  if (version === undefined) throw new Error('go.mod does not require k8s.io/kubernetes: restore that line.');
  return version;
}

/** Without these the servers call themselves a development version. */
async function buildFlags(): Promise<string[]> {
  const version = await kubernetesVersion();
  const [major, minor] = version.split('.');
  const values = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor };
  const named = Object.entries(values).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  );
  return ['-trimpath', '-buildvcs=false', '-ldflags', `-s -w ${named.join(' ')}`];
}

async function build(target: string, say: Say): Promise<void> {
  say('Building the control plane, once for this version of it: etcd, Kubernetes and KWOK.');
  say('From nothing this takes about 11 minutes on 2 idle cores, and a download of some hundred megabytes.');
  const flags = await buildFlags();
  const packages = await stalePackages(flags);
  say(`${packages} packages are to be compiled, then linked.`);
  const started = Date.now();
  const compiler = spawn('go', ['build', '-v', ...flags, '-o', target, '.'], {
    cwd: SOURCES,
    env: GO_ENV,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const tail = await followProgress(compiler, packages, say);
  if (compiler.exitCode !== 0)
    throw new Error(`The control plane could not be built. Go said:\n${tail.join('\n')}`);
  say(`Built in ${minutes(Date.now() - started)}.`);
}

/** How many packages are to be compiled, besides our own; Go downloads the modules meanwhile. */
async function stalePackages(flags: string[]): Promise<number> {
  const list = ['list', '-deps', '-f', '{{if .Stale}}stale{{end}}', ...flags, '.'];
  const { stdout } = await run('go', list, { cwd: SOURCES, env: GO_ENV, maxBuffer: 1e8 });
  return stdout.split('\n').filter((line) => line !== '').length - 1;
}

/** Answers the last lines that the compiler wrote. */
async function followProgress(compiler: ChildProcess, packages: number, say: Say): Promise<string[]> {
  const closed = once(compiler, 'close');
  const started = Date.now();
  let done = 0;
  const tail: string[] = [];
  const ticker = setInterval(() => {
    const spent = Date.now() - started;
    const left = done > 0 ? `, very roughly ${minutes((spent * (packages - done)) / done)} left` : '';
    const now = done < packages ? `${done} of ${packages} packages` : 'linking';
    say(`  ${now}, ${minutes(spent)} so far${done < packages ? left : ''}`);
  }, PROGRESS_MS);
  if (compiler.stderr)
    for await (const line of createInterface(compiler.stderr)) {
      done += 1;
      tail.push(line);
      if (tail.length > 20) tail.shift();
    }
  clearInterval(ticker);
  await closed;
  return tail;
}

const minutes = (ms: number): string =>
  ms < 90_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;

if (import.meta.main) {
  try {
    console.log(await controlPlaneExecutable());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
