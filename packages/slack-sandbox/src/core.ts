// The parts of a running workspace, as the parts themselves see one another.

import type { SocketMode } from './sockets/socket-mode.ts';
import type { FaultPlan } from './state/faults.ts';
import type { Rates } from './state/rates.ts';
import type { ResponseUrls } from './state/response-urls.ts';
import type { State } from './state/state.ts';
import type { Triggers } from './state/triggers.ts';
import type { Views } from './state/views.ts';
import type { Json } from './types.ts';

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
