/** Small companies written in YAML, simulated, with timelines as lines of text. */
import { compileProject } from '../../engine/playbook/compile.ts';
import type { SourceFile } from '../../engine/playbook/problem.ts';
import type { Json, Release } from '../../engine/playbook/types.ts';
import type { Line } from '../../engine/journey/types.ts';
import {
  parseCustomers,
  parseEvents,
  type SimulatedCustomer,
  type SimulatedEvent,
} from '../../engine/simulate/input.ts';
import { simulate } from '../../engine/simulate/simulate.ts';
import { formatInstant, parseInstant } from '../../engine/time/text.ts';

type Fields = Readonly<Record<string, Json>>;

/** A company, what happens in it, and from when to when. */
export interface Story {
  /** Replaces whole top-level keys of perennial.yaml. */
  readonly company?: Fields;
  /** YAML by name; `topic: news` is added where no topic is named (not to JSON). */
  readonly playbooks: Readonly<Record<string, string>>;
  readonly launches?: Readonly<Record<string, string>>;
  /** Default: ada in UTC. */
  readonly customers?: readonly Fields[];
  /** `AT CUSTOMER EVENT {data}`, each with an id of its own. */
  readonly events?: readonly string[];
  /** Default: 2026-03-01T00:00Z, a Sunday. */
  readonly from?: string;
  /** Default: 2026-06-01T00:00Z. */
  readonly until?: string;
}

const COMPANY = {
  company: { name: 'Hearth & Home', address: '12 Mill Lane, Bath' },
  mail: { from: 'Hearth & Home <hello@hearth.example>' },
  defaults: { timezone: 'UTC' },
  purchase: { event: 'order.placed', amount: 'total' },
  attributes: { plan: 'string', renewal_date: 'date', trial_ends: 'datetime', vip: 'boolean', score: 'number' },
  events: {
    'order.placed': { total: 'number' },
    'order.refunded': { total: 'number' },
    'review.posted': { rating: 'number' },
    'app.opened': { screen: 'string', follow_up: 'date' },
  },
  topics: {
    news: { title: 'News' },
    offers: { title: 'Offers', default: 'out' },
    service: { title: 'Service', transactional: true },
  },
};

/** A customer whose address is made of the id. */
export function customer(id: string, fields: Fields = {}): Fields {
  return { id, email: `${id}@example.com`, timezone: 'UTC', ...fields };
}

/** Compiles a story's company. Throws with all problems when there is one. */
export function releaseOf(story: Pick<Story, 'company' | 'playbooks' | 'launches'>): Release {
  const playbooks = Object.entries(story.playbooks).map(([name, text]) => ({
    path: `playbooks/${name}.yaml`,
    text: text.startsWith('{') || /^\s*topic:/m.test(text) ? text : `${indentOf(text)}topic: news\n${text}`,
  }));
  const templates = playbooks
    .flatMap(({ text }) => [...text.matchAll(/email"?: *"?([\w/-]+)/g)])
    .map((match) => ({ path: `templates/${match[1] ?? ''}.hbs`, text: 'Hello' }));
  const launches = Object.entries(story.launches ?? {}).map(([name, text]) => ({
    path: `playbooks/launches/${name}.yaml`,
    text,
  }));
  const company = { path: 'perennial.yaml', text: JSON.stringify({ ...COMPANY, ...story.company }) };
  const unique = new Map<string, SourceFile>(
    [company, ...playbooks, ...launches, ...templates].map((source) => [source.path, source]),
  );
  const { release, problems } = compileProject([...unique.values()]);
  if (release === null) throw new Error(problems.map(({ file, message }) => `${file}: ${message}`).join('\n'));
  return release;
}

/** YAML in a template literal is indented evenly. */
function indentOf(text: string): string {
  return /^\s*?( *)\S/.exec(text.replace(/^\n+/, ''))?.[1] ?? '';
}

/** A story's customers and events, as the input files of a simulation give them. */
export function populationOf(story: Pick<Story, 'customers' | 'events'>): {
  readonly customers: readonly SimulatedCustomer[];
  readonly events: readonly SimulatedEvent[];
} {
  const rows = (story.customers ?? [customer('ada')]).map((fields) => JSON.stringify(fields));
  const customers = parseCustomers(rows.join('\n'), 'customers.jsonl');
  const events = (story.events ?? []).map((text, index) => JSON.stringify(eventOf(text, index)));
  const ids = new Set(customers.map(({ profile }) => profile.id));
  return { customers, events: parseEvents(events.join('\n'), 'events.jsonl', ids) };
}

function eventOf(text: string, index: number): Fields {
  const match = /^(\S+) (\S+) (\S+)(?: (.*))?$/.exec(text);
  if (match === null) throw new Error(`no event: ${text}`);
  const [, at = '', id = '', event = '', data = '{}'] = match;
  return { id: `e${index + 1}`, customer: id, event, at, data: JSON.parse(data) as Json };
}

/** Runs a story; gives its timeline as `AT CUSTOMER PLAYBOOK[.STEP] DO[ (REASON)]`. */
export function timelineOf(story: Story): readonly string[] {
  const { customers, events } = populationOf(story);
  const from = parseInstant(story.from ?? '2026-03-01T00:00Z');
  const until = parseInstant(story.until ?? '2026-06-01T00:00Z');
  return simulate({ release: releaseOf(story), customers, events, from, until }).map(show);
}

/** One line as text; seconds and milliseconds only where there are any. */
export function show(line: Line): string {
  const at = formatInstant(line.at)
    .replace(/\.000Z$/, 'Z')
    .replace(/:00Z$/, 'Z');
  const step = line.step === undefined ? '' : `.${line.step}`;
  return `${at} ${line.customer} ${line.playbook}${step} ${line.do}${line.reason === undefined ? '' : ` (${line.reason})`}`;
}

/** A case of a table: the sentence of the language that it shows, a story, and its timeline. */
export interface Case extends Story {
  readonly rule: string;
  readonly lines: readonly string[];
}
