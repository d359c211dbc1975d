// What the documents, the dashboard and the alert rules say of metrics is what the code has.
import { expect, test } from 'vitest';
import { document, withTable } from './metrics-doc.ts';

test('the table of metrics in docs/observability.md is generated', () => {
  expect(document(), 'write it anew: node test/structure/metrics-doc.ts').toBe(withTable(document()));
});
