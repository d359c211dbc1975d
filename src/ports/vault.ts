// Where leaked tokens are kept, sealed.
import type { Secret } from '../secret.ts';

/** Sealed tokens. */
export interface Vault {
  open(id: string): Promise<Secret | undefined>;
  destroy(id: string): Promise<void>;
  /** Keyed fingerprint, for dedupe and comparison; the same for the bot and the worker. */
  fingerprint(token: Secret): string;
}
