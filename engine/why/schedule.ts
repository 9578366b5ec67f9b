/** Why a schedule has not started a playbook. */
import type { Trigger } from '../playbook/types.ts';
import { nextScheduled } from '../time/schedule.ts';
import { formatLocalDate } from '../time/text.ts';
import type { Instant, Occurrence, Zone } from '../time/types.ts';
import { aheadEvidence, audienceNow } from './ahead.ts';
import type { Answer, Evidence } from './answer.ts';
import { type Inquiry, startByHand, what, who } from './inquiry.ts';
import { explainRefusal } from './refused.ts';
import { missedText, nextTimer, triggerEvidence } from './timed.ts';

type ScheduleTrigger = Trigger & { readonly kind: 'schedule' };

/** The rarest schedules come once in some years; what lies further back than this is not looked for. */
const LOOKED_BACK_MS = 5 * 366 * 86_400_000;

/** Explains why the last occurrence has not let the customer in, and when the next one comes. */
export async function explainSchedule(inquiry: Inquiry, { rule }: ScheduleTrigger): Promise<Answer> {
  const { record, words, until } = inquiry;
  const head = await triggerEvidence(inquiry);
  const last = lastScheduled(rule, until, words.zone);
  const key = last === null ? null : `schedule:${formatLocalDate(last.date)}`;
  const refusal = record.refusals.find(({ entryKey }) => entryKey === key);
  if (refusal !== undefined) return explainRefusal(inquiry, refusal);
  const missed = last === null ? null : await missedBy(inquiry, last);
  const next = nextTimer(inquiry);
  const coming = next === null ? 'none is to come' : `the next one is on ${words.when(next)}`;
  const answer = `${who(inquiry)} did not enter ${what(inquiry)}: ${missed?.because ?? 'its schedule has not come yet'}; ${coming}.`;
  const ahead = next === null ? [] : [aheadEvidence(inquiry)];
  const evidence = [...head, ...(missed?.evidence ?? []), ...ahead];
  return { code: missed?.code ?? 'not yet', answer, evidence, next: startByHand(inquiry) };
}

function lastScheduled(rule: ScheduleTrigger['rule'], until: Instant, zone: Zone): Occurrence | null {
  let last: Occurrence | null = null;
  let next = nextScheduled(rule, until - LOOKED_BACK_MS, zone);
  while (next !== null && next.at <= until) {
    last = next;
    next = nextScheduled(rule, next.at, zone, true);
  }
  return last;
}

/** A schedule asks everyone each time, so whom its audience left out is not kept. */
async function missedBy(
  inquiry: Inquiry,
  { at, count, date }: Occurrence,
): Promise<{ readonly code: string; readonly because: string; readonly evidence: readonly Evidence[] }> {
  const it = `the last occurrence, ${inquiry.words.when(at)},`;
  const missed = await missedText(inquiry, at, it);
  if (missed.code !== 'not on record') return missed;
  const origin = { trigger: { count, date: formatLocalDate(date) } };
  const audience = await audienceNow(inquiry, at, origin);
  if (audience.length === 0) return missed;
  const text = 'whom the audience of a schedule leaves out is not on record; what it read then may have differed';
  return { code: 'audience', because: `${it} went past them`, evidence: [...audience, { text }] };
}
