// The three keys of one secret: sealing, chaining and fingerprints must not share one, or a weakness of one use is one of all.
import { hkdfSync } from 'node:crypto';
import type { Secret } from '../../secret.ts';

export interface Keys {
  /** AES-256-GCM over leaked tokens. */
  seal: Buffer;
  /** HMAC-SHA256 that chains the events of an incident. */
  chain: Buffer;
  /** HMAC-SHA256 by which two reports of one token are recognised. */
  fingerprint: Buffer;
}

/** `key`: 32 bytes in base64, as checked by the configuration. */
export function deriveKeys(key: Secret): Keys {
  const material = Buffer.from(key.reveal(), 'base64');
  const derive = (use: string) => Buffer.from(hkdfSync('sha256', material, '', `tourniquet/${use}/v1`, 32));
  return { seal: derive('seal'), chain: derive('chain'), fingerprint: derive('fingerprint') };
}
