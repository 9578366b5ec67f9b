/** How an enrolment ended before its steps ran out. */
import type { Playbook } from '../playbook/types.ts';
import type { Answer, Evidence } from './answer.ts';
import { latestEvents } from './further.ts';
import { ask, fileOf, type Inquiry, seeCustomer, verdictEvidence } from './inquiry.ts';
import type { EnrolmentOnRecord } from './record.ts';

/** The end of the sentence "… left it", and what shows it. */
export type End = Answer;

/** Explains the end of an enrolment that ended by itself or by a person. */
export async function explainEnd(inquiry: Inquiry, enrolment: EnrolmentOnRecord, playbook: Playbook): Promise<End> {
  const { words } = inquiry;
  const at = words.when(enrolment.endedAt ?? enrolment.startedAt);
  switch (enrolment.status) {
    case 'active':
      throw new Error('an active enrolment has no end: this is a bug in engine/why');
    case 'complete':
      return { code: 'complete', answer: `completed it on ${at}`, evidence: [], next: [] };
    case 'goal':
      return goal(inquiry, enrolment, playbook, at);
    case 'cancel':
      return cancelled(inquiry, enrolment, at);
    case 'exit':
      return exit(inquiry, enrolment, playbook, at);
  }
}

async function goal(inquiry: Inquiry, enrolment: EnrolmentOnRecord, playbook: Playbook, at: string): Promise<End> {
  const quote = (await inquiry.sources.quoter(enrolment.releaseId, fileOf(inquiry))).at('goal');
  const event = playbook.goal?.event ?? '';
  return {
    code: 'goal',
    answer: `reached its goal on ${at}, by the event ${event}`,
    evidence: [{ text: 'the goal', quote }, ...(await eventsAtEnd(inquiry, enrolment, event))],
    next: [],
  };
}

/** The event that ended it; several of one instant are all shown. */
async function eventsAtEnd(
  { db, record, words }: Inquiry,
  { endedAt }: EnrolmentOnRecord,
  event: string,
): Promise<readonly Evidence[]> {
  if (endedAt === null) return [];
  const found = await latestEvents(db, record.customer.id, [event], { from: endedAt, until: endedAt, limit: 3 });
  return found.map(({ key, data, at }) => ({
    at,
    text: `${event} (${key}) of ${words.when(at)}: ${JSON.stringify(data)}`,
  }));
}

function cancelled(inquiry: Inquiry, { endedAt, id, reason }: EnrolmentOnRecord, at: string): End {
  const { record } = inquiry;
  const act = record.acts.find(({ action, detail, at: when }) => {
    const { enrolments } = detail;
    return action === 'cancel' && when === endedAt && (!Array.isArray(enrolments) || enrolments.includes(id));
  });
  const by = act === undefined ? '' : ` by ${act.by}`;
  return {
    code: 'cancel',
    answer: `was taken out on ${at}${by} (${reason ?? 'no reason given'})`,
    evidence: act === undefined ? [{ text: 'who did it is not on record' }] : [],
    next: [seeCustomer(inquiry)],
  };
}

async function exit(inquiry: Inquiry, enrolment: EnrolmentOnRecord, playbook: Playbook, at: string): Promise<End> {
  const quoter = await inquiry.sources.quoter(enrolment.releaseId, fileOf(inquiry));
  const { reason, endedAt } = enrolment;
  const left = (answer: string, evidence: readonly Evidence[]): End => ({ code: 'exit', answer, evidence, next: [] });
  if (reason?.startsWith('event ') === true) {
    const event = reason.slice('event '.length);
    const rules = playbook.exits.flatMap((rule, index) =>
      rule.kind === 'event' && rule.event === event ? { text: 'the exit', quote: quoter.at('exit', index) } : [],
    );
    const events = await eventsAtEnd(inquiry, enrolment, event);
    return left(`left it on ${at}, by the event ${event}`, [...rules, ...events]);
  }
  if (reason === 'condition') {
    const rules = playbook.exits.flatMap((rule, index) => {
      if (rule.kind !== 'condition') return [];
      const { origin, vars } = enrolment;
      const verdict = ask(inquiry, rule.if, { origin, vars, at: endedAt ?? inquiry.record.now });
      return verdictEvidence(inquiry, verdict, { label: 'the exit condition', quote: quoter.at('exit', index) });
    });
    return left(`left it on ${at}, because an exit condition was true`, rules);
  }
  if (reason === 'restart') {
    const text = 'a trigger fired while they were in it, and `if_active` is "restart"';
    return left(`left it on ${at}, because it started anew`, [{ text, quote: quoter.at('entry') }]);
  }
  if (reason === 'past') {
    const rules = [...playbook.steps.values()].flatMap((step) =>
      step.kind === 'wait' && step.wait.kind === 'field' && step.wait.ifPast === 'exit'
        ? { text: `the wait "${step.id}"`, quote: quoter.step(step.index) }
        : [],
    );
    return left(`left it on ${at}, because the date of a wait was past or missing`, rules);
  }
  const steps = [...playbook.steps.values()].flatMap((step) =>
    step.kind === 'exit' && step.reason === reason
      ? { text: `the step "${step.id}"`, quote: quoter.step(step.index) }
      : [],
  );
  return left(`left it on ${at}: ${reason ?? 'no reason given'}`, steps);
}
