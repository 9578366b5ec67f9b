/** What the commands about suppressions say alike. */
import { ALL_TOPICS } from '../../engine/journey/attempt.ts';
import type { AddresseeFound } from '../../engine/store/addressee.ts';
import type { SuppressionEntry } from '../../engine/store/suppressions.ts';
import type { Instant } from '../../engine/time/types.ts';
import { notFound, nearestText, personText, type Answer } from '../support/staff.ts';
import { harmless, type Terminal } from '../support/terminal.ts';
import { localTime } from '../support/times.ts';

/** The scope of everything. */
const EVERYTHING = '*';

/** `all mail`, or `mail of the topic "news"`. */
export function mailOf(scope: string): string {
  if (scope === ALL_TOPICS) return 'mail of every topic that is not transactional';
  return scope === EVERYTHING ? 'all mail' : `mail of the topic "${harmless(scope)}"`;
}

/** `since 2026-03-01 13:00, from a complaint: REASON`. */
export function entryText({ at, source, reason }: SuppressionEntry, terminal: Terminal): string {
  const why = reason === null ? '' : `: ${harmless(reason)}`;
  return `since ${localTime(at, terminal.zone)}, source "${harmless(source)}"${why}`;
}

/** `ADDRESS ("ada", "bob")`. */
export function addresseeText(address: string, customers: readonly { readonly key: string }[]): string {
  const who = customers.map(({ key }) => `"${harmless(key)}"`).join(', ');
  return who === '' ? `${harmless(address)} (no customer has it now)` : `${harmless(address)} (${who})`;
}

/** The answer when nobody can be meant by what was typed. */
export function noAddressee(found: Exclude<AddresseeFound, { readonly outcome: 'found' }>, typed: string): Answer {
  switch (found.outcome) {
    case 'unknown':
      return notFound(found, typed);
    case 'no address': {
      const text = `Customer ${personText(found.customer)} has no valid address: no mail goes to them as it is.\n`;
      return { json: found, text, failed: true };
    }
  }
}

/** The answer when the reader was erased. */
export function erasedReader(at: Instant, advice: string, terminal: Terminal): Answer {
  const text = `They were erased on ${localTime(at, terminal.zone)}: nothing is kept of them, and no mail goes to them.\n${advice}`;
  return { json: { outcome: 'erased', at }, text, failed: true };
}

/** The answer for a topic that there is not. */
export function unknownTopic(topic: string, nearest: readonly string[]): Answer {
  const text = `There is no topic "${harmless(topic)}" in what is deployed.\n${nearestText(nearest)}`;
  return { json: { outcome: 'unknown topic', nearest }, text, failed: true };
}
