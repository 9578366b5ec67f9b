/** `perennial preview` and `perennial send-test`: one mail, made up or for a customer, on no record. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import PostalMime from 'postal-mime';
import { listInbox, readMail } from '../../engine/mail/inbox/store.ts';
import { checkProject } from '../../engine/project/check.ts';
import { inboxFolder } from '../../scripts/inbox.ts';
import { previewCommand } from '../../scripts/preview.ts';
import { sendTestCommand } from '../../scripts/send-test.ts';
import { runCommand, type Printed } from '../support/command.ts';
import { startSink } from '../support/smtp-sink.ts';
import { COMPANY, compileSources, openStaffed, type Staffed } from '../support/staff.ts';
import { deployRelease } from '../../engine/store/releases.ts';

const MAIL = `---
subject: Your {{money event.total "GBP"}}, {{customer.first_name}}
preheader: A code for {{customer.name}}
---
<p>Take {{vars.gift.code}}.</p>
{{#each event.lines}}<p>{{title}} in {{colour}}</p>{{/each}}
{{#if (eq customer.plan "gold")}}<p>You are a golden one.</p>{{/if}}
<p>{{date customer.birthday}}</p>
<a href="{{unsubscribe_url}}">No more of this</a>, {{company.address}}
`;
const PLAYBOOK = `topic: news
trigger: { event: order.placed }
manual: false
steps:
  - coupon: { pool: spring, as: gift }
  - email: thanks/you
`;

let dir = '';
let staffed: Staffed;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
}

const preview = async (...args: readonly string[]): Promise<Printed> => runCommand(previewCommand, args, dir);
const sendTest = async (...args: readonly string[]): Promise<Printed> => runCommand(sendTestCommand, args, dir);

const VARIABLES = ['DATABASE_URL', 'SMTP_URL'] as const;
const before = VARIABLES.map((name) => [name, process.env[name]] as const);

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'perennial-preview-'));
  write('perennial.yaml', COMPANY.replace('{ total: number }', '{ total: number, lines: list }'));
  write('playbooks/thanks.yaml', PLAYBOOK);
  write('templates/thanks/you.hbs', MAIL);
  write('templates/thanks/you.de.hbs', MAIL.replace('Your', 'Ihre'));
  staffed = await openStaffed('2026-03-01T12:00:00Z');
  const { sources } = await checkProject(dir);
  await deployRelease(staffed.db, compileSources, sources, { author: 'test', note: null, gitCommit: null });
  await staffed.customers(['ada', 'bob'], { birthday: '1990-02-03' });
  await staffed.rows(`update customers set first_name = 'Ada', name = 'Ada <L>'`);
  await staffed.rows(`update customers set locale = 'de-AT' where key = 'ada'`);
  await staffed.rows(
    `insert into enrolments (customer_id, playbook_id, version_id, status, started_at, ended_at, entry_key, origin, vars)
     select c.id, v.playbook_id, v.id, 'complete', '2026-02-01T09:00:00Z', '2026-02-01T10:00:00Z', 'event:o-1',
       '{"on":"order.placed","data":{"total":12.5,"lines":[]}}', '{"gift":{"code":"REAL-1"}}'
     from customers c, playbook_versions v where c.key = 'ada'`,
  );
});

afterEach(() => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  rmSync(join(dir, '.perennial'), { recursive: true, force: true });
});

afterAll(async () => {
  await staffed.close();
  rmSync(dir, { recursive: true, force: true });
});

describe('perennial preview', () => {
  it('makes up a value for everything that the template names', async () => {
    const { code, out, err } = await preview('thanks/you');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('Subject    Your £42.50, Anna (17 characters)');
    expect(out).toContain('Preheader  A code for Anna Berg');
    expect(out).toContain('Take SAMPLE-CODE.');
    expect(out.match(/Sample title in Sample colour/g)).toHaveLength(2);
    expect(out).toContain('You are a golden one.');
    expect(out).toContain('May 17, 1990');
    expect(out).toContain('No more of this <https://');
  });

  it('takes the variant and the words of a locale, and a path for a name', async () => {
    const { out } = await preview('templates/thanks/you.hbs', '--locale', 'de-AT', '--json');
    const mail = JSON.parse(out) as Record<string, unknown>;
    expect(mail).toMatchObject({ outcome: 'made', template: 'thanks/you.de', locale: 'de-AT', customer: null });
    expect(mail['subject']).toMatch(/^Ihre £\s?42,50, Anna$/);
    expect(mail['html']).toContain('17. Mai 1990');
    expect(mail['htmlBytes']).toBe(Buffer.byteLength(String(mail['html'])));
  });

  it('prints the text alone, and writes the HTML', async () => {
    const file = join(dir, 'out.html');
    expect((await preview('thanks/you', '--text', '--out', file)).out).toMatch(/^Take SAMPLE-CODE\.\n/);
    const html = readFileSync(file, 'utf8');
    expect(html).toMatch(/^\uFEFF\s*<div[^>]*>A code for Anna Berg/);
  });

  it('makes up what helpers take, and names the very place that fails', async () => {
    const body =
      '<a href="{{link company.website "/x"}}">x</a> <a href="{{link event.page}}">{{date event.page_day}}</a>' +
      '{{#each event.lines}}<a href="{{link home}}">{{money dear "EUR"}}</a>{{/each}}\n' +
      '{{#if customer.name}}<p>{{number event.total}}\n  {{number customer.name}}</p>{{/if}}';
    const company = COMPANY.replace(
      '{ total: number }',
      '{ total: number, lines: list, page: string, page_day: string }',
    );
    write('perennial.yaml', company.replace('  name:', '  website: https://hearth.example\n  name:'));
    write(
      'templates/made.hbs',
      `---\nsubject: x\n---\n${body.replace('number customer.name', 'number customer.orders')}`,
    );
    write('templates/place.hbs', `---\nsubject: x\n---\n${body}`);
    try {
      const made = await preview('made', '--text');
      expect(made.err).toBe('');
      expect(made.out.match(/https:\/\/example\.com\/sample/g)).toHaveLength(3);
      const { code, out, err } = await preview('place', '--json');
      expect({ code, err }).toEqual({ code: 1, err: '' });
      expect(JSON.parse(out)).toMatchObject({
        problems: [{ file: 'templates/place.hbs', line: 6, column: 3, code: 'bad-value' }],
      });
    } finally {
      rmSync(join(dir, 'templates/made.hbs'));
      rmSync(join(dir, 'templates/place.hbs'));
      write('perennial.yaml', COMPANY.replace('{ total: number }', '{ total: number, lines: list }'));
    }
  });

  it('says which templates there are, and what is wrong in the folder', async () => {
    const { code, err } = await preview('thank/you');
    expect(code).toBe(1);
    expect(err).toBe('There is no template "thank/you".\nNearest: thanks/you, thanks/you.de\n');
    write('templates/broken.hbs', '---\nsubject: x\n---\n{{customer.nam}}');
    try {
      const broken = await preview('broken', '--json');
      expect(broken.code).toBe(1);
      expect(JSON.parse(broken.out)).toMatchObject({ outcome: 'mistakes', problems: [{ line: 4, column: 3 }] });
    } finally {
      rmSync(join(dir, 'templates/broken.hbs'));
    }
  });

  it('shows it as a customer would get it, from their latest enrolment', async () => {
    process.env['DATABASE_URL'] = staffed.db.url;
    const { code, out, err } = await preview('thanks/you', '--customer', 'ADA@example.com');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/Subject {4}Ihre £\s?12,50, Ada/);
    expect(out).toContain('Take REAL-1.');
    expect(out).toContain('A code for Ada <L>');
    expect(out).toContain('Filled from the enrolment in "thanks" of 2026-02-01T09:00:00.000Z.');
  });

  it('fails as the real mail would, at the place that needs the value', async () => {
    process.env['DATABASE_URL'] = staffed.db.url;
    const { code, out, err } = await preview('thanks/you', '--customer', 'bob');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('templates/thanks/you.hbs:2:23 error missing-variable event.total is printed');
    expect(err).toContain('    2 | subject: Your {{money event.total "GBP"}}');
    const unknown = await preview('thanks/you', '--customer', 'adda', '--json');
    expect(unknown.code).toBe(1);
    expect(JSON.parse(unknown.out)).toMatchObject({ outcome: 'unknown customer' });
  });
});

describe('perennial send-test', () => {
  it('sends one marked mail to the local inbox, and keeps no record', async () => {
    process.env['DATABASE_URL'] = staffed.db.url;
    const tables = 'select (select count(*) from sends) + (select count(*) from audit) as rows';
    const [earlier] = await staffed.rows(tables);
    const { code, out } = await sendTest('thanks/you', '--to', 'me@sample.example', '--customer', 'ada');
    expect(code).toBe(0);
    expect(out).toContain('to me@sample.example by the local inbox');
    const [entry, ...more] = await listInbox(inboxFolder(dir), { limit: 10 });
    expect(more).toEqual([]);
    const mail = await readMail(inboxFolder(dir), entry?.number ?? 0);
    expect(mail?.subject).toMatch(/^\[Test\] Ihre £\s?12,50, Ada$/);
    expect(mail?.text).toContain('Take SAMPLE-CODE.');
    expect(mail?.text).not.toContain('REAL-1');
    expect(mail?.step).toBeNull();
    expect(await staffed.rows(tables)).toEqual([earlier]);
  });

  it('sends by SMTP_URL, and says what the server said', async () => {
    const sink = await startSink({ keep: true, auth: { user: 'me', pass: 'secret' } });
    process.env['SMTP_URL'] = sink.url.replace('smtp://', 'smtp://me:secret@');
    try {
      const { code, out } = await sendTest('thanks/you', '--to', 'me@sample.example');
      expect(code).toBe(0);
      expect(out).not.toContain('secret');
      const parsed = await PostalMime.parse(sink.sources[0] ?? '');
      expect(parsed.subject).toBe('[Test] Your £42.50, Anna');
      expect(parsed.to).toEqual([{ name: '', address: 'me@sample.example' }]);
      expect(parsed.headers.map(({ key }) => key)).not.toContain('list-unsubscribe');
    } finally {
      await sink.close();
    }
    const gone = await sendTest('thanks/you', '--to', 'me@sample.example', '--json');
    expect(gone.code).toBe(75);
    expect(JSON.parse(gone.out)).toMatchObject({ outcome: 'retry', to: 'me@sample.example' });
  });

  it('sends to nobody whom the company does not allow', async () => {
    const company = readFileSync(join(dir, 'perennial.yaml'), 'utf8');
    write('perennial.yaml', company.replace('mail:\n', 'mail:\n  only_to: [sample.example]\n'));
    try {
      const { code, err } = await sendTest('thanks/you', '--to', 'me@example.com');
      expect(code).toBe(1);
      expect(err).toContain('`mail.only_to` in perennial.yaml does not allow me@example.com');
      expect(await listInbox(inboxFolder(dir), { limit: 10 })).toEqual([]);
    } finally {
      write('perennial.yaml', company);
    }
  });
});
