/**
 * The role `public`: the HTTP server for whatever comes from outside: events and profiles, answers to surveys, choices of
 * readers, clicks, webhooks of mail providers.
 */
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { intakeApp } from '../engine/ingest/http/app.ts';
import { openIntake, type Intake } from '../engine/ingest/http/intake.ts';
import { PREFERENCES_PATH, UNSUBSCRIBE_PATH } from '../engine/message/reader-links.ts';
import { ANSWER_PATH } from '../engine/message/survey.ts';
import { CLICK_PATH, OPEN_PATH } from '../engine/message/track-token.ts';
import type { ReleaseCache } from '../engine/store/context.ts';
import type { Database } from '../engine/store/database.ts';
import { recordReaction } from '../engine/store/reactions.ts';
import { loadSigningKeys } from '../engine/store/signing-keys.ts';
import { choicesApp } from './choices/app.ts';
import { ConfigError, type Config } from './config.ts';
import { FEEDBACK_PATH } from './feedback/app.ts';
import { openFeedback } from './feedback/open.ts';
import type { Hints } from './hints.ts';
import { errorFields, type Logger } from './log.ts';
import { ofKnownLength } from './known-length.ts';
import type { Metrics } from './monitoring/metrics.ts';
import { surveyApp } from './survey/app.ts';
import { openTracking, type Tracking } from './tracking/app.ts';
import { writeKeyOf } from './write-key.ts';

/** What the public server works with. */
export interface PublicParts {
  readonly db: Database;
  readonly cache: ReleaseCache;
  readonly hints: Hints;
  readonly config: Pick<Config, 'publicHost' | 'publicPort' | 'writeKey' | 'database'> &
    Partial<Pick<Config, 'feedback'>>;
  /** Counts requests. */
  readonly metrics?: Pick<Metrics, 'requests'>;
  readonly log: Logger;
  /** Default: 15 s for a request, 10 s of them for its headers. */
  readonly patience?: Patience;
}

/** The server, running. */
export interface PublicServer {
  /** Where it listens, e.g. `http://127.0.0.1:4500`. */
  readonly url: string;
  /** Takes no more connections, finishes the requests under way and ends; twice is once. */
  close(): Promise<void>;
}

/** How long senders may take who send byte by byte, in milliseconds. */
export interface Patience {
  /** For a whole request; draining takes no longer than that. */
  readonly requestMs: number;
  readonly headersMs: number;
  /** How often connections are looked at for those who took longer. */
  readonly lookEveryMs: number;
}

const PATIENCE: Patience = { requestMs: 15_000, headersMs: 10_000, lookEveryMs: 2_000 };
/** What holds for every answer that says nothing else: it is no page, it is kept by nobody, and it goes nowhere else. */
const HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};
/** Requests that are not done by then are cut off: a process drains within 30 s. */
const DRAIN_MS = 20_000;
/** How often requests that fail are reported. */
const REPORT_EVERY_MS = 10_000;

const PORT_FAILURES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens on',
  EACCES: 'this user may not listen on',
};

/**
 * Starts the server. @throws ConfigError when the address is taken, or when no key is configured and none may be
 * made (see `writeKeyOf`).
 */
export async function startPublic(parts: PublicParts): Promise<PublicServer> {
  const { config, log } = parts;
  const writeKey = await writeKeyOf(config);
  const intake = openPublicIntake(parts);
  const calls = intakeApp({ intake, writeKey, onFailure: failureReport(log) });
  const surveys = openSurveys(parts);
  const tracking = openReactions(parts);
  const feedback = config.feedback === undefined ? null : openFeedback(parts.db, config.feedback, log);
  const choices = openChoices(parts);
  const apps: readonly (readonly [string, Hono])[] = [
    [ANSWER_PATH, surveys],
    [UNSUBSCRIBE_PATH, choices],
    [PREFERENCES_PATH, choices],
    [CLICK_PATH, tracking.app],
    [OPEN_PATH, tracking.app],
    ...(feedback === null ? [] : [[FEEDBACK_PATH, feedback] as const]),
  ];
  const server = serverOf(parts.patience ?? PATIENCE, async (received) => {
    const { pathname } = new URL(received.url);
    const [path, app] = apps.find(([path]) => pathname.startsWith(path)) ?? ['intake', calls];
    // The intake reads by itself.
    const request = app === calls ? received : await ofKnownLength(received);
    const response = request instanceof Response ? request : await app.fetch(request);
    parts.metrics?.requests.inc({ app: path.replaceAll('/', ''), status: `${Math.floor(response.status / 100)}xx` });
    return response;
  });
  const port = await listen(server, config);
  const host = config.publicHost.includes(':') ? `[${config.publicHost}]` : config.publicHost;
  const url = `http://${host}:${port}`;
  log.info({ url }, 'taking in events and profiles');
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => (closing ??= drain(server, intake, tracking));
  return { url, close };
}

/** While the database is away every request fails: the first is told at once, then how many there were. */
function failureReport(log: Logger): (error: unknown) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  let untold = 0;
  return (error) => {
    untold += 1;
    if (performance.now() - toldAt < REPORT_EVERY_MS) return;
    const fields = { ...errorFields(error), requests: untold };
    log.error(fields, 'the intake could not store what came in; its senders were told to send it again');
    toldAt = performance.now();
    untold = 0;
  };
}

function openSurveys({ db, cache, hints, log }: PublicParts): Hono {
  return surveyApp({
    db,
    cache,
    onTaken: ({ planned, due }) => hint(hints, log, { ...planned, advance: due }),
    onFailure: (error) => {
      log.error(errorFields(error), 'an answer to a survey could not be taken in; the reader was asked to try again');
    },
  });
}

function openReactions({ db, log }: PublicParts): Tracking {
  return openTracking({
    loadKeys: async () => loadSigningKeys(db),
    record: async (reaction) => recordReaction(db, reaction),
    onFailure: (error) => {
      log.error(errorFields(error), 'what a reader did with a mail could not be recorded');
    },
  });
}

function openChoices({ db, cache, log }: PublicParts): Hono {
  return choicesApp({
    db,
    cache,
    onFailure: (error) => {
      log.error(
        errorFields(error),
        'a choice could not be stored; the reader, or their mail program, was asked to try again',
      );
    },
  });
}

/** Not awaited: a hint that is lost delays work until the next sweep, an answer that waits delays the sender. */
function hint(hints: Hints, log: Logger, due: Parameters<Hints['send']>[0]): void {
  hints.send(due).catch((error: unknown) => {
    log.error(errorFields(error), 'hinting failed; the sweep finds the work');
  });
}

function openPublicIntake({ db, cache, hints, log }: PublicParts): Intake {
  return openIntake({
    db,
    cache,
    newId: randomUUID,
    onDue: ({ planned, due }) => hint(hints, log, { ...planned, advance: due }),
  });
}

function serverOf(
  { requestMs, headersMs, lookEveryMs }: Patience,
  answer: (request: Request) => Response | Promise<Response>,
): Server {
  const fetch = async (request: Request): Promise<Response> => {
    const response = await answer(request);
    for (const [name, value] of Object.entries(HEADERS)) {
      if (!response.headers.has(name)) response.headers.set(name, value);
    }
    // While draining, a connection that is kept open for the next request would keep the process from ending.
    if (!server.listening) response.headers.set('connection', 'close');
    return response;
  };
  const serverOptions = {
    requestTimeout: requestMs,
    headersTimeout: headersMs,
    connectionsCheckingInterval: lookEveryMs,
  };
  const server = createAdaptorServer({ fetch, serverOptions, overrideGlobalObjects: false }) as Server;
  return server;
}

async function listen(server: Server, { publicHost, publicPort }: PublicParts['config']): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenFailure(error, publicHost, publicPort)));
    server.listen(publicPort, publicHost, resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : publicPort;
}

function listenFailure(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const { code = '' } = error;
  const why = PORT_FAILURES[code];
  if (why !== undefined) {
    return new ConfigError([{ variable: 'PERENNIAL_PUBLIC_PORT', message: `${why} port ${port}; choose another one` }]);
  }
  if (code !== 'EADDRNOTAVAIL' && code !== 'ENOTFOUND') return error;
  const message = `"${host}" is no address of this machine; 0.0.0.0 means all of them`;
  return new ConfigError([{ variable: 'PERENNIAL_PUBLIC_HOST', message }]);
}

async function drain(server: Server, intake: Intake, tracking: Tracking): Promise<void> {
  const cutOff = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  try {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    await intake.idle();
    await tracking.idle();
  } finally {
    clearTimeout(cutOff);
  }
}
