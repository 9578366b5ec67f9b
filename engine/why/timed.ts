/** Why a trigger of time has not started a playbook. */
import { armTimers, lapseOf, lastActivity } from '../journey/timers.ts';
import { fieldDate } from '../journey/waits.ts';
import { scopeOf } from '../journey/view.ts';
import type { Trigger } from '../playbook/types.ts';
import { nextOccurrence } from '../time/occurrence.ts';
import { startOfDay } from '../time/local.ts';
import { formatInstant, formatLocalDate } from '../time/text.ts';
import type { Instant, LocalDate, Occurrence, Zone } from '../time/types.ts';
import type { Answer, Evidence } from './answer.ts';
import { aheadEvidence, audienceNow } from './ahead.ts';
import { isBeingArmed } from './further.ts';
import { fileOf, type Inquiry, startByHand, what, who } from './inquiry.ts';
import { explainRefusal } from './refused.ts';

type DateTrigger = Trigger & { readonly kind: 'date' };
type InactiveTrigger = Trigger & { readonly kind: 'inactive' };

/** Enough for a monthly date over a long life. */
const MOST_OCCURRENCES = 1_500;

/** Explains why no occurrence of a date has let the customer in, and when the next one comes. */
export async function explainDate(inquiry: Inquiry, trigger: DateTrigger): Promise<Answer> {
  const { record, words, until, release } = inquiry;
  const name = `${trigger.field.root}.${trigger.field.name}`;
  const anchor = fieldDate(trigger.field, scopeOf(record.customer.profile, release, record.now));
  const head = await triggerEvidence(inquiry);
  if (anchor === null) {
    const answer = `${who(inquiry)} did not enter ${what(inquiry)}: they have no ${name}, from which its trigger counts.`;
    return { code: 'no date', answer, evidence: head, next: startByHand(inquiry) };
  }
  const last = lastOccurrence(trigger, anchor, until, words.zone);
  const refusal = last === null ? undefined : refusalOf(inquiry, `date:${formatLocalDate(last.date)}`);
  if (refusal !== undefined) return explainRefusal(inquiry, refusal);
  const missed =
    last === null ? null : await missedText(inquiry, last.at, `the last occurrence, ${words.when(last.at)},`);
  const next = nextTimer(inquiry);
  const field = { text: `${name} is ${formatLocalDate(anchor)}` };
  const ahead = next === null ? [] : [aheadEvidence(inquiry), ...(await audienceOn(inquiry, trigger, anchor, next))];
  const coming = next === null ? 'none is to come' : `the next one is on ${words.when(next)}`;
  const answer = `${who(inquiry)} did not enter ${what(inquiry)}: ${missed?.because ?? 'its date has not come yet'}; ${coming}.`;
  return {
    code: missed?.code ?? 'not yet',
    answer,
    evidence: [...head, field, ...(missed?.evidence ?? []), ...ahead],
    next: startByHand(inquiry),
  };
}

function lastOccurrence({ rule }: DateTrigger, anchor: LocalDate, until: Instant, zone: Zone): Occurrence | null {
  let last: Occurrence | null = null;
  let from = startOfDay({ ...anchor, year: Math.max(anchor.year - 1, 1) }, zone);
  for (let n = 0; n < MOST_OCCURRENCES; n += 1) {
    const next = nextOccurrence(rule, anchor, from, zone, true);
    if (next === null || next.at > until) return last;
    last = next;
    from = next.at;
  }
  return last;
}

async function audienceOn(
  inquiry: Inquiry,
  { rule }: DateTrigger,
  anchor: LocalDate,
  at: Instant,
): Promise<readonly Evidence[]> {
  const next = nextOccurrence(rule, anchor, at, inquiry.words.zone);
  const origin = next === null ? {} : { trigger: { count: next.count, date: formatLocalDate(next.date) } };
  return audienceNow(inquiry, at, origin);
}

/** What the rules would make of the customer's timer at this moment. */
export function nextTimer(inquiry: Inquiry): Instant | null {
  const draft = inquiry.openDraft();
  armTimers(draft, inquiry.record.now, inquiry.ctx);
  return draft.timers.get(inquiry.record.playbook.name)?.dueAt ?? null;
}

function refusalOf({ record }: Inquiry, entryKey: string): Inquiry['record']['refusals'][number] | undefined {
  return record.refusals.find((refusal) => refusal.entryKey === entryKey);
}

/** The trigger's words, in the release that runs. */
export async function triggerEvidence(inquiry: Inquiry): Promise<readonly Evidence[]> {
  const { sources, release, record } = inquiry;
  const quote = (await sources.quoter(release.id, fileOf(inquiry))).at('trigger');
  return [{ text: 'the trigger', quote, release: sources.deployedAt(record.now) }];
}

/** Why an instant that has passed started nothing; `it` names the instant. */
export async function missedText(
  inquiry: Inquiry,
  at: Instant,
  it: string,
): Promise<{ readonly code: string; readonly because: string; readonly evidence: readonly Evidence[] }> {
  const { record, words, db } = inquiry;
  const { arrivedAt, id } = record.customer;
  const { armedFrom } = record.playbook;
  if (at < arrivedAt) {
    const because = `${it} lay before they came to be known on ${words.when(arrivedAt)}, and triggers look forward`;
    return { code: 'before they were known', because, evidence: [] };
  }
  if (at < armedFrom) {
    const because = `${it} lay before this trigger was deployed on ${words.when(armedFrom)}, and triggers look forward`;
    return { code: 'before', because, evidence: [] };
  }
  const hasTimer = inquiry.openDraft().timers.has(record.playbook.name);
  if (!hasTimer && (await isBeingArmed(db, record.playbook.id, id))) {
    return { code: 'being armed', because: `the playbook is new and has not come to them yet`, evidence: [] };
  }
  const timer = nextTimer(inquiry);
  if (timer !== null && timer <= record.now) {
    const because = `${it} is due, and has not been taken up by a worker yet`;
    return { code: 'due', because, evidence: [] };
  }
  const text = 'what it counts from may have changed since, or they were held';
  return { code: 'not on record', because: `${it} started nothing, and why is not on record`, evidence: [{ text }] };
}

/** Explains why no lapse has let the customer in, and when the next one is complete. */
export async function explainInactive(inquiry: Inquiry, trigger: InactiveTrigger): Promise<Answer> {
  const { words, until } = inquiry;
  const head = await triggerEvidence(inquiry);
  const events = trigger.no === 'any' ? 'event of any kind' : `event ${trigger.no.join(' or ')}`;
  const anchor = lastActivity(inquiry.openDraft(), trigger);
  if (anchor === null) {
    const answer = `${who(inquiry)} did not enter ${what(inquiry)}: they never had an ${events}, and without \`or_never\` those are left out.`;
    return { code: 'never had one', answer, evidence: head, next: startByHand(inquiry) };
  }
  const lapse = lapseOf(trigger, anchor, words.zone);
  const since: Evidence = {
    at: anchor,
    text: `it counts from ${words.when(anchor)}, the last ${events} (or their creation)`,
  };
  const refusal = refusalOf(inquiry, `lapse:${formatInstant(anchor)}`);
  if (refusal !== undefined) return explainRefusal(inquiry, refusal);
  if (lapse > until) {
    const answer = `${who(inquiry)} has not entered ${what(inquiry)} yet: ${trigger.for.text} without an ${events} are over on ${words.when(lapse)}.`;
    const ahead = [aheadEvidence(inquiry), ...(await audienceNow(inquiry, lapse, {}))];
    return { code: 'not yet', answer, evidence: [...head, since, ...ahead], next: startByHand(inquiry) };
  }
  const missed = await missedText(inquiry, lapse, `the end of the lapse, ${words.when(lapse)},`);
  const answer = `${who(inquiry)} did not enter ${what(inquiry)}: ${missed.because}.`;
  return { code: missed.code, answer, evidence: [...head, since, ...missed.evidence], next: startByHand(inquiry) };
}
