/** The worked examples of the language, beside the checkout. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileProject } from '../../engine/playbook/compile.ts';
import type { SourceFile } from '../../engine/playbook/problem.ts';
import { parseCustomers, parseEvents } from '../../engine/simulate/input.ts';
import type { Simulation } from '../../engine/simulate/simulate.ts';
import type { Line } from '../../engine/journey/types.ts';
import { parseInstant } from '../../engine/time/text.ts';
import { sourcesIn } from './shared.ts';

/** An example, ready to run. */
export interface Example extends Simulation {
  readonly sources: readonly SourceFile[];
}

/** Reads one. @throws Error when its playbooks have mistakes. */
export function readExample(dir: string): Example {
  const read = (name: string): string => readFileSync(join(dir, name), 'utf8');
  const sources = sourcesIn(dir);
  const { release, problems } = compileProject(sources);
  if (release === null) throw new Error(JSON.stringify(problems));
  const run = JSON.parse(read('run.json')) as { readonly from: string; readonly until: string };
  const customers = parseCustomers(read('customers.jsonl'), 'customers.jsonl');
  const ids = new Set(customers.map((customer) => customer.profile.id));
  const events = parseEvents(read('events.jsonl'), 'events.jsonl', ids);
  return { sources, release, customers, events, from: parseInstant(run.from), until: parseInstant(run.until) };
}

/**
 * The lines that an example expects. The text of the language orders lines by `at`. Three of the examples (02, 03, 07)
 * are written customer by customer; a stable sort brings them into the order of the language and leaves the other
 * seven as they are.
 */
export function expectedLines(dir: string): readonly Line[] {
  return readFileSync(join(dir, 'expect.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((text) => {
      const line = JSON.parse(text) as Omit<Line, 'at'> & { readonly at: string };
      return { ...line, at: Date.parse(line.at) };
    })
    .sort((a, b) => a.at - b.at);
}
