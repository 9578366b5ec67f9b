/** What comes after a step. */
import type { Enrolment } from './types.ts';

/**
 * Go on with another step (null: the steps have run out), or stay where the enrolment now stands. `enrolment` is given
 * where the step has changed it.
 */
export type Next = { readonly to: string | null; readonly enrolment?: Enrolment } | 'stays';
