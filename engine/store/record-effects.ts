/** What steps do besides mail, put on record in the transaction that reaches them. Each step does it once. */
import { enrolmentKey } from '../journey/draft.ts';
import { JourneyError } from '../journey/errors.ts';
import type { Effect } from '../journey/types.ts';
import { RenderError, usableLocale } from '../message/scope.ts';
import { renderText } from '../message/short-text.ts';
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
 * Records tasks; after the enrolments, whose ids the rows name.
 * @throws JourneyError `unwritable` for a text with a hole in it: its enrolment is held.
 */
export async function recordEffects(tx: Queryable, recordings: readonly Recording[], ctx: StoreContext): Promise<void> {
  const effects = recordings.flatMap(({ stored, changes }) => changes.effects.map((effect) => ({ stored, effect })));
  if (effects.length === 0) return;
  await recordTasks(tx, effects, ctx);
}

async function recordTasks(tx: Queryable, effects: readonly Owned[], ctx: StoreContext): Promise<void> {
  await execute(
    tx,
    effects.map((owned) => {
      const { step, dueAt } = owned.effect.what;
      const title = written(owned.effect, step.title, ctx);
      return { ...ownerRow(owned, ctx), title, assignee: step.to, due_at: timeOrNull(dueAt) };
    }),
    `insert into tasks (customer_id, enrolment_id, playbook_id, step, title, assignee, created_at, due_at)
     select customer_id, enrolment_id, playbook_id, step, title, assignee, at, due_at from rows order by place
     on conflict (enrolment_id, step, visit) do nothing`,
    `customer_id bigint, enrolment_id bigint, playbook_id int, step text, at timestamptz, title text, assignee text,
     due_at timestamptz`,
  );
}

function ownerRow({ stored, effect }: Owned, ctx: StoreContext): Record<string, unknown> {
  const enrolment = stored.enrolments.get(enrolmentKey(effect));
  const step = effect.what.step.id;
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
    const message = `the step "${effect.what.step.id}" cannot be carried out: ${error.message}`;
    throw new JourneyError('unwritable', message, { playbook, entryKey });
  }
}
