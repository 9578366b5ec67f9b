/**
 * A dump under load with the fleet at work; the fleet goes on, the database is lost with the fleet in the middle of mails; the dump is
 * restored elsewhere, and all goes on. The counter at the other end of SMTP says that nothing went out twice, and that what
 * did not go out is on record as in doubt.
 */
import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { businessNow, openConnection } from '../../engine/store/database.ts';
import { readContents } from '../../engine/store/whole/file.ts';
import { fillDatabase } from '../../engine/store/whole/fill-database.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { emptyDatabase, LETTERS, onRecord, openPlace, openShop, type Order, type Shop } from './site.ts';

const ACT = ['--by', 'Mia', '--reason', 'disk lost'];
const LIMIT_MS = 240_000;
/** Arrive before the backup is begun, and after it is done. */
const MAILS = 60;
/** Of the playbook that begins when no order came for so long. */
const LAPSE_MS = 180_000;
const MAX_OPEN = 60;

describe('a database that is lost under load', () => {
  let shop: Shop;
  let lost: TestDatabase;
  let found: TestDatabase;
  let file = '';
  let lostAt = 0;
  const orders: Order[] = [];
  beforeAll(async () => {
    shop = await openShop(30);
    lost = await emptyDatabase();
    found = await emptyDatabase();
    file = path.join(shop.folder, 'backup.gz');
  });
  afterAll(async () => {
    await shop.close();
    await found.drop();
  });

  it(
    'is backed up while the fleet works, and goes on',
    async () => {
      const place = await openPlace(lost.url);
      expect((await shop.run(['deploy', '--by', 'test'], lost.url)).code).toBe(0);
      const fleet = shop.startFleet(lost.url, ['scheduler,advance,deliver', 'advance,deliver']);
      await fleet.whenRunning();
      const stopping = new AbortController();
      const selling = (async () => {
        while (!stopping.signal.aborted) {
          const { rows } = await place.db.query<{ n: number }>(
            `select count(*) as n from sends, engine where status in ('planned', 'claimed', 'handed') and due_at <= stepped_at`,
          );
          if ((rows[0]?.n ?? 0) < MAX_OPEN) orders.push(...(await place.sell(6)));
          await place.minute();
          await sleep(80);
        }
      })();
      const until = async (mails: number): Promise<void> => {
        while (shop.sink.taken.length < mails) await sleep(20);
      };
      await until(MAILS);
      const backedUp = await shop.run(['backup', file, '--json'], lost.url);
      expect(backedUp).toMatchObject({ code: 0, err: '' });
      expect(JSON.parse(backedUp.out)).toMatchObject({ outcome: 'backed up', file });
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      await until(shop.sink.taken.length + MAILS);
      // The whole machine: workers in the middle of conversations, and the database.
      await fleet.close();
      stopping.abort();
      await selling;
      lostAt = await businessNow(place.db);
      await place.close();
      await lost.drop();
    },
    LIMIT_MS,
  );

  it('is refused where the file is not whole, and leaves nothing then', async () => {
    const whole = await readFile(file);
    const flipped = Buffer.from(whole);
    flipped[whole.length >> 1] = (flipped[whole.length >> 1] ?? 0) ^ 1;
    const client = await openConnection(found.url, 'test');
    for (const bytes of [whole.subarray(0, whole.length - 500), flipped, randomBytes(500)]) {
      await client.query('begin');
      const filled = readContents(Readable.from([bytes])).then(async (contents) => fillDatabase(client, contents));
      await expect(filled).rejects.toMatchObject({ name: 'FillError', code: 'damaged' });
      await client.query('rollback');
    }
    await client.end();
  });

  it(
    'is restored elsewhere, refuses a fleet until somebody has said what is in doubt, and goes on: nothing twice, nothing lost unseen',
    async () => {
      const restored = await shop.run(['restore', file], found.url);
      expect(restored).toMatchObject({ code: 0, err: '', out: expect.stringContaining('Restored') });
      const place = await openPlace(found.url, lostAt);
      const early = await shop.run(['work', '--roles', 'scheduler'], found.url);
      expect(early).toMatchObject({ code: 1, err: expect.stringContaining('it was restored from a backup') });
      const before = await onRecord(place.db);
      const dry = await shop.run(['recovered', '--dry-run', ...ACT], found.url);
      expect(dry).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/news +\d+ +\d+ +\d+/) });
      expect(await onRecord(place.db)).toEqual(before);
      expect((await shop.run(['recovered', ...ACT], found.url)).code).toBe(0);

      const sentBefore = shop.arrived();
      const fleet = shop.startFleet(found.url, ['scheduler,advance,deliver', 'advance,deliver']);
      await fleet.whenRunning();
      // The shop sends all of its orders once more, and goes on selling.
      await place.take(orders);
      await place.minute();
      orders.push(...(await place.sell(10)));
      await place.finish();

      const arrived = shop.arrived();
      const record = await onRecord(place.db);
      const mails = orders.flatMap(({ customer }) => LETTERS.map((letter) => `${letter} for ${customer}`));
      // Of an event that comes in late, an inactivity that was over by then starts nothing: that is so without any restore.
      const lapsed = new Set(
        orders
          .filter(({ customer, at }) => !before.has(`receipt for ${customer}`) && at + LAPSE_MS <= lostAt)
          .map(({ customer }) => `again for ${customer}`),
      );
      const times = (mail: string): number => arrived.get(mail) ?? 0;
      expect(mails.filter((mail) => times(mail) > 1)).toEqual([]);
      expect([...arrived.keys()].filter((mail) => !mails.includes(mail))).toEqual([]);
      const gone = mails.filter((mail) => times(mail) === 0 && record.get(mail) !== 'unknown');
      expect(gone.filter((mail) => !lapsed.has(mail))).toEqual([]);
      expect(mails.filter((mail) => record.get(mail) === 'sent' && times(mail) !== 1)).toEqual([]);
      // Without it, these would have gone out twice, and the backup did not know of half of them.
      const saved = mails.filter((mail) => record.get(mail) === 'unknown' && (sentBefore.get(mail) ?? 0) === 1);
      expect(saved.length).toBeGreaterThan(MAILS / 2);
      expect(saved.filter((mail) => !before.has(mail)).length).toBeGreaterThan(0);
      expect(mails.filter((mail) => times(mail) === 1 && !sentBefore.has(mail)).length).toBeGreaterThanOrEqual(
        10 * LETTERS.length,
      );
      const { rows } = await place.db.query(`select from enrolments where status <> 'complete'`);
      expect(rows).toEqual([]);
      expect(await fleet.drain()).toEqual([0, 0]);
      // What Node says of a library that BullMQ uses is no complaint of ours.
      expect(fleet.complaints.filter((line) => !/DeprecationWarning|--trace-deprecation/.test(line))).toEqual([]);
      const lostMails = mails.filter((mail) => times(mail) === 0).length;
      process.stderr.write(
        `${mails.length} mails: ${saved.length} in doubt and sent before, ${lostMails} in doubt and not sent, none twice\n`,
      );
      await place.close();
    },
    LIMIT_MS,
  );
});
