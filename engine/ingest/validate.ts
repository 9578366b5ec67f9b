/** Calls in the Segment format (identify and track), checked and made into what the store takes. Pure. */
import type { CustomerEvent } from '../journey/types.ts';
import { nearest } from '../playbook/nearest.ts';
import type { Company, Json } from '../playbook/types.ts';
import type { Incoming } from '../store/ingest.ts';
import { parseInstant } from '../time/text.ts';
import type { Instant } from '../time/types.ts';
import { checkDeclaredFields } from './declared.ts';
import { faultOf, isFields, type Fields } from './json.ts';
import { checkEventTime, checkKey } from './keys.ts';
import { unexpected, type InputProblem } from './problem.ts';
import { checkTraits, type IgnoredTrait } from './traits.ts';

/** What a check needs besides the call. */
export interface CheckContext {
  readonly company: Company;
  /** Business time: of an event that says none. */
  readonly now: Instant;
  /** Makes the id of an event that has none. Every value once. */
  readonly newId: () => string;
}

/** An event whose name `perennial.yaml` does not declare: taken all the same. */
export interface UndeclaredEvent {
  readonly event: string;
  /** The declared name that was probably meant; null when none is near. */
  readonly nearest: string | null;
}

/** A call that may go in. */
export interface Accepted {
  readonly ok: true;
  readonly incoming: Incoming;
  /** The event's id, or the customer's for an identify. */
  readonly id: string;
  readonly ignored: readonly IgnoredTrait[];
  readonly undeclared: UndeclaredEvent | null;
}

/** All that is wrong with a call. */
export interface Refused {
  readonly ok: false;
  /** At least one. */
  readonly problems: readonly InputProblem[];
}

export type Checked = Accepted | Refused;

/** The kinds of call that are taken. */
export type CallType = 'identify' | 'track';

/** Checks one call of a known type. */
export function checkCall(type: CallType, body: unknown, context: CheckContext): Checked {
  if (!isFields(body)) return refused([unexpected('wrong-type', '', body, 'an object with fields')]);
  const fault = faultOf(body);
  if (fault !== null) return refused([fault]);
  return type === 'identify' ? checkIdentify(body, context.company) : checkTrack(body, context);
}

/** What a call of a batch calls itself. Null: neither of the two. */
export function callTypeOf(body: unknown): CallType | null {
  const type = isFields(body) ? body['type'] : null;
  return type === 'identify' || type === 'track' ? type : null;
}

/** The latest call to come in wins: an identify's `timestamp` is checked and not used. */
function checkIdentify(body: Fields, company: Company): Checked {
  const { userId, traits = {}, timestamp, messageId } = body;
  const problems = present([
    checkKey(userId, 'userId'),
    timestamp === undefined ? null : checkEventTime(timestamp, 'timestamp'),
    messageId === undefined ? null : checkKey(messageId, 'messageId'),
    isFields(traits) ? null : unexpected('wrong-type', 'traits', traits, 'an object with the fields of the customer'),
  ]);
  if (!isFields(traits)) return refused(problems);
  const checked = checkTraits(traits, company, 'traits');
  if (problems.length + checked.problems.length > 0) return refused([...problems, ...checked.problems]);
  return identified(userId as string, checked.patch, checked.ignored);
}

/** A customer's traits that are right. */
export function identified(
  customer: string,
  traits: Extract<Incoming, { kind: 'identify' }>['traits'],
  ignored: readonly IgnoredTrait[],
): Accepted {
  return { ok: true, id: customer, ignored, undeclared: null, incoming: { kind: 'identify', customer, traits } };
}

function checkTrack(body: Fields, context: CheckContext): Checked {
  const { userId, event, properties = {}, timestamp, messageId } = body;
  const problems = present([
    checkKey(userId, 'userId'),
    checkKey(event, 'event'),
    messageId === undefined ? null : checkKey(messageId, 'messageId'),
    timestamp === undefined ? null : checkEventTime(timestamp, 'timestamp'),
    isFields(properties)
      ? null
      : unexpected('wrong-type', 'properties', properties, 'an object with the data of the event'),
  ]);
  if (isFields(properties)) problems.push(...checkEventData(event, properties, context.company, 'properties'));
  if (problems.length > 0) return refused(problems);
  return tracked(
    userId as string,
    {
      id: messageId === undefined ? context.newId() : (messageId as string),
      event: event as string,
      at: timestamp === undefined ? context.now : parseInstant(timestamp as string),
      data: properties as Readonly<Record<string, Json>>,
    },
    { company: context.company, createIfMissing: true },
  );
}

/** Checks the declared fields of an event that is declared; whatever else it carries is kept as it is. */
export function checkEventData(event: unknown, data: Fields, company: Company, path: string): readonly InputProblem[] {
  const declared =
    typeof event === 'string' && Object.hasOwn(company.events, event) ? company.events[event] : undefined;
  return declared === undefined ? [] : checkDeclaredFields(declared, data, path);
}

/** An event that is right. */
export function tracked(
  customer: string,
  event: CustomerEvent,
  options: { readonly company: Company; readonly createIfMissing: boolean },
): Accepted {
  const declared = options.company.events;
  const undeclared = Object.hasOwn(declared, event.event)
    ? null
    : { event: event.event, nearest: nearest(event.event, Object.keys(declared)) };
  const { createIfMissing } = options;
  return {
    ok: true,
    id: event.id,
    ignored: [],
    undeclared,
    incoming: { kind: 'track', customer, event, createIfMissing },
  };
}

/** What is wrong, as the result of a check. */
export function refused(problems: readonly InputProblem[]): Refused {
  return { ok: false, problems };
}

/** The problems among the results of single checks. */
export function present(found: readonly (InputProblem | null)[]): InputProblem[] {
  return found.filter((problem) => problem !== null);
}
