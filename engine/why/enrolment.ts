/** Where an enrolment stands, or how it went. */
import type { Playbook, Step } from '../playbook/types.ts';
import type { Answer, Evidence } from './answer.ts';
import { explainEnd } from './end.ts';
import { entryEvidence } from './entry.ts';
import { fileOf, type Inquiry, seeCustomer, what, who } from './inquiry.ts';
import { explainMail } from './mail.ts';
import type { EnrolmentOnRecord, SendOnRecord } from './record.ts';

/** Of the mails, the answer shows so many. */
const SHOWN = 12;

/** An enrolment with the playbook as it was when it began. */
export interface Way {
  readonly enrolment: EnrolmentOnRecord;
  readonly playbook: Playbook;
}

/** Explains the whole of an enrolment. */
export async function explainEnrolment(inquiry: Inquiry, way: Way): Promise<Answer> {
  const { enrolment, playbook } = way;
  const entry = await entryEvidence(inquiry, enrolment, playbook);
  const mails = sendsOf(inquiry, enrolment).slice(0, SHOWN).reverse();
  const history = mails.map((send) => mailEvidence(inquiry, send));
  if (enrolment.status === 'active') {
    const standing = await explainStanding(inquiry, way);
    return { ...standing, evidence: [...entry, ...history, ...standing.evidence] };
  }
  const end = await explainEnd(inquiry, enrolment, playbook);
  const { words } = inquiry;
  const answer = `${who(inquiry)} entered ${what(inquiry)} on ${words.when(enrolment.startedAt)} and ${end.answer}.`;
  return { ...end, answer, evidence: [...entry, ...history, ...end.evidence] };
}

/** The mails of an enrolment, newest first. */
export function sendsOf({ record }: Inquiry, { id }: EnrolmentOnRecord): readonly SendOnRecord[] {
  return record.sends.filter((send) => send.enrolmentId === id);
}

function mailEvidence({ words }: Inquiry, send: SendOnRecord): Evidence {
  const at = send.handedAt ?? send.settledAt ?? send.dueAt;
  const reason = send.reason === null ? '' : ` (${send.reason})`;
  return { at, text: `mail "${send.step}" (${send.template}): ${send.status}${reason}, ${words.when(at)}` };
}

/** Explains where somebody who is under way stands. */
export async function explainStanding(inquiry: Inquiry, { enrolment, playbook }: Way): Promise<Answer> {
  const { record, words } = inquiry;
  const { hold, step: stepId, dueAt } = enrolment;
  const inIt = `${who(inquiry)} is in ${what(inquiry)} since ${words.when(enrolment.startedAt)}`;
  if (hold !== null) {
    const answer = `${inIt} and is held at the step "${stepId ?? ''}" since ${words.when(hold.at)} because of an error: ${hold.error}.`;
    const next = [{ command: 'perennial held', why: 'shows what is held, to be retried or dropped' }];
    return { code: 'held', answer, evidence: [], next };
  }
  const step = stepId === null ? undefined : playbook.steps.get(stepId);
  const open = sendsOf(inquiry, enrolment).find(
    (send) => send.step === stepId && ['planned', 'claimed', 'handed', 'unknown'].includes(send.status),
  );
  if (dueAt === null && open !== undefined && step !== undefined) {
    const mail = await explainMail(inquiry, { send: open, enrolment, playbook, step });
    return { ...mail, answer: `${inIt}. ${mail.answer}` };
  }
  if (record.pause !== null) return paused(inquiry, inIt, enrolment);
  const quoter = await inquiry.sources.quoter(enrolment.releaseId, fileOf(inquiry));
  const quote = step === undefined ? null : quoter.step(step.index);
  return waiting(inquiry, inIt, enrolment, step, [{ text: `it stands at the step "${stepId ?? ''}"`, quote }]);
}

function paused(inquiry: Inquiry, inIt: string, { step, dueAt }: EnrolmentOnRecord): Answer {
  const { record, words } = inquiry;
  const { at, by, reason, all } = record.pause ?? { at: record.now, by: '', reason: '', all: false };
  const scope = all ? 'all playbooks are' : 'the playbook is';
  const until = dueAt === null ? '' : `; without the pause it would go on at ${words.when(dueAt)}`;
  const answer = `${inIt} and stands at the step "${step ?? ''}": ${scope} paused since ${words.when(at)} by ${by} (${reason})${until}.`;
  const command = `perennial resume ${all ? '--all' : record.playbook.name} --by NAME --reason TEXT`;
  return { code: 'paused', answer, evidence: [], next: [{ command, why: 'lets it go on' }] };
}

function waiting(
  inquiry: Inquiry,
  inIt: string,
  { dueAt, step: stepId }: EnrolmentOnRecord,
  step: Step | undefined,
  evidence: readonly Evidence[],
): Answer {
  const { words, record } = inquiry;
  const next = [seeCustomer(inquiry)];
  const at = `"${stepId ?? ''}"`;
  if (dueAt === null) return { code: 'between steps', answer: `${inIt}, at the step ${at}.`, evidence, next };
  if (dueAt <= record.now) {
    const answer = `${inIt}; the step ${at} is due since ${words.when(dueAt)} and has not been taken up by a worker yet.`;
    return { code: 'due', answer, evidence, next };
  }
  const awaited =
    step?.kind === 'wait_for'
      ? ` for the event ${step.event}, at most`
      : step?.kind === 'survey'
        ? ' for the answer to its survey, at most'
        : '';
  const answer = `${inIt} and waits at the step ${at}${awaited} until ${words.when(dueAt)}.`;
  return { code: 'waiting', answer, evidence, next };
}
