/** Runs one test of a playbook on the virtual clock, over the same core as production (docs/architecture.md P5). */
import { JourneyError } from '../../journey/errors.ts';
import { enterByHand, updateProfile } from '../../journey/run.ts';
import type { Attempt, Consent, Context, Line, Profile } from '../../journey/types.ts';
import { zoneOf } from '../../journey/view.ts';
import type { Draft } from '../../journey/draft.ts';
import { validateAddress } from '../../message/address.ts';
import { RenderError, type Rendered } from '../../message/scope.ts';
import type { Happening, LineKind, PlaybookTest, TestChange, TestCustomer } from '../../playbook/tests/types.ts';
import type { Release, Step } from '../../playbook/types.ts';
import { zone } from '../../time/zone.ts';
import type { Instant, Zone } from '../../time/types.ts';
import type { SimulatedCustomer, SimulatedEvent } from '../input.ts';
import { simulate, type SimulatedAct } from '../simulate.ts';

/** Writes a mail as production would. @throws RenderError when it cannot be written for this customer. */
export type Render = (mail: Attempt, release: Release) => Rendered;

/** A mail as its reader would see it, or why it could not be written. */
export type Words =
  | { readonly written: true; readonly subject: string; readonly text: string }
  | { readonly written: false; readonly why: string };

/** A line that came while a test ran. */
export interface TestLine {
  readonly at: Instant;
  readonly customer: string;
  /** The customer's at that instant. */
  readonly zone: Zone;
  readonly playbook: string;
  /** As in a timeline, or `refused`: somebody could not start a playbook by hand. */
  readonly kind: LineKind;
  readonly step: Step | null;
  readonly template: string | null;
  readonly reason: string | null;
  /** Of mails only. */
  readonly words: Words | null;
}

/** What a test came to: its timeline, or the error that ended it. */
export type TestRun =
  { readonly ended: true; readonly lines: readonly TestLine[] } | { readonly ended: false; readonly error: string };

/** Runs a test over the playbooks that are in play. */
export function runTest(test: PlaybookTest, release: Release, render: Render): TestRun {
  const inPlay = only(release, test.playbooks);
  const handed: Attempt[] = [];
  const refused: Line[] = [];
  try {
    const lines = simulate({
      release: inPlay,
      customers: test.customers.map(simulated),
      events: test.happenings.flatMap(eventOf),
      acts: test.happenings.flatMap((happening) => actOf(happening, refused)),
      from: test.from,
      until: test.until,
      onAttempt: (attempt) => {
        if (attempt.decision.do === 'hand') handed.push(attempt);
      },
    });
    return { ended: true, lines: describe(test, inPlay, [...lines, ...refused], handed, render) };
  } catch (error) {
    // In production the enrolment would be held with this error.
    if (error instanceof JourneyError) return { ended: false, error: error.message };
    throw error;
  }
}

/** The release with some of its playbooks only. */
function only(release: Release, names: ReadonlySet<string>): Release {
  if (names.size === release.playbooks.length) return release;
  const playbooks = release.playbooks.filter(({ name }) => names.has(name));
  return { ...release, playbooks, byName: new Map(playbooks.map((playbook) => [playbook.name, playbook])) };
}

function simulated(customer: TestCustomer): SimulatedCustomer {
  const { suppressed, unsubscribed, subscribed, email, ...rest } = customer;
  return {
    // The intake refuses what is no address, so such a customer has none there either.
    profile: { ...rest, email: validateAddress(email ?? '') },
    consent: { suppressed, unsubscribed: new Set(unsubscribed), subscribed: new Set(subscribed) },
  };
}

function eventOf(happening: Happening): readonly SimulatedEvent[] {
  if (happening.kind !== 'event') return [];
  const { customer, at, order, event, data } = happening;
  return [{ customer, line: order + 1, event: { id: `event-${order + 1}`, event, at, data } }];
}

function actOf(happening: Happening, refused: Line[]): readonly SimulatedAct[] {
  const { customer, at, order } = happening;
  switch (happening.kind) {
    case 'event':
      return [];
    case 'change': {
      const { change } = happening;
      const perform = (draft: Draft, ctx: Context): void => {
        const { profile, attributes } = change;
        updateProfile(draft, { ...(profile as Partial<Profile>), attributes }, at, ctx);
      };
      return [{ customer, at, perform, consent: (before) => consentAfter(before, change) }];
    }
    case 'start': {
      const { playbook, vars } = happening;
      const perform = (draft: Draft, ctx: Context): void => {
        const entry = enterByHand(draft, playbook, { entryKey: `manual:${order + 1}`, at, vars }, ctx);
        // `refused` is no line of a timeline; here it stands among them.
        if (!entry.entered) refused.push({ at, customer, playbook, do: 'cancel', reason: entry.because });
      };
      return [{ customer, at, perform }];
    }
  }
}

function consentAfter(before: Consent, change: TestChange): Consent {
  return {
    suppressed: change.suppressed ?? before.suppressed,
    unsubscribed: change.unsubscribed === undefined ? before.unsubscribed : new Set(change.unsubscribed),
    subscribed: change.subscribed === undefined ? before.subscribed : new Set(change.subscribed),
  };
}

function placeOf(of: { customer: string; playbook: string; step: string; at: Instant }): string {
  return [of.customer, of.playbook, of.step, of.at].join('\n');
}

/** Where customers live, and since when those do who move in the test; what a move brings happens after its instant. */
function zonesOf(test: PlaybookTest, { company }: Release): (customer: string, at: Instant) => Zone {
  const homes = new Map(test.customers.map((one) => [one.id, zoneOf(simulated(one).profile, company)]));
  const moves = test.happenings.flatMap((one) => {
    const name = one.kind === 'change' ? one.change.profile['timezone'] : undefined;
    return typeof name === 'string' ? [{ ...one, zone: zone(name) ?? company.zone }] : [];
  });
  return (customer, at) =>
    moves.findLast((move) => move.customer === customer && move.at < at)?.zone ?? homes.get(customer) ?? company.zone;
}

/** The lines with all that a test can ask about them. */
function describe(
  test: PlaybookTest,
  release: Release,
  lines: readonly Line[],
  handed: readonly Attempt[],
  render: Render,
): readonly TestLine[] {
  const zoneAt = zonesOf(test, release);
  // Parallel enrolments may hand over the same step at one instant: first come, first described.
  const mails = new Map<string, Attempt[]>();
  for (const mail of handed) {
    const { profile, send, at } = mail;
    const key = placeOf({ customer: profile.id, playbook: send.playbook, step: send.step, at });
    const those = mails.get(key) ?? [];
    those.push(mail);
    mails.set(key, those);
  }
  const described = lines.map((line): TestLine => {
    const step = line.step === undefined ? null : (release.byName.get(line.playbook)?.steps.get(line.step) ?? null);
    const mail = line.step === undefined ? undefined : mails.get(placeOf({ ...line, step: line.step }))?.shift();
    return {
      at: line.at,
      customer: line.customer,
      zone: zoneAt(line.customer, line.at),
      playbook: line.playbook,
      kind: line.do === 'cancel' ? 'refused' : line.do,
      step,
      template: line.template ?? null,
      reason: line.reason ?? null,
      words: mail === undefined ? null : wordsOf(mail, release, render),
    };
  });
  return described.sort((a, b) => a.at - b.at);
}

function wordsOf(mail: Attempt, release: Release, render: Render): Words {
  try {
    const { subject, text } = render(mail, release);
    return { written: true, subject, text };
  } catch (error) {
    if (error instanceof RenderError) return { written: false, why: error.message };
    throw error;
  }
}
