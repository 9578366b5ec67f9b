/**
 * Two years of a real wholesaler's orders: the simulation agrees with facts that were counted from the data by other
 * means, and the real pipeline with the simulation, mail by mail.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import type { Line, Profile } from '../../engine/journey/types.ts';
import { compileProject } from '../../engine/playbook/compile.ts';
import type { SimulatedCustomer, SimulatedEvent } from '../../engine/simulate/input.ts';
import { simulate, type Simulation } from '../../engine/simulate/simulate.ts';
import { fromLocal, localDate, startOfDay } from '../../engine/time/local.ts';
import { formatLocalDate, parseLocalDate, parseLocalDateTime } from '../../engine/time/text.ts';
import type { Zone } from '../../engine/time/types.ts';
import { zone } from '../../engine/time/zone.ts';
import { comparable, runPipeline } from '../support/pipeline.ts';
import { sharedFolder, sourcesIn } from '../support/shared.ts';

const folder = sharedFolder('data/online-retail');
const london = zone('Europe/London') as Zone;
const sources = sourcesIn(join(import.meta.dirname, 'two-years'));

type Counts = Readonly<Record<string, number>>;

describe('two years of real orders', () => {
  (folder === null ? it.skip : it)('are simulated as they were counted', () => {
    const facts = JSON.parse(readFileSync(join(folder ?? '', 'facts-tenth.json'), 'utf8')) as Record<string, Counts>;
    const run = twoYears(join(folder ?? '', 'invoices-tenth.csv.gz'));
    expect(run.events).toHaveLength(Number(facts['positive sale invoices with a customer']));
    const entries = simulate(run).filter((line) => line.do === 'enrol');
    expect(byMonth(entries, 'welcome')).toEqual(facts['first purchases by month']);
    expect(byMonth(firstOfEach(entries, 'anniversary'), 'anniversary')).toEqual(
      facts['first anniversaries of the first purchase, by month they fall in, to 2011-12-09'],
    );
    expect(entries.filter((line) => line.playbook === 'win-back')).toHaveLength(
      Number(facts['lapses: spans of 90 days after a purchase date with no further purchase, ended by 2011-12-09']),
    );
  });

  (folder === null ? it.skip : it)(
    'give the same timeline in simulation and in the pipeline',
    async () => {
      const run = twoYears(join(folder ?? '', 'invoices-tenth.csv.gz'));
      const expected = comparable(simulate(run));
      const { timeline, taken } = await runPipeline({ ...run, sources, redisUrl: null });
      // The first few differences say enough; a difference of all lines would fill the screen.
      expect(onlyIn(timeline, expected).slice(0, 10)).toEqual(onlyIn(expected, timeline).slice(0, 10));
      expect(timeline).toHaveLength(expected.length);
      expect(taken).toHaveLength(expected.filter((line) => line.do === 'email').length);
    },
    600_000,
  );
});

/** Lines of the one that the other lacks, as text. */
function onlyIn(lines: readonly Line[], others: readonly Line[]): readonly string[] {
  const text = (line: Line): string =>
    [line.at, line.customer, line.playbook, line.step, line.do, line.template, line.reason].join(' ');
  const known = new Set(others.map(text));
  return lines.map(text).filter((line) => !known.has(line));
}

/** The positive sale invoices with a customer, as orders; times are the shop's. */
function twoYears(file: string): Simulation {
  const { release, problems } = compileProject(sources);
  if (release === null) throw new Error(JSON.stringify(problems));
  const [header = '', ...rows] = gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n');
  const columns = header.split(',');
  const events: SimulatedEvent[] = [];
  for (const [index, row] of rows.entries()) {
    const cells = row.split(',');
    const cell = (name: string): string => cells[columns.indexOf(name)] ?? '';
    const total = Number(cell('amount_gbp'));
    if (cell('kind') !== 'sale' || cell('customer_id') === '' || total <= 0) continue;
    const at = fromLocal(parseLocalDateTime(cell('at')), london);
    const event = { id: cell('invoice'), event: 'order.placed', at, data: { total } };
    events.push({ customer: cell('customer_id'), event, line: index + 2 });
  }
  events.sort((a, b) => a.event.at - b.event.at || a.line - b.line);
  const customers = [...new Set(events.map((event) => event.customer))].map(customerOf);
  const from = startOfDay(parseLocalDate('2009-12-01'), london);
  const until = startOfDay(parseLocalDate('2011-12-10'), london);
  return { release, customers, events, from, until };
}

function customerOf(id: string): SimulatedCustomer {
  const unknown = { name: null, first_name: null, last_name: null, timezone: null, locale: null, birthday: null };
  const facts = { first_order_at: null, last_order_at: null, last_seen_at: null, satisfaction: null };
  const profile: Profile = {
    ...unknown,
    ...facts,
    id,
    email: `${id}@customers.example`,
    created_at: null,
    tags: [],
    attributes: {},
    orders: 0,
    spent: 0,
  };
  return { profile, consent: { suppressed: false, unsubscribed: new Set(), subscribed: new Set() } };
}

function byMonth(lines: readonly Line[], playbook: string): Counts {
  const counts: Record<string, number> = {};
  for (const line of lines) {
    if (line.playbook !== playbook) continue;
    const month = formatLocalDate(localDate(line.at, london)).slice(0, 7);
    counts[month] = (counts[month] ?? 0) + 1;
  }
  return counts;
}

function firstOfEach(lines: readonly Line[], playbook: string): readonly Line[] {
  const seen = new Set<string>();
  return lines.filter((line) => {
    if (line.playbook !== playbook || seen.has(line.customer)) return false;
    seen.add(line.customer);
    return true;
  });
}
