/**
 * What mail costs in one process: rendering, composing, handing over. Run with `node dist/bench/mail.js [SECONDS]`.
 * Every figure of a pair is from the same run and the same sink, in turns, so that the ratio carries over to other machines.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { startInbox } from '../engine/mail/inbox/server.ts';
import { openTransport } from '../engine/mail/transport.ts';
import { compose, messageIdFor } from '../engine/message/compose.ts';
import { type MailScope, compileTemplates } from '../engine/message/templates.ts';

const SECONDS = Number(process.argv[2] ?? 3);
const CONNECTIONS = 8;
const DATE = Date.UTC(2026, 2, 2, 9, 15);

const GREETING =
  '<p style="margin:0 0 18px">Hello {{default customer.first_name "there"}}, from {{company.name}}.</p>\n';
const FIXED =
  '<p style="margin:0 0 18px;color:#2B2823">Boards that darken, linen that softens, brass that remembers your hands.</p>\n';
const TEMPLATE = [
  '---\nsubject: Welcome, {{customer.first_name}}\n---\n<html><body>\n',
  `${GREETING}${FIXED.repeat(8)}`.repeat(8),
  '{{#if customer.orders}}<p>{{number customer.orders}} orders</p>{{/if}}<a href="{{unsubscribe_url}}">Unsubscribe</a>',
  '</body></html>\n',
].join('');

const { templates } = compileTemplates([{ path: 'templates/bench.hbs', text: TEMPLATE }]);
const template = templates.get('bench');
if (template === null) throw new Error('the template of the measurement does not compile');

function scopeOf(n: number): MailScope {
  return {
    customer: { first_name: `Ada ${n}`, orders: n },
    company: { name: 'Hearth & Home' },
    vars: {},
    unsubscribe_url: `https://hearth.example/u/${n}`,
    preferences_url: `https://hearth.example/p/${n}`,
    locale: 'en-GB',
    zone: { name: 'Europe/London', offsetAt: () => 0 },
    now: DATE,
  };
}

function composed(n: number): ReturnType<typeof compose> {
  return compose({ ...addressed(n), ...words, messageId: messageIdFor(n, 'hearth.example'), date: DATE, headers: {} });
}

function addressed(n: number): { from: string; to: string; toName: string; replyTo: null } {
  return {
    from: 'Hearth & Home <hello@hearth.example>',
    to: `ada.${n}@example.com`,
    toName: `Ada ${n}`,
    replyTo: null,
  };
}

const words = template.render(scopeOf(0));

/** The least that a mail server can do: it reads to the final dot and says yes. */
async function startNullServer(): Promise<{ readonly port: number; readonly server: Server; taken: number }> {
  const state = { taken: 0 };
  const server = createServer((socket) => {
    let inBody = false;
    let tail = '';
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.write('220 null.test\r\n');
    socket.on('data', (chunk) => {
      if (inBody) {
        tail = tail.slice(-4) + chunk.toString('latin1', Math.max(0, chunk.length - 5));
        if (!tail.endsWith('\r\n.\r\n')) return;
        inBody = false;
        tail = '';
        state.taken += 1;
        socket.write('250 2.0.0 taken\r\n');
        return;
      }
      let reply = '';
      for (const line of chunk.toString('latin1').split('\r\n').slice(0, -1)) {
        if (line.startsWith('EHLO')) reply += '250-null.test\r\n250-PIPELINING\r\n250 8BITMIME\r\n';
        else if (line === 'DATA') {
          reply += '354 go on\r\n';
          inBody = true;
        } else reply += line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n';
      }
      socket.write(reply);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, { port: (server.address() as AddressInfo).port, server });
}

/** Calls a second, with so many under way at a time. */
async function rate(seconds: number, parallel: number, run: (n: number) => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let n = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - start < seconds * 1000) await run((n += 1));
  };
  await Promise.all(Array.from({ length: parallel }, lane));
  return n / ((performance.now() - start) / 1000);
}

function rateNow(seconds: number, run: (n: number) => unknown): number {
  const start = performance.now();
  let n = 0;
  while (performance.now() - start < seconds * 1000) run((n += 1));
  return n / ((performance.now() - start) / 1000);
}

function print(name: string, perSecond: number, note = ''): void {
  process.stdout.write(`${name.padEnd(48)}${Math.round(perSecond).toLocaleString('en').padStart(8)} /s${note}\n`);
}

const size = `${(words.html.length / 1024).toFixed(1)} KB of HTML`;
rateNow(0.5, (n) => template.render(scopeOf(n)));
print(
  'render',
  rateNow(SECONDS, (n) => template.render(scopeOf(n))),
  `  (${size} and its text)`,
);
rateNow(0.5, composed);
print('compose', rateNow(SECONDS, composed));

const sink = await startNullServer();
const ready = Array.from({ length: 64 }, (_, n) => composed(n));
const bare = createTransport({
  host: '127.0.0.1',
  port: sink.port,
  pool: true,
  maxConnections: CONNECTIONS,
  maxMessages: Infinity,
  ignoreTLS: true,
});
const transport = openTransport({ url: `smtp://127.0.0.1:${sink.port}?tls=off`, connections: CONNECTIONS });
const baseline = (n: number): Promise<unknown> => {
  const { from, to, toName } = addressed(n);
  return bare.sendMail({ from, to: { name: toName, address: to }, ...words });
};
const ours = async (n: number): Promise<void> => {
  const outcome = await transport.deliver(ready[n % ready.length] as (typeof ready)[0], async () => true);
  if (outcome.kind !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(outcome)}`);
};
const totals = { bare: 0, ours: 0 };
for (const round of [0, 1, 2]) {
  totals.bare += await rate(round === 0 ? 0.5 : SECONDS / 2, CONNECTIONS * 2, baseline);
  totals.ours += await rate(round === 0 ? 0.5 : SECONDS / 2, CONNECTIONS * 2, ours);
}
print('bare nodemailer, pooled sendMail', totals.bare / 3);
print(
  'deliver, ready-made message, instant hand-over',
  totals.ours / 3,
  `  (${(totals.ours / totals.bare).toFixed(1)} times bare)`,
);
bare.close();
await transport.close();
sink.server.close();

const dir = await mkdtemp(join(tmpdir(), 'perennial-bench-'));
const inbox = await startInbox({ dir, host: '127.0.0.1', port: 0 });
const local = openTransport({ url: inbox.url, connections: CONNECTIONS });
print(
  'deliver into the local inbox, same process',
  await rate(SECONDS, CONNECTIONS * 2, (n) =>
    local.deliver(ready[n % ready.length] as (typeof ready)[0], async () => true),
  ),
);
await local.close();
await inbox.close();
await rm(dir, { recursive: true });
