// The directory and the processes of one control plane, which end together.
import { type Component, startComponent } from './component.ts';
import { startUndertaker } from './undertaker.ts';

export interface Workplace {
  readonly executable: string;
  readonly directory: string;
  start(name: string, flags: string[]): Promise<Component>;
  running(name: string): Component | undefined;
  pids(): number[];
  onClose(step: () => Promise<void>): void;
  close(): Promise<void>;
}

export function openWorkplace(executable: string, directory: string): Workplace {
  const undertaker = startUndertaker(directory);
  // A program started again keeps its place in the order.
  const components = new Map<string, Component>();
  const steps: (() => Promise<void>)[] = [];
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    await Promise.all(steps.map((step) => step()));
    // In reverse: an API server without its etcd lingers and holds its port.
    for (const component of [...components.values()].toReversed()) await component.kill();
    // It removes the directory, and whatever was being started just now.
    await undertaker.finish();
  };
  return {
    executable,
    directory,
    async start(name, flags) {
      await components.get(name)?.kill();
      if (closing) throw new Error(`${name} cannot be started: this control plane is closed.`);
      const component = await startComponent({ executable, directory, undertaker, name, flags });
      components.set(name, component);
      return component;
    },
    running: (name) => components.get(name),
    pids: () => [undertaker.pid, ...[...components.values()].map(({ pid }) => pid)],
    onClose: (step) => void steps.push(step),
    close() {
      closing ??= closeAll();
      return closing;
    },
  };
}
