// The parts of a running workspace, as the parts themselves see one another.
import type { FaultPlan } from './faults.ts';
import type { Rates } from './rates.ts';
import type { ResponseUrls } from './response-urls.ts';
import type { SocketMode } from './socket-mode.ts';
import type { State } from './state.ts';
import type { Triggers } from './triggers.ts';
import type { Json } from './types.ts';
import type { Views } from './views.ts';

export interface Core {
  state: State;
  views: Views;
  triggers: Triggers;
  responseUrls: ResponseUrls;
  rates: Rates;
  faults: FaultPlan;
  sockets: SocketMode;
  /** Sends an event to the app, again if it is not acked; resolves once acked or given up. */
  sendEvent(event: Json): Promise<boolean>;
  /** http://127.0.0.1:port */
  origin: string;
  /** Aborted when the workspace closes. */
  closing: AbortSignal;
}
