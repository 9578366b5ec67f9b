/** Names triggers by their rule. */
import { createHash } from 'node:crypto';
import type { Trigger } from '../playbook/types.ts';

const keys = new WeakMap<Trigger, string>();

/** A short text that changes when, and only when, a trigger's rule changes. */
export function triggerKey(trigger: Trigger): string {
  let key = keys.get(trigger);
  if (key === undefined) {
    const rule = JSON.stringify(trigger, (name, value: unknown) =>
      name === 'if' || name === 'when' ? conditionSource(value) : value,
    );
    key = createHash('sha256').update(rule).digest('hex').slice(0, 8);
    keys.set(trigger, key);
  }
  return key;
}

function conditionSource(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'source' in value ? value.source : value;
}
