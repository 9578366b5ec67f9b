import type { CheckedText } from '../../checked.ts';
import { assignedAt } from '../assigned.ts';
import { fileOf, mailSteps, type MailStep } from '../mail-steps.ts';
import { type Finding, findingAt, type LintContext, type Rule } from '../rule.ts';
import { stepsOf } from '../steps.ts';

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

/** What a mail's variables are judged by. */
interface Judging {
  readonly context: LintContext;
  readonly text: CheckedText;
  /** The playbooks with a step that starts this one. */
  readonly starters: readonly CheckedText[];
}

/** Whether whoever comes from another playbook brings the record along: both were started by the same event or launch. */
function handsOn(starter: CheckedText, text: CheckedText, root: 'event' | 'launch' | 'trigger'): boolean {
  if (root === 'trigger' || mayStartByHand(starter)) return false;
  const name = (trigger: CheckedText['source']['trigger']): string | undefined => {
    if (root === 'event') return 'event' in trigger ? trigger.event : undefined;
    return 'launch' in trigger ? trigger.launch : undefined;
  };
  return name(starter.source.trigger) === name(text.source.trigger);
}

function lackOf({ context, text, starters }: Judging, name: string, assigned: ReadonlySet<string>): Lack | null {
  const [root = '', field = ''] = name.split('.');
  if (root === 'customer') return lackOfField(context, text, field);
  if (root === 'vars') return lackOfVariable(text, field, assigned);
  if (root !== 'event' && root !== 'launch' && root !== 'trigger') return null;
  if (!has(text.source.trigger, root)) {
    const because = `this playbook is not started by ${bringer(root)}, so there is no \`${root}\``;
    return { because, fix: `take it out of the template, or test it with {{#if ${name}}}` };
  }
  const unknown = undeclared(context, text, root, field);
  if (unknown !== null) return { because: unknown, fix: `declare it, or test it in the template with {{#if ${name}}}` };
  if (mayStartByHand(text)) {
    const because = `whoever is started by hand has no \`${root}\``;
    return { because, fix: `write \`manual: false\`, or test it in the template with {{#if ${name}}}` };
  }
  const starter = starters.find((one) => !handsOn(one, text, root));
  if (starter === undefined) return null;
  const because = `whoever \`${starter.name}\` starts has no \`${root}\``;
  return { because, fix: `test it in the template with {{#if ${name}}}` };
}

/** What every customer has to whom a mail goes. */
const ALWAYS: ReadonlySet<string> = new Set(['id', 'email', 'created_at', 'tags', 'orders', 'spent', 'stage']);
/** What a purchase brings with it. */
const OF_PURCHASES: ReadonlySet<string> = new Set(['first_order_at', 'last_order_at']);

/** A field of the customer, unless the playbook itself asks for it or sets it: then its author knows. */
function lackOfField({ company }: LintContext, { source }: CheckedText, field: string): Lack | null {
  if (ALWAYS.has(field)) return null;
  const { trigger } = source;
  const isPurchase = 'event' in trigger && trigger.event === company.source.purchase?.event;
  if (isPurchase && OF_PURCHASES.has(field)) return null;
  if (field === 'last_seen_at' && 'event' in trigger) return null;
  const written = JSON.stringify(source);
  if (new RegExp(`\\bcustomer\\.${field}\\b|"set":\\{[^}]*"${field}":`).test(written)) return null;
  const name = `customer.${field}`;
  const fix = `give it another text with {{default ${name} "…"}}, or test it with {{#if ${name}}}`;
  return { because: `not every customer has a \`${field}\``, fix, level: 'hint' };
}

function lackOfVariable(text: CheckedText, field: string, assigned: ReadonlySet<string>): Lack | null {
  if (assigned.has(field)) return null;
  const fix = `give it another text with {{default vars.${field} "…"}}, or test it with {{#if vars.${field}}}`;
  const isByHandOnly = 'manual' in text.source.trigger && text.source.trigger.manual === true;
  if (isByHandOnly) return { because: `it is there only with \`--set ${field}=…\``, fix, level: 'hint' };
  return { because: `not every way to this step sets \`vars.${field}\``, fix };
}

function* ofMail(judging: Judging, mail: MailStep, assigned: ReadonlySet<string>): Generator<Finding> {
  const told = new Set<string>();
  for (const facts of mail.variants) {
    for (const name of facts.needs) {
      const lack = lackOf(judging, name, assigned);
      if (lack === null || told.has(lack.because)) continue;
      told.add(lack.because);
      const message = `${fileOf(facts)} prints \`${name}\`, and ${lack.because}: without it the mail is held`;
      const level = lack.level === undefined ? {} : { level: lack.level };
      yield findingAt(judging.text, mail, { message, fix: lack.fix, ...level });
    }
  }
}

function startersOf(playbooks: readonly CheckedText[]): ReadonlyMap<string, readonly CheckedText[]> {
  const found = new Map<string, CheckedText[]>();
  for (const text of playbooks) {
    for (const step of stepsOf(text)) {
      if ('start' in step) found.set(step.start, [...(found.get(step.start) ?? []), text]);
    }
  }
  return found;
}

function* find(context: LintContext): Generator<Finding> {
  const starters = startersOf(context.playbooks);
  for (const text of context.playbooks) {
    const assigned = assignedAt(text);
    const judging = { context, text, starters: starters.get(text.name) ?? [] };
    for (const mail of mailSteps(context, text)) yield* ofMail(judging, mail, assigned.get(mail.step) ?? new Set());
  }
}

/** Templates that print what not every customer who gets there has. */
export const missingVariable: Rule = {
  code: 'missing-variable',
  level: 'warning',
  reason: 'A mail that would have a hole in it is held, and somebody has to mend it by hand.',
  find,
};
