/** What comes after a step. */

/** Go on with another step (null: the steps have run out), or stay where the enrolment now stands. */
export type Next = { readonly to: string | null } | 'stays';
