/** From a claimed send to the bytes of its mail. */
import { carriedHeaders } from '../engine/mail/feedback/carried.ts';
import type { Provider } from '../engine/mail/feedback/report.ts';
import { trackMail } from '../engine/message/track.ts';
import { signReturnPath } from '../engine/message/bounce-token.ts';
import type { SigningKey } from '../engine/message/link-token.ts';
import {
  compose,
  PERENNIAL_HEADERS,
  writeFields,
  type ComposedMail,
  type WrittenFields,
} from '../engine/message/compose.ts';
import {
  listHeaderLines,
  listUnsubscribe,
  readerLinks,
  sampleReaderLinks,
  type ReaderLinks,
} from '../engine/message/reader-links.ts';
import { RenderError, usableLocale, type Rendered } from '../engine/message/scope.ts';
import { surveyVariable, type AnswerLinks, type SurveyVariable } from '../engine/message/survey.ts';
import type { TemplateSet } from '../engine/message/templates.ts';
import { domainOf, normaliseAddress, parseMailbox } from '../engine/message/address.ts';
import { scopeOf } from '../engine/journey/view.ts';
import type { Enrolment, Profile } from '../engine/journey/types.ts';
import type { Company, Release } from '../engine/playbook/types.ts';
import type { ClaimedSend } from '../engine/store/claim.ts';
import type { Instant } from '../engine/time/types.ts';

/**
 * Renders and composes a claimed send with the templates of the release under which it was claimed.
 * `links` are for the reader's answers and choices, without which no marketing mail is written; `key` signs return paths where the
 * company has a mailbox for bounces; `provider` is whose server the mail goes to, if it is one that reports.
 * @throws RenderError or ComposeError when the mail cannot be written for this customer.
 */
export function composeSend(
  send: ClaimedSend,
  links: AnswerLinks | null = null,
  key: SigningKey | null = null,
  provider: Provider | null = null,
): ComposedMail {
  const { profile, release } = send;
  const { company } = release;
  const { template: name, ask } = send.send;
  const survey = ask === null ? null : surveyOf(ask, send.sendId, links);
  const reader = links === null ? null : readerLinks(send.sendId, links);
  if (send.lane === 'bulk') requireWayOut(reader);
  const { templates, enrolment, now } = send;
  const { rendered, from } = renderFor({
    profile,
    release,
    templates,
    template: name,
    enrolment,
    now,
    survey,
    links: reader,
  });
  const { html, text } = tracked(rendered, send, links);
  const composed = compose({
    from: from ?? company.mail.from,
    to: spelt(send),
    toName: profile.name,
    replyTo: company.mail.replyTo,
    subject: rendered.subject,
    html,
    text,
    messageId: send.messageId,
    date: send.now,
    fixed: fieldsOf(send),
    headers: {
      [PERENNIAL_HEADERS.send]: String(send.sendId),
      ...(provider === null ? {} : carriedHeaders(provider, send.messageId)),
      ...(send.lane === 'bulk' && reader !== null
        ? { 'List-Unsubscribe': listUnsubscribe(reader, leaveMailbox(company)) }
        : {}),
    },
  });
  const { bounces = null } = company.mail;
  if (bounces === null || key === null) return composed;
  return { ...composed, envelope: { ...composed.envelope, from: signReturnPath(bounces, send.sendId, key) } };
}

/**
 * The address as its customer spells it. Small and capital letters are alike to us, so that two spellings are one reader, but what
 * stands before the `@` is the receiving server's to understand (RFC 5321 section 2.4).
 */
function spelt({ address, profile: { email } }: ClaimedSend): string {
  return email !== null && normaliseAddress(email) === address ? email : address;
}

/** The links and the pixel that tell what its reader does, where the company records that and there is an address for it. */
function tracked(rendered: Rendered, send: ClaimedSend, links: AnswerLinks | null): Pick<Rendered, 'html' | 'text'> {
  const { tracking } = send.release.company.mail;
  if (tracking === undefined || links === null || !(tracking.clicks || tracking.opens)) return rendered;
  return trackMail(rendered, send.sendId, tracking, links);
}

/** A mail's words for one customer: what `composeSend` sends, and what a dry run tries. */
export interface MailToRender {
  readonly profile: Profile;
  readonly release: Release;
  readonly templates: TemplateSet;
  /** Its name. */
  readonly template: string;
  readonly enrolment: Pick<Enrolment, 'origin' | 'vars'>;
  readonly now: Instant;
  /** In the mail of a survey. */
  readonly survey: SurveyVariable | null;
  /** null: without a public address, where only transactional mail is written; its readers write to the company. */
  readonly links: ReaderLinks | null;
}

/** Of a mail that nobody gets, in dry runs and tests of playbooks. */
export const NOBODYS_LINKS: ReaderLinks = sampleReaderLinks();

/** Renders a mail; `from` is the sender that its template names. @throws RenderError. */
export function renderFor(mail: MailToRender): { readonly rendered: Rendered; readonly from: string | null } {
  const { profile, release, now, enrolment } = mail;
  const { company } = release;
  const locale = usableLocale(profile.locale, company.locale);
  const template = mail.templates.get(mail.template, locale);
  if (template === null) throw new Error(`the release has no template "${mail.template}"`);
  const { reads } = template;
  const { customer, event, launch, trigger, vars, zone } = scopeOf(profile, release, now, enrolment);
  const rendered = template.render({
    customer,
    event,
    launch,
    trigger,
    vars,
    now,
    zone,
    company: company.fields,
    unsubscribe_url: reads.has('unsubscribe_url') ? (mail.links?.unsubscribe ?? writeTo(company, 'unsubscribe')) : '',
    preferences_url: reads.has('preferences_url') ? (mail.links?.preferences ?? writeTo(company, 'preferences')) : '',
    survey: mail.survey ?? undefined,
    locale,
  });
  return { rendered, from: template.from };
}

function surveyOf(ask: string, sendId: number, links: AnswerLinks | null): SurveyVariable {
  if (links !== null) return surveyVariable(ask, sendId, links);
  const message = 'the links of this survey have no public address: set PERENNIAL_PUBLIC_URL and retry';
  throw new RenderError('missing-variable', 'survey.links', message);
}

/** What start-up and deployments refuse; a fleet that was started before them must not send it either. */
function requireWayOut(reader: ReaderLinks | null): void {
  if (reader !== null) return;
  const message = 'its reader could not unsubscribe: set PERENNIAL_PUBLIC_URL and retry';
  throw new RenderError('missing-variable', 'unsubscribe_url', message);
}

/** Fields that are equal in all mails of a step, by release: a step has thousands of mails. */
const fields = new WeakMap<Release, Map<string, WrittenFields>>();

function fieldsOf({ release, send, lane, enrolment }: ClaimedSend): WrittenFields {
  const { playbook, step, topic } = send;
  // What a person started is no automatic mail (RFC 3834 section 5): whoever is away may say so.
  const isByHand = enrolment.entryKey.startsWith('manual:');
  const key = [playbook, step, topic, lane, isByHand].join(' ');
  const known = fields.get(release)?.get(key);
  if (known !== undefined) return known;
  const headers = {
    [PERENNIAL_HEADERS.playbook]: playbook,
    [PERENNIAL_HEADERS.step]: step,
    ...(isByHand ? {} : { 'Auto-Submitted': 'auto-generated' }),
  };
  const { company } = release;
  const place = { playbook, step, topic: company.topics[topic] ?? { name: topic, title: topic } };
  const written = writeFields(
    headers,
    lane === 'bulk' ? listHeaderLines({ ...place, domain: senderDomain(company) }) : '',
  );
  const ofRelease = fields.get(release) ?? new Map<string, WrittenFields>();
  fields.set(release, ofRelease.set(key, written));
  return written;
}

function senderDomain({ mail }: Company): string {
  const address = parseMailbox(mail.from)?.address ?? mail.from;
  return domainOf(address);
}

/** Where mails to unsubscribe go: "perennial bounces" reads them in the mailbox for bounces, elsewhere people do. */
function leaveMailbox({ mail }: Company): string {
  return mail.bounces ?? careMailbox(mail);
}

function careMailbox({ replyTo, from }: Company['mail']): string {
  const mailbox = replyTo ?? from;
  return parseMailbox(mailbox)?.address ?? mailbox;
}

/** A mail to the company's own address, read by people. */
function writeTo({ mail }: Company, subject: string): string {
  return `mailto:${careMailbox(mail)}?subject=${subject}`;
}
