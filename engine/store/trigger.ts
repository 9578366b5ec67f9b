/** Starting a playbook for one customer by hand. */
import { randomUUID } from 'node:crypto';
import { sampleCode } from '../journey/coupon.ts';
import type { Draft } from '../journey/draft.ts';
import { enterByHand, runDue } from '../journey/run.ts';
import type { EntryRefusal, Line, Profile } from '../journey/types.ts';
import type { TemplateSet } from '../message/templates.ts';
import type { Json, Playbook, Release } from '../playbook/types.ts';
import { nearestAll } from '../playbook/nearest.ts';
import type { Instant } from '../time/types.ts';
import { writeAudit } from './audit.ts';
import { onCustomers } from './chunk.ts';
import type { ReleaseCache, StoreContext } from './context.ts';
import type { Database, Tx } from './database.ts';
import { foresee } from './foresee.ts';
import { patientTransaction } from './patience.ts';
import { findCustomer, type Found, type FoundCustomer } from './people.ts';
import { recordAll } from './record.ts';

/** Who starts what, for whom, and why. */
export interface TriggerRequest {
  /** A customer's id or e-mail address. */
  readonly customer: string;
  readonly playbook: string;
  /** `vars.…` of the enrolment. */
  readonly vars: Readonly<Record<string, Json>>;
  readonly by: string;
  readonly reason: string;
  /** Says what would happen, and changes nothing. */
  readonly dryRun: boolean;
  /** In a dry run, told what the mails that would go out at once are written from. */
  readonly onForeseen?: (foreseen: ForeseenMails) => void;
}

/** The mails that would go out at once, and what they are written from. */
export interface ForeseenMails {
  readonly profile: Profile;
  readonly release: Release;
  readonly templates: TemplateSet;
  readonly now: Instant;
  /** Given by hand, and sample codes of the coupons that would be taken at once. */
  readonly vars: Readonly<Record<string, Json>>;
  /** `ask` is what a survey asks; null in other mails. */
  readonly mails: readonly { readonly template: string; readonly ask: string | null }[];
}

/** What came of it. */
export type Triggered =
  | Exclude<Found, { readonly outcome: 'found' }>
  | { readonly outcome: 'unknown playbook'; readonly nearest: readonly string[] }
  /** The customer is held, erased or merged away. */
  | { readonly outcome: 'not workable'; readonly customer: FoundCustomer }
  | {
      readonly outcome: 'refused';
      readonly customer: FoundCustomer;
      readonly because: Extract<EntryRefusal, { readonly entered: false }>['because'];
    }
  | {
      readonly outcome: 'entered';
      readonly customer: FoundCustomer;
      readonly dryRun: boolean;
      readonly entryKey: string;
      readonly at: Instant;
      /** While the playbook is paused, the enrolment waits at its first step. */
      readonly paused: boolean;
      /** The timeline to come, if nothing else happens to the customer. */
      readonly ahead: readonly Line[];
    };

/** Enrols a customer by hand, subject to the playbook's entry rules; the audit record is in the same transaction. */
export async function triggerPlaybook(db: Database, cache: ReleaseCache, request: TriggerRequest): Promise<Triggered> {
  return patientTransaction(db, async (tx) => {
    const found = await findCustomer(tx, request.customer);
    if (found.outcome !== 'found') return found;
    const { customer } = found;
    return onCustomers(
      tx,
      cache,
      [customer.id],
      async (_tx, [draft], ctx) => {
        if (draft === undefined) return { outcome: 'not workable', customer };
        return start(tx, draft, ctx, customer, request);
      },
      { only: customer.id, recordsItself: true },
    );
  });
}

async function start(
  tx: Tx,
  draft: Draft,
  ctx: StoreContext,
  customer: FoundCustomer,
  request: TriggerRequest,
): Promise<Triggered> {
  const { playbook, vars, by, reason, dryRun } = request;
  if (!ctx.release.byName.has(playbook)) {
    return { outcome: 'unknown playbook', nearest: nearestAll(playbook, ctx.release.byName.keys(), 3) };
  }
  const entry = { entryKey: `manual:${randomUUID()}`, at: ctx.now, vars };
  const { refusal, lines } = foresee(draft, playbook, entry, ctx);
  if (!refusal.entered) return { outcome: 'refused', customer, because: refusal.because };
  if (dryRun) {
    const atOnce = lines.filter((line) => (line.do === 'email' || line.do === 'survey') && line.at <= ctx.now);
    const { release, templates, now } = ctx;
    const steps = ctx.release.byName.get(playbook)?.steps;
    const mails = atOnce.flatMap(({ template, step = '' }) => {
      const of = steps?.get(step);
      return template === undefined ? [] : [{ template, ask: of?.kind === 'survey' ? of.ask : null }];
    });
    request.onForeseen?.({
      profile: draft.profile,
      release,
      templates,
      now,
      mails,
      vars: { ...vars, ...sampleCodes(lines, steps, ctx.now) },
    });
  } else {
    // What is due comes first, as it would have without the person.
    runDue([draft], ctx.now, ctx);
    const entered = enterByHand(draft, playbook, entry, ctx);
    if (!entered.entered) return { outcome: 'refused', customer, because: entered.because };
    await recordAll(tx, [draft], ctx);
    const detail = { entryKey: entry.entryKey, vars };
    await writeAudit(tx, {
      businessAt: ctx.now,
      by,
      action: 'trigger',
      customerId: customer.id,
      playbook,
      reason,
      detail,
    });
  }
  const { entryKey, at } = entry;
  return {
    outcome: 'entered',
    customer,
    dryRun,
    entryKey,
    at,
    paused: ctx.isPaused(playbook),
    ahead: lines,
  };
}

function sampleCodes(
  lines: readonly Line[],
  steps: Playbook['steps'] | undefined,
  now: Instant,
): Readonly<Record<string, Json>> {
  const taken = lines.flatMap((line): [string, Json][] => {
    const step = line.do === 'coupon' && line.at <= now ? steps?.get(line.step ?? '') : undefined;
    return step?.kind === 'coupon' ? [[step.as, { code: sampleCode(step.pool) }]] : [];
  });
  return Object.fromEntries(taken);
}
