// Slack's limits on blocks and views by themselves: for whoever renders them and starts no workspace.
export { checkBlocks, type Surface } from './blocks/block-limits.ts';
export { checkView, VIEW_MAX_BYTES } from './blocks/view-limits.ts';
