/** Advisory locks share one room of numbers for each database: two purposes with one number would wait for each other. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';

const ENGINE = path.resolve(import.meta.dirname, '../../engine');
const NUMBER = /7_?318_?204_?\d{3}/g;

it('has each number of an advisory lock in one place', () => {
  const files = readdirSync(ENGINE, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const numbers = files.flatMap((file) =>
    (readFileSync(path.join(ENGINE, file), 'utf8').match(NUMBER) ?? []).map((found) => found.replaceAll('_', '')),
  );
  expect(numbers.length).toBeGreaterThanOrEqual(5);
  expect(numbers).toEqual([...new Set(numbers)]);
});

it('has no advisory lock by another name', () => {
  const sources = readdirSync(ENGINE, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(path.join(ENGINE, file), 'utf8'));
  expect(
    sources.filter((source) => /advisory\w*lock\w*\((?!\$1\)|\$\{\w+_LOCK\}\)|7318204\d{3}\))/.test(source)),
  ).toEqual([]);
});
