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

/** Built-in fields, facts, attributes and `stage`, by the names of PLAYBOOKS section 1. */
export function customerView(profile: Profile, company: Company, now: Instant): Readonly<Record<string, unknown>> {
  const { attributes, ...rest } = profile;
  const view: Record<string, unknown> = { ...attributes, ...rest };
  Object.defineProperty(view, 'stage', { enumerable: true, get: () => stageOf(view, profile, company, now) });
  return view;
}

/** The first stage whose condition holds; a stage's condition cannot see `stage` itself. */
function stageOf(view: Record<string, unknown>, profile: Profile, company: Company, now: Instant): string | null {
  const { stages } = company;
  if (stages.length === 0) return null;
  const plain = Object.create(null) as Record<string, unknown>;
  for (const key of Object.keys(view)) if (key !== 'stage') plain[key] = view[key];
  const scope: Scope = { customer: plain, vars: {}, now, zone: zoneOf(profile, company) };
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
