/** From a claimed send to the bytes of its mail. */
import { carriedHeaders } from '../engine/mail/feedback/carried.ts';
import type { Provider } from '../engine/mail/feedback/report.ts';
import { trackMail } from '../engine/message/track.ts';
import { signReturnPath } from '../engine/message/bounce-token.ts';
import type { SigningKey } from '../engine/message/link-token.ts';
import { compose, PERENNIAL_HEADERS, type ComposedMail } from '../engine/message/compose.ts';
import { RenderError, usableLocale, type Rendered } from '../engine/message/scope.ts';
import { surveyVariable, type AnswerLinks, type SurveyVariable } from '../engine/message/survey.ts';
import type { TemplateSet } from '../engine/message/templates.ts';
import { parseMailbox } from '../engine/message/address.ts';
import { scopeOf } from '../engine/journey/view.ts';
import type { Enrolment, Profile } from '../engine/journey/types.ts';
import type { Release } from '../engine/playbook/types.ts';
import type { ClaimedSend } from '../engine/store/claim.ts';
import type { Instant } from '../engine/time/types.ts';

/**
 * Renders and composes a claimed send with the templates of the release under which it was claimed.
 * `links` are for the mails of surveys, `key` signs return paths where the company has a mailbox for bounces,
 * `provider` is whose server the mail goes to, if it is one that reports. @throws RenderError or ComposeError when the mail cannot be written for this customer.
 */
export function composeSend(
  send: ClaimedSend,
  links: AnswerLinks | null = null,
  key: SigningKey | null = null,
  provider: Provider | null = null,
): ComposedMail {
  const { profile, release } = send;
  const { company } = release;
  const { template: name, playbook, step, ask } = send.send;
  const survey = ask === null ? null : surveyOf(ask, send.sendId, links);
  const { rendered, from } = renderFor({ ...send, template: name, survey });
  const { html, text } = tracked(rendered, send, links);
  const composed = compose({
    from: from ?? company.mail.from,
    to: send.address,
    toName: profile.name,
    replyTo: company.mail.replyTo,
    subject: rendered.subject,
    html,
    text,
    messageId: send.messageId,
    date: send.now,
    headers: {
      [PERENNIAL_HEADERS.playbook]: playbook,
      [PERENNIAL_HEADERS.step]: step,
      [PERENNIAL_HEADERS.send]: String(send.sendId),
      ...(provider === null ? {} : carriedHeaders(provider, send.messageId)),
    },
  });
  const { bounces = null } = company.mail;
  if (bounces === null || key === null) return composed;
  return { ...composed, envelope: { ...composed.envelope, from: signReturnPath(bounces, send.sendId, key) } };
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
}

/** Renders a mail; `from` is the sender that its template names. @throws RenderError. */
export function renderFor(mail: MailToRender): { readonly rendered: Rendered; readonly from: string | null } {
  const { profile, release, now, enrolment } = mail;
  const { company } = release;
  const locale = usableLocale(profile.locale, company.locale);
  const template = mail.templates.get(mail.template, locale);
  if (template === null) throw new Error(`the release has no template "${mail.template}"`);
  const rendered = template.render({
    ...scopeOf(profile, release, now, enrolment),
    company: company.fields,
    unsubscribe_url: unsubscribeUrl(company.mail.replyTo ?? company.mail.from),
    ...(mail.survey === null ? {} : { survey: mail.survey }),
    locale,
  });
  return { rendered, from: template.from };
}

function surveyOf(ask: string, sendId: number, links: AnswerLinks | null): SurveyVariable {
  if (links !== null) return surveyVariable(ask, sendId, links);
  const message = 'the links of this survey have no public address: set PERENNIAL_PUBLIC_URL and retry';
  throw new RenderError('missing-variable', 'survey.links', message);
}

/** Until unsubscribing by link exists, a mail to the company's own address, read by people. */
function unsubscribeUrl(mailbox: string): string {
  const address = parseMailbox(mailbox)?.address ?? mailbox;
  return `mailto:${address}?subject=unsubscribe`;
}
