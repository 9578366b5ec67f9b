import type { Rule } from './rule.ts';
import { alwaysTrue } from './rules/always-true.ts';
import { circle } from './rules/circle.ts';
import { goalIsTrigger } from './rules/goal-is-trigger.ts';
import { missingLocale } from './rules/missing-locale.ts';
import { missingVariable } from './rules/missing-variable.ts';
import { neverFires } from './rules/never-fires.ts';
import { neverTrue } from './rules/never-true.ts';
import { noAddress } from './rules/no-address.ts';
import { noWeekday } from './rules/no-weekday.ts';
import { noWayOut } from './rules/no-way-out.ts';
import { overCap } from './rules/over-cap.ts';
import { removedStep } from './rules/removed-step.ts';
import { unreachable } from './rules/unreachable.ts';

/** All rules that can be allowed, in the order of docs/linting.md. */
export const RULES: readonly Rule[] = [
  unreachable,
  neverTrue,
  alwaysTrue,
  neverFires,
  noWeekday,
  goalIsTrigger,
  circle,
  missingVariable,
  missingLocale,
  noWayOut,
  noAddress,
  overCap,
  removedStep,
];

/** What the linter says of allowances themselves; these cannot be allowed. */
export const ABOUT_ALLOWANCES: readonly Omit<Rule, 'find'>[] = [
  {
    code: 'bad-allowance',
    level: 'warning',
    reason: 'An allowance names a rule that there is, and says why.',
  },
  {
    code: 'unused-allowance',
    level: 'hint',
    reason: 'An allowance that allows nothing would hide the next mistake.',
  },
];
