/** Whether mails go out for the topics that they are written for. */
import { problemAt } from '../message/parse.ts';
import type { Template, TemplateSet } from '../message/templates.ts';
import type { NamedMail } from '../playbook/check/mails.ts';
import { nearest } from '../playbook/nearest.ts';
import type { Problem } from '../playbook/problem.ts';
import { variantsOf } from './survey-links.ts';

/**
 * A topic in front matter that is declared nowhere, and steps that send a mail for another topic than it is written for:
 * what it says of unsubscribing would not be true. The topic that counts is always the step's. @param topics all there are.
 */
export function checkTopics(
  mails: readonly NamedMail[],
  templates: TemplateSet,
  topics: ReadonlySet<string>,
): readonly Problem[] {
  const unknown = templates.names.flatMap((name) => unknownTopic(templates.get(name), topics));
  const other = mails.flatMap((mail) =>
    variantsOf(mail.template, templates).flatMap((name) => otherTopic(mail, templates.get(name), topics)),
  );
  return [...unknown, ...other];
}

function unknownTopic(template: Template | null, topics: ReadonlySet<string>): readonly Problem[] {
  const topic = template?.topic ?? null;
  if (template === null || topic === null || topics.has(topic.text)) return [];
  const near = nearest(topic.text, topics);
  const fix = near === null ? 'declare it under `topics:` in perennial.yaml' : `did you mean \`${near}\`?`;
  return [problemAt(template.file, topic, 'unknown-topic', `the topic \`${topic.text}\` is declared nowhere`, fix)];
}

function otherTopic(mail: NamedMail, template: Template | null, topics: ReadonlySet<string>): readonly Problem[] {
  const own = template?.topic ?? null;
  if (template === null || own === null || mail.topic === null || mail.topic === own.text) return [];
  // One that is declared nowhere is told of at its own place.
  if (!topics.has(own.text) || !topics.has(mail.topic)) return [];
  const message = `${template.file} is written for the topic \`${own.text}\` (line ${own.line}), and this step sends it for \`${mail.topic}\``;
  const fix =
    mail.kind === 'email'
      ? `write \`topic: ${own.text}\` at this step, or send another template`
      : `a survey goes out for its playbook's topic: send another template, or change either topic`;
  return [problemAt(mail.file, mail, 'other-topic', message, fix)];
}
