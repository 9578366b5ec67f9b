/** The intake over HTTP: `POST /v1/identify`, `/v1/track` and `/v1/batch`, answered after the commit. */
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { classifyFailure } from '../../store/failures.ts';
import { faultOf, isFields } from '../json.ts';
import { MAX_BATCH_BYTES, MAX_BATCH_CALLS, MAX_CALL_BYTES } from '../limits.ts';
import type { InputProblem } from '../problem.ts';
import { callTypeOf, type CallType } from '../validate.ts';
import { openKeyCheck } from './auth.ts';
import { readJson } from './body.ts';
import { Failure } from './failure.ts';
import { IntakeFull, type Call, type Intake, type Taken } from './intake.ts';
import { answerOf, errorBody, errorOf, type Answer, type ErrorBody } from './reply.ts';

/** What the intake works with. */
export interface IntakeOptions {
  readonly intake: Intake;
  readonly writeKey: string;
  /** Told of failures that are not the sender's. */
  readonly onFailure: (error: unknown) => void;
}

const TYPES: readonly CallType[] = ['identify', 'track'];
/** How long a sender should wait before it tries again while the database is away, in seconds. */
const RETRY_AFTER_S = '5';

/** Makes the application; `startPublic` gives it a server. */
export function intakeApp(options: IntakeOptions): Hono {
  const app = new Hono();
  const known = requireKey(options.writeKey);
  for (const type of TYPES) app.post(`/v1/${type}`, known, async (c) => takeOne(c, type, options));
  app.post('/v1/batch', known, async (c) => takeBatch(c, options));
  app.all('/v1/:call{identify|track|batch}', (c) => {
    c.header('allow', 'POST');
    throw new Failure(405, 'wrong-method', `this address takes no ${c.req.method}`, 'POST');
  });
  app.notFound((c) => c.json(errorBody(new Failure(404, 'not-found', `there is nothing at ${c.req.path}`, null)), 404));
  app.onError((error, c) => answerFailure(c, error, options.onFailure));
  return app;
}

function requireKey(writeKey: string): MiddlewareHandler {
  const knows = openKeyCheck(writeKey);
  return async (c, next) => {
    if (knows(c.req.header('authorization'))) return next();
    c.header('www-authenticate', 'Basic realm="perennial", charset="UTF-8"');
    const expected = 'the write key as the user name of Basic authorisation, or as a Bearer token';
    throw new Failure(401, 'wrong-key', 'the write key is missing or wrong', expected);
  };
}

async function takeOne(c: Context, type: CallType, options: IntakeOptions): Promise<Response> {
  const body = await readJson(c.req, MAX_CALL_BYTES);
  const [taken] = await store([{ type, body }], options);
  if (taken === undefined) throw new Error('the intake gave no answer for a call');
  return taken.ok ? c.json(answerOf(taken)) : c.json(errorOf(taken), 400);
}

async function takeBatch(c: Context, options: IntakeOptions): Promise<Response> {
  const calls = callsOf(await readJson(c.req, MAX_BATCH_BYTES));
  const known = calls.filter((call): call is Call => 'type' in call);
  const taken = known.length === 0 ? [] : await store(known, options);
  let index = -1;
  const results = calls.map((call, place): Answer | ErrorBody => {
    if (!('type' in call)) return errorOf(call, place);
    index += 1;
    const one = taken[index] as Taken;
    return one.ok ? answerOf(one) : errorOf(one, place);
  });
  const refused = results.filter((result) => 'error' in result);
  const [first] = refused;
  if (first === undefined) return c.json({ ok: true, results });
  const message =
    `${refused.length} of ${results.length} calls were refused, the others are stored; ` +
    `mend them and send them again. The first: ${first.error.message}`;
  return c.json({ error: { ...first.error, message }, results }, 400);
}

/** A call that fits no known type takes part in the answer all the same. */
type Unknown = { readonly ok: false; readonly problems: readonly InputProblem[] };

function callsOf(body: unknown): readonly (Call | Unknown)[] {
  const calls = isFields(body) ? body['batch'] : null;
  if (!Array.isArray(calls) || calls.length === 0) {
    throw new Failure(
      400,
      'missing',
      'the body has no calls',
      'an object with "batch", a list of identify and track calls',
    );
  }
  if (calls.length > MAX_BATCH_CALLS) {
    throw new Failure(413, 'too-large', `the batch has ${calls.length} calls`, `at most ${MAX_BATCH_CALLS}`);
  }
  return calls.map((call: unknown) => callOf(call));
}

function callOf(body: unknown): Call | Unknown {
  const type = callTypeOf(body);
  const fault = faultOf(body);
  if (fault !== null) return { ok: false, problems: [fault] };
  const problem = (code: InputProblem['code'], path: string, message: string, expected: string): Unknown => ({
    ok: false,
    problems: [{ code, path, message: `${message}; expected ${expected}`, expected }],
  });
  if (type === null) return problem('invalid', 'type', '"type" names no call that is taken', '"identify" or "track"');
  // A call is as long as it is, alone or in a batch.
  if (Buffer.byteLength(JSON.stringify(body)) > MAX_CALL_BYTES) {
    return problem('too-large', '', 'the call is too large', `at most ${MAX_CALL_BYTES / 1024} KB`);
  }
  return { type, body };
}

/** Stores calls. @throws Failure 503 when the same may succeed later, 500 when something is wrong on this side. */
async function store(calls: readonly Call[], { intake, onFailure }: IntakeOptions): Promise<readonly Taken[]> {
  try {
    return await intake.take(calls);
  } catch (cause) {
    onFailure(cause);
    if (!(cause instanceof IntakeFull) && classifyFailure(cause) === 'poison') throw internal(cause);
    const message = 'this could not be stored; send it again later: with the same messageId nothing counts twice';
    throw new Failure(503, 'unavailable', message, null, { cause });
  }
}

function internal(cause: unknown): Failure {
  return new Failure(500, 'internal', 'something is wrong on this side; it has been noted', null, { cause });
}

function answerFailure(c: Context, error: unknown, onFailure: (error: unknown) => void): Response {
  const failure = error instanceof Failure ? error : internal(error);
  if (failure !== error) onFailure(error);
  if (failure.status === 503) c.header('retry-after', RETRY_AFTER_S);
  return c.json(errorBody(failure), failure.status);
}
