/** What a playbook changes in what is known of a customer, and whether it lets the same customer in again. */
import type { Expression } from '../cel/syntax.ts';
import type { CheckedText } from '../checked.ts';
import type { StepSource } from '../schema.ts';
import { type StepKind, stepsOf } from './steps.ts';
import { parsed } from './truth/verdict.ts';
import { OTHER, type Value } from './truth/variable.ts';

/** One thing that a step changes. */
export interface Change {
  readonly step: StepSource;
  readonly kind: StepKind;
  /** The part of a condition that it changes. */
  readonly part: Expression;
  readonly to: Value;
  /** What a condition that it concerns must contain. */
  readonly word: string;
  /** The same for all steps that change the same thing to the same value. */
  readonly key: string;
}

function membership(step: StepSource, kind: 'tag' | 'untag', tag: string): readonly Change[] {
  const part = parsed(`${JSON.stringify(tag)} in customer.tags`);
  return part === null ? [] : [{ step, kind, part, to: kind === 'tag', word: tag, key: `${kind} ${tag}` }];
}

function settings(step: Extract<StepSource, { readonly set: unknown }>): readonly Change[] {
  return Object.entries(step.set).flatMap(([name, value]) => {
    const part = parsed(`customer.${name}`);
    const to = typeof value === 'object' && value !== null ? OTHER : value;
    return part === null
      ? []
      : [{ step, kind: 'set' as const, part, to, word: `customer.${name}`, key: `${name} ${String(to)} ${typeof to}` }];
  });
}

const known = new WeakMap<CheckedText, readonly Change[]>();

/** Everything that a playbook's steps change, in written order. */
export function changesOf(text: CheckedText): readonly Change[] {
  const found =
    known.get(text) ??
    stepsOf(text).flatMap((step) => {
      if ('tag' in step) return membership(step, 'tag', step.tag);
      if ('untag' in step) return membership(step, 'untag', step.untag);
      return 'set' in step ? settings(step) : [];
    });
  known.set(text, found);
  return found;
}

/** Whether the same customer may enter more than once. */
export function entersAgain({ source }: CheckedText): boolean {
  const { trigger, entry } = source;
  if (entry?.again !== undefined) return entry.again !== 'never';
  const isOnce =
    'date' in trigger && (trigger.every ?? (trigger.date === 'customer.birthday' ? '' : 'once')) === 'once';
  return !isOnce && !('event' in trigger && trigger.first === true);
}
