/** Lines of customers and events, checked and made into what the store takes. Pure. */
import { normaliseAddress } from '../../message/address.ts';
import { nearest } from '../../playbook/nearest.ts';
import type { Company, Json } from '../../playbook/types.ts';
import { parseInstant } from '../../time/text.ts';
import type { Zone } from '../../time/types.ts';
import { faultOf, isFields, type Fields } from '../json.ts';
import { checkEventTime, checkKey } from '../keys.ts';
import { unexpected, within, type InputProblem } from '../problem.ts';
import { checkTraits, type IgnoredTrait } from '../traits.ts';
import { checkEventData, identified, present, refused, tracked, type Accepted, type Refused } from '../validate.ts';
import { checkProof, partProof, type ConsentProof } from './consent-proof.ts';
import { CONSENT_FIELDS, typesOfCustomer, typesOfEvent, withZone, type ImportKind } from './fields.ts';

/** What a line of customers says about consent. It only ever takes permission away, or notes what was given. */
export interface ImportedConsent {
  readonly address: string;
  readonly suppressed: boolean;
  readonly unsubscribed: readonly string[];
  readonly subscribed: readonly string[];
  /** Of what is subscribed. */
  readonly proof: ConsentProof;
}

/** A line, checked. */
export type CheckedLine = Refused | (Accepted & { readonly consent: ImportedConsent | null });

/** What checking a line needs besides the line. */
export interface LineContext {
  readonly company: Company;
  /** For local times; null when every time must have its offset. */
  readonly zone: Zone | null;
  /** Whether an event makes a customer who is not known yet. */
  readonly createCustomers: boolean;
}

const EVENT_FIELDS: ReadonlySet<string> = new Set(['id', 'customer', 'event', 'at', 'data']);

/** Checks one line: an object with the fields of docs/playbooks.md. */
export function checkLine(kind: ImportKind, value: unknown, context: LineContext): CheckedLine {
  if (!isFields(value)) return refused([unexpected('wrong-type', 'line', value, 'an object with fields')]);
  const fault = faultOf(value);
  if (fault !== null) return refused([fault]);
  return kind === 'customers' ? checkCustomer(value, context) : checkEvent(value, context);
}

function checkCustomer(given: Fields, context: LineContext): CheckedLine {
  const { company, zone } = context;
  const { proof, rest } = partProof(zone === null ? given : withZone(given, typesOfCustomer(company), zone), company);
  const { id, suppressed, unsubscribed, subscribed, ...traits } = rest;
  const checked = checkTraits(traits, company, '');
  const consent = checkConsent({ suppressed, unsubscribed, subscribed }, proof, checked.patch.email ?? null, company);
  const problems = [...present([checkKey(id, 'id')]), ...checked.problems, ...consent.problems];
  if (problems.length > 0) return refused(problems);
  const ignored = [...checked.ignored, ...consent.noticed];
  return { ...identified(id as string, checked.patch, ignored), consent: consent.consent };
}

interface CheckedConsent {
  readonly consent: ImportedConsent | null;
  readonly problems: readonly InputProblem[];
  readonly noticed: readonly IgnoredTrait[];
}

function checkConsent(
  given: Readonly<Record<(typeof CONSENT_FIELDS)[number], unknown>>,
  proofGiven: Fields,
  email: string | null,
  company: Company,
): CheckedConsent {
  const { suppressed = false, unsubscribed = [], subscribed = [] } = given;
  const problems = present([
    typeof suppressed === 'boolean' ? null : unexpected('wrong-type', 'suppressed', suppressed, 'true or false'),
    checkTopics(unsubscribed, 'unsubscribed', company),
    checkTopics(subscribed, 'subscribed', company),
  ]);
  if (problems.length > 0) return { consent: null, problems, noticed: [] };
  const topics = { unsubscribed: unsubscribed as readonly string[], subscribed: subscribed as readonly string[] };
  const { proof, problems: unproven, noticed } = checkProof(proofGiven, topics.subscribed, company);
  if (unproven.length > 0) return { consent: null, problems: unproven, noticed: [] };
  const nothing = suppressed === false && topics.unsubscribed.length + topics.subscribed.length === 0;
  if (nothing) return { consent: null, problems, noticed };
  const address = email === null ? null : normaliseAddress(email);
  if (address === null) {
    // What somebody does not want is kept by address: without one it would be lost.
    const named = CONSENT_FIELDS.filter((name) => given[name] !== undefined).join(', ');
    return {
      consent: null,
      problems: [unexpected('missing', 'email', undefined, `an address to which ${named} belongs`)],
      noticed: [],
    };
  }
  return { consent: { address, suppressed: suppressed === true, ...topics, proof }, problems, noticed };
}

function checkTopics(value: unknown, path: string, company: Company): InputProblem | null {
  if (!Array.isArray(value)) return unexpected('wrong-type', path, value, 'a list of topics');
  const names = Object.keys(company.topics);
  const unknown = value.findIndex((topic) => typeof topic !== 'string' || !names.includes(topic));
  if (unknown < 0) return null;
  const topic: unknown = value[unknown];
  const close = typeof topic === 'string' ? nearest(topic, names) : null;
  const hint = close === null ? '' : ` (did you mean "${close}"?)`;
  return unexpected('invalid', within(path, unknown), topic, `one of the topics ${names.join(', ')}${hint}`);
}

function checkEvent(given: Fields, context: LineContext): CheckedLine {
  const { company, zone, createCustomers } = context;
  const { id, customer, event } = given;
  const { at } = zone === null ? given : withZone(given, { at: 'datetime' }, zone);
  const raw = given['data'] ?? {};
  const problems = present([
    checkKey(id, 'id'),
    checkKey(customer, 'customer'),
    checkKey(event, 'event'),
    checkTime(at, zone),
    isFields(raw) ? null : unexpected('wrong-type', 'data', raw, 'an object with the data of the event'),
  ]);
  const data = isFields(raw) && zone !== null ? withZone(raw, typesOfEvent(event, company), zone) : raw;
  if (isFields(data)) problems.push(...checkEventData(event, data, company, 'data'));
  if (problems.length > 0) return refused(problems);
  const checked = tracked(
    customer as string,
    {
      id: id as string,
      event: event as string,
      at: parseInstant(at as string),
      data: data as Readonly<Record<string, Json>>,
    },
    { company, createIfMissing: createCustomers },
  );
  return { ...checked, ignored: surplus(given), consent: null };
}

function checkTime(at: unknown, zone: Zone | null): InputProblem | null {
  const problem = checkEventTime(at, 'at');
  if (problem === null || zone !== null || problem.code !== 'invalid') return problem;
  return { ...problem, message: `${problem.message}. For local times say in which zone: --time-zone Europe/London` };
}

function surplus(given: Fields): readonly IgnoredTrait[] {
  return Object.keys(given)
    .filter((name) => !EVENT_FIELDS.has(name))
    .map((name) => ({ name, because: 'not a field of an event', nearest: nearest(name, EVENT_FIELDS) }));
}
