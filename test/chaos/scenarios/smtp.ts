/** The mail server refuses, resets and stalls at each stage of a conversation, and loses its answer after the last one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { testCertificate } from '../../support/certificate.ts';
import type { PlannedFault, Stroke } from '../../support/fault-plan.ts';
import type { Fault, Stage } from '../../support/smtp-sink.ts';
import { conclude, endings } from '../conclude.ts';
import { openLoad } from '../load.ts';
import { randomFrom, type Random } from '../random.ts';
import { openChaosSite } from '../runner.ts';
import type { ChaosSite, Scale, Scenario } from '../scenario.ts';
import { until, type Watched } from '../until.ts';

/** What the record must say of the mail that a fault befell. */
type Expected = 'retry' | 'permanent' | 'unknown' | 'accepted';

/** RFC 3463: 4.3.0 and 5.3.0 say nothing about an address or a domain, so that nobody is suppressed or held. */
const LATER = (id: string): Fault => ({ do: 'reply', line: `451 4.3.0 ${id} later` });
const NEVER = (id: string): Fault => ({ do: 'reply', line: `554 5.3.0 ${id} never` });
const LEAVE = (id: string): Fault => ({ do: 'reply-and-close', line: `421 4.3.2 ${id} closing` });
const RESET = (): Fault => ({ do: 'reset' });
const CLOSE = (): Fault => ({ do: 'close' });
const STALL = (): Fault => ({ do: 'stall' });

type Kind = readonly [Stage, (id: string) => Fault, Expected];

/** Refused before the envelope, a mail has nothing to do with it, however final the server's words are. */
const BEFORE_THE_ENVELOPE: readonly Kind[] = (['greeting', 'ehlo', 'starttls', 'auth'] as const).flatMap((stage) =>
  [LEAVE, NEVER, RESET, STALL].map((fault): Kind => [stage, fault, 'retry']),
);
const ABOUT_A_MAIL: readonly Kind[] = (['mail', 'rcpt', 'data', 'body'] as const).flatMap((stage): readonly Kind[] => [
  [stage, LATER, 'retry'],
  [stage, NEVER, 'permanent'],
  [stage, RESET, 'retry'],
  [stage, STALL, 'retry'],
]);
const KINDS: readonly Kind[] = [
  ['connect', RESET, 'retry'],
  ['connect', STALL, 'retry'],
  ...BEFORE_THE_ENVELOPE,
  ...ABOUT_A_MAIL,
  ['dot', LATER, 'retry'],
  ['dot', NEVER, 'permanent'],
  ['dot', RESET, 'unknown'],
  ['dot', STALL, 'unknown'],
  // The server has the mail, and its 250 never comes.
  ['taken', RESET, 'unknown'],
  ['taken', CLOSE, 'unknown'],
  ['taken', STALL, 'unknown'],
  ['replied', RESET, 'accepted'],
  ['replied', CLOSE, 'accepted'],
  ['replied', STALL, 'accepted'],
  ['quit', RESET, 'accepted'],
  ['quit', STALL, 'accepted'],
];

const ROUNDS = { short: 1, full: 5 } as const;
/** In full, much longer than a claim lasts, and than a connection counts as quick. */
const STALL_MS = { short: 10_000, full: 130_000 } as const;
/** In full, other mails pass between two faults of a stage. */
const MAX_BETWEEN = { short: 3, full: 40 } as const;
const RATE = { orders: 6, pauseMs: 150, maxBacklog: 150 } as const;
/** Nobody listens: a server that is restarted. */
const REFUSED_MS = 2_000;
/** Longer than what goes out in one piece: of this mail the server sees a part before it is handed over. */
const LONG_TEMPLATE = `---\nsubject: care for {{customer.id}}\n---\n${'<p>A line of a long letter about care.</p>\n'.repeat(1_000)}`;

interface Planned extends PlannedFault {
  readonly expected: Expected;
}

const plans = new WeakMap<ChaosSite, readonly Planned[]>();

export const smtp: Scenario = {
  name: 'smtp',
  title: 'SMTP refuses, resets, stalls at each stage; 250 lost',
  backends: ['postgres', 'redis'],
  open: async (backend, scale, seed) => {
    const plan = planOf(scale, randomFrom(seed));
    const site = await openChaosSite(backend, {
      plan,
      stallMs: STALL_MS[scale],
      tls: testCertificate(),
      auth: { user: 'shop', pass: 'p@ss/word' },
      // Connections are opened all the time, or the stages before the envelope would be rare.
      messagesPerConnection: 8,
    });
    plans.set(site, plan);
    return site;
  },
  run: async (site, _seed, scale) => {
    const plan = plans.get(site) ?? [];
    await site.deploy({ 'templates/shop/care.hbs': LONG_TEMPLATE });
    const load = openLoad(site);
    const fleet = site.startFleet(['scheduler', 'advance,deliver', 'advance,deliver']);
    await fleet.whenRunning();
    load.start(RATE);
    for (let round = 0; round < ROUNDS[scale]; round += 1) {
      await site.sink.refuseFor(REFUSED_MS);
      const wanted = Math.floor((plan.length * (round + 1)) / ROUNDS[scale]);
      // A connection says goodbye only when its process ends.
      await untilStruck({ site, load, fleet }, wanted - QUITS * (round + 1), STALL_MS[scale]);
    }
    await load.stop();
    // The client waits for answers longer than such a stall lasts, and a process that is told to end would wait with it.
    const noneStalls = async (): Promise<void> => {
      while ((await site.sink.standing()).stalled > 0) await sleep(100);
    };
    await noneStalls();
    await load.finish();
    await noneStalls();
    const wrong = endings(await fleet.drain());
    const strokes = await site.sink.strokes();
    const judged = await judgeStrokes(site, plan, strokes);
    const facts = {
      faults: strokes.length + ROUNDS[scale],
      failures: judged.permanent,
      unknownBound: judged.mayBeUnknown,
      recoveryMs: null,
    };
    return conclude(site, load, [fleet], { ...facts, wrong: [...wrong, ...judged.wrong] });
  },
};

/** In each round. */
const QUITS = KINDS.filter(([stage]) => stage === 'quit').length;

/** Conversations that stall keep their connections for as long, so that few are left for other faults. */
async function untilStruck(
  watched: Watched & { readonly site: ChaosSite },
  count: number,
  stallMs: number,
): Promise<void> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < 2 * stallMs && (await struck(watched.site)) < count) await sleep(100);
  await until(watched, `${count} faults have come about`, async () => (await struck(watched.site)) >= count);
}

async function struck(site: ChaosSite): Promise<number> {
  return (await site.sink.strokes()).length;
}

function planOf(scale: Scale, random: Random): readonly Planned[] {
  return Array.from({ length: ROUNDS[scale] }, (_, round) =>
    KINDS.map(([stage, fault, expected], index): Planned => {
      const id = `fault-${round}-${index}.`;
      // Goodbyes are few, and come at the end.
      const after = stage === 'quit' ? 0 : Math.floor(random() * MAX_BETWEEN[scale]);
      return { id, stage, fault: fault(id), expected, after };
    }),
  ).flat();
}

interface SendRow extends Record<string, unknown> {
  readonly message_id: string;
  readonly status: string;
  readonly reason: string | null;
  readonly resends: number;
}

interface Judged {
  /** Mails that the record calls failed for good, in the words of a fault that says so. */
  readonly permanent: number;
  readonly mayBeUnknown: number;
  readonly wrong: readonly string[];
}

/** Whether the record has the right class for each mail that a fault befell, as far as the server knows which one it was. */
async function judgeStrokes(site: ChaosSite, plan: readonly Planned[], strokes: readonly Stroke[]): Promise<Judged> {
  const { rows } = await site.db.query<SendRow>('select message_id, status, reason, resends from sends');
  const expectedOf = new Map(plan.map(({ id, expected }) => [id, expected]));
  const wrong: string[] = [];
  let permanent = 0;
  let mayBeUnknown = 0;
  for (const stroke of strokes) {
    const expected = expectedOf.get(stroke.id) ?? 'retry';
    const failed = rows.filter(({ status, reason }) => status === 'failed' && reason?.includes(stroke.id) === true);
    permanent += failed.length;
    const what = `${stroke.stage}, ${JSON.stringify(stroke.fault)}`;
    if (expected === 'permanent' ? !isPermanentRight(stroke, failed) : failed.length > 0) {
      wrong.push(`at ${what}: ${failed.length} mails are on record as failed by it`);
    }
    // Reset in the middle of a message, the client cannot know whether its end, just written, was read before.
    if (expected === 'unknown' || (stroke.stage === 'body' && stroke.fault.do === 'reset')) mayBeUnknown += 1;
    const doubted = rows.find(({ message_id: id }) => id === stroke.messageId);
    const isDoubted = doubted !== undefined && (doubted.status === 'unknown' || doubted.resends > 0);
    if (expected === 'unknown' && !isDoubted) {
      wrong.push(`at ${what}: ${stroke.messageId} is on record as ${doubted?.status ?? 'nothing'}, without a doubt`);
    }
  }
  return { permanent, mayBeUnknown, wrong };
}

/** Where a client that has given the connection up does not hear what it is told of the mail that followed. */
const TOLD_AHEAD: readonly string[] = ['mail', 'rcpt', 'data'];

/**
 * A mail whose commands came along with the end of the one before may be tried again: its sender was refused perhaps only because
 * of that, and the connection may have been given up over the mail before, so that nobody read the refusal. That a refusal which
 * is read counts is for test/mail/transport.
 */
function isPermanentRight(stroke: Stroke, failed: readonly SendRow[]): boolean {
  return failed.length === 1 || (TOLD_AHEAD.includes(stroke.stage) && failed.length === 0);
}
