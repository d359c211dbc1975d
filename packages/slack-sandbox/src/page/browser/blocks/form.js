// @ts-check
// Remembers what was entered into a message or view, so that a redraw loses nothing.
/** @import { KnownBlock } from '@slack/types' */
/** @import { Entered, Form, Values } from '../types.d.ts' */

/** @returns {Form} */
export function createForm() {
  /** @type {Map<string, { blockId: string, actionId: string, type: string, entered: Entered }>} */
  const held = new Map();
  const keyOf = (/** @type {string} */ blockId, /** @type {string} */ actionId) =>
    JSON.stringify([blockId, actionId]);
  return {
    open(blockId, actionId, type, initial) {
      const key = keyOf(blockId, actionId);
      const known = held.get(key);
      // The same ids with another kind of element are another question: the old answer does not fit it.
      if (known?.type === type) return known.entered;
      held.set(key, { blockId, actionId, type, entered: initial });
      return initial;
    },
    set(blockId, actionId, entered) {
      const known = held.get(keyOf(blockId, actionId));
      if (known) known.entered = entered;
    },
    get: (blockId, actionId) => held.get(keyOf(blockId, actionId))?.entered,
    values(blocks) {
      const keys = (/** @type {KnownBlock} */ block) =>
        elementsOf(block).map((element) => keyOf(block.block_id ?? '', element.action_id ?? ''));
      const shown = new Set(blocks.flatMap(keys));
      /** @type {Values} */
      const values = {};
      for (const [key, { blockId, actionId, type, entered }] of held) {
        if (!shown.has(key)) continue;
        values[blockId] ??= {};
        values[blockId][actionId] = { type, ...entered };
      }
      return values;
    },
  };
}

/** @param {KnownBlock} block */
function elementsOf(block) {
  if (block.type === 'actions') return block.elements;
  if (block.type === 'input') return [block.element];
  return block.type === 'section' && block.accessory && block.accessory.type !== 'image'
    ? [block.accessory]
    : [];
}
