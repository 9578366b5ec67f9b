/** From a claimed send to the bytes of its mail. */
import { compose, PERENNIAL_HEADERS, type ComposedMail } from '../engine/message/compose.ts';
import { usableLocale } from '../engine/message/scope.ts';
import { parseMailbox } from '../engine/message/address.ts';
import { scopeOf } from '../engine/journey/view.ts';
import type { ClaimedSend } from '../engine/store/claim.ts';

/**
 * Renders and composes a claimed send with the templates of the release under which it was claimed.
 * @throws RenderError or ComposeError when the mail cannot be written for this customer.
 */
export function composeSend(send: ClaimedSend): ComposedMail {
  const { profile, release } = send;
  const { company } = release;
  const { template: name, playbook, step } = send.send;
  const locale = usableLocale(profile.locale, company.locale);
  const template = send.templates.get(name, locale);
  if (template === null) throw new Error(`the release has no template "${name}"`);
  const scope = scopeOf(profile, release, send.now, send.enrolment);
  const rendered = template.render({
    ...scope,
    company: company.fields,
    unsubscribe_url: unsubscribeUrl(company.mail.replyTo ?? company.mail.from),
    locale,
  });
  return compose({
    from: template.from ?? company.mail.from,
    to: send.address,
    toName: profile.name,
    replyTo: company.mail.replyTo,
    subject: rendered.subject,
    html: rendered.html,
    text: rendered.text,
    messageId: send.messageId,
    date: send.now,
    headers: {
      [PERENNIAL_HEADERS.playbook]: playbook,
      [PERENNIAL_HEADERS.step]: step,
      [PERENNIAL_HEADERS.send]: String(send.sendId),
    },
  });
}

/** Until unsubscribing by link exists, a mail to the company's own address, read by people. */
function unsubscribeUrl(mailbox: string): string {
  const address = parseMailbox(mailbox)?.address ?? mailbox;
  return `mailto:${address}?subject=unsubscribe`;
}
