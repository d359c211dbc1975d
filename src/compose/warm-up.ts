// What would make the first alert slower than the others is done before a process calls itself ready, but not waited for long.

/** Whatever is away now is met again when it is needed. */
const LONGEST_MS = 2000;

export async function warmUp(steps: Promise<unknown>[]): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, LONGEST_MS);
  await Promise.race([Promise.allSettled(steps), late]);
  clearTimeout(timer);
}
