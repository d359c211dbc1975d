// What the emulator offers: a workspace to start, and the words to talk about it.
export type { Fault, Faults } from './state/faults.ts';
export { BOT_ID, defaultPeople, defaultScopes } from './state/people.ts';
export type {
  ApiCall,
  Channel,
  Delivery,
  Demo,
  Json,
  Message,
  Person,
  SlashCommand,
  UserGroup,
  View,
} from './types.ts';
export { startWorkspace, type Workspace, type WorkspaceOptions } from './workspace.ts';
