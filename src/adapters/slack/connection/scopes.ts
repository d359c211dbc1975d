// What the Slack app must be allowed to do, each with its reason; tests hold manifest.yml and the calls in the code to it.
export const BOT_SCOPES: Readonly<Record<string, string>> = {
  commands: 'slash commands',
  'chat:write': 'cards, threads and private answers',
  'users:read': 'to see who pressed a button',
  'usergroups:read': 'to see who is in the user groups that the policy names',
  'channels:history': 'to find a card after a crash',
  'groups:history': 'to find a card after a crash, in a private channel',
};
