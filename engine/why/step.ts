/** What became of one step of an enrolment. */
import type { Step } from '../playbook/types.ts';
import { armTaken, canReach, type Fork, forksTo } from './branches.ts';
import type { Answer, Evidence } from './answer.ts';
import { explainEnd } from './end.ts';
import { entryEvidence } from './entry.ts';
import { explainStanding, sendsOf, type Way } from './enrolment.ts';
import { AHEAD, answersTo, armOf, forkEvidence, quoteOf, type SurveyStep, tookAnother } from './fork.ts';
import { ask, type Inquiry, seeCustomer, verdictEvidence, who } from './inquiry.ts';
import { explainMail } from './mail.ts';
import type { EffectOnRecord } from './record.ts';

/** Explains whether and when the step was done, or why not. */
export async function explainStep(inquiry: Inquiry, way: Way, step: Step): Promise<Answer> {
  const { enrolment, playbook } = way;
  const send = sendsOf(inquiry, enrolment).find((one) => one.step === step.id);
  const entry = await entryEvidence(inquiry, enrolment, playbook);
  const whole = (answer: Answer): Answer => ({ ...answer, evidence: [...answer.evidence, ...entry] });
  if (send !== undefined) {
    const mail = await explainMail(inquiry, { send, enrolment, playbook, step });
    return whole(step.kind === 'survey' ? await withAnswer(inquiry, way, step, mail) : mail);
  }
  const effect = inquiry.record.effects.find((one) => one.enrolmentId === enrolment.id && one.step === step.id);
  if (effect !== undefined) return whole(await explainEffect(inquiry, way, step, effect));
  const line = inquiry.record.journal.find((one) => one.enrolmentId === enrolment.id && one.step === step.id);
  if (line !== undefined) return whole(await inJournal(inquiry, way, step, line));
  if (enrolment.status === 'active') return whole(await whileUnderWay(inquiry, way, step));
  return whole(await afterTheEnd(inquiry, way, step));
}

/** A survey's mail, and what has come of it: the answer, or until when it is awaited. */
async function withAnswer(inquiry: Inquiry, way: Way, step: SurveyStep, mail: Answer): Promise<Answer> {
  const { step: standsOn, status, dueAt } = way.enrolment;
  const given = await answersTo(inquiry, way, step);
  const waits = given.length === 0 && status === 'active' && standsOn === step.id && dueAt !== null;
  const until = waits ? ` Its answer is awaited until ${inquiry.words.when(dueAt)}.` : '';
  return { ...mail, answer: `${mail.answer}${until}`, evidence: [...mail.evidence, ...given] };
}

async function inJournal(
  inquiry: Inquiry,
  way: Way,
  step: Step,
  line: { readonly at: number; readonly do: string; readonly reason: string | null },
): Promise<Answer> {
  const { words } = inquiry;
  const at = words.when(line.at);
  if (line.do !== 'skip') {
    const quote = await quoteOf(inquiry, way, step);
    const answer = `The step "${step.id}" was done for ${who(inquiry)} on ${at}.`;
    return { code: 'done', answer, evidence: [{ at: line.at, text: line.do, quote }], next: [] };
  }
  const answer = `The step "${step.id}" was skipped for ${who(inquiry)} on ${at}, because its own condition was false.`;
  const quote = await quoteOf(inquiry, way, step, ['if']);
  const { origin, vars } = way.enrolment;
  const evidence: Evidence[] =
    step.guard === null
      ? [{ text: line.reason ?? '', quote }]
      : [
          verdictEvidence(inquiry, ask(inquiry, step.guard, { origin, vars, at: line.at }), {
            label: 'the condition',
            quote,
          }),
        ];
  return { code: 'skipped: condition', answer, evidence, next: [] };
}

async function explainEffect(inquiry: Inquiry, way: Way, step: Step, effect: EffectOnRecord): Promise<Answer> {
  const at = inquiry.words.when(effect.at);
  const quote = await quoteOf(inquiry, way, step);
  const answer = `The step "${step.id}" was done for ${who(inquiry)} on ${at}: ${effect.text}.`;
  return { code: 'done', answer, evidence: [{ at: effect.at, text: step.kind, quote }], next: [seeCustomer(inquiry)] };
}

async function whileUnderWay(inquiry: Inquiry, way: Way, step: Step): Promise<Answer> {
  const { enrolment, playbook } = way;
  const standing = await explainStanding(inquiry, way);
  if (enrolment.step === step.id) return standing;
  if (enrolment.step !== null && canReach(playbook, enrolment.step, step.id)) {
    const ahead = forksTo(playbook, step.id).filter((fork) => !isBehind(inquiry, way, fork));
    const forks = await Promise.all(ahead.map(async (fork) => forkEvidence(inquiry, way, fork, AHEAD)));
    const answer = `The step "${step.id}" has not been reached yet. ${standing.answer}`;
    return { ...standing, code: 'not yet', answer, evidence: [...standing.evidence, ...forks.flat()] };
  }
  return passedBy(inquiry, way, step, standing);
}

/** A fork that the enrolment has gone past, into the arm that matters. */
function isBehind({ record }: Inquiry, { enrolment, playbook }: Way, { step, arm }: Fork): boolean {
  if (enrolment.step === null) return false;
  const by = { customer: record.customer.key, traced: new Set([enrolment.step]) };
  return step.kind !== 'split' && armTaken(playbook, step, by)?.label === arm.label;
}

async function afterTheEnd(inquiry: Inquiry, way: Way, step: Step): Promise<Answer> {
  const { enrolment, playbook } = way;
  const end = await explainEnd(inquiry, enrolment, playbook);
  const ended: Answer = { ...end, answer: `${who(inquiry)} ${end.answer}.` };
  const otherArm = forksTo(playbook, step.id).some((fork) => tookAnother(inquiry, way, fork));
  if (enrolment.status === 'complete' || otherArm) return passedBy(inquiry, way, step, ended);
  if (!leavesTrace(step)) {
    const text = `steps of the kind "${step.kind}" leave no trace of their own, so whether it was reached is not on record`;
    return { ...ended, evidence: [...ended.evidence, { text }] };
  }
  return {
    ...ended,
    code: `left before: ${end.code}`,
    answer: `The step "${step.id}" was not reached: ${ended.answer}`,
  };
}

function leavesTrace(step: Step): boolean {
  switch (step.kind) {
    case 'email':
    case 'survey':
    case 'set':
    case 'tag':
    case 'untag':
    case 'task':
    case 'webhook':
    case 'coupon':
      return true;
    case 'start':
    case 'split':
    case 'wait':
    case 'wait_for':
    case 'if':
    case 'choose':
    case 'exit':
      return false;
  }
}

/** The enrolment went on without the step: another arm was taken, or nothing tells. */
async function passedBy(inquiry: Inquiry, way: Way, step: Step, rest: Answer): Promise<Answer> {
  const forks = forksTo(way.playbook, step.id);
  const turned = forks.find((fork) => tookAnother(inquiry, way, fork)) ?? null;
  if (turned !== null) {
    const evidence = await forkEvidence(inquiry, way, turned, 'is where the ways parted');
    const taken = armOf(inquiry, way, turned.step);
    const answer = `${who(inquiry)} did not come to the step "${step.id}": at "${turned.step.id}" the way went on in "${taken?.label ?? ''}", not in "${turned.arm.label}". ${rest.answer}`;
    return { ...rest, code: 'another arm', answer, evidence: [...evidence, ...rest.evidence] };
  }
  if (!leavesTrace(step)) {
    const answer = `Steps of the kind "${step.kind}" leave no trace of their own; ${who(inquiry)} is past "${step.id}", or went past it. ${rest.answer}`;
    return { ...rest, code: 'past', answer };
  }
  const evidence = await Promise.all(
    forks.map(async (fork) => forkEvidence(inquiry, way, fork, 'decides whether it is reached')),
  );
  const answer =
    forks.length === 0
      ? `The step "${step.id}" was not done for ${who(inquiry)}, and why is not on record. ${rest.answer}`
      : `${who(inquiry)} did not come to the step "${step.id}", which stands in an arm that was not taken. ${rest.answer}`;
  return {
    ...rest,
    code: forks.length === 0 ? 'not on record' : 'another arm',
    answer,
    evidence: [...evidence.flat(), ...rest.evidence],
    next: [seeCustomer(inquiry)],
  };
}
