/** The lanes of mail. */

/** `transactional` knows no window and no cap; `bulk` is all other mail. */
export type MailLane = 'transactional' | 'bulk';
