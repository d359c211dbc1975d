// Slack's limits on blocks and views by themselves: for whoever renders them and starts no workspace.
export { checkBlocks, type Surface } from './block-limits.ts';
export { checkView, VIEW_MAX_BYTES } from './view-limits.ts';
