/** Why somebody is not in a playbook. */
import type { Answer, Evidence } from './answer.ts';
import { explainEvents } from './event.ts';
import { releasesWith } from './further.ts';
import { fileOf, type Inquiry, seeCustomer, startByHand, what, who } from './inquiry.ts';
import { explainLaunches } from './launch.ts';
import { explainRefusal } from './refused.ts';
import { explainSchedule } from './schedule.ts';
import { explainSegment } from './segment.ts';
import { explainDate, explainInactive } from './timed.ts';

/** Explains why the customer did not enter, up to the instant in question. */
export async function explainNoEntry(inquiry: Inquiry): Promise<Answer> {
  const { record, release } = inquiry;
  const { hold, erasedAt } = record.customer;
  if (erasedAt !== null) {
    const answer = `${who(inquiry)} was erased on ${inquiry.words.when(erasedAt)}: nothing happens for them, and nothing more is on record.`;
    return { code: 'erased', answer, evidence: [], next: [] };
  }
  const playbook = release.byName.get(record.playbook.name);
  if (playbook === undefined) return notDeployed(inquiry);
  const answer = await orRefusedStart(inquiry, await byTrigger(inquiry));
  return hold === null ? answer : whileHeld(inquiry, answer);
}

async function byTrigger(inquiry: Inquiry): Promise<Answer> {
  const { record, release } = inquiry;
  const playbook = release.byName.get(record.playbook.name);
  if (playbook === undefined) return notDeployed(inquiry);
  const { trigger } = playbook;
  switch (trigger.kind) {
    case 'event':
      return explainEvents(inquiry, trigger);
    case 'date':
      return explainDate(inquiry, trigger);
    case 'inactive':
      return explainInactive(inquiry, trigger);
    case 'launch':
      return explainLaunches(inquiry);
    case 'schedule':
      return explainSchedule(inquiry, trigger);
    case 'segment':
      return explainSegment(inquiry, trigger);
    case 'manual':
      return manualOnly(inquiry);
  }
}

/** Another playbook's `start` that was refused says more than a trigger that did not fire. */
async function orRefusedStart(inquiry: Inquiry, byTrigger: Answer): Promise<Answer> {
  const refusal = inquiry.record.refusals.find(
    ({ entryKey, at }) => entryKey.startsWith('start:') && at <= inquiry.until,
  );
  if (refusal === undefined || byTrigger.code.startsWith('refused')) return byTrigger;
  const refused = await explainRefusal(inquiry, refusal);
  return { ...refused, evidence: [...refused.evidence, { text: `by itself: ${byTrigger.answer}` }] };
}

async function manualOnly(inquiry: Inquiry): Promise<Answer> {
  const { sources, release, record } = inquiry;
  const quote = (await sources.quoter(release.id, fileOf(inquiry))).at('trigger');
  return {
    code: 'manual',
    answer: `${who(inquiry)} did not enter ${what(inquiry)}: it starts only when a person starts it, and nobody has.`,
    evidence: [{ text: 'the trigger', quote, release: sources.deployedAt(record.now) }],
    next: startByHand(inquiry),
  };
}

function whileHeld(inquiry: Inquiry, rest: Answer): Answer {
  const { hold, heldEvents } = inquiry.record.customer;
  const since = hold === null ? '' : ` since ${inquiry.words.when(hold.at)}: ${hold.error}`;
  const kept = { text: `${heldEvents} of their events are kept until they are released` };
  return {
    code: 'customer held',
    answer: `${who(inquiry)} did not enter ${what(inquiry)}, and as a customer is held${since}.`,
    evidence: [kept, { text: `apart from that: ${rest.answer}` }, ...rest.evidence],
    next: [{ command: 'perennial held', why: 'shows what is held, to be retried or dropped' }, ...rest.next],
  };
}

/** When a playbook went, and with which deployment; for one that runs, nothing. */
export async function removalEvidence(inquiry: Inquiry): Promise<readonly Evidence[]> {
  const { record, db, words } = inquiry;
  if (record.playbook.live) return [];
  const having = await releasesWith(db, fileOf(inquiry));
  const last = record.deployments.findLastIndex(({ releaseId }) => having.has(releaseId));
  const removed = record.deployments[last + 1];
  if (last === -1 || removed === undefined) return [{ text: 'when it was taken out is not on record' }];
  return [{ at: removed.at, text: `it was taken out on ${words.when(removed.at)}`, release: removed }];
}

async function notDeployed(inquiry: Inquiry): Promise<Answer> {
  return {
    code: 'not deployed',
    answer: `${who(inquiry)} is not in ${what(inquiry)}: the release that runs has no such playbook any more.`,
    evidence: await removalEvidence(inquiry),
    next: [
      { command: 'perennial deploy --project .', why: 'brings it back, once its file is there again' },
      seeCustomer(inquiry),
    ],
  };
}
