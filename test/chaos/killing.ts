/**
 * A fleet of real processes under load: drained one after the other, then killed again and again. The judge
 * is an independent process at the other end of SMTP, and the test's own list of the orders that were taken in.
 *
 * The leases of what the killed held are moved up at the end. `npm run chaos -- --scenario kills` kills more, and lets them run out by themselves.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { countConversations, type Conversations } from './conversations.ts';
import type { Fleet, Member } from './fleet.ts';
import { judge } from './judge.ts';
import { openLoad, type Load } from './load.ts';
import { pick, randomFrom, type Random } from './random.ts';
import { CONNECTIONS, FLEET, openSite, type Site } from './site.ts';

const KILLS = 25;
const RATE = { orders: 8, pauseMs: 150, maxBacklog: 150 };
/**
 * A killed process leaves mails in conversations, of which one half has been taken and the other has not, and mails that were
 * handed over ahead.
 */
const COUNTERS = { thinkMs: 100, takesLate: true, quickEvery: 2, messagesPerConnection: 20 } as const;
/** Every kill hits a fleet at work, however slow the machine is. */
const MAILS_BETWEEN_KILLS = 20;
/** More than fit into its conversations: some wait for a connection when it falls asleep. */
const CLAIMED_IN_SLEEP = 3 * CONNECTIONS;
const LIMIT_MS = 400_000;
/** What is chance; PERENNIAL_CHAOS_SEED repeats it. */
const SEED = Number(process.env['PERENNIAL_CHAOS_SEED'] ?? Date.now() % 1_000_000);
/** Longer than a lease, which may have to run out first. */
const STALLED_MS = 90_000;

/** The suite over one queue; `redisUrl` is null for the one on PostgreSQL. */
export function killing(name: string, redisUrl: string | null): void {
  describe(`a fleet whose hints go over ${name}`, () => {
    let site: Site;
    let load: Load;
    let fleet: Fleet;
    let conversations: Conversations;
    let killedDeliverers = 0;
    const random = randomFrom(SEED);
    const startedMs = performance.now();

    beforeAll(async () => {
      site = await openSite(redisUrl, COUNTERS);
      load = openLoad(site);
      conversations = countConversations(site.sink);
    }, LIMIT_MS);
    afterAll(async () => site.close());

    it(
      'loses and doubts nothing while its processes are drained and replaced under load',
      async () => {
        fleet = site.startFleet(FLEET);
        await fleet.whenRunning();
        load.start(RATE);
        for (const member of fleet.members.slice()) {
          expect(await member.end('SIGTERM')).toBe(0);
          await fleet.replace(member).running;
        }
        await load.stop();
        await load.finish();
        expect(await fleet.drain()).toEqual(FLEET.map(() => 0));
        expect(await judge(site, load.customers)).toMatchObject({ ...CLEAN, unknown: 0, resent: 0 });
        expect(fleet.complaints).toEqual([]);
      },
      LIMIT_MS,
    );

    it(
      `loses nothing and sends no copy unseen over ${KILLS} kills of its processes under load`,
      async () => {
        const sleeper = await fallAsleepAtWork();
        fleet = site.startFleet(FLEET);
        for (let kills = 0; kills < KILLS; kills += 1) {
          await whenSent((await countSent()) + MAILS_BETWEEN_KILLS);
          await sleep(random() * 200);
          const victim = await chooseVictim(fleet, random);
          if (victim.isRunning() && victim.roles.includes('deliver')) killedDeliverers += 1;
          conversations.killed();
          await victim.end('SIGKILL');
          fleet.replace(victim);
        }
        await load.stop();
        await whenClaimedAnew(sleeper.claims);
        sleeper.member.hang('SIGCONT');
        expect(await sleeper.member.end('SIGTERM')).toBe(0);
        await finishAfterKills();

        const verdict = await judge(site, load.customers);
        report(verdict);
        expect(verdict).toMatchObject(CLEAN);
        // Of the one that slept, each conversation of both lanes, with the mail that follows in it.
        const underWay = (await conversations.count()) + 4 * CONNECTIONS;
        expect(verdict.unknown + verdict.resent).toBeLessThanOrEqual(underWay);
        expect(fleet.complaints).toEqual([]);
      },
      LIMIT_MS,
    );

    /**
     * One more worker, which hangs with all that it has claimed and wakes up when others have long done its work. Its
     * complaints are its own: the database has ended its sessions.
     */
    async function fallAsleepAtWork(): Promise<{ readonly member: Member; readonly claims: readonly Claim[] }> {
      load.start(RATE);
      await until('enough mails are due', async () => (await load.backlog()) >= RATE.maxBacklog / 2);
      const [member] = site.startFleet(['advance,deliver']).members;
      if (member === undefined) throw new Error('a fleet of one has no member');
      await until('the sleeper has claimed enough', async () => (await openClaims()).length >= CLAIMED_IN_SLEEP);
      member.hang('SIGSTOP');
      return { member, claims: await openClaims() };
    }

    async function openClaims(): Promise<readonly Claim[]> {
      return (await site.db.query<Claim>(`select id, fence from sends where status = 'claimed'`)).rows;
    }

    /** Resolves when these claims have run out and other processes have claimed the mails. */
    async function whenClaimedAnew(claims: readonly Claim[]): Promise<void> {
      const held =
        'select from unnest($1::bigint[], $2::int[]) as c (id, fence) join sends s using (id, fence) limit 1';
      const values = [claims.map((claim) => claim.id), claims.map((claim) => claim.fence)];
      await until('its mails are claimed anew', async () => (await site.db.query(held, values)).rowCount === 0);
    }

    async function countSent(): Promise<number> {
      const { rows } = await site.db.query<{ n: number }>(`select count(*) as n from sends where status = 'sent'`);
      return rows[0]?.n ?? 0;
    }

    async function whenSent(count: number): Promise<void> {
      await until(`${count} mails are sent`, async () => (await countSent()) >= count);
    }

    /** Resolves when it is so. @throws Error when it does not come about, with how things stand; or when the load failed. */
    async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
      const startedMs = performance.now();
      while (!(await isSo())) {
        if (load.failure() !== null) throw load.failure();
        if (performance.now() - startedMs > STALLED_MS)
          throw new Error(`never: ${what}\n${await standing(site, fleet)}`);
        await sleep(20);
      }
    }

    /** The living end in order, so that what is still open then was held by the killed; one new process cleans up. */
    async function finishAfterKills(): Promise<void> {
      await fleet.whenRunning();
      for (const ending of await fleet.drain()) expect(ending).toBe(0);
      await site.db.query(`update sends set lease_until = clock_timestamp() where status in ('claimed', 'handed')`);
      await site.db.query('update leases set until = clock_timestamp()');
      fleet = site.startFleet(['scheduler,advance,deliver']);
      await load.finish();
      expect(await fleet.drain()).toEqual([0]);
    }

    function report(verdict: Awaited<ReturnType<typeof judge>>): void {
      const { mails, unknown, resent, admittedCopies } = verdict;
      const seconds = Math.round((performance.now() - startedMs) / 1_000);
      process.stderr.write(
        `${name}: ${KILLS} kills (${killedDeliverers} of delivering processes), ${load.customers.length} orders, ` +
          `${mails} mails, ${unknown} unknown, ${resent} sent again, ${admittedCopies} copies on record, ` +
          `${verdict.copies.length} copies not on record, ${verdict.lost.length} lost, ${seconds} s, seed ${SEED}\n`,
      );
    }
  });
}

interface Claim extends Record<string, unknown> {
  readonly id: number;
  readonly fence: number;
}

const CLEAN = { lost: [], copies: [], strangers: [], stuck: [], early: [] } as const;

/** For whoever looks for the reason of a standstill. */
async function standing({ db }: Site, fleet: Fleet): Promise<string> {
  const queries = [
    'select status, count(*), min(due_at), max(due_at), min(lease_until), max(lease_until), max(fence) from sends group by 1',
    'select *, clock_timestamp() as now from engine',
    'select *, clock_timestamp() as now from leases',
    `select count(*), min(due_at), max(due_at) from enrolments where status = 'active' and due_at is not null`,
    `select pid, state, wait_event_type, wait_event, application_name, now() - query_start as for, left(query, 200) as query
     from pg_stat_activity where datname = current_database()`,
  ];
  const answers = await Promise.all(queries.map(async (query) => (await db.query(query)).rows));
  const members = fleet.members.map(({ roles, isRunning, lastLines }) => ({ roles, runs: isRunning(), lastLines }));
  return [...answers, members].map((part) => JSON.stringify(part, null, 1)).join('\n');
}

/** Mostly one that works, or nothing would be worth killing; now and then one that is still starting. */
async function chooseVictim(fleet: Fleet, random: Random): Promise<Member> {
  const workers = fleet.members.filter((member) => member.roles.includes('deliver'));
  // On a slow machine processes would be killed before they have done anything.
  if (!workers.some((member) => member.isRunning())) await Promise.race(workers.map((member) => member.running));
  const running = fleet.members.filter((member) => member.isRunning());
  return pick(random, random() < 0.2 ? fleet.members : running);
}
