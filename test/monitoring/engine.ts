/** An engine in this process that is watched, with a company of one mail for each lane. */
import { pino, type Logger } from 'pino';
import { ingest, type Incoming } from '../../engine/store/ingest.ts';
import { deployRelease } from '../../engine/store/releases.ts';
import { readConfig } from '../../workers/config.ts';
import { startEngine, type Engine } from '../../workers/engine.ts';
import type { Role } from '../../workers/fleet.ts';
import { compileSources, openConfiguredDatabase } from '../../workers/parts.ts';
import { COMPANY, sourcesOf } from '../support/staff.ts';

/** One mail of each lane for each order. */
export const MAILS = {
  'perennial.yaml': COMPANY,
  'playbooks/news.yaml': 'topic: news\ntrigger: { event: order.placed }\nsteps:\n  - email: news\n',
  'playbooks/receipt.yaml': 'topic: service\ntrigger: { event: order.placed }\nsteps:\n  - email: receipt\n',
  'templates/news.hbs': 'News',
  'templates/receipt.hbs': 'Receipt',
};

/** Deploys the company and starts a watched engine on it. */
export async function startWatched(
  env: Readonly<Record<string, string>>,
  options: { readonly roles?: readonly Role[]; readonly log?: Logger } = {},
): Promise<Engine & { readonly monitorUrl: string }> {
  const config = readConfig(
    { PERENNIAL_PUBLIC_URL: 'https://mail.sample.example', PERENNIAL_METRICS_PORT: '0', ...env },
    '/',
  );
  const log = options.log ?? pino({ level: 'silent' });
  const { db, close } = await openConfiguredDatabase(config, log, { max: 2 });
  const note = { author: 'test', note: null, gitCommit: null };
  await deployRelease(db, compileSources, sourcesOf(MAILS), note);
  await close();
  const engine = await startEngine({
    config,
    log,
    roles: options.roles ?? ['scheduler', 'advance', 'deliver'],
    followFiles: false,
    watch: {
      version: 'test',
      onStuck: (stuck) => {
        throw new Error(`stuck: ${JSON.stringify(stuck)}`);
      },
    },
  });
  return { ...engine, monitorUrl: engine.monitorUrl ?? '' };
}

/** Orders of new customers, by the intake alone: nobody is hinted. */
export async function orders(
  { db, cache }: Pick<Engine['parts'], 'db' | 'cache'>,
  keys: readonly string[],
): Promise<void> {
  const items = keys.flatMap((customer) => orderOf(customer, `${customer}@sample.example`));
  await ingest(db, cache, items, { history: false });
}

function orderOf(customer: string, email: string): readonly Incoming[] {
  orderCount += 1;
  const event = { id: `o-${orderCount}`, event: 'order.placed', at: Date.now(), data: { total: 1 } };
  return [
    { kind: 'identify', customer, traits: { email } },
    { kind: 'track', customer, event, createIfMissing: false },
  ];
}

let orderCount = 0;

/** An order of a customer at this address: two mails. */
export async function order({ parts, fleet }: Engine, customer: string, email: string): Promise<void> {
  const taken = await ingest(parts.db, parts.cache, orderOf(customer, email), { history: false });
  await fleet.hints.send({ ...taken.planned, advance: taken.due });
}

/** The samples of a scrape: `name{labels}` and value. */
export async function scrape(url: string): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`${url}/metrics`);
  return samplesOf(await response.text());
}

/** The samples of a text in the format of Prometheus. */
export function samplesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

/** Waits until `holds` of a scrape. */
export async function untilScrape(
  url: string,
  holds: (samples: ReadonlyMap<string, number>) => boolean,
): Promise<ReadonlyMap<string, number>> {
  for (;;) {
    const samples = await scrape(url);
    if (holds(samples)) return samples;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}
