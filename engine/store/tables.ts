/** The tables as kysely sees them. `migrations/` is the definition; a test compares the two. */
import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { WaitsFor } from '../journey/types.ts';
import type { Instant } from '../time/types.ts';

/** Reads as an Instant; is written as a Date or an ISO 8601 string. */
type Time = ColumnType<Instant, Date | string, Date | string>;
type NullableTime = ColumnType<Instant | null, Date | string | null | undefined, Date | string | null>;
type GeneratedTime = ColumnType<Instant, Date | string | undefined, Date | string>;
type Json = JSONColumnType<Record<string, unknown>>;
type Id = Generated<number>;

export interface Tables {
  engine: {
    id: number;
    installation: Generated<string>;
    release_id: string | null;
    release_seq: number;
    stepped_at: NullableTime;
  };
  customers: {
    id: Id;
    key: string;
    email: string | null;
    address: string | null;
    name: string | null;
    first_name: string | null;
    last_name: string | null;
    timezone: string | null;
    locale: string | null;
    birthday: string | null;
    created_at: NullableTime;
    tags: Generated<string[]>;
    attributes: Json;
    orders: Generated<number>;
    spent: Generated<number>;
    first_order_at: NullableTime;
    last_order_at: NullableTime;
    last_seen_at: NullableTime;
    satisfaction: number | null;
    arrived_at: Time;
    identified: Generated<boolean>;
    merged_into: number | null;
    erased_at: NullableTime;
    held_at: NullableTime;
    held_error: string | null;
  };
  former_addresses: { address: string; customer_id: number };
  event_stats: { customer_id: number; event: string; first_at: Time; last_at: Time; count: number };
  event_keys: { key: string };
  events: {
    id: Id;
    key: string;
    customer_id: number;
    event: string;
    at: Time;
    received_at: Time;
    data: Json;
    history: Generated<boolean>;
  };
  held_events: { id: Id; customer_id: number; event: Json; history: Generated<boolean>; held_at: Time; error: string };
  blobs: { hash: string; text: string };
  releases: {
    id: string;
    seq: Generated<number>;
    created_at: GeneratedTime;
    deployed_at: Time;
    author: string;
    note: string | null;
    git_commit: string | null;
    language: Generated<number>;
  };
  release_files: { release_id: string; path: string; hash: string };
  playbooks: { id: Id; name: string; armed_from: Time; trigger_hash: string; live: boolean };
  playbook_versions: {
    id: Id;
    playbook_id: number;
    hash: string;
    release_id: string;
    moved_to: number | null;
    moved_steps: JSONColumnType<Record<string, string>>;
    current_steps: JSONColumnType<Record<string, string>>;
  };
  deployments: {
    seq: Id;
    kind: 'deploy' | 'rollback';
    release_id: string;
    previous_id: string | null;
    at: Time;
    recorded_at: Generated<Time>;
    author: string;
    note: string | null;
    git_commit: string | null;
    changes: JSONColumnType<Record<string, unknown>>;
  };
  enrolments: {
    id: Id;
    customer_id: number;
    playbook_id: number;
    version_id: number;
    status: 'active' | 'complete' | 'exit' | 'goal' | 'cancel';
    ready: Generated<boolean>;
    due_at: NullableTime;
    started_at: Time;
    ended_at: NullableTime;
    entry_key: string;
    step: string | null;
    reason: string | null;
    origin: JSONColumnType<Record<string, unknown> | null>;
    vars: JSONColumnType<Record<string, unknown> | null>;
    held_at: NullableTime;
    held_error: string | null;
    moved: boolean | null;
  };
  timers: { customer_id: number; playbook_id: number; due_at: NullableTime; basis: string };
  sends: {
    id: Id;
    enrolment_id: number;
    customer_id: number;
    playbook_id: number;
    step: string;
    visit: Generated<number>;
    template: string;
    topic: string;
    lane: 'transactional' | 'bulk';
    status: 'planned' | 'claimed' | 'handed' | 'sent' | 'failed' | 'skipped' | 'cancelled' | 'unknown';
    first_due_at: Time;
    due_at: Time;
    fence: Generated<number>;
    attempts: Generated<number>;
    resends: Generated<number>;
    lease_until: NullableTime;
    claimed_at: NullableTime;
    handed_at: NullableTime;
    settled_at: NullableTime;
    release_id: string | null;
    address: string | null;
    message_id: string | null;
    reason: string | null;
    held_at: NullableTime;
    held_error: string | null;
    waits_for: WaitsFor | null;
    waits_until: NullableTime;
    paced_from: NullableTime;
  };
  refusals: {
    customer_id: number;
    playbook_id: number;
    because: string;
    at: Time;
    entry_key: string;
    release_id: string;
    values: JSONColumnType<Record<string, unknown> | null>;
  };
  journal: {
    id: Id;
    customer_id: number;
    enrolment_id: number | null;
    at: Time;
    do: string;
    step: string | null;
    reason: string | null;
  };
  suppressions: {
    address: string;
    scope: string;
    at: Time;
    source: string;
    reason: string | null;
    send_id: number | null;
  };
  feedback: {
    id: Id;
    send_id: number;
    kind: string;
    verdict: Generated<string>;
    at: Time;
    status: string | null;
    detail: string | null;
  };
  refusing_domains: {
    domain: string;
    first_at: Time;
    last_at: Time;
    count: Generated<number>;
    status: string | null;
    detail: string | null;
  };
  provider_events: { provider: string; id: string; received_at: GeneratedTime };
  provider_counts: { provider: string; outcome: string; count: Generated<number>; last_at: Time };
  pace: {
    key: string;
    next_ms: Generated<number>;
    first_ms: Generated<number>;
    next_book_ms: Generated<number>;
    first_book_ms: Generated<number>;
    spacing_ms: Generated<number>;
    day: string | null;
    day_count: Generated<number>;
    used_at: GeneratedTime;
  };
  domain_holds: {
    domain: string;
    because: 'throttled' | 'refused';
    since: Time;
    until: Time;
    strikes: number;
    detail: string | null;
  };
  reactions: {
    send_id: number;
    kind: 'opened' | 'clicked';
    url: Generated<string>;
    first_at: Time;
    last_at: Time;
    count: Generated<number>;
  };
  consents: {
    id: Id;
    address: string;
    topic: string;
    given: boolean;
    at: Time;
    source: string;
    wording: string | null;
    language: string | null;
    detail: string | null;
    send_id: number | null;
  };
  erasure_key: { id: Generated<number>; inner_key: Buffer; outer_key: Buffer };
  erasures: { hash: Buffer; kind: 'id' | 'address'; at: Time };
  opt_ins: { address: string; topic: string; at: Time; source: string };
  runs: {
    id: Id;
    kind: 'launch' | 'arm';
    playbook_id: number;
    launch: Generated<string>;
    due_at: Time;
    status: Generated<'planned' | 'running' | 'done'>;
    cursor_id: Generated<number>;
    until_id: number | null;
  };
  run_asked: { run_id: number; customer_id: number };
  run_owed: { customer_id: number; run_id: number };
  pauses: { scope: string; at: Time; by: string; reason: string };
  leases: { name: string; holder: string; until: Time };
  audit: {
    id: Id;
    at: GeneratedTime;
    business_at: Time;
    by: string;
    action: string;
    customer_id: number | null;
    playbook: string | null;
    reason: string | null;
    detail: Json;
  };
  imports: {
    fingerprint: string;
    kind: string;
    file: string;
    bytes_done: Generated<number>;
    lines_done: Generated<number>;
    accepted: Generated<number>;
    rejected: Generated<number>;
    finished_at: NullableTime;
    updated_at: GeneratedTime;
  };
}
