// A roll-back whose process dies at any write to its log, and is taken up from the log alone, leaves nobody without a token on the way.
import { expect, it } from 'vitest';
import { dyingLog, everyCrash, survive } from './crash.ts';
import { approve, MINUTE, NEXT, type Opened, opened, SECRETS, undo, usedBy } from './taking-back.ts';

it('leaves nobody without a token wherever its process dies', async () => {
  const rotated = async (): Promise<Opened> => {
    const all = await opened('new-secret');
    await approve(all);
    await undo(all);
    return all;
  };
  const { h, id } = await rotated();
  const crashes = await everyCrash([h, id], () => h.run(id, 10 * MINUTE));
  expect(crashes.length).toBeGreaterThan(20);
  for (const [at, when] of crashes) {
    const all = await rotated();
    all.watch(true);
    all.h.deps.log = dyingLog(all.h.deps.log, at, when);
    await survive(all.h, all.id, 10 * MINUTE);
    expect([...all.lost], `${when} append ${at}`).toEqual([]);
    expect(usedBy(all, 'mounted'), `${when} append ${at}`).toEqual(['api-token']);
    expect(all.h.cluster().get(`${SECRETS}/${NEXT}`)).toBeUndefined();
    await all.h.close();
  }
});
