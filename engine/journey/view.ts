/** What conditions and templates see of a customer. */
import { zone } from '../time/zone.ts';
import type { Instant, Zone } from '../time/types.ts';
import type { Company, Release, Scope } from '../playbook/types.ts';
import type { CustomerEvent, Origin, Profile } from './types.ts';

/** The customer's zone, or the company's for a customer without a valid one. */
export function zoneOf(profile: Profile, company: Company): Zone {
  return (profile.timezone === null ? null : zone(profile.timezone)) ?? company.zone;
}

/** The customer's locale, or the company's. */
export function localeOf(profile: Profile, company: Company): string {
  return profile.locale ?? company.locale;
}

interface KnownView {
  readonly company: Company;
  readonly now: Instant;
  readonly view: Readonly<Record<string, unknown>>;
}

/** Profiles never change, and one instant asks many conditions of the same one. */
const views = new WeakMap<Profile, KnownView>();

/** Built-in fields, facts, attributes and `stage`, by the names of docs/playbooks.md. */
export function customerView(profile: Profile, company: Company, now: Instant): Readonly<Record<string, unknown>> {
  const known = views.get(profile);
  if (known !== undefined && known.now === now && known.company === company) return known.view;
  const view = makeView(profile, company, now);
  views.set(profile, { company, now, view });
  return view;
}

function makeView(profile: Profile, company: Company, now: Instant): Readonly<Record<string, unknown>> {
  const { attributes, ...rest } = profile;
  return Object.defineProperties(
    { ...attributes, ...rest },
    { [ASKED_OF]: { value: { profile, company, now } }, stage },
  );
}

const ASKED_OF = Symbol('what a view was made of');

/** A customer's fields, of which the stage is still to be found out. */
interface View extends Readonly<Record<string, unknown>> {
  readonly [ASKED_OF]: { readonly profile: Profile; readonly company: Company; readonly now: Instant };
}

/**
 * Few conditions ask for it, and finding out runs conditions of its own. One getter for all views: with one for each,
 * every view would be of a class of its own for V8, and stay in memory until all of that is gone through.
 */
const stage = {
  get(this: View): string | null {
    const { profile, company, now } = this[ASKED_OF];
    return stageOf(this, profile, company, now);
  },
  enumerable: true,
  configurable: true,
};

/** The first stage whose condition holds; `check` keeps `customer.stage` out of these conditions. */
function stageOf(
  customer: Readonly<Record<string, unknown>>,
  profile: Profile,
  company: Company,
  now: Instant,
): string | null {
  const { stages } = company;
  if (stages.length === 0) return null;
  const scope: Scope = { customer, vars: {}, now, zone: zoneOf(profile, company) };
  return stages.find((stage) => stage.when.test(scope))?.name ?? null;
}

/** The scope of a condition. `event` is the event in question, or the one that started the enrolment. */
export function scopeOf(
  profile: Profile,
  release: Release,
  now: Instant,
  of: {
    readonly origin?: Origin;
    readonly event?: CustomerEvent | undefined;
    readonly vars?: Readonly<Record<string, unknown>>;
  } = {},
): Scope {
  const { company } = release;
  const event = of.event ?? of.origin?.event;
  const launch = of.origin?.launch === undefined ? undefined : release.launches.get(of.origin.launch);
  return {
    customer: customerView(profile, company, now),
    ...(event === undefined ? {} : { event: event.data }),
    ...(launch === undefined ? {} : { launch: launch.fields }),
    ...(of.origin?.trigger === undefined ? {} : { trigger: of.origin.trigger }),
    vars: of.vars ?? {},
    now,
    zone: zoneOf(profile, company),
  };
}
