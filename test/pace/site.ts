/** Real workers on real time, all of whose mail goes to one counter. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { openReleaseCache, type ReleaseCache } from '../../engine/store/context.ts';
import { openDatabase, type Database } from '../../engine/store/database.ts';
import { ingest, type Incoming } from '../../engine/store/ingest.ts';
import { migrate } from '../../engine/store/migrate.ts';
import { prepareQueue } from '../../engine/queue/queue.ts';
import { outerEnv, startFleet, type Fleet } from '../chaos/fleet.ts';
import { testFolder } from '../support/folder.ts';
import { testDatabase } from '../support/postgres.ts';
import { startSink, type Sink, type SinkOptions } from '../support/smtp-sink.ts';
import { compileSources, COMPANY } from '../support/staff.ts';

const CLI = path.resolve(import.meta.dirname, '../../bin/perennial.js');
const EVENTS = { mass: 'order.placed', single: 'question.asked' } as const;

/** An open site. */
export interface Site {
  readonly db: Database;
  readonly cache: ReleaseCache;
  readonly sink: Sink;
  start(roles: readonly string[]): Fleet;
  /** One mail to each of these: of a mass mailing, or transactional. Ids are the parts before the @. */
  mail(kind: keyof typeof EVENTS, addresses: readonly string[]): Promise<void>;
  /** Runs the command line; gives what it prints. */
  run(...args: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

/** Opens a site whose company has this `sending`; '' for none. */
export async function openSite(sending: string, counter: SinkOptions = {}): Promise<Site> {
  const database = await testDatabase();
  const folder = await testFolder();
  const files = {
    'perennial.yaml': `${COMPANY.replace('events:', 'events:\n  question.asked: {}')}${sending === '' ? '' : `sending: ${sending}\n`}`,
    'playbooks/mass.yaml': 'topic: news\ntrigger: { event: order.placed }\nsteps:\n  - email: mass\n',
    'playbooks/single.yaml': 'topic: service\ntrigger: { event: question.asked }\nsteps:\n  - email: single\n',
    'templates/mass.hbs': '---\nsubject: News\n---\n<p>News</p>\n',
    'templates/single.hbs': '---\nsubject: Answer\n---\n<p>Answer</p>\n',
  };
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  const db = openDatabase(database.url, { max: 4 });
  await migrate(db);
  await prepareQueue({ kind: 'postgres', url: database.url });
  const sink = await startSink(counter);
  const env = {
    DATABASE_URL: database.url,
    SMTP_URL: sink.url,
    PERENNIAL_PUBLIC_URL: 'https://mail.sample.example',
  };
  const run: Site['run'] = async (...args) => {
    const all = [CLI, ...args, '--project', folder];
    const { stdout } = await promisify(execFile)(process.execPath, all, {
      env: { ...outerEnv(), ...env, LOG_LEVEL: 'warn' },
    });
    return stdout;
  };
  await run('deploy', '--by', 'test');
  const cache = openReleaseCache(compileSources);
  const fleets: Fleet[] = [];
  return {
    db,
    cache,
    sink,
    run,
    start: (roles) => {
      const fleet = startFleet({ folder, env, roles });
      fleets.push(fleet);
      return fleet;
    },
    mail: async (kind, addresses) => {
      const items = addresses.flatMap((address): Incoming[] => {
        const [customer = ''] = address.split('@', 1);
        const event = { id: `${kind}-${customer}`, event: EVENTS[kind], at: Date.now(), data: {} };
        return [
          { kind: 'identify', customer, traits: { email: address } },
          { kind: 'track', customer, event, createIfMissing: false },
        ];
      });
      for (let first = 0; first < items.length; first += 500) {
        await ingest(db, cache, items.slice(first, first + 500), { history: false });
      }
    },
    close: async () => {
      await Promise.all(fleets.map(async (fleet) => fleet.close()));
      await db.close();
      await sink.close();
      await database.drop();
    },
  };
}
