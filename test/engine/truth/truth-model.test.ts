// Whatever happens to clusters, processes and people: nothing that is read says for longer than until the next owed look what the API servers contradict.
import { it } from 'vitest';
import { nothingUntrueIsSaid } from './property.ts';

it('no short sequence of events makes anything that is read contradict the API servers', async () => {
  await nothingUntrueIsSaid(100, 8);
}, 120_000);
