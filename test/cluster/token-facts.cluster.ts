// What Kubernetes really does with a leaked token, on which every action and every proof of Tourniquet rests.
import { type ControlPlane, startControlPlane } from 'kube-sandbox/controlplane';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { boundTokenFacts } from './facts/bound-tokens.ts';
import { legacyTokenFacts } from './facts/legacy-tokens.ts';
import { serviceAccountFacts } from './facts/service-accounts.ts';
import { unseen } from './facts/witness.ts';

let rsa: ControlPlane;
let ecdsa: ControlPlane;
beforeAll(async () => {
  rsa = await startControlPlane({ name: 'rsa', servers: 2 });
  ecdsa = await startControlPlane({ name: 'ecdsa', signing: 'ES256', nodes: 0 });
});
afterAll(async () => {
  await Promise.all([rsa?.close(), ecdsa?.close()]);
});

const planes = {
  get rsa() {
    return rsa;
  },
  get ecdsa() {
    return ecdsa;
  },
};

legacyTokenFacts(planes);
boundTokenFacts(planes);
serviceAccountFacts(planes);

test('no line of docs/what-kills-which-token.md went untested', () => {
  expect(unseen()).toEqual([]);
});
