// Starts a cluster by itself, simulated or real: prints a kubeconfig, and runs until it is told to stop.
import { parseArgs } from 'node:util';
import { startCluster } from './cluster/cluster.ts';

const USAGE = 'usage: npm start -- [--real] [--name <name>] [--servers 1|2]';

interface Options {
  name: string;
  servers: 1 | 2;
}

interface Running {
  kubeconfig: string;
  about: string;
  close(): Promise<void>;
}

async function simulated(options: Options): Promise<Running> {
  const cluster = await startCluster(options);
  const user = { namespace: 'kube-system', serviceAccount: 'admin' };
  return {
    kubeconfig: cluster.kubeconfig(user),
    about: `The simulated cluster ${options.name} is at ${cluster.servers.map(({ url }) => url).join(', ')}.`,
    close: () => cluster.close(),
  };
}

/** Loaded only when asked for: the simulation needs neither Go nor what talks to the real one. */
async function real(options: Options): Promise<Running> {
  const { startControlPlane } = await import('./controlplane/launch.ts');
  const plane = await startControlPlane(options);
  return {
    kubeconfig: plane.adminKubeconfig,
    about: `The real cluster ${options.name} is at ${plane.servers.map(({ url }) => url).join(', ')}.`,
    close: () => plane.close(),
  };
}

function readOptions(): Options & { real: boolean } {
  const { values } = parseArgs({
    options: {
      real: { type: 'boolean', default: false },
      name: { type: 'string', default: 'sandbox' },
      servers: { type: 'string', default: '1' },
    },
  });
  if (values.servers !== '1' && values.servers !== '2') throw new Error('--servers is 1 or 2.');
  return { real: values.real, name: values.name, servers: values.servers === '1' ? 1 : 2 };
}

try {
  const { real: isReal, ...options } = readOptions();
  const running = await (isReal ? real(options) : simulated(options));
  // A real one has handles of its own that keep no process alive.
  const alive = setInterval(() => undefined, 60_000);
  console.log(running.kubeconfig);
  console.error(`${running.about} Its kubeconfig is on standard output; Ctrl-C ends it.`);
  const end = (): void => {
    clearInterval(alive);
    void running.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  process.exitCode = 2;
}
