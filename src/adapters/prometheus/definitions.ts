// Every metric by name: what it says, and its labels. No label names an incident, a namespace or a ServiceAccount.

export type Label =
  | 'action'
  | 'as'
  | 'by'
  | 'cluster'
  | 'code'
  | 'method'
  | 'node'
  | 'outcome'
  | 'queue'
  | 'reason'
  | 'reporter'
  | 'resource'
  | 'result'
  | 'role'
  | 'source'
  | 'state'
  | 'status'
  | 'verb'
  | 'version'
  | 'work';

export interface Definition {
  kind: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: readonly Label[];
  buckets?: readonly number[];
  /** Counted from what is in Redis, so every process says the same: take the maximum, not the sum. */
  shared?: true;
}

type Of<K extends Definition['kind']> = Definition & { kind: K };

const counter = (help: string, ...labels: Label[]): Of<'counter'> => ({ kind: 'counter', help, labels });
const gauge = (help: string, ...labels: Label[]): Of<'gauge'> => ({ kind: 'gauge', help, labels });
const shared = (help: string, ...labels: Label[]): Of<'gauge'> => ({
  ...gauge(help, ...labels),
  shared: true,
});
const histogram = (help: string, buckets: readonly number[], ...labels: Label[]): Of<'histogram'> => ({
  kind: 'histogram',
  help,
  labels,
  buckets,
});

const REQUEST = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const JOB = [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 600, 3600];
/** From a kill that waited for nobody to one that waited for a person. */
const CONTAIN = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600, 14_400, 86_400];
const PROOF = [1, 2.5, 5, 10, 15, 20, 30, 60, 120, 300, 900, 3600];

export const DEFINITIONS = {
  tourniquet_alerts_total: counter(
    'Alerts that are in the incident log: `new` opened an incident, `duplicate` was noted or counted on one that exists.',
    'source',
    'outcome',
  ),
  tourniquet_deliveries_total: counter(
    'Requests to /hooks/<source>, by what became of them: accepted, duplicate, ignored or noted, or why they were refused.',
    'source',
    'outcome',
  ),
  tourniquet_identifications_total: counter('Investigations that could say whose token it is.', 'result'),
  tourniquet_auto_containments_total: counter(
    'Leaks that the policy let be contained at once, and those where a guard said no.',
    'result',
  ),
  tourniquet_time_to_contain_seconds: histogram(
    'From the opening of an incident to the end of its first kill, by whether the policy or people started it.',
    CONTAIN,
    'by',
  ),
  tourniquet_time_to_proof_seconds: histogram(
    'From the end of a kill to its proof, which includes the wait between the two rounds.',
    PROOF,
  ),
  tourniquet_proofs_total: counter('Proofs that ended, by verdict.', 'result'),
  tourniquet_rechecks_total: counter(
    'Looks at a token while it could still work, and after closing. `not-done`: one that was stopped works again. `still-live`: nothing has stopped it yet.',
    'result',
  ),
  tourniquet_reopened_total: counter('Incidents that were opened again because a token is not dead.'),
  tourniquet_decisions_total: counter('Decisions of people that were accepted.', 'verb'),
  tourniquet_refusals_total: counter('Clicks and commands that were refused, by reason.', 'reason'),
  tourniquet_break_glass_total: counter('Plans that one person ran alone.'),
  tourniquet_steps_total: counter('Steps that ended, by action and verdict.', 'action', 'result'),
  tourniquet_runs_stopped_total: counter('Runs that stopped and need a person.'),
  tourniquet_work_failures_total: counter('Work that failed and is tried again, as noted on cards.', 'work'),
  tourniquet_incidents_closed_total: counter('Incidents that were closed.', 'as'),
  tourniquet_jobs_total: counter('Jobs that this process took off the queue.', 'work', 'result'),
  tourniquet_job_seconds: histogram('How long they took.', JOB, 'work'),
  tourniquet_report_lag_seconds: histogram(
    'From the last event of an incident until a card shows it.',
    JOB,
    'reporter',
  ),
  tourniquet_slack_requests_total: counter(
    'Calls of the Slack Web API, by method and HTTP status; `failed` where there was no answer.',
    'method',
    'code',
  ),
  tourniquet_slack_request_seconds: histogram('How long they took.', REQUEST),
  tourniquet_slack_throttled_total: counter('Of these, the ones that Slack answered by 429.'),
  tourniquet_slack_sockets: gauge('Sockets to Slack that are open; two when all is well.'),
  tourniquet_kubernetes_requests_total: counter(
    'Requests to API servers, by RBAC verb and resource (`probe`: with the leaked token) and HTTP status; `denied` where admission denied it, another word where there was no answer.',
    'cluster',
    'verb',
    'resource',
    'code',
  ),
  tourniquet_kubernetes_request_seconds: histogram('How long they took.', REQUEST, 'cluster', 'verb'),
  tourniquet_cluster_up: gauge(
    'Whether a cluster answered the worker when it was last asked; each is asked every half minute.',
    'cluster',
  ),
  tourniquet_poll_age_seconds: gauge(
    'Since this process last asked its queue for work; 0 while all its slots are busy.',
    'queue',
  ),
  tourniquet_oldest_job_seconds: gauge('How long the oldest job of this process has been running.', 'queue'),
  tourniquet_clock_ahead_seconds: gauge(
    'How far the clock of this machine is ahead of that of Redis, by which everything is owed; below 0: behind.',
  ),
  tourniquet_redis_up: gauge('Whether Redis answered at the last census.'),
  tourniquet_census_timestamp_seconds: gauge('When the shared numbers were last counted, Unix time.'),
  tourniquet_build_info: gauge('Always 1; the labels say what is running.', 'version', 'role', 'node'),
  tourniquet_incidents: shared('Incidents by status, of the newest thousand.', 'status'),
  tourniquet_approvals_waiting: shared('Plans that wait for an approval.'),
  tourniquet_approval_oldest_seconds: shared(
    'How long the oldest of them has waited; 0 where there is none.',
  ),
  tourniquet_proofs_waiting: shared('Kills that are not proven yet.'),
  tourniquet_proof_oldest_seconds: shared('Age of the oldest of these kills; 0 where there is none.'),
  tourniquet_claims_stale: shared(
    'Incidents, whatever their status, whose token could not be looked at when it was to be, or not everywhere.',
  ),
  tourniquet_claim_oldest_seconds: shared(
    'How long ago the token of the oldest of these was last seen; 0 where there is none.',
  ),
  tourniquet_reviews_open: shared('Plans that one person ran alone and nobody has looked at since.'),
  tourniquet_paused: shared('1 while somebody has paused everything that writes to clusters.'),
  tourniquet_damaged_logs: shared(
    'Incidents whose log does not fit its chain, or was written with another key.',
  ),
  tourniquet_queue_jobs: shared('Jobs in the queue.', 'queue', 'state'),
} as const satisfies Record<string, Definition>;

export type MetricName = keyof typeof DEFINITIONS;
export type Labels = Partial<Record<Label, string>>;
