/** What a mail is filled with for a customer of the database. Nothing is written. */
import { scopeOf, zoneOf } from '../../engine/journey/view.ts';
import type { Enrolment, Origin } from '../../engine/journey/types.ts';
import { sampleSurvey } from '../../engine/message/survey.ts';
import { latestEnrolment, latestEvent, profileOf } from '../../engine/store/mail-origin.ts';
import { StoreError } from '../../engine/store/errors.ts';
import { lookOnly } from '../../engine/store/look.ts';
import type { Tx } from '../../engine/store/database.ts';
import { findCustomer } from '../../engine/store/people.ts';
import type { Json } from '../../engine/playbook/types.ts';
import { formatInstant } from '../../engine/time/text.ts';
import type { Instant } from '../../engine/time/types.ts';
import { withDatabase } from '../support/database.ts';
import { notFound, type Answer } from '../support/staff.ts';
import { askOf, type Filling, type MailToMake } from './filling.ts';

/** Where the values of a mail come from besides the customer's profile. */
interface Source {
  readonly enrolment: Pick<Enrolment, 'origin' | 'vars'>;
  readonly note: string;
}

const CODE = { code: 'SAMPLE-CODE' } as const;

/** Finds the customer and what their latest mail of this template was, or would be, filled with. */
export async function customerFilling(
  project: string,
  typed: string,
  make: MailToMake,
): Promise<Filling | (Answer & { readonly failed: true })> {
  try {
    return await withDatabase({ project, readOnly: true }, async ({ db, cache }) =>
      lookOnly(db, async (tx) => {
        const found = await findCustomer(tx, typed);
        if (found.outcome !== 'found') return { ...notFound(found, typed), failed: true as const };
        const { now } = await cache.context(tx);
        return fillFor(tx, found.customer.id, make, now);
      }),
    );
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const { code: outcome, message } = error;
    return { json: { outcome, message }, text: `${message}\n`, failed: true };
  }
}

async function fillFor(tx: Tx, id: number, make: MailToMake, now: Instant): Promise<Filling> {
  const profile = await profileOf(tx, id);
  if (profile === null) throw new Error(`the customer ${id} is gone within one snapshot`);
  const source = await sourceFor(tx, id, make, now);
  const codes = madeUpCodes(make, source.enrolment.vars);
  const enrolment = { ...source.enrolment, vars: { ...source.enrolment.vars, ...codes } };
  const scope = scopeOf(profile, make.release, now, enrolment);
  const ask = askOf(make);
  const notes = [source.note, ...(Object.keys(codes).length === 0 ? [] : ['The coupon code is made up.'])];
  return {
    scope: {
      ...scope,
      zone: zoneOf(profile, make.release.company),
      vars: enrolment.vars,
      ...(ask === null ? {} : { survey: sampleSurvey(ask) }),
    },
    locale: profile.locale,
    customer: profile.id,
    notes,
  };
}

/** The enrolment that the mail is of; before there is one, the latest event or launch that would begin it. */
async function sourceFor(tx: Tx, id: number, { playbooks, release }: MailToMake, now: Instant): Promise<Source> {
  const enrolled = await latestEnrolment(
    tx,
    id,
    playbooks.map(({ name }) => name),
  );
  if (enrolled !== null) {
    const note = `Filled from the enrolment in "${enrolled.playbook}" of ${formatInstant(enrolled.startedAt)}.`;
    return { enrolment: enrolled, note };
  }
  const triggers = playbooks.map(({ trigger }) => trigger);
  const event = await latestEvent(
    tx,
    id,
    triggers.flatMap((trigger) => (trigger.kind === 'event' ? [trigger.event] : [])),
  );
  if (event !== null) {
    const note = `Not enrolled so far: filled from the latest ${event.event}, of ${formatInstant(event.at)}.`;
    return { enrolment: { origin: { event }, vars: {} }, note };
  }
  const origin: Origin = {};
  const launch = triggers.find((trigger) => trigger.kind === 'launch')?.launch;
  const [any] = release.launches.keys();
  const name = launch === 'any' ? any : launch;
  if (name !== undefined) {
    return { enrolment: { origin: { launch: name }, vars: {} }, note: `Not enrolled so far: filled for "${name}".` };
  }
  if (triggers.some(({ kind }) => kind === 'date' || kind === 'schedule')) {
    const date = new Date(now).toISOString().slice(0, 10);
    const note = 'Not enrolled so far: filled as if today were the day, for the first time.';
    return { enrolment: { origin: { trigger: { count: 1, date } }, vars: {} }, note };
  }
  return { enrolment: { origin, vars: {} }, note: 'Not enrolled so far: filled from the profile alone.' };
}

/** Codes under the names that the playbooks' coupons give: a look at a mail takes none out of its pool. */
function madeUpCodes(
  { playbooks, withoutCodes }: MailToMake,
  vars: Readonly<Record<string, Json>>,
): Readonly<Record<string, Json>> {
  const names = playbooks.flatMap(({ steps }) =>
    [...steps.values()].flatMap((step) => (step.kind === 'coupon' ? [step.as] : [])),
  );
  return Object.fromEntries(names.filter((name) => withoutCodes || !(name in vars)).map((name) => [name, CODE]));
}
