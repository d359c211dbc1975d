// The kill switch in Redis, signed like the log: what cannot be read for certain counts as pressed.
import type { Pause } from '../../domain/incident/incident.ts';
import { scrubbed } from '../../domain/text/scrub.ts';
import type { PauseSwitch } from '../../ports/pause-switch.ts';
import { MAC_LENGTH, macOf } from './chain.ts';
import type { Store } from './connect.ts';
import type { Keys } from './derived-keys.ts';
import { keySpace } from './key-space.ts';

export interface PauseSwitchOptions {
  store: Store;
  prefix: string;
  keys: Keys;
}

/** No incident's id, so that no entry of a log can be taken for the switch. */
const NAME = '@pause';
const DAMAGED: Pause = {
  by: '',
  reason:
    'the switch in Redis was changed by something else than Tourniquet, so nothing is done until somebody resumes',
  at: new Date(0).toISOString(),
};

export function createPauseSwitch({ store, prefix, keys }: PauseSwitchOptions): PauseSwitch {
  const { pause: key } = keySpace(prefix);
  return {
    async read() {
      const stored = await store.run((redis) => redis.get(key));
      if (stored === null) return undefined;
      const text = stored.slice(MAC_LENGTH + 1);
      if (stored !== `${macOf(keys.chain, '', NAME, text)} ${text}`) return DAMAGED;
      return (JSON.parse(text) as Pause | null) ?? undefined;
    },
    async write(pause) {
      const text = JSON.stringify(scrubbed(pause ?? null));
      await store.keep((redis) => redis.set(key, `${macOf(keys.chain, '', NAME, text)} ${text}`));
    },
  };
}
