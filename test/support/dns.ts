/** A real DNS server for one test: answers over UDP on 127.0.0.1 from a table (RFC 1035). */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';

/** Records by name, in small letters. A name that is not there does not exist; `refuse` is answered with SERVFAIL. */
export type DnsTable = Readonly<
  Record<
    string,
    | 'refuse'
    | { readonly txt?: readonly string[]; readonly mx?: readonly [number, string][]; readonly a?: readonly string[] }
  >
>;

/** A server that runs. */
export interface DnsServer {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  close(): Promise<void>;
}

const TYPES = { a: 1, mx: 15, txt: 16 } as const;
const FOUND = 0x8580;
const SERVFAIL = 0x8582;
const NXDOMAIN = 0x8583;

/** Starts one that answers from `table()` as it is when it is asked. */
export async function startDns(table: () => DnsTable): Promise<DnsServer> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    socket.send(answerTo(query, table()), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

function answerTo(query: Buffer, table: DnsTable): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  const type = query.readUInt16BE(at + 1);
  const question = query.subarray(12, at + 5);
  const entry = table[labels.join('.').toLowerCase()];
  const data = entry === undefined || entry === 'refuse' ? [] : recordsOf(entry, type);
  const answers = data.map((bytes) => {
    const head = Buffer.alloc(12);
    // A pointer to the name in the question.
    head.writeUInt16BE(0xc00c, 0);
    head.writeUInt16BE(type, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt32BE(60, 6);
    head.writeUInt16BE(bytes.length, 10);
    return Buffer.concat([head, bytes]);
  });
  const header = Buffer.alloc(12);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  header.writeUInt16BE(entry === undefined ? NXDOMAIN : entry === 'refuse' ? SERVFAIL : FOUND, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.length, 6);
  return Buffer.concat([header, question, ...answers]);
}

function recordsOf(entry: Exclude<DnsTable[string], 'refuse'>, type: number): readonly Buffer[] {
  switch (type) {
    case TYPES.a:
      return (entry.a ?? []).filter(isIPv4).map((address) => Buffer.from(address.split('.').map(Number)));
    case TYPES.mx:
      return (entry.mx ?? []).map(([priority, host]) => {
        const head = Buffer.alloc(2);
        head.writeUInt16BE(priority);
        return Buffer.concat([head, nameBytes(host)]);
      });
    case TYPES.txt:
      return (entry.txt ?? []).map((text) => {
        const parts = text.match(/.{1,255}/g) ?? [''];
        return Buffer.concat(
          parts.map((part) => Buffer.concat([Buffer.from([part.length]), Buffer.from(part, 'latin1')])),
        );
      });
    default:
      return [];
  }
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1')),
    Buffer.alloc(1),
  ]);
}
