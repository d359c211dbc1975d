// Builds one role of Tourniquet from its configuration. This file and its folder are the only ones that join adapters with registries.
import { startBotRole } from './compose/bot.ts';
import { warnOfLoss } from './compose/loss.ts';
import { startMonitoring } from './compose/monitoring.ts';
import { openShared } from './compose/shared.ts';
import { slackLine } from './compose/slack-line.ts';
import { openTelemetry } from './compose/telemetry.ts';
import { warmUp } from './compose/warm-up.ts';
import { startWorkerRole } from './compose/worker.ts';
import type { Config } from './config/config.ts';
import { sweep } from './engine/door/sweep.ts';
import { every } from './every.ts';
import type { Log } from './log.ts';

export interface Running {
  /** Port of the webhooks (bot), and of health and metrics (worker, and bot where it has one). */
  ports: { http?: number; health?: number };
  /** Finishes what is running, within the grace period, and lets go of everything. */
  stop(): Promise<void>;
}

export async function compose(config: Config, log: Log, graceMs: number): Promise<Running> {
  const stack = new AsyncDisposableStack();
  const assembly = { config, log, stack, graceMs };
  try {
    const line = config.role === 'worker' ? undefined : slackLine();
    const shared = openShared(assembly, await openTelemetry(assembly, line));
    const warm = warmUp([shared.queue.open()]);
    await warmUp([shared.clock.ask()]);
    const ports: Running['ports'] = {};
    const { metricsPort, healthPort } = config.http;
    if (config.role !== 'bot') await startWorkerRole(assembly, shared);
    const port = config.role === 'bot' ? metricsPort : healthPort;
    if (port !== undefined) ports.health = await startMonitoring(assembly, shared, port);
    if (line) ports.http = await startBotRole(assembly, shared, line);
    await warm;
    warnOfLoss(assembly, shared.store);
    const sweeping = every(
      config.sweepEvery,
      () => sweep(shared.deps),
      (err) => log.warn({ err }, 'sweeping failed; it is tried again'),
    );
    stack.defer(() => sweeping.stop());
    return { ports, stop: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
