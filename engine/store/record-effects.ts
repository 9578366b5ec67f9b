/** What steps do besides mail, put on record in the transaction that reaches them. Each step does it once. */
import { enrolmentKey } from '../journey/draft.ts';
import { JourneyError } from '../journey/errors.ts';
import type { Effect } from '../journey/types.ts';
import { RenderError, usableLocale } from '../message/scope.ts';
import { renderText } from '../message/short-text.ts';
import type { Json } from '../playbook/types.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { StoreError } from './errors.ts';
import { execute, time, timeOrNull } from './sql.ts';
import type { Recording, Stored } from './stored.ts';

interface Owned {
  readonly stored: Stored;
  readonly effect: Effect;
}

/**
 * Records tasks and calls; after the enrolments, whose ids the rows name.
 * @throws JourneyError `unwritable` for a text with a hole in it: its enrolment is held.
 */
export async function recordEffects(tx: Queryable, recordings: readonly Recording[], ctx: StoreContext): Promise<void> {
  const effects = recordings.flatMap(({ stored, changes }) => changes.effects.map((effect) => ({ stored, effect })));
  if (effects.length === 0) return;
  await Promise.all([recordTasks(tx, effects, ctx), recordCalls(tx, effects, ctx)]);
}

async function recordTasks(tx: Queryable, effects: readonly Owned[], ctx: StoreContext): Promise<void> {
  await execute(
    tx,
    effects.flatMap(({ stored, effect }) => {
      if (effect.kind !== 'task') return [];
      const title = written(effect, effect.step.title, ctx);
      return [{ ...ownerRow(stored, effect, ctx), title, assignee: effect.step.to, due_at: timeOrNull(effect.dueAt) }];
    }),
    `insert into tasks (customer_id, enrolment_id, playbook_id, step, title, assignee, created_at, due_at)
     select customer_id, enrolment_id, playbook_id, step, title, assignee, at, due_at from rows order by place
     on conflict (enrolment_id, step, visit) do nothing`,
    `customer_id bigint, enrolment_id bigint, playbook_id int, step text, at timestamptz, title text, assignee text,
     due_at timestamptz`,
  );
}

async function recordCalls(tx: Queryable, effects: readonly Owned[], ctx: StoreContext): Promise<void> {
  await execute(
    tx,
    effects.flatMap(({ stored, effect }) => {
      if (effect.kind !== 'webhook') return [];
      const { url, body } = effect.step;
      const text = JSON.stringify(body === null ? usualBody(effect) : writtenThroughout(effect, body, ctx));
      return [{ ...ownerRow(stored, effect, ctx), url, body: text, ...doubtfulCall(effect, ctx) }];
    }),
    `insert into webhook_calls (customer_id, enrolment_id, playbook_id, step, at, url, body, status, answer, held_error,
       settled_at, held_at)
     select customer_id, enrolment_id, playbook_id, step, at, url, body, coalesce(status, 'planned'), answer, held_error,
       case when status is not null then $2::timestamptz end, case when held_error is not null then $2::timestamptz end
     from rows order by place
     on conflict (enrolment_id, step, visit) do nothing`,
    `customer_id bigint, enrolment_id bigint, playbook_id int, step text, at timestamptz, url text, body text,
     status text, answer text, held_error text`,
    [time(ctx.now)],
  );
}

/** A lost database may have had it made already, under another key, so that the other system would not know it again. */
function doubtfulCall(effect: Effect, { doubt }: StoreContext): Record<string, string> {
  if (doubt === null || effect.at > doubt.until || doubt.mail === 'own') return {};
  const because = 'it may have been made after the backup from which the database was restored';
  return doubt.mail === 'hold'
    ? { status: 'failed', held_error: `${because}: look there, then retry or drop it` }
    : { status: 'dropped', answer: `not made again: ${because}` };
}

/** What is sent where the step names no body. */
function usualBody({ scope, playbook, step, at }: Effect): Json {
  return { customer: String(scope.customer['id']), playbook, step: step.id, at: time(at) };
}

/** A JSON value with its texts filled in; names and everything else as they are. */
function writtenThroughout(effect: Effect, value: Json, ctx: StoreContext): Json {
  if (typeof value === 'string') return written(effect, value, ctx);
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map((item) => writtenThroughout(effect, item, ctx));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, writtenThroughout(effect, item, ctx)]));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function ownerRow(stored: Stored, effect: Effect, ctx: StoreContext): Record<string, unknown> {
  const enrolment = stored.enrolments.get(enrolmentKey(effect));
  const step = effect.step.id;
  if (enrolment === undefined) throw new StoreError('lost-row', `the step "${step}" has no stored enrolment`);
  return {
    customer_id: stored.customerId,
    enrolment_id: enrolment.id,
    playbook_id: ctx.ids.playbookId(effect.playbook),
    step,
    at: time(effect.at),
  };
}

/** A text of the step for this customer, as things were at the step. */
function written(effect: Effect, text: string, ctx: StoreContext): string {
  const { company } = ctx.release;
  const locale = usableLocale(effect.locale, company.locale);
  try {
    return renderText(text, { ...effect.scope, company: company.fields, locale });
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    const { playbook, entryKey } = effect;
    const message = `the step "${effect.step.id}" cannot be carried out: ${error.message}`;
    throw new JourneyError('unwritable', message, { playbook, entryKey });
  }
}
