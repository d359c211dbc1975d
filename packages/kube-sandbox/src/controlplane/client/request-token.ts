// Gets a token as a Pod would, for a ServiceAccount that is made where it is missing.
import type { Call } from './call.ts';

const YEAR_SECONDS = 365 * 24 * 3600;

export async function requestToken(call: Call, namespace: string, serviceAccount: string): Promise<string> {
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  await create(call, '/api/v1/namespaces', namespace);
  await create(call, accounts, serviceAccount);
  const { status, body } = await call<{ status?: { token?: string } }>(
    'POST',
    `${accounts}/${serviceAccount}/token`,
    { body: { spec: { expirationSeconds: YEAR_SECONDS } } },
  );
  const token = body.status?.token;
  if (token === undefined)
    throw new Error(`TokenRequest for ${namespace}/${serviceAccount} answered ${status}.`);
  return token;
}

async function create(call: Call, path: string, name: string): Promise<void> {
  const { status } = await call('POST', path, { body: { metadata: { name } } });
  if (status !== 201 && status !== 409) throw new Error(`Creating ${name} at ${path} answered ${status}.`);
}
