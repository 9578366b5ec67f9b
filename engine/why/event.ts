/** Why events did not start a playbook. */
import type { Playbook, Trigger } from '../playbook/types.ts';
import type { Answer, Evidence } from './answer.ts';
import { type EventOnRecord, firstTaken, latestEvents } from './further.ts';
import { ask, fileOf, type Inquiry, startByHand, verdictEvidence, what, who } from './inquiry.ts';
import { factsAfter } from './facts.ts';
import { explainRefusal } from './refused.ts';

type EventTrigger = Trigger & { readonly kind: 'event' };

/** docs/playbooks.md: an event that arrives later than this after its date starts nothing. */
const LATE_MS = 24 * 3_600_000;

/** The latest so many events are looked at. */
const LOOKED_AT = 5;

/** Why one event started nothing: the end of the sentence "the event … ", and what shows it. */
interface Reason {
  readonly code: string;
  readonly because: string;
  readonly evidence: readonly Evidence[];
}

/** Explains why no event of the trigger's kind has let the customer in. */
export async function explainEvents(inquiry: Inquiry, trigger: EventTrigger): Promise<Answer> {
  const { db, record, until, words } = inquiry;
  const events = await latestEvents(db, record.customer.id, [trigger.event], { until, limit: LOOKED_AT });
  const [latest, ...older] = events;
  if (latest === undefined) return neverHad(inquiry, trigger);
  const refusal = record.refusals.find(({ entryKey }) => entryKey === `event:${latest.key}`);
  const others = await Promise.all(older.map(async (event) => olderEvidence(inquiry, trigger, event)));
  if (refusal !== undefined) {
    const refused = await explainRefusal(inquiry, refusal);
    return { ...refused, evidence: [...refused.evidence, ...others] };
  }
  const reason = await reasonFor(inquiry, trigger, latest);
  return {
    code: reason.code,
    answer: `${who(inquiry)} did not enter ${what(inquiry)}: the event ${nameOf(latest)} of ${words.when(latest.at)} ${reason.because}.`,
    evidence: [eventEvidence(inquiry, latest), ...reason.evidence, ...others],
    next: startByHand(inquiry),
  };
}

function nameOf({ event, key }: EventOnRecord): string {
  return `${event} (${key})`;
}

function eventEvidence({ words }: Inquiry, event: EventOnRecord): Evidence {
  const came = event.receivedAt - event.at > 60_000 ? `, came in ${words.when(event.receivedAt)}` : '';
  return { at: event.at, text: `${nameOf(event)} of ${words.when(event.at)}${came}: ${JSON.stringify(event.data)}` };
}

async function olderEvidence(inquiry: Inquiry, trigger: EventTrigger, event: EventOnRecord): Promise<Evidence> {
  const entered = inquiry.record.enrolments.some(({ entryKey }) => entryKey === `event:${event.key}`);
  const refusal = inquiry.record.refusals.find(({ entryKey }) => entryKey === `event:${event.key}`);
  const because = entered
    ? 'let them in'
    : refusal === undefined
      ? (await reasonFor(inquiry, trigger, event)).because
      : `was refused: ${refusal.because}`;
  return { at: event.at, text: `earlier, ${nameOf(event)} of ${inquiry.words.when(event.at)} ${because}` };
}

async function neverHad(inquiry: Inquiry, trigger: EventTrigger): Promise<Answer> {
  const { record, sources, words, until } = inquiry;
  const quoter = await sources.quoter(inquiry.release.id, fileOf(inquiry));
  const limit = until < record.now ? ` up to ${words.when(until)}` : '';
  return {
    code: 'no event',
    answer: `${who(inquiry)} did not enter ${what(inquiry)}: no event ${trigger.event} of theirs has come in${limit}.`,
    evidence: [{ text: 'the trigger', quote: quoter.at('trigger'), release: sources.deployedAt(record.now) }],
    next: startByHand(inquiry),
  };
}

async function reasonFor(inquiry: Inquiry, current: EventTrigger, event: EventOnRecord): Promise<Reason> {
  const { sources, record, words } = inquiry;
  if (event.history) {
    return {
      code: 'history',
      because: 'came in with an import of history, which sets facts and starts nothing',
      evidence: [],
    };
  }
  const deployment = sources.deployedAt(event.receivedAt);
  const release = deployment === null ? null : await sources.release(deployment.releaseId);
  const playbook = release?.byName.get(record.playbook.name);
  if (deployment === null || release === null || playbook === undefined) {
    const armed = { text: `the playbook's trigger looks forward from ${words.when(record.playbook.armedFrom)}` };
    return { code: 'before', because: 'came in before the playbook was deployed', evidence: [armed] };
  }
  const quoter = await sources.quoter(deployment.releaseId, fileOf(inquiry));
  const quote = quoter.at('trigger');
  const { trigger } = playbook;
  if (trigger.kind !== 'event' || trigger.event !== current.event) {
    const other = { text: 'the trigger at that time', quote, release: deployment };
    return { code: 'other trigger', because: 'came in while the playbook had another trigger', evidence: [other] };
  }
  if (event.receivedAt - event.at > LATE_MS) {
    const because = 'came in more than 24 hours after its date: so late, an event sets facts and starts nothing';
    return { code: 'late event', because, evidence: [] };
  }
  const first = trigger.first ? await firstTaken(inquiry.db, record.customer.id, event.event) : null;
  if (first !== null && first.order < event.order) return notFirst(inquiry, first, quote, deployment);
  return byRules(inquiry, playbook, trigger, event, { deployment, quoter, release });
}

function notFirst(
  inquiry: Inquiry,
  first: EventOnRecord,
  quote: Evidence['quote'],
  release: Evidence['release'],
): Reason {
  const history = first.history ? ', from an import of history' : '';
  const text = `the first one known: ${nameOf(first)} of ${inquiry.words.when(first.at)}${history}`;
  return {
    code: 'not first',
    because: 'was not their first, and the trigger takes only the first',
    evidence: [
      { text: 'the trigger', quote: quote ?? null, release: release ?? null },
      { at: first.at, text },
    ],
  };
}

async function byRules(
  inquiry: Inquiry,
  playbook: Playbook,
  trigger: EventTrigger,
  event: EventOnRecord,
  of: {
    readonly deployment: NonNullable<Evidence['release']>;
    readonly quoter: { at(...path: string[]): Evidence['quote'] };
    readonly release: Parameters<typeof ask>[2]['release'] & object;
  },
): Promise<Reason> {
  const { record } = inquiry;
  const { deployment: release } = of;
  const origin = { event: { id: event.key, event: event.event, at: event.at, data: event.data } };
  const at = Math.min(event.at, event.receivedAt);
  if (trigger.if !== null) {
    const facts = await factsAfter(inquiry, event, of.release);
    const verdict = ask(inquiry, trigger.if, { origin, at, release: of.release, facts });
    const quote = of.quoter.at('trigger', 'if') ?? null;
    const shown = verdictEvidence(inquiry, verdict, { label: "the trigger's `if`", quote, release });
    if (!verdict.holds) {
      const because = verdict.lasting
        ? `did not meet the trigger: \`${trigger.if.source}\` is false, since ${inquiry.words.values(verdict.values)}`
        : `does not meet the trigger by what is known now, and what was known then is not on record`;
      return { code: verdict.lasting ? 'condition' : 'not on record', because, evidence: [shown] };
    }
    if (!verdict.lasting) {
      const because = 'started nothing, and what the trigger read then is not on record';
      return { code: 'not on record', because, evidence: [shown] };
    }
  }
  if (playbook.inFlight === 'drain') {
    const quote = of.quoter.at('in_flight') ?? null;
    const text = 'who is in it finishes, and nobody new enters';
    return {
      code: 'refused: draining',
      because: 'came while the playbook was draining',
      evidence: [{ text, quote, release }],
    };
  }
  const before = record.enrolments.find(({ startedAt }) => startedAt < at);
  if (before !== undefined && before.endedAt !== null && before.endedAt <= at && playbook.entry.again === 'never') {
    const quote = of.quoter.at('entry') ?? null;
    const text = `they had entered on ${inquiry.words.when(before.startedAt)}`;
    return {
      code: 'refused: not again',
      because: 'found that they had been in it before',
      evidence: [{ text, quote, release }],
    };
  }
  const mayOverlap = playbook.entry.ifActive !== 'ignore';
  if (!mayOverlap && before !== undefined && (before.endedAt === null || before.endedAt > at)) {
    const text = `they had entered on ${inquiry.words.when(before.startedAt)}`;
    return { code: 'refused: already active', because: 'found them in it already', evidence: [{ text, release }] };
  }
  return {
    code: 'not on record',
    because: 'started nothing, and why is not on record',
    evidence: [{ text: 'the release of that time', release }],
  };
}
