// Starts one role: node src/main.ts bot | worker | all.
import { loadConfig, type Role, takeEnvironment } from './config/config.ts';
import { scrub } from './domain/text/scrub.ts';
import { isAppError } from './errors.ts';

const ROLES: readonly string[] = ['bot', 'worker', 'all'];
/** Kubernetes grants 30 s by default between SIGTERM and SIGKILL. */
const GRACE_MS = 25_000;

async function main(argument: string | undefined): Promise<void> {
  if (argument === undefined || !ROLES.includes(argument)) {
    console.error(`Say which role to start: npm start -- ${ROLES.join(' | ')}`);
    process.exitCode = 2;
    return;
  }
  // As process 1 of a container a signal without a handler is ignored, also while nothing was taken up yet.
  let stop: (signal: string) => void = () => process.exit(0);
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => stop(signal));
  const config = loadConfig(argument as Role, takeEnvironment());
  const [{ createLog }, { compose }] = await Promise.all([import('./log.ts'), import('./compose.ts')]);
  const log = createLog({ level: config.logLevel }).child({ role: config.role });
  const running = await compose(config, log, GRACE_MS);
  log.info({ ports: running.ports }, 'ready');
  stop = (signal) => {
    log.info({ signal }, 'stopping: no new work is taken, running work is finished');
    running.stop().then(
      () => process.exit(0),
      (err: unknown) => {
        log.error({ err }, 'could not stop cleanly');
        process.exit(1);
      },
    );
  };
}

/** What an error says of itself, and nothing that a library hung on it. */
function lastWords(error: unknown): never {
  const words = isAppError(error) ? error.message : error instanceof Error ? error.stack : String(error);
  console.error(scrub(words ?? ''));
  // Sockets of half-started parts must not keep the process alive.
  process.exit(1);
}

// Node would print the error with all that is on it.
for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, lastWords);
main(process.argv[2]).catch(lastWords);
