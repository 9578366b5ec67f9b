/** Why a mail was skipped, reason by reason. */
import { ALL_TOPICS } from '../journey/attempt.ts';
import type { SkipReason } from '../journey/types.ts';
import type { Playbook, Release } from '../playbook/types.ts';
import { addDuration, negate } from '../time/duration.ts';
import type { Instant } from '../time/types.ts';
import type { Answer, Deployment, Evidence } from './answer.ts';
import { handOvers, suppressionsOf, type SuppressionOnRecord } from './further.ts';
import { type Inquiry, fileOf, seeCustomer, who } from './inquiry.ts';
import type { ActOnRecord, SendOnRecord } from './record.ts';

/** A skipped mail, and by what it was decided. */
export interface Skipped {
  readonly send: SendOnRecord;
  readonly at: Instant;
  /** The enrolment's version. */
  readonly playbook: Playbook;
  /** The release that decided, where it is on record. */
  readonly decided: { readonly deployment: Deployment | null; readonly release: Release; readonly releaseId: string };
}

/** What a reason comes to: the end of the sentence "the mail was skipped …", and what shows it. */
export type SkipAnswer = Omit<Answer, 'code'>;

/** Explains one skipped mail. */
export async function explainSkip(inquiry: Inquiry, skipped: Skipped, reason: SkipReason): Promise<SkipAnswer> {
  switch (reason) {
    case 'suppressed':
      return suppressed(inquiry, skipped);
    case 'unsubscribed':
      return unsubscribed(inquiry, skipped);
    case 'no address':
      return noAddress(inquiry);
    case 'not allowed':
      return notAllowed(inquiry, skipped);
    case 'late':
      return late(inquiry, skipped);
    case 'cap':
      return cap(inquiry, skipped);
    case 'holdout':
      return heldOut(inquiry, skipped);
    case 'condition':
      return { answer: "because the step's own condition was false", evidence: [], next: [] };
  }
}

async function heldOut(inquiry: Inquiry, { playbook }: Skipped): Promise<SkipAnswer> {
  const { record, sources } = inquiry;
  const version = record.enrolments.find((enrolment) => enrolment.version === playbook.version);
  const quoter = await sources.quoter(version?.releaseId ?? inquiry.release.id, fileOf(inquiry));
  const text = `${playbook.entry.holdout} per cent are held out, always the same ones: it follows from the names alone`;
  return {
    answer: `because ${who(inquiry)} is held out: enrolled and measured, but without mail`,
    evidence: [{ text, quote: quoter.at('entry', 'holdout') ?? quoter.at('entry') ?? quoter.at('holdout') }],
    next: [],
  };
}

async function suppressed(inquiry: Inquiry, skipped: Skipped): Promise<SkipAnswer> {
  const evidence = await standing(inquiry, skipped, '*');
  return {
    answer: `because the address of ${who(inquiry)} was suppressed: nothing goes there`,
    evidence,
    next: [seeCustomer(inquiry)],
  };
}

async function unsubscribed(inquiry: Inquiry, skipped: Skipped): Promise<SkipAnswer> {
  const { topic } = skipped.send;
  const found = await suppressionsOf(inquiry.db, inquiry.record.customer.address);
  const isOut = skipped.decided.release.company.topics[topic]?.default === 'out';
  const named = found.some(({ scope, at }) => scope === topic && at <= skipped.at);
  if (isOut && !named) {
    const company = await inquiry.sources.quoter(skipped.decided.releaseId, 'perennial.yaml');
    const quote = company.at('topics', topic);
    return {
      answer: `because ${who(inquiry)} was not subscribed to the topic "${topic}", which goes only to those who asked for it`,
      evidence: [{ text: 'the topic is out by default', quote, release: skipped.decided.deployment }],
      next: [seeCustomer(inquiry)],
    };
  }
  const isAll = !named && found.some(({ scope, at }) => scope === ALL_TOPICS && at <= skipped.at);
  return {
    answer: `because ${who(inquiry)} was unsubscribed from ${isAll ? 'all topics' : `the topic "${topic}"`}`,
    evidence: await standing(inquiry, skipped, isAll ? ALL_TOPICS : topic),
    next: [seeCustomer(inquiry)],
  };
}

/** Who suppressed it, when and from which source; or that it has been lifted since. */
async function standing(inquiry: Inquiry, { at }: Skipped, scope: string): Promise<readonly Evidence[]> {
  const { record, words, db } = inquiry;
  const found = (await suppressionsOf(db, record.customer.address)).filter(
    (one) => one.scope === scope && one.at <= at,
  );
  const acts = record.acts.filter(
    ({ action, detail }) => action.endsWith('suppress') && (detail['scope'] ?? '*') === scope,
  );
  if (found.length > 0) return found.map((one) => suppressionEvidence(inquiry, one, acts));
  if (acts.length > 0) {
    return acts.map((act) => ({
      at: act.at,
      text: `${words.when(act.at)}: ${act.by} did "${act.action}"${act.reason === null ? '' : ` (${act.reason})`}`,
    }));
  }
  return [
    {
      text: 'the present address has no such entry from before then: it was lifted since, or the address is another one now',
    },
  ];
}

function suppressionEvidence({ words }: Inquiry, one: SuppressionOnRecord, acts: readonly ActOnRecord[]): Evidence {
  const by = acts.find((act) => act.action === 'suppress' && act.at <= one.at)?.by;
  const reason = one.reason === null ? '' : `: ${one.reason}`;
  return {
    at: one.at,
    text: `${words.when(one.at)}: from "${one.source}"${by === undefined ? '' : `, by ${by}`}${reason}`,
  };
}

function noAddress(inquiry: Inquiry): SkipAnswer {
  const { email } = inquiry.record.customer.profile;
  const now =
    email === null || email === '' ? 'there is still none' : `now it is ${JSON.stringify(email)}, added since`;
  return {
    answer: `because ${who(inquiry)} had no e-mail address`,
    evidence: [{ text: `the profile's address: ${now}` }],
    next: [seeCustomer(inquiry)],
  };
}

async function notAllowed(inquiry: Inquiry, { decided }: Skipped): Promise<SkipAnswer> {
  const quote = (await inquiry.sources.quoter(decided.releaseId, 'perennial.yaml')).at('mail', 'only_to');
  const text = `the address is ${JSON.stringify(inquiry.record.customer.profile.email)}`;
  return {
    answer: 'because mail goes only to the addresses that `mail.only_to` allows',
    evidence: [{ text, quote, release: decided.deployment }],
    next: [{ command: 'perennial deploy', why: 'after `mail.only_to` in perennial.yaml was changed' }],
  };
}

async function late(inquiry: Inquiry, skipped: Skipped): Promise<SkipAnswer> {
  const { words, sources } = inquiry;
  const { send, playbook, decided, at } = skipped;
  const own = (await sources.quoter(decided.releaseId, fileOf(inquiry))).at('late_after');
  const quote = own ?? (await sources.quoter(decided.releaseId, 'perennial.yaml')).at('defaults', 'late_after');
  const pauses = pausesIn(inquiry, send.dueAt, at);
  return {
    answer: `because it was overdue for longer than ${playbook.lateAfter.text}`,
    evidence: [
      {
        at: send.dueAt,
        text: `due ${words.when(send.dueAt)}, tried only ${words.when(at)}`,
        quote,
        release: decided.deployment,
      },
      ...(pauses.length > 0
        ? pauses
        : [{ text: 'no pause is on record for that time, and why it was not tried earlier is not on record' }]),
    ],
    next: [],
  };
}

function pausesIn({ record, words }: Inquiry, from: Instant, until: Instant): readonly Evidence[] {
  const acts = [...record.acts].reverse().filter(({ action }) => action === 'pause' || action === 'resume');
  const lastBefore = acts.findLast((act) => act.at <= from);
  const shown = [
    ...(lastBefore?.action === 'pause' ? [lastBefore] : []),
    ...acts.filter((act) => act.at > from && act.at <= until),
  ];
  return shown.map((act) => ({
    at: act.at,
    text: `${words.when(act.at)}: ${act.by} did "${act.action}"${act.playbook === null ? ' for all playbooks' : ''}${act.reason === null ? '' : ` (${act.reason})`}`,
  }));
}

async function cap(inquiry: Inquiry, skipped: Skipped): Promise<SkipAnswer> {
  return {
    answer: 'because a frequency cap would have held it for more than 3 days after it was due',
    evidence: await capEvidence(inquiry, skipped.at, skipped.decided),
    next: [seeCustomer(inquiry)],
  };
}

/** The caps, and the mails that filled them at an instant. */
export async function capEvidence(
  inquiry: Inquiry,
  at: Instant,
  { release, releaseId, deployment }: Skipped['decided'],
): Promise<readonly Evidence[]> {
  const { words, db, record, sources } = inquiry;
  const { caps } = release.company;
  const from = Math.min(...caps.map(({ per }) => addDuration(at, negate(per), words.zone)));
  const sent = caps.length === 0 ? [] : await handOvers(db, record.customer, from, at);
  const quote = (await sources.quoter(releaseId, 'perennial.yaml')).at('caps');
  return [
    { text: 'the caps', quote, release: deployment },
    ...sent.map((mail) => ({
      at: mail.at,
      text: `${words.when(mail.at)}: "${mail.step}" of "${mail.playbook}" went out`,
    })),
  ];
}
