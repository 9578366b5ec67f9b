/** Who lands where in a test, and who is held out: the same for ever, from names alone. docs/playbooks.md. */
import { createHash } from 'node:crypto';

/** An arm of a split, by its part of the sum of all shares. */
export interface Share {
  /** More than 0. */
  readonly share: number;
}

/** Under this step id the hash says who is held out. */
const HOLDOUT_STEP = 'holdout';

/**
 * A number in [0, 1): the first 4 bytes (big-endian) of SHA-256 of `PLAYBOOK/STEP-ID/CUSTOMER-ID` in UTF-8, divided by
 * 2^32 (the rule of the language).
 */
function hashShare(playbook: string, stepId: string, customerId: string): number {
  const digest = createHash('sha256').update(`${playbook}/${stepId}/${customerId}`, 'utf8').digest();
  return digest.readUInt32BE(0) / 2 ** 32;
}

/**
 * The arm of a split in which a customer lands: arms take [0, 1) in their order, by share of the sum of the shares.
 * `customerId` is the company's own id. @throws Error when there is no arm.
 */
export function splitArm<A extends Share>(playbook: string, stepId: string, customerId: string, arms: readonly A[]): A {
  const total = arms.reduce((sum, arm) => sum + arm.share, 0);
  const hash = hashShare(playbook, stepId, customerId);
  let upTo = 0;
  const found = arms.find((arm) => {
    upTo += arm.share;
    return hash < upTo / total;
  });
  // Shares that are no binary fractions may add up to a little less than 1.
  const arm = found ?? arms.at(-1);
  if (arm === undefined) throw new Error(`the split "${stepId}" of playbook "${playbook}" has no arm`);
  return arm;
}

/** Whether a customer is among the `percent` (0 to 100) who get no mail of a playbook. */
export function isHeldOut(playbook: string, customerId: string, percent: number): boolean {
  return percent > 0 && hashShare(playbook, HOLDOUT_STEP, customerId) < percent / 100;
}
