/** The HTTP server of one process for those who watch it: `/healthz`, `/readyz`, `/metrics`. It holds nothing of customers. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { ConfigError } from '../config.ts';
import { errorFields, type Logger } from '../log.ts';
import { CHECKS, type Check, type Unready } from './readiness.ts';

/** Unless another port is set. */
export const DEFAULT_METRICS_PORT = 4_590;

/** What the server tells. */
export interface MonitorAnswers {
  readonly registry: Registry;
  /** Called before metrics are read. */
  readonly refresh: () => Promise<void>;
  readonly unreadiness: (excluded: ReadonlySet<Check>) => Promise<readonly Unready[]>;
  readonly log: Logger;
}

/** The server, running. */
export interface MonitorServer {
  /** Where it listens, e.g. `http://127.0.0.1:4590`. */
  readonly url: string;
  close(): Promise<void>;
}

/** Where to listen. `port` null: 4590, or any free one when another process of this machine has that. */
export interface MonitorPlace {
  readonly host: string;
  readonly port: number | null;
}

const REQUEST_MS = 10_000;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Starts it. @throws ConfigError when a port that was named is taken, or the address is none of this machine. */
export async function startMonitorServer(place: MonitorPlace, answers: MonitorAnswers): Promise<MonitorServer> {
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) => {
    void respond(request, response, answers);
  });
  await listenSomewhere(server, place, answers.log);
  const { port } = server.address() as AddressInfo;
  const host = place.host.includes(':') ? `[${place.host}]` : place.host;
  const url = `http://${host}:${port}`;
  answers.log.info({ url }, 'to be watched at /healthz, /readyz and /metrics');
  return {
    url,
    close: async () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(request: IncomingMessage, response: ServerResponse, answers: MonitorAnswers): Promise<void> {
  let answer: Answer;
  try {
    answer = await answerTo(request, answers);
  } catch (error) {
    answers.log.error(errorFields(error), 'a question of how this process is could not be answered');
    answer = json(500, { status: 'error' });
  }
  const headers = { 'content-type': answer.type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  response.writeHead(answer.status, headers);
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

async function answerTo(request: IncomingMessage, answers: MonitorAnswers): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, { status: 'GET only' });
  const { pathname, searchParams } = targetOf(request.url ?? '/');
  switch (pathname) {
    case '/healthz':
      return json(200, { status: 'alive' });
    case '/readyz':
      return readiness(searchParams.getAll('exclude'), answers);
    case '/metrics':
      await answers.refresh();
      return { status: 200, type: answers.registry.contentType, body: await answers.registry.metrics() };
    default:
      return json(404, { status: 'there are /healthz, /readyz and /metrics' });
  }
}

/** Appended and not resolved: `//` is a path of nobody here, and no URL of its own. Proxies send whole URLs. */
function targetOf(target: string): Pick<URL, 'pathname' | 'searchParams'> {
  const url = target.startsWith('/') ? `http://monitor.invalid${target}` : target;
  return URL.canParse(url) ? new URL(url) : { pathname: '', searchParams: new URLSearchParams() };
}

async function readiness(exclude: readonly string[], answers: MonitorAnswers): Promise<Answer> {
  const unknown = exclude.find((name) => !CHECKS.some((check) => check === name));
  if (unknown !== undefined) return json(400, { status: `exclude takes one of ${CHECKS.join(', ')}` });
  const problems = await answers.unreadiness(new Set(CHECKS.filter((check) => exclude.includes(check))));
  if (problems.length === 0) return json(200, { status: 'ready' });
  return json(503, { status: 'not ready', problems });
}

function json(status: number, body: object): Answer {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(body)}\n` };
}

async function listenSomewhere(server: Server, { host, port }: MonitorPlace, log: Logger): Promise<void> {
  try {
    await listen(server, host, port ?? DEFAULT_METRICS_PORT);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE' && port === null) {
      await listen(server, host, 0);
      // Nobody set it, so several processes on one machine are as likely as a mistake.
      log.warn({ port: DEFAULT_METRICS_PORT }, 'another process has the port of metrics: this one takes any free port');
      return;
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      const message = `"${host}" is no address of this machine; 0.0.0.0 means all of them`;
      throw new ConfigError([{ variable: 'PERENNIAL_METRICS_HOST', message }]);
    }
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    const why = code === 'EACCES' ? 'this user may not listen on' : 'another program listens on';
    const message = `${why} port ${port ?? DEFAULT_METRICS_PORT}; choose another one`;
    throw new ConfigError([{ variable: 'PERENNIAL_METRICS_PORT', message }]);
  }
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => reject(error);
    server.once('error', fail);
    server.listen(port, host, () => {
      server.off('error', fail);
      resolve();
    });
  });
}
