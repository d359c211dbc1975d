// What people do with modals: fill in, submit, close; and what Slack does with the app's ack.

import { elementValue, initialValues, interactiveElements, isEmptyValue } from '../blocks/elements.ts';
import type { Core } from '../core.ts';
import { SlackError } from '../slack-error.ts';
import { type Delivery, isRecord, type Json, type Person, type StateValues, type View } from '../types.ts';
import { activePerson, sendInteractive } from './client.ts';
import { closedPayload, submissionPayload } from './payloads.ts';

/** Per block id: what was chosen or typed, or the block's part of Slack's `state.values`. */
export type Answers = Record<string, string | string[] | Record<string, Json>>;

export type Submission = Delivery | { status: 'invalid'; payload: Json };

/** The client itself refuses a form whose required fields are empty; the app then hears nothing. */
export async function submit(
  core: Core,
  user: string,
  viewId: string,
  answers: Answers,
): Promise<Submission> {
  const person = activePerson(core, user);
  const view = topView(core, person, viewId);
  const values = fill(view, answers);
  const missing = missingFields(view, values);
  core.views.setErrors(person.id, missing);
  if (Object.keys(missing).length > 0) return { status: 'invalid', payload: { errors: missing } };
  const payload = submissionPayload(core.state, person, view, {
    values,
    triggerId: core.triggers.issue(person.id),
  });
  const delivery = await sendInteractive(core, payload, person.id);
  if (delivery.status === 'acked') obey(core, person, view, delivery.payload);
  return delivery;
}

function topView(core: Core, person: Person, viewId: string): View {
  const top = core.views.stack(person.id).at(-1);
  if (top?.id !== viewId)
    throw new Error(`${person.name} does not have the view ${viewId} on top; it is ${top?.id ?? 'no view'}.`);
  return top;
}

function fill(view: View, answers: Answers): StateValues {
  const values = initialValues(view.blocks);
  const elements = interactiveElements(view.blocks);
  for (const [blockId, answer] of Object.entries(answers)) {
    if (isRecord(answer)) {
      values[blockId] = { ...values[blockId], ...answer };
      continue;
    }
    const placed = elements.find((element) => element.blockId === blockId);
    if (!placed) {
      const known = elements.map((element) => element.blockId).join(', ');
      throw new Error(`The view has no field ${blockId}; it has ${known}.`);
    }
    values[blockId] = { ...values[blockId], [placed.actionId]: elementValue(placed.element, answer) };
  }
  return values;
}

function missingFields(view: View, values: StateValues): Record<string, string> {
  const missing: Record<string, string> = {};
  for (const block of view.blocks) {
    const id = block.block_id ?? '';
    if (block.type !== 'input' || block.optional === true) continue;
    const given = Object.values(values[id] ?? {});
    if (given.length === 0 || given.some(isEmptyValue)) missing[id] = 'Please complete this required field.';
  }
  return missing;
}

function obey(core: Core, person: Person, view: View, ack: Json): void {
  try {
    switch (ack.response_action) {
      case undefined:
        closeSubmitted(core, person, view);
        return;
      case 'errors':
        showErrors(core, person, view, ack.errors);
        return;
      case 'update':
        core.views.update({ id: view.id }, ack.view);
        return;
      case 'push':
        core.views.push(person.id, ack.view);
        return;
      case 'clear':
        core.views.close(person.id, view.id, true);
        return;
      default:
        throw new SlackError(`unknown response_action ${String(ack.response_action)}`);
    }
  } catch (error) {
    if (!(error instanceof SlackError)) throw error;
    const details = JSON.stringify(error.details);
    core.state.notify(person.id, `We had some trouble connecting. Try again? (${error.code} ${details})`);
  }
}

/** Submitting takes away this view only; the one below shows again. */
function closeSubmitted(core: Core, person: Person, view: View): void {
  core.views.close(person.id, view.id);
}

function showErrors(core: Core, person: Person, view: View, errors: unknown): void {
  const inputs = view.blocks.filter((block) => block.type === 'input').map((block) => block.block_id);
  const isUsable =
    isRecord(errors) &&
    Object.entries(errors).length > 0 &&
    Object.entries(errors).every(([id, text]) => inputs.includes(id) && typeof text === 'string');
  if (!isUsable) throw new SlackError('errors must name input blocks of the view');
  core.views.setErrors(person.id, errors as Record<string, string>);
}

/** Slack tells the app only about views that asked for it. */
export async function closeView(core: Core, user: string, viewId: string): Promise<void> {
  const person = activePerson(core, user);
  const stack = core.views.stack(person.id);
  const index = stack.findIndex((candidate) => candidate.id === viewId);
  const view = stack[index];
  if (!view) throw new Error(`${person.name} has no open view ${viewId}.`);
  const isCleared = view.clear_on_close === true;
  const closed = isCleared ? stack : stack.slice(index);
  core.views.close(person.id, viewId, isCleared);
  await Promise.all(
    closed
      .filter((candidate) => candidate.notify_on_close === true)
      .map((candidate) => sendInteractive(core, closedPayload(core.state, person, candidate, isCleared))),
  );
}
