import type { ExpectationSource, SaidSource } from '../schema/playbook-test.ts';
import type { Json } from '../types.ts';
import { checkCustomer, checkTime, type InTest, unknown, zoneOfCustomer } from './context.ts';
import { namesOfKind } from './names.ts';
import { type Expectation, LINE_KINDS, type LineKind, type Said } from './types.ts';

/** A line as written, whatever its kind. */
type AnyLine = { readonly [K in LineKind]?: unknown } & {
  readonly step?: string | undefined;
  readonly reason?: string | undefined;
  readonly subject?: SaidSource | undefined;
  readonly text?: SaidSource | undefined;
};

/** Reads a line that a test expects, or that must not come. */
export function readExpectation(inTest: InTest, source: ExpectationSource): Expectation {
  const line: AnyLine = source;
  const kind = LINE_KINDS.find((candidate) => line[candidate] !== undefined);
  if (kind === undefined) throw new Error('an expected line has no kind: the schema lets none through');
  const value = line[kind];
  const expectation: Expectation = {
    kind,
    what: typeof value === 'string' ? value : null,
    values: typeof value === 'object' && value !== null ? (value as Readonly<Record<string, Json>>) : null,
    at: source.at ?? null,
    customer: source.customer ?? null,
    playbook: source.playbook ?? null,
    step: line.step ?? null,
    reason: line.reason ?? null,
    subject: readSaid(line.subject),
    text: readSaid(line.text),
  };
  checkNames(inTest, source, expectation);
  return expectation;
}

function readSaid(source: SaidSource | undefined): Said | null {
  if (source === undefined) return null;
  if (typeof source === 'string') return { exactly: source };
  const list = (texts: string | readonly string[] | undefined): readonly string[] =>
    texts === undefined ? [] : typeof texts === 'string' ? [texts] : texts;
  return { contains: list(source.contains), lacks: list(source.lacks) };
}

function checkNames(inTest: InTest, source: ExpectationSource, expectation: Expectation): void {
  const { customer, playbook, kind } = expectation;
  if (customer !== null) checkCustomer(inTest, source, customer);
  const zones = inTest.customers.filter(({ id }) => customer === null || id === customer);
  // Of several customers the first one's clock is near enough to say that a time is out of reach by days.
  const [first] = zones;
  if (first !== undefined && zones.length === 1) checkTime(inTest, source, zoneOfCustomer(first, inTest));
  const known = inTest.inPlay.map(({ name }) => name);
  if (playbook !== null && !known.includes(playbook)) {
    const message = `no playbook \`${playbook}\` runs in this test`;
    unknown(inTest, source, 'playbook', { code: 'unknown-playbook', message, name: playbook, known });
    return;
  }
  checkWhat(inTest, source, expectation);
  if (kind === 'goal') checkGoal(inTest, source, expectation);
}

function concerned({ inPlay }: InTest, { playbook }: Expectation) {
  return inPlay.filter(({ name }) => playbook === null || name === playbook);
}

function placeOf(inTest: InTest, expectation: Expectation): string {
  const names = concerned(inTest, expectation).map(({ name }) => name);
  return names.length === 1 ? `\`${names[0] ?? ''}\`` : 'any playbook of this test';
}

const DOING: Readonly<Record<LineKind, string>> = {
  email: 'no step of PLACE sends',
  survey: 'no survey of PLACE is called',
  skip: 'PLACE has no step that is called',
  exit: 'no enrolment of PLACE ends for the reason',
  set: 'no `set` of PLACE is called',
  tag: 'no step of PLACE gives the tag',
  untag: 'no step of PLACE takes the tag',
  task: 'no task of PLACE is called',
  webhook: 'no webhook of PLACE is called',
  coupon: 'no coupon of PLACE is called',
  enrol: '',
  goal: '',
  complete: '',
  refused: '',
};

function checkWhat(inTest: InTest, source: ExpectationSource, expectation: Expectation): void {
  const { kind, what, step } = expectation;
  const playbooks = concerned(inTest, expectation);
  const lists = playbooks.map((playbook) => namesOfKind(playbook, kind));
  const known = lists.flatMap((list) => list ?? []);
  if (lists.length === 0 || lists.some((list) => list === null)) return;
  const place = placeOf(inTest, expectation);
  if (what !== null && !known.includes(what)) {
    const message = `${DOING[kind].replace('PLACE', () => place)} \`${what}\``;
    unknown(inTest, source, kind, { code: 'never-comes', message, name: what, known });
  } else if (known.length === 0 && kind !== 'exit') {
    inTest.report.at(source, kind, { code: 'never-comes', message: `${place} has no step \`${kind}\`` });
  }
  const ids = playbooks.flatMap(({ steps }) => [...steps.keys()]);
  if (step === null || ids.includes(step)) return;
  const message = `${place} has no step \`${step}\``;
  unknown(inTest, source, 'step', { code: 'unknown-step', message, name: step, known: ids });
}

function checkGoal(inTest: InTest, source: ExpectationSource, expectation: Expectation): void {
  if (concerned(inTest, expectation).some(({ goal }) => goal !== null)) return;
  const message = `${placeOf(inTest, expectation)} has no goal`;
  inTest.report.at(source, 'goal', { code: 'never-comes', message });
}
