// Every Redis key that Tourniquet writes itself, in one place. BullMQ keeps its own under <prefix>:<prefix>-{bot,worker,ask}:….

export interface KeySpace {
  /** LIST of `<mac> <json>`, one per event; the truth about an incident. */
  log(id: string): string;
  /** HASH reporter → version that it has shown. */
  cursors(id: string): string;
  /** SET of what is only counted when it is said again; expires by itself, and goes with every append. */
  heard(id: string): string;
  /** STRING, how many repeats were only counted since one was last written down. */
  repeats(id: string): string;
  /** STRING, the sealed token; expires by itself. */
  token(id: string): string;
  /** STRING, JSON: the message that shows the incident. */
  card(id: string): string;
  /** ZSET of the incidents that share a summary, by the time they were opened. */
  burst(id: string): string;
  /** HASH incident → its burst, empty where it has none. */
  burstOf: string;
  /** ZSET of incidents that were placed lately, by the time they were opened. */
  openings: string;
  /** HASH, the burst that goes on: `id`, and when its latest incident opened. */
  burstNow: string;
  /** HASH of bursts whose summary must be drawn again, each with what its latest change is told by. */
  touched: string;
  /** STRING, the incident that a finding belongs to. */
  claim(key: string): string;
  /** ZSET of what was taken from a budget, by time. */
  budget(name: string): string;
  /** STRING, a delivery that was accepted; expires by itself. */
  seen(id: string): string;
  /** STRING, who does a thing of this name now; expires by itself. */
  lock(name: string): string;
  /** ZSET of incidents about one thing, by the time that was last written; expires by itself. */
  about(name: string): string;
  /** STRING, the kill switch. */
  pause: string;
  /** ZSET of all incidents, by the time they were opened. */
  incidents: string;
  /** SET of incidents that were appended to since they were last anchored. */
  unanchored: string;
  /** SET of incidents that may owe work. */
  sweep: string;
}

export function keySpace(prefix: string): KeySpace {
  return {
    log: (id) => `${prefix}:log:${id}`,
    cursors: (id) => `${prefix}:cursors:${id}`,
    heard: (id) => `${prefix}:heard:${id}`,
    repeats: (id) => `${prefix}:repeats:${id}`,
    token: (id) => `${prefix}:token:${id}`,
    card: (id) => `${prefix}:card:${id}`,
    burst: (id) => `${prefix}:burst:${id}`,
    burstOf: `${prefix}:burst-of`,
    openings: `${prefix}:openings`,
    burstNow: `${prefix}:burst-now`,
    touched: `${prefix}:touched`,
    claim: (key) => `${prefix}:claim:${key}`,
    budget: (name) => `${prefix}:budget:${name}`,
    seen: (id) => `${prefix}:seen:${id}`,
    lock: (name) => `${prefix}:lock:${name}`,
    about: (name) => `${prefix}:about:${name}`,
    pause: `${prefix}:pause`,
    incidents: `${prefix}:incidents`,
    unanchored: `${prefix}:unanchored`,
    sweep: `${prefix}:sweep`,
  };
}
