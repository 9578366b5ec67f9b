/** In which order things happen that are due at one instant. docs/playbooks.md. */
import type { Instant } from '../time/types.ts';
import type { Release } from '../playbook/types.ts';
import type { Send } from './types.ts';

/** Events come before due waits, and those before triggers of time. */
export const RANK = { event: 0, wait: 1, trigger: 2 } as const;

/** Where something stands among all that happens. */
export interface ItemKey {
  readonly at: Instant;
  readonly rank: number;
  /** Events: the order in which they were received; otherwise 0. */
  readonly seq: number;
  readonly priority: number;
  readonly playbook: string;
  readonly customer: string;
}

/** Compares by UTF-16 units: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Negative when `a` happens first. */
export function compareItems(a: ItemKey, b: ItemKey): number {
  return (
    a.at - b.at ||
    a.rank - b.rank ||
    a.seq - b.seq ||
    b.priority - a.priority ||
    compareText(a.playbook, b.playbook) ||
    compareText(a.customer, b.customer)
  );
}

/** The priority of a playbook in the present release; 0 for one that is gone. */
export function priorityOf(release: Release, playbook: string): number {
  return release.byName.get(playbook)?.priority ?? 0;
}

/** Of parallel enrolments of one customer the older goes first. */
export interface Age {
  readonly startedAt: Instant;
  /** Which of them was entered first, where several started at one instant. */
  readonly place: number;
}

/** Negative when `a` is the older. */
export function compareAges(a: Age, b: Age): number {
  return a.startedAt - b.startedAt || a.place - b.place;
}

/** A planned send, and whose it is. */
export interface OwnedSend {
  readonly send: Send;
  /** The company's id of the customer. */
  readonly customer: string;
  readonly age: Age;
}

/** The order in which the due sends of one reader are tried: as the language orders due waits. */
export function compareSends(release: Release): (a: OwnedSend, b: OwnedSend) => number {
  const itemOf = ({ send, customer }: OwnedSend): ItemKey => ({
    at: send.dueAt,
    rank: RANK.wait,
    seq: 0,
    priority: priorityOf(release, send.playbook),
    playbook: send.playbook,
    customer,
  });
  return (a, b) => compareItems(itemOf(a), itemOf(b)) || compareAges(a.age, b.age);
}
