// Everything that can go wrong between the app and Slack, on demand.

export type Fault =
  | { kind: 'rate_limited'; retryAfter?: number }
  | { kind: 'server_error'; status?: number }
  | { kind: 'error'; error: string }
  | { kind: 'reset_after_accept' }
  | { kind: 'slow'; ms: number }
  | { kind: 'refuse' };

/** `*` stands for every method; posts to a response_url count as the method `response_url`. */
export interface Faults {
  next(method: string, fault: Fault, count?: number): void;
  always(method: string, fault: Fault): void;
  clear(): void;
  /** Behave as if the next acks had been lost on the way. */
  dropAcks(count: number): void;
  /** Deliver each of the next envelopes twice. */
  duplicateEnvelopes(count: number): void;
  /** While on, every call is refused and there are no sockets. */
  outage(on: boolean): void;
}

export interface FaultPlan extends Faults {
  take(method: string): Fault | undefined;
  takeDroppedAck(): boolean;
  takeDuplicate(): boolean;
  isOutage(): boolean;
}

export function createFaults(onOutage: () => void): FaultPlan {
  let plan: { method: string; fault: Fault; left: number }[] = [];
  let acksToDrop = 0;
  let envelopesToDouble = 0;
  let isOutage = false;

  const add = (method: string, fault: Fault, left: number) => {
    plan.push({ method, fault, left });
  };
  return {
    next: (method, fault, count = 1) => add(method, fault, count),
    always: (method, fault) => add(method, fault, Number.POSITIVE_INFINITY),
    clear() {
      plan = [];
      acksToDrop = 0;
      envelopesToDouble = 0;
      isOutage = false;
    },
    dropAcks(count) {
      acksToDrop = count;
    },
    duplicateEnvelopes(count) {
      envelopesToDouble = count;
    },
    outage(on) {
      isOutage = on;
      if (on) onOutage();
    },
    take(method) {
      const entry = plan.find((candidate) => candidate.method === '*' || candidate.method === method);
      if (!entry) return undefined;
      entry.left -= 1;
      if (entry.left <= 0) plan = plan.filter((candidate) => candidate !== entry);
      return entry.fault;
    },
    takeDroppedAck: () => acksToDrop > 0 && acksToDrop-- > 0,
    takeDuplicate: () => envelopesToDouble > 0 && envelopesToDouble-- > 0,
    isOutage: () => isOutage,
  };
}
