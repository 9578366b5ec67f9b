/** Whether a line is one that a test expects. */
import { endOfMoment, startOfMoment } from '../../playbook/schema/moment.ts';
import { namesOfStep } from '../../playbook/tests/names.ts';
import type { Expectation, Said } from '../../playbook/tests/types.ts';
import type { Json } from '../../playbook/types.ts';
import type { TestLine } from './run.ts';

/** Whether it is the line, whenever it comes: only what the expectation names is asked. */
export function isAbout(expected: Expectation, line: TestLine): boolean {
  if (expected.kind !== line.kind) return false;
  if (expected.customer !== null && expected.customer !== line.customer) return false;
  if (expected.playbook !== null && expected.playbook !== line.playbook) return false;
  if (expected.step !== null && expected.step !== line.step?.id) return false;
  if (expected.reason !== null && expected.reason !== line.reason) return false;
  if (expected.what !== null && !namesOfLine(line).includes(expected.what)) return false;
  return expected.values === null || hasValues(line, expected.values);
}

/** Whether it is the line, at its time. */
export function matches(expected: Expectation, line: TestLine): boolean {
  return isAbout(expected, line) && isThen(expected, line);
}

function isThen({ at }: Expectation, line: TestLine): boolean {
  if (at === null) return true;
  return line.at >= startOfMoment(at, line.zone) && line.at < endOfMoment(at, line.zone);
}

/** What a line can be called: the step and what it is about; where there is no step, the reason. */
function namesOfLine({ step, template, reason }: TestLine): readonly string[] {
  const names = step === null ? [] : namesOfStep(step);
  return [...names, ...(template === null ? [] : [template]), ...(step === null && reason !== null ? [reason] : [])];
}

function hasValues({ step }: TestLine, values: Readonly<Record<string, Json>>): boolean {
  if (step?.kind !== 'set') return false;
  return Object.entries(values).every(([name, value]) => JSON.stringify(step.values[name]) === JSON.stringify(value));
}

/** What is wrong with the words of a mail, one sentence each. */
export function faultsOfWords(expected: Expectation | null, line: TestLine): readonly string[] {
  const { words } = line;
  if (words === null) return [];
  if (!words.written) return [`the mail cannot be written for this customer: ${words.why}`];
  return [
    ...faultsOf('subject', expected?.subject ?? null, words.subject),
    ...faultsOf('text', expected?.text ?? null, words.text),
  ];
}

const LONGEST = 300;

function faultsOf(part: 'subject' | 'text', said: Said | null, words: string): readonly string[] {
  if (said === null) return [];
  const plain = flat(words);
  const shown = plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain;
  if ('exactly' in said) {
    return plain === flat(said.exactly) ? [] : [`the ${part} is not "${said.exactly}" but "${shown}"`];
  }
  const missing = said.contains.filter((text) => !plain.includes(flat(text)));
  const there = said.lacks.filter((text) => plain.includes(flat(text)));
  return [
    ...missing.map((text) => `the ${part} does not contain "${text}"; it is "${shown}"`),
    ...there.map((text) => `the ${part} contains "${text}", which it must not`),
  ];
}

/** Lines of a text break where they are full; what is meant does not. */
function flat(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
