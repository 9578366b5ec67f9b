import type { Instant } from '../../engine/time/types.ts';

/** A made-up customer, in the form of a line of a customers file (docs/playbooks.md). A field not known is left out. */
export interface SampleCustomer {
  readonly id: string;
  readonly email?: string;
  readonly name?: string;
  readonly first_name?: string;
  readonly last_name?: string;
  /** An IANA zone. */
  readonly timezone: string;
  readonly locale: string;
  /** YYYY-MM-DD. */
  readonly birthday?: string;
  /** ISO 8601, UTC. */
  readonly created_at: string;
  readonly tags?: readonly string[];
  /** Topics that the customer has left. */
  readonly unsubscribed?: readonly string[];
}

/** What happened, in the form of a line of an events file. The fields are those that perennial.yaml declares. */
export interface SampleEvent {
  readonly id: string;
  readonly customer: string;
  readonly event: 'order.placed' | 'order.refunded' | 'review.posted' | 'app.opened' | 'shop.visited';
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly data: Readonly<Record<string, string | number>>;
}

/** What to make. */
export interface SampleOptions {
  /** Any integer; the same seed gives the same sample. */
  readonly seed: number;
  /** How many customers, 1 or more. */
  readonly customers: number;
  /** The period to be replayed. First orders are spread over it and over the 78 weeks before. */
  readonly from: Instant;
  readonly until: Instant;
}

/** Customers by id; events by time, then id. */
export interface Sample {
  readonly customers: readonly SampleCustomer[];
  readonly events: readonly SampleEvent[];
}
