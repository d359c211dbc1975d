// Runs kube-controller-manager: its controllers make, refresh and remove ServiceAccounts, tokens and Pods.
import type { Call } from '../client/call.ts';
import { controllerManagerFlags } from './flags.ts';
import type { Workplace } from './workplace.ts';

/** Ready when they did the first thing that they owe to every namespace. */
export async function startControllers(place: Workplace, call: Call, caPem: string): Promise<void> {
  const controllers = await place.start('kube-controller-manager', controllerManagerFlags(place.directory));
  const inDefault = '/api/v1/namespaces/default';
  await controllers.until(async () => {
    const account = await call('GET', `${inDefault}/serviceaccounts/default`);
    const root = await call<{ data?: Record<string, string> }>(
      'GET',
      `${inDefault}/configmaps/kube-root-ca.crt`,
    );
    return account.status === 200 && root.body.data?.['ca.crt'] === caPem;
  });
}
