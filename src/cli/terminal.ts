// The process around a command, or a stand-in of it.

/** The process around a command, or a stand-in of it. */
export interface Terminal {
  stdin: AsyncIterable<Uint8Array | string> & { isTTY?: boolean };
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
  env: Record<string, string | undefined>;
  /** Where a secret value goes that a person asked for; absent: the standard output. */
  handover?: { write(text: string): unknown };
}

/** Time as a command sees it, or a stand-in of it. */
export interface Waiting {
  sleep(ms: number): Promise<unknown>;
  now(): number;
}
