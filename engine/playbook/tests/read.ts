import { DAY_MS } from '../../time/calendar.ts';
import { nearest } from '../nearest.ts';
import { startOfMoment } from '../schema/moment.ts';
import type { TestSource } from '../schema/playbook-test.ts';
import type { Playbook } from '../types.ts';
import { type InTest, type Reading, unknown, zoneOfCustomer } from './context.ts';
import { readCustomer } from './read-customer.ts';
import { readExpectation } from './read-expectations.ts';
import { readHappenings } from './read-happenings.ts';
import { withStarted } from './started.ts';
import type { PlaybookTest, TestCustomer } from './types.ts';

/** Longer tests are slips of the year, and a daily schedule would take minutes. */
const LONGEST_MS = 100 * 366 * DAY_MS;

/** Reads one test of a sound form, and complains about what it names wrongly. `fileName` is the file's own name. */
export function readTest(reading: Reading, test: TestSource, file: string, fileName: string): PlaybookTest {
  const { report, release } = reading;
  const own = release.byName.has(fileName) ? fileName : null;
  const inPlay = readPlaybooks(reading, test, fileName);
  const customers = readCustomers(reading, test);
  const home = customers[0] === undefined ? release.company.zone : zoneOfCustomer(customers[0], reading);
  const [from, until] = [startOfMoment(test.from, home), startOfMoment(test.until, home)];
  if (until <= from) report.at(test, 'until', { code: 'outside', message: '`until` must be later than `from`' });
  else if (until - from > LONGEST_MS) {
    const message = 'the test lasts longer than a hundred years';
    report.at(test, 'until', { code: 'too-long', message, fix: 'let it end earlier' });
  }
  const inTest: InTest = { ...reading, customers, from, until, inPlay, own };
  if (test.expect === undefined && (test.not ?? []).length === 0) {
    const fix = 'add `expect:`, with an empty list [] where nothing must come';
    report.at(test, null, { code: 'missing-key', message: 'the test expects nothing', fix });
  }
  return {
    file,
    line: report.placeOf(test, 'name').line,
    name: test.name,
    playbook: own,
    playbooks: new Set(inPlay.map(({ name }) => name)),
    customers,
    from,
    until,
    happenings: readHappenings(inTest, test),
    expect: test.expect?.map((line) => readExpectation(inTest, line)) ?? null,
    expectAll: test.expect_all ?? false,
    not: (test.not ?? []).map((line) => readExpectation(inTest, line)),
  };
}

function readCustomers(reading: Reading, test: TestSource): readonly TestCustomer[] {
  const { report } = reading;
  if ((test.customer === undefined) === (test.customers === undefined)) {
    const message = 'a test has one `customer`, or several `customers`';
    const fix =
      test.customer === undefined ? 'add `customer: { id: ada, email: ada@example.com }`' : 'keep one of them';
    report.at(test, null, { code: 'missing-key', message, fix });
  }
  const sources = test.customers ?? (test.customer === undefined ? [] : [test.customer]);
  const seen = new Set<string>();
  for (const source of sources) {
    if (seen.has(source.id)) {
      const message = `two customers are called \`${source.id}\``;
      report.at(source, 'id', { code: 'duplicate-id', message, fix: 'give each an id of its own' });
    }
    seen.add(source.id);
  }
  return sources.map((source) => readCustomer(reading, source));
}

/** Which playbooks run: the one that the file is named after, those named in the test, and those that they start. */
function readPlaybooks(reading: Reading, test: TestSource, fileName: string): readonly Playbook[] {
  const { release, report } = reading;
  if (test.company === true) {
    if (test.playbooks !== undefined) {
      const message = '`company: true` runs all playbooks';
      report.atKey(test, 'playbooks', { code: 'not-needed', message, fix: 'leave out `playbooks`' });
    }
    return release.playbooks;
  }
  const names = new Set(test.playbooks ?? []);
  for (const [index, name] of (test.playbooks ?? []).entries()) {
    if (release.byName.has(name)) continue;
    const message = `there is no playbook \`${name}\``;
    const known = release.byName.keys();
    unknown(reading, test.playbooks ?? [], index, { code: 'unknown-playbook', message, name, known });
  }
  if (release.byName.has(fileName)) names.add(fileName);
  else if (test.playbooks === undefined) {
    const message = `there is no playbook \`${fileName}\`, after which this file is named`;
    const near = nearest(fileName, release.byName.keys());
    const fix = 'rename the file, or say which playbooks run: `playbooks: [...]` or `company: true`';
    report.at(test, 'name', {
      code: 'unknown-playbook',
      message,
      fix: near === null ? fix : `did you mean ${near}.test.yaml?`,
    });
  }
  return withStarted(release, names);
}
