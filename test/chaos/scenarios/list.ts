/** Every scenario, in the order in which they run. */
import type { Scenario } from '../scenario.ts';
import { kills } from './kills.ts';
import { smtp } from './smtp.ts';

export const SCENARIOS: readonly Scenario[] = [kills, smtp];
