// Signs and sends alerts as the outside world does.
import { createHash, createHmac, randomBytes, scryptSync } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

export interface Senders {
  /** Standard Webhooks, as an internal scanner sends it; a retry has the id of the delivery that it repeats. */
  report(data: Record<string, unknown>, delivery?: string): Promise<Response>;
  /** A GitGuardian incident about this token: a hash of it, never the token. */
  gitguardian(token: string, incident?: Record<string, unknown>, action?: string): Promise<Response>;
}

export const newDelivery = (): string => `msg_${randomBytes(12).toString('hex')}`;

/** GitGuardian's HasMySecretLeaked hash. */
const hmsl = (token: string): string =>
  scryptSync(token, createHash('sha256').update('GitGuardian').digest(), 32, {
    N: 2048,
    r: 8,
    p: 1,
  }).toString('hex');

export function senders(base: () => string, secrets: { report: string; gitguardian: string }): Senders {
  return {
    report(data, id = newDelivery()) {
      const body = JSON.stringify({ type: 'leak.reported', timestamp: new Date().toISOString(), data });
      const now = new Date();
      return post(`${base()}/hooks/report`, body, {
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'webhook-signature': new Webhook(secrets.report).sign(id, now, body),
      });
    },
    gitguardian(token, incident = {}, action = 'incident_triggered') {
      const body = JSON.stringify(gitguardianBody(token, incident, action));
      const timestamp = String(Date.now() / 1000);
      const signature = createHmac('sha256', timestamp + secrets.gitguardian)
        .update(body)
        .digest('hex');
      return post(`${base()}/hooks/gitguardian`, body, {
        timestamp,
        'gitguardian-signature': `sha256=${signature}`,
      });
    },
  };
}

function gitguardianBody(token: string, incident: Record<string, unknown>, action: string) {
  return {
    source: 'GitGuardian',
    timestamp: new Date().toISOString(),
    action,
    message: 'A new incident has been detected.',
    incident: {
      id: 31542,
      date: new Date().toISOString(),
      detector: {
        name: 'json_web_token',
        display_name: 'JSON Web Token',
        nature: 'generic',
        family: 'Token',
      },
      secret_hash: createHash('sha256').update(token).digest('hex'),
      hmsl_hash: hmsl(token),
      secret_revoked: false,
      validity: 'no_checker',
      occurrence_count: 1,
      status: 'triggered',
      severity: 'high',
      gitguardian_url: 'https://dashboard.gitguardian.example/workspace/1/incidents/31542',
      ...incident,
    },
  };
}

const post = (url: string, body: string, headers: Record<string, string>): Promise<Response> =>
  fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
