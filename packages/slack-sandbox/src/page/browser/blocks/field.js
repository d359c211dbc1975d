// @ts-check
// What every element that holds an answer does when the answer changes.
import { askConfirm } from './confirm.js';
/** @import { ConfirmationDialog } from '@slack/types' */
/** @import { Entered, Placement } from '../types.d.ts' */

/**
 * @param {{ type: string, action_id?: string, confirm?: ConfirmationDialog }} element
 * @param {Placement} place
 * @param {Entered} initial
 */
export function fieldOf(element, place, initial) {
  const { surface, blockId } = place;
  const actionId = element.action_id ?? '';
  surface.form.open(blockId, actionId, element.type, initial);
  return {
    /** @returns {Entered} */
    entered: () => surface.form.get(blockId, actionId) ?? initial,
    /**
     * @param {Entered} next
     * @param {boolean} [dispatches]
     * @returns {Promise<boolean>} false when the person said no to the confirmation
     */
    async change(next, dispatches = place.dispatches) {
      if (dispatches && element.confirm && !(await askConfirm(element.confirm, surface.names))) return false;
      surface.form.set(blockId, actionId, next);
      surface.edited?.(blockId);
      if (dispatches)
        await surface.dispatch({ type: element.type, action_id: actionId, block_id: blockId, ...next });
      return true;
    },
  };
}

/**
 * The attributes every control carries.
 * @param {{ action_id?: string, placeholder?: { text: string } }} element
 * @param {Placement} place
 */
export function controlAttributes(element, place) {
  return {
    'data-action-id': element.action_id ?? '',
    'aria-labelledby': place.labelledBy,
    'aria-describedby': place.labelledBy && `${place.labelledBy}-more`,
    'aria-label': place.labelledBy ? undefined : (element.placeholder?.text ?? 'Choose'),
  };
}
