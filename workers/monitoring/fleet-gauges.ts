/**
 * Gauges of the whole fleet, from the database and the queue. Every process serves them, each asks at most once in `FRESH_MS`, however
 * many scrape it: docs/decisions/0043-every-process-tells-of-the-fleet.md.
 */
import { Gauge, type Registry } from 'prom-client';
import { LANES, type HintQueue, type Lane } from '../../engine/queue/queue.ts';
import type { Queryable } from '../../engine/store/database.ts';
import { readVitals, type Vitals } from '../../engine/store/vitals.ts';
import { within } from './within.ts';

/** What was read counts for so long. */
const FRESH_MS = 5_000;
/** A scrape takes no longer because a server does not answer. */
const LIMIT_MS = 2_000;

/** Brings the gauges up to date; never rejects. */
export type RefreshGauges = () => Promise<void>;

/** Registers the gauges. Without an answer those of the database, or of the queue, say nothing, and `up` is 0. */
export function openFleetGauges(
  registry: Registry,
  db: Queryable,
  queue: Pick<HintQueue, 'outstanding'>,
): RefreshGauges {
  const gauges = makeGauges(registry);
  const ofDatabase = async (): Promise<void> => {
    try {
      gauges.show(await within(LIMIT_MS, readVitals(db)));
      gauges.databaseUp.set(1);
    } catch {
      // Why is for /readyz and the log to say; a gauge that keeps its last value would be a lie.
      gauges.forget();
      gauges.databaseUp.set(0);
    }
  };
  const ofQueue = async (): Promise<void> => {
    const jobs = await Promise.allSettled(LANES.map(async (lane) => queue.outstanding(lane)));
    gauges.queueUp.set(jobs.every(({ status }) => status === 'fulfilled') ? 1 : 0);
    jobs.forEach((result, index) => {
      const lane = LANES[index] as Lane;
      if (result.status === 'fulfilled') gauges.queueJobs.set({ lane }, result.value);
      else gauges.queueJobs.remove({ lane });
    });
  };
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | null = null;
  const read = async (): Promise<void> => {
    await Promise.all([ofDatabase(), ofQueue()]);
    readAtMs = performance.now();
    reading = null;
  };
  return async () => {
    if (reading === null && performance.now() - readAtMs < FRESH_MS) return;
    await (reading ??= read());
  };
}

interface FleetGauges {
  readonly databaseUp: Gauge;
  readonly queueUp: Gauge;
  readonly queueJobs: Gauge<'lane'>;
  show(vitals: Vitals): void;
  forget(): void;
}

function makeGauges(registry: Registry): FleetGauges {
  const make = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const lag = make('perennial_due_lag_seconds', 'Fleet: for how long the earliest work that can go on is due', [
    'lane',
  ]);
  const due = make('perennial_due_sends', 'Fleet: mails that are due and not claimed, up to 10,000', ['lane']);
  const open = make('perennial_open_sends', 'Fleet: mails that are claimed, or handed over without an outcome', [
    'status',
  ]);
  const held = make('perennial_held', 'Fleet: what is held because of an error, up to 10,000', ['kind']);
  const unknown = make(
    'perennial_unknown_sends',
    'Fleet: mails in doubt: waiting for a person, or taken as sent within the last day',
    ['state'],
  );
  const single = {
    pauses: make('perennial_pauses', 'Fleet: pauses that hold'),
    domainHolds: make('perennial_domain_holds', 'Fleet: domains to which no mail goes at present'),
    scheduled: make('perennial_scheduled', 'Fleet: 1 while some scheduler acts'),
  };
  const each = (gauge: Gauge, label: string, values: Readonly<Record<string, number>>): void => {
    for (const [name, value] of Object.entries(values)) gauge.set({ [label]: name }, value);
  };
  return {
    databaseUp: make('perennial_database_up', 'Whether this process reaches the database'),
    queueUp: make('perennial_queue_up', 'Whether this process reaches the queue'),
    queueJobs: make('perennial_queue_jobs', 'Fleet: hints that wait or are worked on', ['lane']),
    show: (vitals) => {
      for (const [lane, ms] of Object.entries(vitals.lagMs)) lag.set({ lane }, ms / 1_000);
      each(due, 'lane', vitals.due);
      each(open, 'status', vitals.open);
      each(held, 'kind', vitals.held);
      each(unknown, 'state', vitals.unknown);
      single.pauses.set(vitals.pauses);
      single.domainHolds.set(vitals.domainHolds);
      single.scheduled.set(vitals.scheduled ? 1 : 0);
    },
    forget: () => {
      for (const gauge of [lag, due, open, held, unknown]) gauge.reset();
      for (const gauge of Object.values(single)) gauge.remove();
    },
  };
}
