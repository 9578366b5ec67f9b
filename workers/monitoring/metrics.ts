/**
 * What one process counts, in the terms of Prometheus. Labels come from short, fixed lists: never an id, an address, a playbook or
 * a domain. What the whole fleet is like comes from the database (`fleet-gauges.ts`).
 */
import { Counter, Gauge, Histogram, Registry, type CounterConfiguration, type GaugeConfiguration } from 'prom-client';

/** The metrics of one process, and the registry that they are read from. */
export interface Metrics {
  readonly registry: Registry;
  readonly info: Gauge<'version' | 'roles'>;
  readonly jobs: Counter<'lane' | 'source' | 'result'>;
  readonly jobSeconds: Histogram<'lane'>;
  readonly hints: Counter<'lane' | 'result'>;
  readonly claims: Counter<'lane'>;
  readonly claimLagSeconds: Histogram<'lane'>;
  readonly underWay: Gauge<'lane'>;
  readonly paceWaitSeconds: Histogram<'lane'>;
  readonly handOvers: Counter<'lane' | 'result'>;
  readonly handOverSeconds: Histogram<'lane'>;
  readonly sends: Counter<'lane' | 'outcome' | 'provider' | 'mailbox'>;
  readonly retries: Counter<'lane' | 'scope'>;
  readonly deliverySeconds: Histogram<'lane'>;
  readonly leftOpen: Counter<'what'>;
  readonly scheduling: Gauge;
  readonly roundErrors: Counter<'loop'>;
  readonly requests: Counter<'app' | 'status'>;
  readonly stuckRatio: Gauge;
}

/** From a job that finds nothing to one that waits for a slow mail server, in seconds. */
const WORK_BUCKETS = [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60];
/** A mark of the hand-over is a commit in PostgreSQL. */
const COMMIT_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5];
/** A place in time is at most a second ahead. */
const WAIT_BUCKETS = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2];
/** How late a mail may be claimed: from at once to a day after an outage. */
const LAG_BUCKETS = [0.1, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400];

/** Makes the metrics of a process, all at nothing. Each call has a registry of its own. */
export function openMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(config: Omit<CounterConfiguration<L>, 'registers'>): Counter<L> =>
    new Counter<L>({ ...config, registers });
  const gauge = <L extends string = never>(config: Omit<GaugeConfiguration<L>, 'registers'>): Gauge<L> =>
    new Gauge<L>({ ...config, registers });
  const seconds = (name: string, help: string, buckets: number[]): Histogram<'lane'> =>
    new Histogram({ name, help, labelNames: ['lane'], buckets, registers });
  const metrics: Metrics = {
    registry,
    info: gauge({
      name: 'perennial_info',
      help: 'Always 1; says which version runs in which roles',
      labelNames: ['version', 'roles'],
    }),
    jobs: counter({
      name: 'perennial_jobs_total',
      help: 'Jobs done, by lane, by what asked for them (hint, sweep) and result (done, failed)',
      labelNames: ['lane', 'source', 'result'],
    }),
    jobSeconds: seconds('perennial_job_seconds', 'How long jobs took', WORK_BUCKETS),
    hints: counter({
      name: 'perennial_hints_total',
      help: 'Hints given to the queue, by lane and result (taken, failed)',
      labelNames: ['lane', 'result'],
    }),
    claims: counter({
      name: 'perennial_claims_total',
      help: 'Mails claimed, by lane',
      labelNames: ['lane'],
    }),
    claimLagSeconds: seconds(
      'perennial_claim_lag_seconds',
      'How long after they were due mails were claimed',
      LAG_BUCKETS,
    ),
    underWay: gauge({
      name: 'perennial_sends_under_way',
      help: 'Mails that this process has claimed and not yet settled',
      labelNames: ['lane'],
    }),
    paceWaitSeconds: seconds(
      'perennial_pace_wait_seconds',
      'How long claimed mails waited for their place',
      WAIT_BUCKETS,
    ),
    handOvers: counter({
      name: 'perennial_hand_overs_total',
      help: 'Hand-overs asked for, by result (handed, refused, failed)',
      labelNames: ['lane', 'result'],
    }),
    handOverSeconds: seconds('perennial_hand_over_seconds', 'How long the mark of a hand-over took', COMMIT_BUCKETS),
    sends: counter({
      name: 'perennial_sends_total',
      help: 'Attempts by outcome (sent, retry, failed, unknown, withheld, held), sending provider and mailbox provider',
      labelNames: ['lane', 'outcome', 'provider', 'mailbox'],
    }),
    retries: counter({
      name: 'perennial_retries_total',
      help: 'Attempts that will be made again, by what failed (message, domain, connection, signing)',
      labelNames: ['lane', 'scope'],
    }),
    deliverySeconds: seconds('perennial_delivery_seconds', 'From a claim to its outcome', WORK_BUCKETS),
    leftOpen: counter({
      name: 'perennial_left_open_total',
      help: 'What dead or stopped workers left, as this process found it (claim, hand_over)',
      labelNames: ['what'],
    }),
    scheduling: gauge({
      name: 'perennial_scheduling',
      help: '1 while the scheduler of this process is the one that acts',
    }),
    roundErrors: counter({
      name: 'perennial_round_errors_total',
      help: 'Rounds of a loop (scheduler, sweep, taking_back) that failed and were tried again',
      labelNames: ['loop'],
    }),
    requests: counter({
      name: 'perennial_requests_total',
      help: 'Requests to the public server, by part and class of the answer',
      labelNames: ['app', 'status'],
    }),
    stuckRatio: gauge({
      name: 'perennial_stuck_ratio',
      help: 'For how much of its time limit this process has had work and done nothing; at 1 the watchdog ends it',
    }),
  };
  for (const lane of ['advance', 'transactional', 'bulk']) {
    for (const result of ['taken', 'failed']) metrics.hints.inc({ lane, result }, 0);
  }
  return metrics;
}
