/** What became of one mail that was planned. */
import type { SkipReason, WaitsFor } from '../journey/types.ts';
import type { Playbook, Step } from '../playbook/types.ts';
import type { Answer, Evidence, NextStep } from './answer.ts';
import { type Inquiry, fileOf, seeCustomer, shellKey, who } from './inquiry.ts';
import type { EnrolmentOnRecord, SendOnRecord } from './record.ts';
import { capEvidence, explainSkip, type Skipped } from './skips.ts';

/** A mail, and where it stands. */
export interface Mail {
  readonly send: SendOnRecord;
  readonly enrolment: EnrolmentOnRecord;
  readonly playbook: Playbook;
  readonly step: Step;
}

/** Explains what became of the mail, or what it waits for. */
export async function explainMail(inquiry: Inquiry, mail: Mail): Promise<Answer> {
  const { send } = mail;
  switch (send.status) {
    case 'sent':
    case 'unknown':
    case 'handed':
    case 'claimed':
      return onItsWay(inquiry, mail);
    case 'failed':
      return failed(inquiry, mail);
    case 'skipped':
      return skipped(inquiry, mail);
    case 'cancelled':
      return cancelled(inquiry, mail);
    case 'planned':
      return waiting(inquiry, mail);
  }
}

/** `the mail "hello" (welcome/hello)`. */
function named({ send }: Mail): string {
  return `the mail "${send.step}" (${send.template})`;
}

function due({ words }: Inquiry, { send }: Mail): Evidence {
  return { at: send.firstDueAt, text: `its step was reached ${words.when(send.firstDueAt)}` };
}

function onItsWay(inquiry: Inquiry, mail: Mail): Answer {
  const { words, sources } = inquiry;
  const { send, playbook } = mail;
  const to = send.address === null ? '' : ` to ${send.address}`;
  const at = send.handedAt === null ? '' : ` on ${words.when(send.handedAt)}`;
  const release = send.releaseId === null ? null : sources.deploymentOf(send.releaseId, send.handedAt ?? undefined);
  const evidence: Evidence[] = [due(inquiry, mail)];
  if (send.waitsUntil !== null) evidence.push(putOff(inquiry, mail, 'it was put off until'));
  if (release !== null) evidence.push({ text: 'sent by', release });
  if (send.resends > 0) evidence.push({ text: `it was sent again ${send.resends} times, so there may be copies` });
  const next = [seeCustomer(inquiry)];
  if (send.status === 'sent') {
    return { code: 'sent', answer: `${who(inquiry)} got ${named(mail)}: it went out${at}${to}.`, evidence, next };
  }
  if (send.status !== 'unknown') {
    return { code: 'on its way', answer: `${cap(named(mail))} is on its way${to} at this moment.`, evidence, next };
  }
  const policy = playbook.unknownPolicy ?? (send.lane === 'transactional' ? 'resend' : 'assume_sent');
  const text = `what happens then is the policy "${policy}"${send.reason === null ? '' : `; ${send.reason}`}`;
  const answer = `${cap(named(mail))} was handed over${at}${to}, but whether the server took it is not known.`;
  return { code: 'unknown', answer, evidence: [...evidence, { text }], next: [...held(send), ...next] };
}

function held(send: SendOnRecord): readonly NextStep[] {
  return send.hold === null ? [] : [RETRY];
}

const RETRY: NextStep = { command: 'perennial held', why: 'shows what is held, to be retried or dropped' };

function failed(inquiry: Inquiry, mail: Mail): Answer {
  const { send } = mail;
  const at = send.settledAt === null ? '' : ` on ${inquiry.words.when(send.settledAt)}`;
  const answer = `${who(inquiry)} did not get ${named(mail)}: it failed for good${at}: ${send.reason ?? 'no reason given'}.`;
  const tries = { text: `it was tried ${send.attempts + 1} times; the playbook went on without it` };
  return { code: 'failed', answer, evidence: [due(inquiry, mail), tries], next: [seeCustomer(inquiry)] };
}

async function skipped(inquiry: Inquiry, mail: Mail): Promise<Answer> {
  const { send, playbook, enrolment } = mail;
  const { record, sources, words } = inquiry;
  const at = send.settledAt ?? record.now;
  // Before releases were kept with skipped mail, only the time tells which one it was.
  const deployment = send.releaseId === null ? sources.deployedAt(at) : sources.deploymentOf(send.releaseId, at);
  const releaseId = send.releaseId ?? deployment?.releaseId ?? enrolment.releaseId;
  const decided: Skipped['decided'] = { deployment, releaseId, release: await sources.release(releaseId) };
  const reason = (send.reason ?? 'condition') as SkipReason;
  const why = await explainSkip(inquiry, { send, at, playbook, decided }, reason);
  return {
    code: `skipped: ${reason}`,
    answer: `${who(inquiry)} did not get ${named(mail)}: it was skipped on ${words.when(at)} ${why.answer}.`,
    evidence: [due(inquiry, mail), ...why.evidence, { text: 'the playbook went on after it' }],
    next: why.next,
  };
}

function cancelled(inquiry: Inquiry, mail: Mail): Answer {
  const { send } = mail;
  const at = send.settledAt === null ? '' : ` on ${inquiry.words.when(send.settledAt)}`;
  const answer = `${who(inquiry)} did not get ${named(mail)}: it was cancelled${at}, when the playbook ended for them (${send.reason ?? 'no reason given'}).`;
  return { code: 'cancelled', answer, evidence: [due(inquiry, mail)], next: [] };
}

async function waiting(inquiry: Inquiry, mail: Mail): Promise<Answer> {
  const { record, words } = inquiry;
  const { send } = mail;
  if (send.hold !== null || mail.enrolment.hold !== null) return heldMail(inquiry, mail);
  const evidence: Evidence[] = [due(inquiry, mail)];
  if (record.pause !== null) {
    const { at, by, reason, all } = record.pause;
    const scope = all ? 'all playbooks are' : 'the playbook is';
    const answer = `${cap(named(mail))} waits: ${scope} paused since ${words.when(at)} by ${by} (${reason}).`;
    const command = `perennial resume ${all ? '--all' : record.playbook.name} --by NAME --reason TEXT`;
    return { code: 'paused', answer, evidence, next: [{ command, why: 'lets it go on' }] };
  }
  if (send.waitsFor !== null && send.waitsUntil === send.dueAt) return putOffNow(inquiry, mail, evidence);
  if (send.attempts > 0) {
    const answer = `${cap(named(mail))} was tried ${send.attempts} times and waits for the next try at ${words.when(send.dueAt)}: ${send.reason ?? 'no reason given'}.`;
    return { code: 'tried again', answer, evidence, next: [seeCustomer(inquiry)] };
  }
  const isDue = send.dueAt <= record.now;
  const answer = isDue
    ? `${cap(named(mail))} is due since ${words.when(send.dueAt)} and has not been taken up by a worker yet.`
    : `${cap(named(mail))} is planned for ${words.when(send.dueAt)}.`;
  return { code: isDue ? 'due' : 'planned', answer, evidence, next: [seeCustomer(inquiry)] };
}

function heldMail(inquiry: Inquiry, mail: Mail): Answer {
  const hold = mail.send.hold ?? mail.enrolment.hold;
  const at = hold === null ? '' : ` since ${inquiry.words.when(hold.at)}`;
  const answer = `${cap(named(mail))} is held${at} because of an error: ${hold?.error ?? ''}.`;
  return { code: 'held', answer, evidence: [due(inquiry, mail)], next: [RETRY] };
}

async function putOffNow(inquiry: Inquiry, mail: Mail, evidence: readonly Evidence[]): Promise<Answer> {
  const { words, sources, record, release } = inquiry;
  const { send } = mail;
  const decidedBy = send.releaseId ?? record.deployments.at(-1)?.releaseId ?? release.id;
  const deployment = sources.deploymentOf(decidedBy);
  if (send.waitsFor === 'cap') {
    const company = await sources.release(decidedBy);
    const caps = await capEvidence(inquiry, record.now, { deployment, release: company, releaseId: decidedBy });
    const answer = `${cap(named(mail))} waits for a frequency cap until ${words.when(send.dueAt)}.`;
    return { code: 'waits for cap', answer, evidence: [...evidence, ...caps], next: [seeCustomer(inquiry)] };
  }
  const company = await sources.quoter(decidedBy, 'perennial.yaml');
  if (send.waitsFor !== null && send.waitsFor !== 'window') {
    const quote = company.at('sending');
    const limits: readonly Evidence[] = quote === null ? [] : [{ text: 'the limits', quote, release: deployment }];
    const answer = `${cap(named(mail))} waits for ${REASONS[send.waitsFor]}; it is tried again ${words.when(send.dueAt)}.`;
    const next = { command: 'perennial pace', why: 'shows the limits, what waits for them, and domains that are held' };
    return { code: 'waits for pace', answer, evidence: [...evidence, ...limits], next: [next] };
  }
  const own = (await sources.quoter(mail.enrolment.releaseId, fileOf(inquiry))).at('send_window');
  const window = { text: 'the send window', quote: own ?? company.at('defaults', 'send_window'), release: deployment };
  const blackouts = company.at('blackouts');
  const answer = `${cap(named(mail))} waits for its send window, which opens ${words.when(send.dueAt)}.`;
  return {
    code: 'waits for window',
    answer,
    evidence: [...evidence, window, ...(blackouts === null ? [] : [{ text: 'the blackouts', quote: blackouts }])],
    next: [
      { command: `perennial customer ${shellKey(inquiry)}`, why: 'shows what comes next, in their time and yours' },
    ],
  };
}

const REASONS: Readonly<Record<WaitsFor, string>> = {
  window: 'the send window',
  cap: 'a frequency cap',
  pace: 'its turn, since there is a limit of mails per second',
  warm_up: "another day, since the day's volume of the warm-up has gone out",
  domain: "its reader's domain, which is held",
};

function putOff({ words }: Inquiry, { send }: Mail, verb: string): Evidence {
  const reason = REASONS[send.waitsFor ?? 'window'];
  return { text: `${verb} ${words.when(send.waitsUntil ?? send.dueAt)} for ${reason}` };
}

function cap(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
