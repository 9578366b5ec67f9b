/** Whether a mail may go now. docs/playbooks.md. */
import { addDuration, parseDuration } from '../time/duration.ts';
import { nextOpening } from '../time/window.ts';
import type { Instant, SendWindow, Zone } from '../time/types.ts';
import type { Company } from '../playbook/types.ts';
import { freeInstant } from './caps.ts';
import type { Draft } from './draft.ts';
import { isHeldOut } from './split.ts';
import type { Consent, Context, Decision, Send } from './types.ts';
import { zoneOf } from './view.ts';

/** A mail that a cap would hold for longer than this after it was due is skipped at once. */
const CAP_PATIENCE = parseDuration('3 days');

/**
 * Decides one attempt at `at`, in the order of the language: holdout, suppressed, unsubscribed, no address, not allowed,
 * late, cap, window. Changes nothing.
 */
export function decide(draft: Draft, send: Send, at: Instant, ctx: Context): Decision {
  const { company } = ctx.release;
  const enrolment = draft.enrolment(send.playbook, send.entryKey);
  const version = enrolment?.version;
  const playbook =
    version === undefined ? ctx.release.byName.get(send.playbook) : ctx.playbookOf(send.playbook, version);
  const zone = zoneOf(draft.profile, company);

  if (isHeldOut(send.playbook, draft.profile.id, playbook?.entry.holdout ?? 0))
    return { do: 'skip', reason: 'holdout' };
  const refusal = refusalOf(draft, send, company);
  if (refusal !== null) return { do: 'skip', reason: refusal };
  const lateAfter = playbook?.lateAfter ?? company.lateAfter;
  if (at > addDuration(send.dueAt, lateAfter, zone)) return { do: 'skip', reason: 'late' };
  if (send.transactional) return { do: 'hand' };

  const window = playbook?.sendWindow ?? company.sendWindow;
  const free = freeInstant(draft.reader, company.caps, at, zone);
  if (free === at) {
    const opening = nextOpening(at, window, company.blackouts, zone);
    return opening > at ? { do: 'defer', dueAt: opening, because: 'window' } : { do: 'hand' };
  }
  const opening = freeOpening(draft, window, free, company, zone);
  if (opening > addDuration(send.firstDueAt, CAP_PATIENCE, zone)) return { do: 'skip', reason: 'cap' };
  return { do: 'defer', dueAt: opening, because: 'cap' };
}

/** Tells whoever watches what was decided. To be called before anything comes of it. */
export function reportAttempt(draft: Draft, send: Send, at: Instant, decision: Decision, ctx: Context): void {
  if (ctx.onAttempt === undefined) return;
  const enrolment = draft.enrolment(send.playbook, send.entryKey);
  if (enrolment !== null) ctx.onAttempt({ profile: draft.profile, enrolment, send, at, decision });
}

/** The first instant that is under the caps and in the window. */
function freeOpening(draft: Draft, window: SendWindow, from: Instant, company: Company, zone: Zone): Instant {
  const opening = nextOpening(from, window, company.blackouts, zone);
  const free = freeInstant(draft.reader, company.caps, opening, zone);
  return free === opening ? opening : freeOpening(draft, window, free, company, zone);
}

type Refusal = 'suppressed' | 'unsubscribed' | 'no address' | 'not allowed';

function refusalOf(draft: Draft, send: Send, company: Company): Refusal | null {
  const { consent } = draft.state;
  if (consent.suppressed) return 'suppressed';
  if (!send.transactional && !isSubscribed(consent, send.topic, company)) return 'unsubscribed';
  const { email } = draft.profile;
  if (email === null || email === '') return 'no address';
  return isAllowed(email, company.mail.onlyTo) ? null : 'not allowed';
}

/** As an entry of `Consent.unsubscribed`: every topic that is not transactional, but those the reader asked for since. */
export const ALL_TOPICS = '*topics';

/** Whether mail of this topic, which is not transactional, is wanted: as the reader said, else as the topic's default says. */
export function isSubscribed(consent: Consent, topic: string, company: Company): boolean {
  if (consent.unsubscribed.has(topic)) return false;
  const isAsked = company.topics[topic]?.default === 'out' || consent.unsubscribed.has(ALL_TOPICS);
  return !isAsked || consent.subscribed.has(topic);
}

/** `mail.only_to`: whole addresses, or domains with or without a leading "@"; upper and lower case are alike. */
export function isAllowed(email: string, onlyTo: readonly string[] | null): boolean {
  if (onlyTo === null) return true;
  const address = email.trim().toLowerCase();
  const domain = address.slice(address.lastIndexOf('@') + 1);
  return onlyTo.some((entry) => {
    const wanted = entry.trim().toLowerCase();
    return wanted.lastIndexOf('@') > 0 ? wanted === address : wanted.replace(/^@/, '') === domain;
  });
}
