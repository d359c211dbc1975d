// The product's own conditional writes, on simulated and real clusters: no healthy token is touched, every copy of the leaked one dies.
import { afterAll } from 'vitest';
import { sideBySide } from './side-by-side.ts';
import type { Start } from './subject.ts';
import { deletion } from './writes/deletion.ts';
import { closeAll } from './writes/product.ts';
import { quarantine } from './writes/quarantine.ts';
import { recreation } from './writes/recreation.ts';
import { twins } from './writes/twins.ts';

const closing = (): void => afterAll(closeAll);

export function conditionalWrites(name: string, start: Start, { shared = false } = {}): void {
  const concurrent = [quarantine, deletion, recreation, closing];
  sideBySide(`conditional writes on ${name}`, start, concurrent, shared ? [] : [twins]);
}
