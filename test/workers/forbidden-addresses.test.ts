/** Webhooks reach the public internet and what the configuration names, however an address is written or led to. */
import type { lookup, LookupAddress } from 'node:dns';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer, type AddressInfo, type LookupFunction, type Server } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { isPublicAddress, publicLookup } from '../../workers/webhooks/address.ts';
import { callOnce, type CallOptions, type CallOutcome } from '../../workers/webhooks/call.ts';

/** Whatever arrives at 127.0.0.1, byte by byte. */
let arrived = '';
let inside: Server;
let redirecting: HttpServer;
const portOf = (server: Server | HttpServer): number => (server.address() as AddressInfo).port;

beforeAll(async () => {
  inside = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => (arrived += chunk.toString('latin1')));
  });
  redirecting = createHttpServer((request, response) => {
    request.resume();
    const status = Number(request.url?.slice(1));
    response.writeHead(status, { location: `http://127.0.0.1:${portOf(inside)}/secret` }).end();
  });
  for (const server of [inside, redirecting]) {
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
  }
});
afterAll(() => {
  inside.close();
  redirecting.closeAllConnections();
  redirecting.close();
});
beforeEach(() => {
  arrived = '';
});

async function call(url: string, options: Partial<CallOptions> = {}): Promise<CallOutcome> {
  const headers = { 'webhook-id': 'msg_1' };
  return callOnce({ url, headers, body: '{"canary":1}' }, { allow: new Set(), timeoutMs: 2_000, ...options });
}

describe('an address that is not public', () => {
  it.each([
    ['127.0.0.1'],
    ['127.1'],
    ['2130706433'],
    ['0x7f000001'],
    ['0x7f.0.0.1'],
    ['0177.0.0.1'],
    ['017700000001'],
    ['127.0.0.1.'],
    ['0x7f.1.'],
    ['１２７.0.0.1'],
    ['127。0。0。1'],
    ['%31%32%37.0.0.1'],
    ['localhost'],
    ['LOCALHOST'],
    ['localhost.'],
    ['hooks.localhost'],
    ['hooks.localhost.'],
    ['user@127.0.0.1'],
    ['hooks.example.com:80@127.0.0.1'],
    ['8.8.8.8@localhost'],
    ['0.0.0.0'],
    ['0'],
    ['[::]'],
    ['[::1]'],
    ['[0:0:0:0:0:0:0:1]'],
    ['[::ffff:127.0.0.1]'],
    ['[::ffff:7f00:1]'],
    ['[0:0:0:0:0:ffff:7f00:0001]'],
    ['[::127.0.0.1]'],
    ['[::ffff:0:127.0.0.1]'],
    ['[64:ff9b::127.0.0.1]'],
    ['[64:ff9b:1::7f00:1]'],
    ['[2002:7f00:1::]'],
    ['[2001:0:7f00:1::]'],
    ['10.0.0.1'],
    ['169.254.169.254'],
    ['2852039166'],
    ['[::ffff:a9fe:a9fe]'],
    ['[fd00:ec2::254]'],
    ['[fe80::1]'],
    ['100.100.100.200'],
    ['192.0.0.192'],
  ])('is not called as %s', async (host) => {
    const port = portOf(inside);
    const url = `http://${host}:${port}/latest/meta-data`;
    const outcome = await call(url);
    expect(outcome.kind).toBe('forbidden');
    expect(arrived).toBe('');
  });

  it('is not reached by a redirect: none is followed', async () => {
    const allow = new Set([`127.0.0.1:${portOf(redirecting)}`]);
    for (const status of [301, 302, 303, 307, 308]) {
      const outcome = await call(`http://127.0.0.1:${portOf(redirecting)}/${status}`, { allow });
      expect(outcome).toMatchObject({ kind: 'answered', status });
    }
    expect(arrived).toBe('');
  });

  it('is not reached beside a public one of the same name, nor by a name that changes: it is asked once', async () => {
    const answers: readonly LookupAddress[][] = [
      [
        { address: '93.184.215.14', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ],
      [{ address: '::ffff:127.0.0.1', family: 6 }],
    ];
    for (const addresses of answers) {
      let asked = 0;
      const resolve = ((_host: string, _options: unknown, callback: (error: null, found: LookupAddress[]) => void) => {
        asked += 1;
        callback(null, addresses);
      }) as unknown as typeof lookup;
      const url = `http://hooks.example.com:${portOf(inside)}/`;
      const outcome = await call(url, { lookup: publicLookup(resolve) });
      expect(outcome).toMatchObject({ kind: 'forbidden', answer: expect.stringContaining('hooks.example.com') });
      expect(asked).toBe(1);
    }
    expect(arrived).toBe('');
  });

  it('gets no byte of the call even when a lookup let it pass: the socket itself is asked where it is', async () => {
    const rebound: LookupFunction = (_host, { all }, callback) => {
      if (all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
      else callback(null, '127.0.0.1', 4);
    };
    const plain = await call(`http://hooks.example.com:${portOf(inside)}/`, { lookup: rebound });
    expect(plain).toEqual({ kind: 'forbidden', answer: expect.stringContaining('hooks.example.com (127.0.0.1)') });
    expect(arrived).toBe('');
    // Over TLS the greeting may be out by then; it holds the name and nothing of the call.
    const secure = await call(`https://hooks.example.com:${portOf(inside)}/`, { lookup: rebound });
    expect(secure.kind).toBe('forbidden');
    expect(arrived).not.toMatch(/POST|canary|msg_1/);
  });

  it('is called when the configuration names it, by that spelling alone', async () => {
    const allow = new Set([`127.0.0.1:${portOf(redirecting)}`]);
    const url = (host: string): string => `http://${host}:${portOf(redirecting)}/204`;
    expect(await call(url('127.0.0.1'), { allow })).toMatchObject({ kind: 'answered', status: 204 });
    expect(await call(url('localhost'), { allow })).toMatchObject({ kind: 'forbidden' });
    expect(await call(`http://127.0.0.1:${portOf(inside)}/`, { allow })).toMatchObject({ kind: 'forbidden' });
  });
});

it.each([
  ['8.8.8.8', true],
  ['2606:4700:4700::1111', true],
  ['::ffff:8.8.8.8', true],
  ['fe80::1%eth0', false],
  ['3fff::1', false],
  ['4000::1', false],
  ['5f00::1', false],
  ['192.88.99.1', false],
  ['198.18.0.1', false],
  ['240.0.0.1', false],
  ['255.255.255.255', false],
  ['8.8.8.8.', false],
  ['134744072', false],
])('%s is an address of the public internet: %s', (address, is) => {
  expect(isPublicAddress(address)).toBe(is);
});
