// What time it is, for everybody the same.

export interface Clock {
  /** Unix milliseconds. */
  now(): number;
}
