// Keeps each person's stack of modals and their App Home.

import { checkView, VIEW_MAX_BYTES } from '../blocks/view-limits.ts';
import { SlackError, schemaError } from '../slack-error.ts';
import type { Block, Json, View } from '../types.ts';
import { newId } from './random.ts';
import { type State, withIds } from './state.ts';

const MAX_DEPTH = 3;

export interface ViewTarget {
  id?: string;
  externalId?: string;
  /** The version that the app believes to replace. */
  hash?: string;
}

export interface Views {
  stack(user: string): View[];
  home(user: string): View | undefined;
  errors(user: string): Record<string, string>;
  setErrors(user: string, errors: Record<string, string>): void;
  open(user: string, input: unknown): View;
  push(user: string, input: unknown): View;
  update(target: ViewTarget, input: unknown): View;
  publish(user: string, input: unknown, hash?: string): View;
  /** Takes the view away, with whatever lies on top of it; `all` clears the whole stack. */
  close(user: string, viewId: string, all?: boolean): void;
}

export function createViews(state: State): Views {
  return { ...modalStacks(state), ...homes(state) };
}

function homes({ changes }: State): Pick<Views, 'home' | 'publish'> {
  const published = new Map<string, View>();
  return {
    home: (user) => published.get(user),
    publish(user, input, hash) {
      const old = published.get(user);
      if (hash !== undefined && old && hash !== old.hash) throw new SlackError('hash_conflict');
      const view = build(input, 'home', old);
      published.set(user, view);
      changes.changed();
      return view;
    },
  };
}

function modalStacks({ changes }: State): Omit<Views, 'home' | 'publish'> {
  const stacks = new Map<string, View[]>();
  const errors = new Map<string, Record<string, string>>();
  const stack = (user: string) => stacks.get(user) ?? [];

  function show(user: string, views: View[]): void {
    stacks.set(user, views);
    errors.delete(user);
    changes.changed();
  }

  return {
    stack,
    errors: (user) => errors.get(user) ?? {},
    setErrors(user, found) {
      errors.set(user, found);
      changes.changed();
    },
    open(user, input) {
      const view = build(input, 'modal');
      show(user, [view]);
      return view;
    },
    push(user, input) {
      const views = stack(user);
      if (views.length >= MAX_DEPTH) throw new SlackError('push_limit_reached');
      const top = views.at(-1);
      if (!top) throw new SlackError('invalid_trigger_id');
      const view = build(input, 'modal', undefined, top);
      show(user, [...views, view]);
      return view;
    },
    update(target, input) {
      const { user, index, old } = locate(stacks, target);
      if (target.hash !== undefined && target.hash !== old.hash) throw new SlackError('hash_conflict');
      const view = build(input, 'modal', old);
      show(user, stack(user).with(index, view));
      return view;
    },
    close(user, viewId, all = false) {
      const index = stack(user).findIndex((view) => view.id === viewId);
      if (index >= 0) show(user, all ? [] : stack(user).slice(0, index));
    },
  };
}

function locate(stacks: Map<string, View[]>, target: ViewTarget): { user: string; index: number; old: View } {
  for (const [user, views] of stacks) {
    const isMeant = (view: View) =>
      view.id === target.id || (target.externalId !== undefined && view.external_id === target.externalId);
    const index = views.findIndex(isMeant);
    const old = views[index];
    if (old) return { user, index, old };
  }
  throw new SlackError('not_found');
}

function build(input: unknown, type: 'modal' | 'home', old?: View, below?: View): View {
  const problems = checkView(input, type);
  if (problems.length > 0) throw schemaError('invalid_arguments', problems);
  if (JSON.stringify(input).length > VIEW_MAX_BYTES) throw new SlackError('view_too_large');
  const given = input as Json & { blocks: Block[] };
  const id = old?.id ?? newId('V');
  return {
    private_metadata: '',
    callback_id: '',
    ...given,
    type,
    id,
    hash: `${Date.now()}.${newId('').slice(0, 8)}`,
    blocks: withIds(given.blocks),
    root_view_id: old?.root_view_id ?? below?.root_view_id ?? id,
    previous_view_id: old?.previous_view_id ?? below?.id ?? null,
  };
}
