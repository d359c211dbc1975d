// The same as truth-model.test.ts, for longer sequences and more of them.
import { it } from 'vitest';
import { nothingUntrueIsSaid } from './property.ts';

it('no long sequence of events makes anything that is read contradict the API servers', async () => {
  await nothingUntrueIsSaid(1500, 16);
}, 600_000);
