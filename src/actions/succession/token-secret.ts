// Waits until the token controller has put a token into a Secret; seen by its annotation, so that no value is read.
import type { StepTools } from '../../contracts/action.ts';
import { SERVICE_ACCOUNT_UID } from '../../domain/kubernetes/legacy-token-labels.ts';
import { resources } from '../../domain/kubernetes/resources.ts';
import type { KubernetesObject, ObjectRef } from '../../ports/cluster.ts';

const LOOK_EVERY_MS = 250;
const PATIENCE_MS = 30_000;

export const tokenSecretRef = (namespace: string, name: string): ObjectRef => ({
  resource: resources.secrets,
  namespace,
  name,
});

/** UID of the ServiceAccount whose token it holds; the controller writes both at once. */
export const accountIn = (secret: KubernetesObject | null | undefined): string | undefined =>
  secret?.metadata.annotations?.[SERVICE_ACCOUNT_UID];

/** Asks until the answer is something, or patience ends. */
export async function patiently<T>(
  { sleep, now }: Pick<StepTools, 'sleep' | 'now'>,
  question: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const until = now() + PATIENCE_MS;
  for (;;) {
    const answer = await question();
    if (answer !== undefined || now() >= until) return answer;
    await sleep(LOOK_EVERY_MS);
  }
}
