import type { CheckedText } from '../../checked.ts';
import { assignedAt } from '../assigned.ts';
import { fileOf, mailSteps, type MailStep } from '../mail-steps.ts';
import { type Finding, findingAt, type LintContext, type Rule } from '../rule.ts';

/** Why a variable may have no value, and what to do about it. */
interface Lack {
  readonly because: string;
  readonly fix: string;
  readonly level?: 'hint';
}

/** What a playbook's trigger brings with it, by the record's name. */
function bringer(root: 'event' | 'launch' | 'trigger'): string {
  return { event: 'an event', launch: 'a launch', trigger: 'a date' }[root];
}

function mayStartByHand({ source }: CheckedText): boolean {
  return source.trigger.manual ?? source.manual ?? true;
}

/** Whether a field is not among those that the playbook's own event or launch has. */
function undeclared({ company }: LintContext, { source }: CheckedText, root: string, field: string): string | null {
  const { trigger } = source;
  if (root === 'event' && 'event' in trigger) {
    const fields = company.names.events.get(trigger.event);
    return fields?.has(field) === false ? `the event \`${trigger.event}\` has no field \`${field}\`` : null;
  }
  if (root !== 'launch' || !('launch' in trigger)) return null;
  const launches = [...company.names.launches].filter(([name]) => trigger.launch === 'any' || trigger.launch === name);
  const without = launches.find(([, fields]) => !fields.has(field));
  return without === undefined ? null : `the launch \`${without[0]}\` has no field \`${field}\``;
}

function has(trigger: CheckedText['source']['trigger'], root: 'event' | 'launch' | 'trigger'): boolean {
  return root === 'trigger' ? 'date' in trigger || 'schedule' in trigger : root in trigger;
}

function lackOf(context: LintContext, text: CheckedText, name: string, assigned: ReadonlySet<string>): Lack | null {
  const [root = '', field = ''] = name.split('.');
  if (root === 'vars') return lackOfVariable(text, field, assigned);
  if (root !== 'event' && root !== 'launch' && root !== 'trigger') return null;
  if (!has(text.source.trigger, root))
    return {
      because: `this playbook is not started by ${bringer(root)}, so there is no \`${root}\``,
      fix: `take it out of the template, or test it with {{#if ${name}}}`,
    };
  const unknown = undeclared(context, text, root, field);
  if (unknown !== null) return { because: unknown, fix: `declare it, or test it in the template with {{#if ${name}}}` };
  if (!mayStartByHand(text)) return null;
  const because = `whoever is started by hand has no \`${root}\``;
  return { because, fix: `write \`manual: false\`, or test it in the template with {{#if ${name}}}` };
}

function lackOfVariable(text: CheckedText, field: string, assigned: ReadonlySet<string>): Lack | null {
  if (assigned.has(field)) return null;
  const fix = `give it another text with {{default vars.${field} "…"}}, or test it with {{#if vars.${field}}}`;
  const isByHandOnly = 'manual' in text.source.trigger && text.source.trigger.manual === true;
  if (isByHandOnly) return { because: `it is there only with \`--set ${field}=…\``, fix, level: 'hint' };
  return { because: `not every way to this step sets \`vars.${field}\``, fix };
}

function* ofMail(
  context: LintContext,
  text: CheckedText,
  mail: MailStep,
  assigned: ReadonlySet<string>,
): Generator<Finding> {
  const told = new Set<string>();
  for (const facts of mail.variants) {
    for (const name of facts.needs) {
      const lack = lackOf(context, text, name, assigned);
      if (lack === null || told.has(lack.because)) continue;
      told.add(lack.because);
      const message = `${fileOf(facts)} prints \`${name}\`, and ${lack.because}: without it the mail is held`;
      const level = lack.level === undefined ? {} : { level: lack.level };
      yield findingAt(text, mail, { message, fix: lack.fix, ...level });
    }
  }
}

function* find(context: LintContext): Generator<Finding> {
  for (const text of context.playbooks) {
    const assigned = assignedAt(text);
    for (const mail of mailSteps(context, text))
      yield* ofMail(context, text, mail, assigned.get(mail.step) ?? new Set());
  }
}

/** Templates that print what not every customer who gets there has. */
export const missingVariable: Rule = {
  code: 'missing-variable',
  level: 'warning',
  reason: 'A mail that would have a hole in it is held, and somebody has to mend it by hand.',
  find,
};
