import { beta, chance, exponential, gamma } from './random.ts';
import type { Random } from './random.ts';

/** How a company's customers buy again: the four parameters of the BG/NBD model. */
export interface PurchaseModel {
  /** Purchase rates per week are gamma distributed with shape `r` and rate `alpha`. */
  readonly r: number;
  readonly alpha: number;
  /** The probability to leave for good after a repeat purchase is beta distributed with shapes `a` and `b`. */
  readonly a: number;
  readonly b: number;
}

/**
 * The parameters that Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2),
 * found for the CDNOW customers; the unit of time is the week.
 */
export const CDNOW: PurchaseModel = { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };

/**
 * When one customer buys again, in weeks after the first purchase, ascending, all before `spanWeeks`.
 * As in the paper, a customer may leave after any repeat purchase, but not after the first one.
 */
export function repeatPurchaseWeeks(random: Random, model: PurchaseModel, spanWeeks: number): readonly number[] {
  const rate = gamma(random, model.r, model.alpha);
  const leaves = beta(random, model.a, model.b);
  const weeks: number[] = [];
  let at = exponential(random, rate);
  while (at < spanWeeks) {
    weeks.push(at);
    if (chance(random, leaves)) break;
    at += exponential(random, rate);
  }
  return weeks;
}
