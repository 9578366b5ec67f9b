/** The main file of `startSink`. It keeps nothing: the least work that still checks who got a mail. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { SinkMessage } from './sink.ts';

const END = Buffer.from('\r\n.\r\n');
const GREETING = '250-sink.test\r\n250-PIPELINING\r\n250 8BITMIME\r\n';
let taken = 0;
let telling = false;

const tell = (message: SinkMessage): void => void process.send?.(message);

function serve(socket: Socket): void {
  let input: Buffer = Buffer.alloc(0);
  let inBody = false;
  let recipient = '';
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.write('220 sink.test ESMTP\r\n');

  const takeBody = (): string | null => {
    const end = input.indexOf(END);
    if (end < 0) return null;
    input = input.subarray(end + END.length);
    inBody = false;
    taken += 1;
    if (telling) tell({ kind: 'taken', recipient, atMs: performance.timeOrigin + performance.now() });
    return '250 2.0.0 taken\r\n';
  };
  const takeLine = (): string | null => {
    const end = input.indexOf('\r\n');
    if (end < 0) return null;
    const line = input.toString('latin1', 0, end);
    input = input.subarray(end + 2);
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'EHLO') return GREETING;
    if (verb === 'QUIT') return '221 2.0.0 bye\r\n';
    if (verb === 'RCPT') recipient = /<([^>]*)>/.exec(line)?.[1] ?? '';
    inBody = verb === 'DATA';
    return inBody ? '354 go on\r\n' : '250 2.0.0 ok\r\n';
  };
  socket.on('data', (chunk) => {
    input = input.length === 0 ? chunk : Buffer.concat([input, chunk]);
    let reply = '';
    for (let line = inBody ? takeBody() : takeLine(); line !== null; line = inBody ? takeBody() : takeLine()) {
      reply += line;
    }
    if (reply !== '') socket.write(reply);
  });
}

const server = createServer(serve).listen(0, '127.0.0.1', () => {
  tell({ kind: 'listening', port: (server.address() as AddressInfo).port });
});
process.on('message', (message: 'count' | 'tell') => {
  if (message === 'tell') telling = true;
  tell({ kind: 'count', taken });
});
process.on('disconnect', () => process.exit(0));
