// views.*: the modals and App Homes that the app shows.

import { SlackError } from '../../slack-error.ts';
import { viewOutput } from '../../state/wire.ts';
import { stringArg } from '../arguments.ts';
import { existingPerson, type Method } from './method.ts';

const open: Method = (args, core) => {
  const user = core.triggers.redeem(args.trigger_id);
  return { ok: true, view: viewOutput(core.state, core.views.open(user, args.view)) };
};

const push: Method = (args, core) => {
  const user = core.triggers.redeem(args.trigger_id);
  return { ok: true, view: viewOutput(core.state, core.views.push(user, args.view)) };
};

const update: Method = (args, core) => {
  const id = stringArg(args, 'view_id');
  const externalId = stringArg(args, 'external_id');
  const hash = stringArg(args, 'hash');
  if (id === undefined && externalId === undefined) throw new SlackError('invalid_arguments');
  const target = { ...(id ? { id } : {}), ...(externalId ? { externalId } : {}), ...(hash ? { hash } : {}) };
  return { ok: true, view: viewOutput(core.state, core.views.update(target, args.view)) };
};

const publish: Method = (args, core) => {
  const person = existingPerson(args, core, 'user_id');
  const view = core.views.publish(person.id, args.view, stringArg(args, 'hash'));
  return { ok: true, view: viewOutput(core.state, view) };
};

export const viewMethods: Record<string, Method> = {
  'views.open': open,
  'views.push': push,
  'views.update': update,
  'views.publish': publish,
};
