/** What decides where the ways of a playbook part, and which way was taken. */
import { ANSWERED, answers } from '../journey/survey.ts';
import type { Step } from '../playbook/types.ts';
import type { Evidence } from './answer.ts';
import { type Arm, armsOf, armTaken, type Fork } from './branches.ts';
import type { Way } from './enrolment.ts';
import { latestEvents } from './further.ts';
import { ask, fileOf, type Inquiry, verdictEvidence, who } from './inquiry.ts';

/** A step that asks by mail and waits for the answer. */
export type SurveyStep = Step & { readonly kind: 'survey' };

/** The words of a step, in the version that the enrolment keeps. */
export async function quoteOf(
  inquiry: Inquiry,
  { enrolment }: Way,
  step: Step,
  path: readonly (string | number)[] = [],
) {
  return (await inquiry.sources.quoter(enrolment.releaseId, fileOf(inquiry))).step(step.index, ...path);
}

/** The answers that this enrolment's survey got. */
export async function answersTo(inquiry: Inquiry, { enrolment }: Way, step: SurveyStep): Promise<readonly Evidence[]> {
  const { record, db, words } = inquiry;
  const span = { from: enrolment.startedAt, until: enrolment.endedAt ?? record.now, limit: 20 };
  const events = await latestEvents(db, record.customer.id, [ANSWERED], span);
  return events
    .filter((event) => answers(step, { ...event, id: event.key }))
    .map(({ at, data }) => ({ at, text: `answered ${words.when(at)}: ${JSON.stringify(data)}` }));
}

/** The arm that was taken at a step, as far as there is a trace of it. */
export function armOf({ record }: Inquiry, { enrolment, playbook }: Way, step: Step): Arm | null {
  const own = [...record.journal, ...record.sends, ...record.effects].filter((one) => one.enrolmentId === enrolment.id);
  const traced = new Set([...own, enrolment].flatMap(({ step: id }) => id ?? []));
  return armTaken(playbook, step, { customer: record.customer.key, traced });
}

/** Whether the way is known to have gone on in another arm than the one that leads to the step in question. */
export function tookAnother(inquiry: Inquiry, way: Way, { step, arm }: Fork): boolean {
  const taken = armOf(inquiry, way, step);
  return taken !== null && taken.label !== arm.label;
}

/** The role of a fork that has not been reached. */
export const AHEAD = 'lies ahead';

/** What decides at a fork, with the values where they are on record. */
export async function forkEvidence(inquiry: Inquiry, way: Way, fork: Fork, role: string): Promise<readonly Evidence[]> {
  const { step } = fork;
  const { enrolment } = way;
  const head: Evidence = { text: `"${step.id}" ${role}`, quote: await quoteOf(inquiry, way, step) };
  const { origin, vars, startedAt, endedAt } = enrolment;
  if (step.kind === 'wait_for') {
    const until = endedAt ?? inquiry.record.now;
    const events = await latestEvents(inquiry.db, inquiry.record.customer.id, [step.event], {
      from: startedAt,
      until,
      limit: 3,
    });
    const came = events.map((event) => ({
      at: event.at,
      text: `${step.event} (${event.key}) came ${inquiry.words.when(event.at)}: ${JSON.stringify(event.data)}`,
    }));
    return [head, ...(came.length > 0 ? came : [{ text: `no event ${step.event} is on record since they entered` }])];
  }
  if (step.kind === 'survey') {
    const given = await answersTo(inquiry, way, step);
    return [head, ...(given.length > 0 ? given : [{ text: 'no answer to it is on record' }])];
  }
  if (step.kind === 'split') {
    const landed = armOf(inquiry, way, step)?.label ?? '';
    return [head, { text: `${who(inquiry)} always lands in the arm "${landed}": it follows from the names alone` }];
  }
  const conditions = await Promise.all(
    armsOf(step).map(async ({ label, condition, path }) => {
      if (condition === null) return [];
      const quote = await quoteOf(inquiry, way, step, path);
      const verdict = ask(inquiry, condition, { origin, vars, at: endedAt ?? inquiry.record.now });
      return [
        verdictEvidence(inquiry, verdict, { label: `the condition of "${label}"`, quote, ahead: role === AHEAD }),
      ];
    }),
  );
  return [head, ...conditions.flat()];
}
