/** Which of the due mails of loaded customers may go now, decided by the pure core. */
import { sendKey, type Draft } from '../journey/draft.ts';
import { compareSends, type OwnedSend } from '../journey/order.ts';
import { byReader } from '../journey/reader.ts';
import { decide } from '../journey/attempt.ts';
import { attempt, putOff } from '../journey/run.ts';
import type { Enrolment, Send } from '../journey/types.ts';
import type { Instant } from '../time/types.ts';
import type { StoreContext } from './context.ts';
import { doubtAt } from './restored.ts';
import { StoreError } from './errors.ts';
import type { MailLane } from './lane.ts';
import type { Admission, Gate } from './pace/gate.ts';
import { storedOf } from './stored.ts';

/** A mail that is due, and whose. */
export interface Due {
  readonly draft: Draft;
  readonly send: Send;
}

/** A mail that may go. */
export interface Granted extends Due {
  readonly enrolment: Enrolment;
  /** How long after the claim it may go, in ms, and the limits that it counts towards. */
  readonly waitMs: number;
  readonly limits: readonly string[];
  /** When it would have gone, where it may have gone out already, unknown to this database; else null. */
  readonly doubtAt: Instant | null;
}

/** What the attempts decided. */
export interface Tally {
  readonly granted: Granted[];
  /** Granted in the very transaction that reached their step: they have no row yet. */
  readonly fresh: Due[];
  readonly unaddressed: Due[];
  deferred: number;
  skipped: number;
}

/**
 * Attempts one mail after the other, each time the first in the order of the language, since a skip may bring a next;
 * stops when `max` were granted. What may go and is not let through by `gate` is put off.
 */
export function attemptAll(
  drafts: readonly Draft[],
  lane: MailLane,
  max: number,
  gate: Gate | null,
  ctx: StoreContext,
): Tally {
  const tally: Tally = { granted: [], fresh: [], unaddressed: [], deferred: 0, skipped: 0 };
  for (const group of byReader(drafts)) {
    for (;;) {
      const due = tally.granted.length < max ? firstDue(group, lane, ctx) : null;
      if (due === null) break;
      decideOn(due, tally, gate, ctx);
    }
  }
  return tally;
}

function decideOn({ draft, send }: Due, tally: Tally, gate: Gate | null, ctx: StoreContext): void {
  const enrolment = draft.enrolment(send.playbook, send.entryKey);
  if (enrolment === null) throw new StoreError('lost-row', `the mail "${send.step}" has no active enrolment`);
  const stored = storedOf(draft).sends.get(sendKey(send));
  // A copy of a mail takes the place of the one before it, so that one is not in its own way.
  const copyAt = stored?.copyAt ?? null;
  const isCounted = copyAt !== null && draft.reader.remove(copyAt);
  // What its pace has put off is late when it would have been late without that.
  const asked = stored?.pacedFrom == null ? send : { ...send, dueAt: stored.pacedFrom };
  // Decided as of the time at which the lost fleet would have: it then went, or was put off or skipped.
  const lostAt = doubtAt(send, ctx.doubt);
  const at = lostAt ?? ctx.now;
  const admission = gate === null || lostAt !== null ? FREE : admit(gate, { draft, send: asked }, ctx);
  if (!admission.goes) {
    putOff(draft, send, { ...admission, pacedFrom: asked.dueAt }, ctx.now, ctx);
    if (isCounted) draft.reader.add(copyAt);
    tally.deferred += 1;
    return;
  }
  const decision = attempt(draft, asked, at, ctx);
  if (isCounted && decision.do !== 'hand') draft.reader.add(copyAt);
  switch (decision.do) {
    case 'defer':
      tally.deferred += 1;
      break;
    case 'skip':
      tally.skipped += 1;
      break;
    case 'hand': {
      if (stored === undefined) tally.fresh.push({ draft, send });
      if (storedOf(draft).address === null) tally.unaddressed.push({ draft, send });
      else
        tally.granted.push({
          draft,
          send,
          enrolment,
          waitMs: admission.waitMs,
          limits: admission.limits,
          doubtAt: lostAt,
        });
      break;
    }
  }
}

const FREE: Admission = { goes: true, waitMs: 0, limits: [] };

/** Only what the language lets go takes a place. */
function admit(gate: Gate, { draft, send }: Due, ctx: StoreContext): Admission {
  const { address } = storedOf(draft);
  if (address === null || decide(draft, send, ctx.now, ctx).do !== 'hand') return FREE;
  return gate.admit(address);
}

function firstDue(group: readonly Draft[], lane: MailLane, ctx: StoreContext): Due | null {
  const compare = compareSends(ctx.release);
  let first: (Due & OwnedSend) | null = null;
  for (const draft of group) {
    const { sends } = storedOf(draft);
    for (const send of draft.sends.values()) {
      if (send.dueAt > ctx.now || send.transactional !== (lane === 'transactional')) continue;
      if (ctx.isPaused(send.playbook) || sends.get(sendKey(send))?.held === true) continue;
      const due = { draft, send, customer: draft.profile.id, age: draft.ageOf(send) };
      if (first === null || compare(due, first) < 0) first = due;
    }
  }
  return first;
}
