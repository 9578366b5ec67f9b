import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { importFile, type ImportOptions, type ImportResult } from '../../engine/ingest/file/import.ts';
import { parseFilter, type MappingOptions } from '../../engine/ingest/file/mapping.ts';
import { RejectsFile, type Reject } from '../../engine/ingest/file/rejects.ts';
import { openSource } from '../../engine/ingest/file/source.ts';
import { zone } from '../../engine/time/zone.ts';
import { openStaffed, type Staffed } from '../support/staff.ts';
import { sharedFolder } from '../support/shared.ts';
import { FILES } from './support.ts';

const NOW = '2026-03-01T12:00:00.000Z';
const EVENTS: ImportOptions = {
  kind: 'events',
  format: { kind: 'jsonl' },
  zone: null,
  createCustomers: true,
  history: false,
  restart: false,
};
const CUSTOMERS: ImportOptions = { ...EVENTS, kind: 'customers' };

let staffed: Staffed;
let dir: string;

beforeAll(async () => {
  staffed = await openStaffed('2026-02-01T00:00:00Z');
  await staffed.deploy(FILES);
  dir = await mkdtemp(path.join(tmpdir(), 'perennial-import-'));
});
afterAll(async () => {
  await staffed.close();
  await rm(dir, { recursive: true });
});
beforeEach(async () => {
  await staffed.db.query(
    'truncate customers, event_keys, events, sends, enrolments, timers, imports, suppressions, opt_ins cascade',
  );
  await staffed.at(NOW);
});

const csv = (mapping: Partial<MappingOptions> = {}): ImportOptions['format'] => ({
  kind: 'csv',
  mapping: { map: [], set: [], where: [], delimiter: ',', ...mapping },
});
const mapped = (fields: Readonly<Record<string, string>>): MappingOptions['map'] =>
  Object.entries(fields).map(([field, column]) => ({ field, column }));

let files = 0;
async function fileOf(contents: string | Buffer, ending = '.jsonl'): Promise<string> {
  files += 1;
  const file = path.join(dir, `${files}${ending}`);
  await writeFile(file, contents);
  return file;
}

interface Outcome {
  readonly result: ImportResult;
  readonly rejects: readonly Reject[];
  readonly unused: readonly string[];
}

/** Imports a file; `stopAfter` interrupts it once so many lines are stored. */
async function run(
  file: string,
  options: ImportOptions,
  extra: { readonly stopAfter?: number; readonly stdin?: Readable } = {},
): Promise<Outcome> {
  const stop = new AbortController();
  let unused: readonly string[] = [];
  const rejectsFile = `${file}.rejects.jsonl`;
  const result = await importFile(
    {
      db: staffed.db,
      cache: staffed.cache,
      source: await openSource(file, extra.stdin ?? Readable.from([])),
      rejects: new RejectsFile(file === '-' ? path.join(dir, 'stdin.rejects.jsonl') : rejectsFile),
      watch: {
        begun: (_, columns) => (unused = columns),
        stored: ({ linesDone }) => {
          if (linesDone >= (extra.stopAfter ?? Infinity)) stop.abort();
        },
      },
      stop: stop.signal,
    },
    options,
  );
  return { result, rejects: await rejectsIn(rejectsFile), unused };
}

async function rejectsIn(file: string): Promise<readonly Reject[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Reject);
}

const event = (id: string, customer: string, at: string, data: object = { total: 5 }): string =>
  JSON.stringify({ id, customer, event: 'order.placed', at, data });
const counts = async (): Promise<unknown> =>
  staffed.rows(`select (select count(*)::int from customers) as customers, (select count(*)::int from events) as events,
    (select count(*)::int from enrolments) as enrolments`);
const facts = async (): Promise<unknown> => staffed.rows('select key, orders, spent from customers order by key');

describe('JSON lines', () => {
  it('reads customers, with what they do and do not want', async () => {
    const file = await fileOf(
      [
        '\ufeff{"id":"ada","email":"ada@example.com","tags":["vip"],"plan":"gold","unsubscribed":["news"],"orders":9}',
        '{"id":"bob","email":"bob@example.com","suppressed":true}',
        '',
        '{"id":"cy","email":"CY@example.com","subscribed":["tips"]}',
        '{"id":"dee","unsubscribed":["news"]}',
        '{"id":"eve","email":"eve@example.com","unsubscribed":["nwes"]}',
        '{"id":"fay","email":"no address"}',
      ].join('\r\n'),
    );
    const { result, rejects } = await run(file, CUSTOMERS);
    expect(result).toMatchObject({ status: 'finished', end: { accepted: 3, rejected: 3, linesDone: 7 } });
    expect(rejects.map(({ line, reason }) => [line, reason])).toEqual([
      [5, expect.stringContaining('"email" is missing; expected an address to which unsubscribed belongs')],
      [6, expect.stringContaining('did you mean "news"?')],
      [7, expect.stringContaining('it has no @')],
    ]);
    expect(result.noticed).toEqual([
      { name: 'the field "orders"', because: 'kept by the engine itself', nearest: null, lines: 1 },
      {
        name: 'the field "subscribed"',
        because: expect.stringContaining('without proof of consent'),
        nearest: null,
        lines: 1,
      },
    ]);
    expect(await staffed.rows('select address, scope, source from suppressions order by address')).toEqual([
      { address: 'ada@example.com', scope: 'news', source: 'import' },
      { address: 'bob@example.com', scope: '*', source: 'import' },
    ]);
    expect(await staffed.rows('select address, topic from opt_ins')).toEqual([
      { address: 'cy@example.com', topic: 'tips' },
    ]);
    expect(await staffed.rows(`select tags, attributes from customers where key = 'ada'`)).toEqual([
      { tags: ['vip'], attributes: { plan: 'gold' } },
    ]);
  });

  it('never subscribes somebody again who has said no', async () => {
    await staffed.db.query(
      `insert into suppressions (address, scope, at, source) values ('ada@example.com', 'tips', now(), 'unsubscribe')`,
    );
    await run(
      await fileOf('{"id":"ada","email":"ada@example.com","subscribed":["tips"],"unsubscribed":[]}'),
      CUSTOMERS,
    );
    expect(await staffed.rows('select scope, source from suppressions')).toEqual([
      { scope: 'tips', source: 'unsubscribe' },
    ]);
    expect(await staffed.rows('select 1 as one from opt_ins')).toEqual([]);
  });

  const consents = async (): Promise<unknown> =>
    staffed.rows(
      `select address, topic, given, at, source, wording, language, detail from consents order by address, topic, id`,
    );

  it('keeps when, where and in which words readers agreed, and says where that is missing', async () => {
    const wording = 'Yes, send me tips about the house.';
    const proof = { consent_at: '2025-11-02 10:15', consent_source: 'checkout', consent_language: 'en' };
    const line = (id: string, more: object): string =>
      JSON.stringify({ id, email: `${id}@example.com`, subscribed: ['tips'], ...more });
    const files = [
      [
        line('ada', { ...proof, consent_wording: wording }),
        line('bob', {}),
        line('cy', { ...proof, subscribed: ['news'] }),
        line('dee', { consent_at: 'last spring' }),
        line('eve', { consent_wording: wording, subscribed: [] }),
        line('fay', { consent_source: ' ' }),
      ],
      // The words that were missing, and the same once more.
      [line('bob', { consent_wording: wording }), line('ada', { ...proof, consent_wording: wording })],
    ];
    const [first, second] = [await fileOf((files[0] ?? []).join('\n')), await fileOf((files[1] ?? []).join('\n'))];
    const { result, rejects } = await run(first, { ...CUSTOMERS, zone: zone('Europe/London') });
    expect(rejects.map(({ line: at, reason }) => [at, reason])).toEqual([
      [4, expect.stringContaining('"consent_at" is the text "last spring"')],
      [6, expect.stringContaining('"consent_source" is the text " "; expected a text of at most 200')],
    ]);
    expect(result.noticed).toEqual([
      {
        name: 'the field "subscribed"',
        because: expect.stringContaining('taken without proof of consent'),
        nearest: null,
        lines: 1,
      },
      { name: 'the field "consent_wording"', because: expect.stringMatching(/^for nothing/), nearest: null, lines: 1 },
    ]);
    await run(second, CUSTOMERS);
    const given = { given: true, source: 'import' };
    const when = Date.parse('2025-11-02T10:15:00Z');
    const ofAda = { ...given, address: 'ada@example.com', topic: 'tips', at: when, language: 'en', wording };
    const ofBob = { ...given, address: 'bob@example.com', topic: 'tips', at: expect.any(Number), language: null };
    expect(await consents()).toEqual([
      { ...ofAda, detail: expect.stringMatching(/^checkout, .*\.jsonl$/) },
      { ...ofBob, wording: null, detail: expect.not.stringContaining(',') },
      { ...ofBob, wording, detail: expect.any(String) },
      { ...ofAda, address: 'cy@example.com', topic: 'news', wording: null, detail: expect.any(String) },
    ]);
    expect(await staffed.rows(`select at from opt_ins where address = 'ada@example.com'`)).toEqual([{ at: when }]);
  });

  it('reads events: fresh ones start playbooks, old ones and history set facts', async () => {
    const lines = [event('e1', 'ada', '2026-03-01T11:00:00Z'), event('e2', 'bob', '2026-02-01T11:00:00Z')];
    const { result } = await run(await fileOf(lines.join('\n')), EVENTS);
    expect(result.end).toMatchObject({ accepted: 2, rejected: 0 });
    expect(await counts()).toEqual([{ customers: 2, events: 2, enrolments: 1 }]);
    const history = await run(await fileOf(event('e3', 'ada', '2026-03-01T11:30:00Z')), { ...EVENTS, history: true });
    expect(history.result.end.accepted).toBe(1);
    expect(await counts()).toEqual([{ customers: 2, events: 3, enrolments: 1 }]);
    expect(await facts()).toEqual([
      { key: 'ada', orders: 2, spent: 10 },
      { key: 'bob', orders: 1, spent: 5 },
    ]);
  });

  it('sets bad lines aside, each with its number and reason, and takes the rest', async () => {
    const good = event('ok', 'ada', '2026-03-01T11:00:00Z');
    const bad: readonly (readonly [string, RegExp])[] = [
      ['{"id":', /^the line is not JSON: .*expected one object a line$/],
      ['[]', /expected an object with fields/],
      [event('', 'ada', '2026-03-01T11:00:00Z'), /"id" is the text "".*expected a text of 1 to 255/],
      [event('x', 'ada', '2026-03-01T11:00'), /with its offset.*--time-zone Europe\/London/],
      [event('x', 'ada', 'yesterday'), /"at" is the text "yesterday"/],
      [event('x', 'ada', '2026-03-01T11:00:00Z', { total: '5' }), /"data.total" is the text "5"; expected a number/],
      [event('x', 'ada', '2026-03-02T11:00:00Z'), /ahead/],
      ['{"id":"x","customer":"ada","event":"e","at":"2026-03-01T11:00:00Z","data":{"__proto__":1}}', /__proto__/],
      [`{"id":"x","customer":"ada","text":"${'x'.repeat(1 << 20)}"}`, /^the line is longer than 32 KB/],
      ['{"id":"x","customer":"\\u0000"}', /cannot be stored/],
    ];
    const { result, rejects } = await run(await fileOf([...bad.map(([line]) => line), good].join('\n')), EVENTS);
    expect(result.end).toMatchObject({ accepted: 1, rejected: bad.length, linesDone: bad.length + 1 });
    for (const [index, [text, reason]] of bad.entries()) {
      expect(rejects[index]).toMatchObject({ line: index + 1, reason: expect.stringMatching(reason) });
      expect(text.startsWith(rejects[index]?.text ?? 'nothing')).toBe(true);
    }
    expect(await counts()).toEqual([{ customers: 1, events: 1, enrolments: 1 }]);
  });

  it('takes events of known customers only, unless told to create them', async () => {
    const file = await fileOf(event('e1', 'nobody', '2026-03-01T11:00:00Z'));
    const { result, rejects } = await run(file, { ...EVENTS, createCustomers: false });
    expect(result.end).toMatchObject({ accepted: 0, rejected: 1 });
    expect(rejects[0]?.reason).toMatch(/"nobody" is not known.*--create-customers/);
    expect((await run(file, EVENTS)).result.end).toMatchObject({ accepted: 1, rejected: 0 });
    expect(await rejectsIn(`${file}.rejects.jsonl`)).toEqual([]);
  });

  it.each(['', '\n\n', '\ufeff'])('takes a file without lines: %j', async (contents) => {
    for (const ending of ['.jsonl', '.csv']) {
      const options = ending === '.csv' ? { ...EVENTS, format: csv() } : EVENTS;
      const { result } = await run(await fileOf(contents, ending), options);
      expect(result).toMatchObject({ status: 'finished', end: { accepted: 0, rejected: 0 } });
      await staffed.db.query('truncate imports');
    }
  });

  it('keeps the order of each customer, and counts twice nothing that comes twice', async () => {
    const lines = Array.from({ length: 2_500 }, (_, index) => `{"id":"c${index % 40}","score":${index}}`);
    await run(await fileOf(lines.join('\n')), CUSTOMERS);
    const scores = await staffed.rows<{ score: number }>(
      `select (attributes->>'score')::int as score from customers order by 1`,
    );
    // Analysed on the way, so that no session keeps a plan made for empty tables (-1 is never).
    expect(await staffed.rows(`select reltuples::int from pg_class where relname = 'customers'`)).toEqual([
      { reltuples: 40 },
    ]);
    expect(scores.map(({ score }) => score)).toEqual(Array.from({ length: 40 }, (_, index) => 2_460 + index));
    const events = Array.from({ length: 3_000 }, (_, index) =>
      event(`e${index % 1_500}`, `c${(index % 1_500) % 40}`, '2026-01-01T00:00:00Z', { total: 1 }),
    );
    const { result } = await run(await fileOf(events.join('\n')), EVENTS);
    expect(result).toMatchObject({ duplicates: 1_500, end: { accepted: 3_000 } });
    expect(await staffed.rows('select sum(orders)::int as orders from customers')).toEqual([{ orders: 1_500 }]);
  });
});

describe('CSV', () => {
  it('reads columns by their own names, each as its declared type', async () => {
    const file = await fileOf(
      [
        'id,email,name,tags,created_at,score,wants_mail,likes,unsubscribed,shoe_size',
        'ada,ada@example.com,"Ada ""Countess""\nLovelace",vip; early,2025-01-02T03:04:05Z,4.5,TRUE,tea;cake,news,38',
        'bob,,,,,,,,,',
        'cy,cy@example.com,,,,many,,,,',
      ].join('\r\n'),
      '.csv',
    );
    const { result, rejects, unused } = await run(file, { ...CUSTOMERS, format: csv() });
    expect(unused).toEqual(['shoe_size']);
    expect(rejects).toMatchObject([
      { line: 2, reason: expect.stringContaining('without line breaks') },
      { line: 5, reason: expect.stringContaining('"score" is the text "many"; expected a number') },
    ]);
    expect(result.end).toMatchObject({ accepted: 1, rejected: 2, linesDone: 5 });
    const mended = await fileOf((await readFile(file, 'utf8')).replace('""\nL', '"" L'), '.csv');
    await run(mended, { ...CUSTOMERS, format: csv() });
    expect(await staffed.rows(`select name, tags, created_at, attributes from customers where key = 'ada'`)).toEqual([
      {
        name: 'Ada "Countess" Lovelace',
        tags: ['vip', 'early'],
        created_at: Date.parse('2025-01-02T03:04:05Z'),
        attributes: { score: 4.5, wants_mail: true, likes: ['tea', 'cake'] },
      },
    ]);
  });

  const invoices = {
    ...EVENTS,
    zone: zone('Europe/London'),
    format: csv({
      map: mapped({ customer: 'customer_id', at: 'at', id: 'invoice', 'data.total': 'amount' }),
      set: [{ field: 'event', value: 'order.placed' }],
      where: [parseFilter('amount>0'), parseFilter('kind = sale'), parseFilter('customer_id!=')],
    }),
  };

  it('maps columns, sets constants, filters rows and reads local times', async () => {
    const rows = [
      'invoice,at,customer_id,kind,amount',
      '1,2025-07-01T10:00,7,sale,12.50',
      '2,2025-12-01 10:00:30,7,sale,1e1',
      '3,2025-12-01 10:00,7,sale,-5',
      '4,2025-12-01 10:00,7,refund,5',
      '5,2025-12-01 10:00,,sale,5',
      '6,2025-12-01,8,sale,3',
      '7,2025-12-01T10:00+02:00,8,sale,4',
      '8,2025-12-01 10:00,8,sale',
      '9,01/12/2025 10:00,8,sale,4',
    ];
    const { result, rejects } = await run(await fileOf(rows.join('\n'), '.csv'), invoices);
    expect(result).toMatchObject({ filtered: 3, end: { accepted: 4, rejected: 2 } });
    expect(rejects.map(({ line, reason }) => [line, reason])).toEqual([
      [9, 'the line has 4 fields, but the first line names 5 columns'],
      [10, expect.stringContaining('"at" is the text "01/12/2025 10:00"')],
    ]);
    const stored = await staffed.rows<{ key: string; at: number; data: unknown }>(
      'select key, at, data from events order by key',
    );
    expect(stored.map(({ key, at, data }) => [key, new Date(at).toISOString(), data])).toEqual([
      ['1', '2025-07-01T09:00:00.000Z', { total: 12.5 }],
      ['2', '2025-12-01T10:00:30.000Z', { total: 10 }],
      ['6', '2025-12-01T00:00:00.000Z', { total: 3 }],
      ['7', '2025-12-01T08:00:00.000Z', { total: 4 }],
    ]);
  });

  it.each<[string, string, Partial<MappingOptions>, RegExp]>([
    [
      'a column that is not there',
      'id,at',
      { map: mapped({ customer: 'custmer' }) },
      /no column "custmer".*names id, at/,
    ],
    ['a near miss', 'customer_id,at', { map: mapped({ customer: 'custmer_id' }) }, /Did you mean "customer_id"/],
    [
      'a field that does not exist',
      'a',
      { map: mapped({ custommer: 'a' }) },
      /no field "custommer".*Did you mean "customer"/,
    ],
    [
      'a field given twice',
      'a,b',
      { map: mapped({ id: 'a' }), set: [{ field: 'id', value: 'x' }] },
      /"id" is given twice/,
    ],
    ['a column that is there twice', 'a,a', { map: mapped({ id: 'a' }) }, /several columns "a"/],
    ['another delimiter', 'id;at', { map: mapped({ id: 'id' }) }, /is "," the delimiter/],
    ['a filter on no column', 'id', { where: [parseFilter('x=1')] }, /no column "x"/],
    ['a field that every line needs', 'id,customer,event,when', {}, /the field at, .* --map at=COLUMN/],
    ['no header to read', '"id', {}, /first line should name the columns.*quotation mark/],
  ])('says before it begins when the options do not fit: %s', async (_, header, options, message) => {
    const file = await fileOf(`${header}\n1,2\n`, '.csv');
    await expect(run(file, { ...EVENTS, format: csv(options) })).rejects.toThrow(message);
    expect(await staffed.rows('select 1 as one from imports')).toEqual([]);
  });

  it('takes another delimiter', async () => {
    const { result } = await run(await fileOf('id;email\nada;ada@example.com\n', '.csv'), {
      ...CUSTOMERS,
      format: csv({ delimiter: ';' }),
    });
    expect(result.end.accepted).toBe(1);
  });

  it('imports the real invoices, twice the same', async () => {
    const folder = sharedFolder('data/online-retail');
    if (folder === null) return;
    const known = JSON.parse(await readFile(path.join(folder, 'facts-tenth.json'), 'utf8')) as Record<string, number>;
    const file = path.join(dir, 'invoices.csv.gz');
    await copyFile(path.join(folder, 'invoices-tenth.csv.gz'), file);
    const options = {
      ...invoices,
      history: true,
      format: csv({
        map: mapped({ customer: 'customer_id', at: 'at', id: 'invoice', 'data.total': 'amount_gbp' }),
        set: [{ field: 'event', value: 'order.placed' }],
        where: [parseFilter('amount_gbp>0'), parseFilter('customer_id!=')],
      }),
    };
    const first = await run(file, options);
    const accepted = known['positive sale invoices with a customer'];
    expect(first).toMatchObject({ rejects: [], result: { duplicates: 0, filtered: 757, end: { accepted } } });
    const again = await run(file, { ...options, restart: true });
    expect(again.result).toMatchObject({ duplicates: accepted, end: { accepted } });
    expect(
      await staffed.rows(`select count(*)::int as customers, sum(orders)::int as orders, round(sum(spent)::numeric, 2)::float as spent,
        (select count(*)::int from enrolments) as enrolments from customers`),
    ).toEqual([
      {
        customers: known['customers with such an invoice'],
        orders: accepted,
        spent: known['total amount of those sale invoices, GBP'],
        enrolments: 0,
      },
    ]);
  });
});

describe('going on after an interruption', () => {
  const rows = Array.from({ length: 4_500 }, (_, index) =>
    index % 500 === 3 ? `{"bad": ${index}` : event(`e${index}`, `c${index % 30}`, '2026-01-01T00:00:00Z', { total: 1 }),
  );
  const asCsv = [
    'id,customer,event,at,data.total,note',
    ...Array.from({ length: 4_500 }, (_, index) =>
      index % 500 === 3
        ? `e${index},c${index % 30},order.placed,never,1,`
        : `e${index},c${index % 30},order.placed,2026-01-01T00:00:00Z,1,"a\n\nb"`,
    ),
  ].join('\r\n');

  it.each<[string, string, string | Buffer, ImportOptions]>([
    ['JSON lines', '.jsonl', `\ufeff${rows.join('\n')}`, EVENTS],
    ['JSON lines in gzip', '.jsonl.gz', gzipSync(rows.join('\n')), EVENTS],
    ['CSV', '.csv', asCsv, { ...EVENTS, format: csv() }],
    ['CSV in gzip', '.csv.gz', gzipSync(asCsv), { ...EVENTS, format: csv() }],
  ])('goes on where it stopped: %s', async (_, ending, contents, options) => {
    const file = await fileOf(contents, ending);
    const first = await run(file, options, { stopAfter: 1 });
    expect(first.result).toMatchObject({ status: 'interrupted', resumedAtLine: null });
    expect(first.result.end.accepted + first.result.end.rejected).toBeLessThan(4_500);
    const second = await run(file, options, { stopAfter: first.result.end.linesDone + 1 });
    expect(second.result).toMatchObject({ status: 'interrupted', resumedAtLine: first.result.end.linesDone + 1 });
    const third = await run(file, options);
    expect(third.result).toMatchObject({ status: 'finished', duplicates: 0, end: { accepted: 4_491, rejected: 9 } });
    expect(third.rejects).toHaveLength(9);
    const set = third.rejects.map(({ line }) => line);
    expect(set).toEqual(set.toSorted((a, b) => a - b));
    expect(await staffed.rows('select sum(orders)::int as orders from customers')).toEqual([{ orders: 4_491 }]);
    expect((await run(file, options)).result).toMatchObject({ status: 'finished before', end: { accepted: 4_491 } });
    const anew = await run(file, { ...options, restart: true });
    expect(anew).toMatchObject({
      result: { status: 'finished', duplicates: 4_491, end: { rejected: 9 } },
      rejects: { length: 9 },
    });
  });

  it('is another import when the contents or the options are others', async () => {
    const file = await fileOf(rows.slice(0, 3).join('\n'));
    await run(file, EVENTS);
    expect((await run(file, { ...EVENTS, history: true })).result).toMatchObject({ status: 'finished', duplicates: 3 });
    await writeFile(file, rows.slice(0, 3).join('\r\n'));
    expect((await run(file, EVENTS)).result).toMatchObject({ status: 'finished', duplicates: 3 });
  });

  it('says so when a compressed file is only a part of one; what was read stays', async () => {
    const whole = gzipSync(rows.join('\n'));
    const file = await fileOf(whole.subarray(0, whole.length - 2_000), '.jsonl.gz');
    await expect(run(file, EVENTS)).rejects.toThrow(/cannot be decompressed.*only a part/);
    await writeFile(file, 'no gzip at all');
    await expect(run(file, EVENTS)).rejects.toThrow(/it is no gzip file/);
    await expect(run(path.join(dir, 'none.csv'), EVENTS)).rejects.toThrow(/there is no file/);
    await expect(run(dir, EVENTS)).rejects.toThrow(/is a folder/);
  });

  it('reads standard input, which cannot be resumed', async () => {
    const stdin = (): Readable => Readable.from(rows.map((row) => Buffer.from(`${row}\n`)));
    expect((await run('-', EVENTS, { stdin: stdin() })).result.end).toMatchObject({ accepted: 4_491, rejected: 9 });
    expect((await run('-', EVENTS, { stdin: stdin() })).result).toMatchObject({
      status: 'finished',
      duplicates: 4_491,
    });
    expect(await rejectsIn(path.join(dir, 'stdin.rejects.jsonl'))).toHaveLength(9);
  });
});
