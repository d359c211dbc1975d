// Where a secret value leaves: a new file that only its owner can read, or the standard output where a person says so.
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { AppError } from '../../errors.ts';
import type { Secret } from '../../secret.ts';
import type { Terminal } from '../terminal.ts';

export interface Outlet {
  /** As people are told. */
  name: string;
  put(value: Secret): void;
  /** Leaves no empty file behind; what was put stays. */
  discard(): void;
}

/** Never over a file that exists, nor through a link: that could be readable by others. Throws AppError `bad-input`. */
export function openOutlet(path: string | undefined, stdout: Terminal['stdout']): Outlet {
  if (path === undefined)
    return { name: 'the standard output', put: (value) => stdout.write(value.reveal()), discard: () => {} };
  let file: number;
  try {
    file = openSync(path, 'wx', 0o600);
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new AppError(
      'bad-input',
      `${exists ? `${path} exists already` : `Cannot write ${path}`}. Name another file by --out. Nothing was made.`,
      { cause },
    );
  }
  let done = false;
  return {
    name: path,
    put(value) {
      writeFileSync(file, value.reveal());
      closeSync(file);
      done = true;
    },
    discard() {
      if (done) return;
      closeSync(file);
      rmSync(path, { force: true });
    },
  };
}
