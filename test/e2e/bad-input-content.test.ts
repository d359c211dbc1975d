// Well-formed alerts with treacherous or useless content: no attacker is contacted, no foreign token is sent anywhere, nothing is guessed.

import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { inspectTraces } from '../../sandbox/traces.ts';
import { WORKER, type World } from '../../sandbox/world.ts';
import {
  base64,
  boundPayload,
  jwt,
  legacyPayload,
  unsignedJwt,
  wrap,
} from '../domain/token/token-samples.ts';
import { answersTo, cardShows, cards, expectStillWorks, opened, openStage, textOf } from './stage.ts';

const PATIENT = { timeout: 60_000 };
let world: World;
let attacker: Server;
let contacts = 0;
/** Every token that was ever reported here: none may be found anywhere in the end. */
const reported: string[] = [];

beforeAll(async () => {
  attacker = createServer((socket) => {
    contacts++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => attacker.listen(0, '127.0.0.1', resolve));
  world = await openStage();
  const { seed } = world.cluster('prod');
  seed.serviceAccount('kube-system', 'node-agent');
  await Promise.all([world.startRole('bot'), world.startRole('worker')]);
}, 120_000);
afterAll(async () => {
  await world?.close();
  attacker.close();
});
beforeEach(({ onTestFailed }) => onTestFailed(() => console.log(world.slack.transcript('incidents'))));

const newToken = async (namespace = 'payments', serviceAccount = 'checkout'): Promise<string> => {
  const name = `${serviceAccount}-token-${reported.length}`;
  const token = await world.cluster('prod').seed.tokenSecret(namespace, name, serviceAccount);
  reported.push(token);
  return token;
};
const remember = (token: string): string => {
  reported.push(token);
  return token;
};
const open = async (data: Record<string, unknown>): Promise<string> => opened(await world.report(data));
const errorOf = async (response: Response) => ((await response.json()) as { error?: string }).error;

function kubeconfig(server: string, ...tokens: string[]): string {
  const config = parse(world.cluster('prod').kubeconfig(WORKER));
  for (const { cluster } of config.clusters) cluster.server = server;
  config.users = tokens.map((token, index) => ({ name: `user-${index}`, user: { token } }));
  return stringify(config);
}

describe('text that is no ServiceAccount token is refused with the reason', PATIENT, () => {
  it.each<[string, RegExp, () => string]>([
    [
      'a token of something else',
      /not of a Kubernetes ServiceAccount/,
      () => jwt({ iss: 'https://id.example', sub: 'user:7' }),
    ],
    ['HS256', /no Kubernetes API server uses/, () => unsignedJwt(legacyPayload(), { alg: 'HS256' }, 32)],
    ['algorithm none', /cut off or altered/, () => unsignedJwt(legacyPayload(), { alg: 'none' }, 0)],
    [
      'algorithm none with a signature',
      /no Kubernetes API server uses/,
      () => unsignedJwt(legacyPayload(), { alg: 'none' }),
    ],
    ['half a token', /cut off or altered/, () => jwt(legacyPayload()).slice(0, -80)],
    [
      'a token without its signature',
      /cut off or altered/,
      () => jwt(legacyPayload()).replace(/\.[^.]*$/, ''),
    ],
    [
      'a token that contradicts itself',
      /contradicts itself/,
      () => jwt(legacyPayload({ sub: 'system:serviceaccount:rohan:theoden' })),
    ],
    ['a megabyte that begins like a token', /names no token/, () => `eyJ${'a'.repeat(1_000_000)}`],
    [
      'a megabyte with the dots of a token',
      /longer than any ServiceAccount token/,
      () => ['eyJ', 'eyJ', ''].map((head) => head + 'a'.repeat(300_000)).join('.'),
    ],
    [
      'a megabyte of beginnings of tokens',
      /cut off or altered|names no token/,
      () => 'eyJhbGciOi.eyJhbGciOi.'.repeat(45_000),
    ],
  ])('%s', async (_, words, text) => {
    const response = await world.report({ token: remember(text()) });
    expect([response.status, await errorOf(response)]).toEqual([400, expect.stringMatching(words)]);
    expect(cards(world)).toEqual([]);
  });
});

describe('a token that no known cluster signed', PATIENT, () => {
  it.each([
    ['long-lived', () => jwt(legacyPayload())],
    ['bound', () => jwt(boundPayload())],
    [
      'that borrows a name and an address from ours',
      () =>
        jwt(
          legacyPayload({
            iss: world.cluster('prod').url,
            sub: 'system:serviceaccount:payments:checkout',
            'kubernetes.io/serviceaccount/namespace': 'payments',
            'kubernetes.io/serviceaccount/service-account.name': 'checkout',
          }),
        ),
    ],
  ])('(%s) is sent to none of them, and a person is asked', async (_, make) => {
    const before = [world.cluster('prod'), world.cluster('staging')].map(({ requests }) => requests.length);
    const id = await open({ token: remember(make()) });
    const card = await cardShows(world, id, /no configured cluster \(prod, staging\) signed it/);
    expect(textOf(card)).toContain('Identify token');
    const since = [world.cluster('prod'), world.cluster('staging')].flatMap(({ requests }, index) =>
      requests.slice(before[index]),
    );
    // Anything authenticated by the foreign token would have been answered 401; anything that carries it in its body is a POST.
    expect(before).not.toContain(0);
    expect(since.filter(({ method, status }) => method !== 'GET' || status === 401)).toEqual([]);
  });
});

describe('a real token is contained on the cluster that signed it', PATIENT, () => {
  it("in a kubeconfig that names an attacker's server, which is never contacted", async () => {
    const token = await newToken();
    const { port } = attacker.address() as AddressInfo;
    const id = await open({ kubeconfig: kubeconfig(`https://127.0.0.1:${port}`, token) });
    await cardShows(world, id, /Contained: refused by 2 of 2.*on prod/);
    expect(await answersTo(world, token)).toEqual([401, 401]);
    expect(contacts).toBe(0);
  });

  it('in a kubeconfig with two of them, which are two incidents', async () => {
    const tokens = [await newToken(), await newToken('ci', 'release-robot')];
    const response = await world.report({ kubeconfig: kubeconfig('https://api.example:6443', ...tokens) });
    const { incidents } = (await response.json()) as { incidents: { id: string; created: boolean }[] };
    expect(incidents.map(({ created }) => created)).toEqual([true, true]);
    for (const { id } of incidents) await cardShows(world, id, /Contained: refused by 2 of 2/);
    for (const token of tokens) expect(await answersTo(world, token)).toEqual([401, 401]);
  });

  it('in base64 of the manifest of its Secret, wrapped and quoted in a mail', async () => {
    const token = await newToken();
    const manifest = stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata: { namespace: 'payments', name: 'checkout-token' },
      data: { token: base64(token) },
    });
    const text = `Hi,\nlook what I found:\n${wrap(base64(manifest), 76, '> ')}\nRegards`;
    const id = await open({ text });
    await cardShows(world, id, /Contained: refused by 2 of 2/);
    expect(await answersTo(world, token)).toEqual([401, 401]);
  });

  it('with a story around it that looks like markup, which stays text', async () => {
    const token = await newToken();
    const where = {
      text: '<!channel> <https://evil.example|click> `x` *y*',
      url: 'https://a.example/<script>',
    };
    const id = await open({ token, where, reason: '<@UINES00001> said it is fine' });
    const card = await cardShows(world, id, /Contained/);
    expect(textOf(card)).toContain('&lt;!channel&gt; &lt;https://evil.example|click&gt;');
    expect(textOf(card)).not.toMatch(/<!channel>|<https:\/\/evil/);
  });
});

describe('names that do not exist', PATIENT, () => {
  it.each<[string, Record<string, unknown>, RegExp, string | undefined]>([
    [
      'a cluster',
      { cluster: 'prd', namespace: 'payments', serviceAccount: 'checkout' },
      /no cluster named prd/,
      'prod',
    ],
    [
      'a namespace',
      { cluster: 'prod', namespace: 'payment', serviceAccount: 'checkout' },
      /no ServiceAccount payment\/checkout on prod/,
      'prod/payments/checkout',
    ],
    [
      'a ServiceAccount',
      { cluster: 'prod', namespace: 'payments', serviceAccount: 'chekout' },
      /no ServiceAccount payments\/chekout on prod/,
      'prod/payments/checkout',
    ],
    [
      'a Secret',
      { cluster: 'prod', namespace: 'payments', secret: 'checkout-tokn' },
      /no token Secret payments\/checkout-tokn/,
      'prod/payments/checkout-token',
    ],
    [
      'anything like it',
      { namespace: 'moria', serviceAccount: 'balrog' },
      /no ServiceAccount moria\/balrog on prod, staging/,
      undefined,
    ],
  ])('%s: the card says so and offers what is near', async (_, at, words, near) => {
    const id = await open(at);
    const card = textOf(await cardShows(world, id, words));
    if (near) expect(card).toContain(`\`${near}\``);
    else expect(card).not.toContain('Near:');
  });

  it('on one cluster alone: which of several is meant is asked', async () => {
    const id = await open({ namespace: 'payments', serviceAccount: 'checkout' });
    const card = textOf(await cardShows(world, id, /exists on more than one cluster/));
    expect(card).toContain('`prod/payments/checkout`, `staging/payments/checkout`');
  });
});

describe('what policy leaves to people', PATIENT, () => {
  it.each([
    [
      'a protected namespace',
      'kube-system',
      'node-agent',
      /Not contained automatically.*kube-system is protected/,
    ],
    [
      "the worker's own identity",
      WORKER.namespace,
      WORKER.serviceAccount,
      /Not contained automatically.*identity that Tourniquet itself uses on prod/,
    ],
  ])('%s: said on the card, nothing done, and a person can', async (_, namespace, name, words) => {
    const token = await newToken(namespace, name);
    const id = await open({ token });
    const card = await cardShows(world, id, words);
    expect(textOf(await cardShows(world, id, /Quarantine now/))).toContain('Approve plan');
    expect(await answersTo(world, token)).toEqual([201, 201]);
    expect(card.text).not.toContain('Contained');
  });
});

it('credentials of another kind end with a person', PATIENT, async () => {
  const id = await open({ text: `oc login --token=sha256~${'Ab3_'.repeat(11).slice(0, 43)}` });
  await cardShows(world, id, /1 credential\(s\) that are not ServiceAccount tokens/);
});

it('after all that the next leak is contained, and none of the values stands anywhere', PATIENT, async () => {
  await expectStillWorks(world);
  expect(contacts).toBe(0);
  for (const token of reported.filter((text) => text.length < 10_000))
    expect(await inspectTraces(world, token), `token ${reported.indexOf(token)}`).toMatchObject({
      found: [],
    });
});
