// Receives from Slack over two sockets: Slack recycles each now and then, and one alone would be deaf for seconds.
import type { App, Receiver, ReceiverEvent } from '@slack/bolt';
import { SocketModeClient } from '@slack/socket-mode';
import type { AppsConnectionsOpenResponse } from '@slack/web-api';
import { scrubbed } from '../../../domain/text/scrub.ts';
import type { Log } from '../../../log.ts';
import type { Secret } from '../../../secret.ts';
import { sdkLogger } from './web-client.ts';

const SOCKETS = 2;
const DRAIN_MS = 10_000;

interface Envelope {
  ack: (response?: Record<string, unknown>) => Promise<void>;
  body: Record<string, unknown>;
}

/** A client whose stop is final: the SDK goes on with a reconnect that was under way, and rejects it unhandled. */
class Line extends SocketModeClient {
  #leaving = false;

  override async start(): Promise<AppsConnectionsOpenResponse> {
    try {
      const connected = await super.start();
      if (this.#leaving) await super.disconnect();
      return connected;
    } catch (error) {
      if (this.#leaving) return { ok: false };
      throw error;
    }
  }

  override disconnect(): Promise<void> {
    this.#leaving = true;
    return super.disconnect();
  }
}

export class TwinReceiver implements Receiver {
  readonly #clients: SocketModeClient[];
  readonly #inFlight = new Set<Promise<void>>();
  readonly #log: Log;
  #app: App | undefined;

  constructor(given: { appToken: Secret; apiUrl: string; log: Log }) {
    this.#log = given.log;
    this.#clients = Array.from({ length: SOCKETS }, () => this.#client(given));
  }

  init(app: App): void {
    this.#app = app;
  }

  async start(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.start()));
  }

  sockets(): number {
    return this.#clients.filter(({ websocket }) => websocket?.isActive()).length;
  }

  /** Resolves when no socket is open and no handler runs any more. */
  async stop(): Promise<void> {
    const late = AbortSignal.timeout(DRAIN_MS);
    const gaveUp = new Promise((resolve) => late.addEventListener('abort', resolve, { once: true }));
    const closed = Promise.all(this.#clients.map((client) => client.disconnect()));
    await Promise.race([closed.then(() => this.#drained()), gaveUp]);
  }

  async #drained(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
  }

  #client({ appToken, apiUrl, log }: { appToken: Secret; apiUrl: string; log: Log }): SocketModeClient {
    const client = new Line({
      appToken: appToken.reveal(),
      logger: sdkLogger(log),
      // A reconnect waits as long as a ping may take.
      clientPingTimeout: 2000,
      // Without end and capped, or an outage would end in an unhandled rejection; unref, or it would outlive stop().
      clientOptions: {
        slackApiUrl: apiUrl,
        timeout: 5000,
        retryConfig: { forever: true, unref: true, factor: 1.5, minTimeout: 500, maxTimeout: 10_000 },
      },
    });
    client.on('slack_event', (envelope: Envelope) => {
      const handling = this.#handle(envelope).finally(() => this.#inFlight.delete(handling));
      this.#inFlight.add(handling);
    });
    return client;
  }

  async #handle({ ack, body }: Envelope): Promise<void> {
    const event: ReceiverEvent = {
      body,
      // An ack that is lost makes Slack complain to the person; the work is done all the same.
      ack: async (response) => {
        await ack(scrubbed(typeof response === 'string' ? { text: response } : response)).catch(() =>
          this.#log.warn({}, 'slack: an acknowledgement could not be sent'),
        );
      },
    };
    try {
      await this.#app?.processEvent(event);
    } catch (error) {
      this.#log.error({ error: error instanceof Error ? error.name : 'unknown' }, 'slack: a handler failed');
    }
  }
}
