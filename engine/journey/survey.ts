/** Surveys: a mail that asks, then a wait for the answer, which is an event like any other. docs/playbooks.md. */
import { addDuration } from '../time/duration.ts';
import type { Instant, Zone } from '../time/types.ts';
import { SURVEY_ANSWERED } from '../playbook/declarations.ts';
import type { Json, Step } from '../playbook/types.ts';
import type { Draft } from './draft.ts';
import type { Next } from './next.ts';
import type { CustomerEvent, Enrolment, Send } from './types.ts';

/** The event that an answer is: `{ survey, score }`. */
export const ANSWERED = SURVEY_ANSWERED.name;

type SurveyStep = Step & { readonly kind: 'survey' };

/** The score of an answer; null where there is no number in it. */
export function scoreOf(event: CustomerEvent): number | null {
  const { score } = event.data;
  return typeof score === 'number' && Number.isFinite(score) ? score : null;
}

/** Whether the event answers this survey: it names what is asked, or the step. */
export function answers(step: SurveyStep, event: CustomerEvent): boolean {
  const { survey } = event.data;
  return event.event === ANSWERED && (survey === step.ask || survey === step.id);
}

/** The enrolment with the score as `vars.ID.score`, beside what the reader did with the mail. */
export function withScore(enrolment: Enrolment, step: SurveyStep, score: Json): Enrolment {
  const known = enrolment.vars[step.id];
  const isRecord = typeof known === 'object' && known !== null && !Array.isArray(known);
  const done = isRecord ? (known as Readonly<Record<string, Json>>) : {};
  return { ...enrolment, vars: { ...enrolment.vars, [step.id]: { ...done, score } } };
}

/** How the timeline names a mail that was handed over. */
export function lineOfMail(send: Send): 'email' | 'survey' {
  return send.ask === null ? 'email' : 'survey';
}

/** After a mail was handed over at `at`: a survey now waits for its answer, and counts from then. */
export function afterMail(draft: Draft, enrolment: Enrolment, step: Step, at: Instant, zone: Zone): Next {
  if (step.kind !== 'survey') return { to: step.next };
  const dueAt = addDuration(at, step.upTo, zone);
  draft.moveEnrolment(enrolment, { on: 'time', step: step.id, dueAt, ready: false });
  return 'stays';
}
