// Connects an unmodified Bolt app to an emulated workspace, and takes both down in the right order.
import { App, LogLevel, SocketModeReceiver } from '@slack/bolt';
import { WebClient } from '@slack/web-api';
import { startWorkspace, type Workspace, type WorkspaceOptions } from '../src/workspace.ts';

/** Bolt writes into the client options it is given, so each part gets its own. */
const clientOptions = (workspace: Workspace) => ({
  slackApiUrl: workspace.apiUrl,
  retryConfig: { retries: 5, minTimeout: 20, maxTimeout: 40 },
  timeout: 5000,
});

/** A loaded machine must neither outlast a trigger nor miss an ack. */
export const UNHURRIED = { ackDeadlineMs: 15_000, now: () => Date.UTC(2026, 0, 1) };

export interface Connected extends AsyncDisposable {
  workspace: Workspace;
  app: App;
}

export async function connect(
  options: WorkspaceOptions = {},
  register: (app: App, workspace: Workspace) => void = () => undefined,
): Promise<Connected> {
  const workspace = await startWorkspace({ ...UNHURRIED, ...options });
  const receiver = new SocketModeReceiver({
    appToken: workspace.appToken,
    logger: silent,
    clientPingTimeout: 1000,
    installerOptions: { clientOptions: clientOptions(workspace) },
  });
  const app = new App({
    token: workspace.botToken,
    receiver,
    clientOptions: clientOptions(workspace),
    convoStore: false,
    logger: silent,
    deferInitialization: true,
  });
  await app.init();
  register(app, workspace);
  await app.start();
  await workspace.waitFor(() => workspace.sockets() === 1);
  return {
    workspace,
    app,
    async [Symbol.asyncDispose]() {
      await app.stop();
      await workspace.waitFor(() => workspace.sockets() === 0);
      await workspace.close();
    },
  };
}

/** A client that neither retries nor waits, so that each answer is seen as it is. */
export function rawClient(workspace: Workspace, token = workspace.botToken): WebClient {
  return new WebClient(token, {
    slackApiUrl: workspace.apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: silent,
  });
}

export const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  setLevel: () => undefined,
  getLevel: () => LogLevel.ERROR,
  setName: () => undefined,
};

/** The error code of an `ok: false` answer. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    const data = (error as { data?: { error?: string } }).data;
    return data?.error ?? String(error);
  }
}
