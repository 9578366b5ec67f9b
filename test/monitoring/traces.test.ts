/** Traces through BullMQ's own hook: they lead from the hint to the job, and hold ids only. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-node';
import { pino } from 'pino';
import { openQueue, prepareQueue, type HintQueue, type QueueLocation } from '../../engine/queue/queue.ts';
import { tracing } from '../../engine/queue/telemetry.ts';
import { testDatabase, type TestDatabase } from '../support/postgres.ts';
import { testRedis, type TestRedis } from '../support/redis.ts';

const log = pino({ level: 'silent' });
const exporter = new InMemorySpanExporter();
const SECRET = 'canary words of a customer';

it('is not there without an SDK', () => {
  expect(tracing()).toEqual({});
});

describe('with an SDK', () => {
  let database: TestDatabase;
  let redis: TestRedis | null;
  let provider: NodeTracerProvider;
  beforeAll(async () => {
    database = await testDatabase();
    redis = await testRedis();
    provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    provider.register();
  });
  afterAll(async () => {
    await provider.shutdown();
    trace.disable();
    await redis?.stop();
    await database.drop();
  });

  /** Hints of which one job fails, until both jobs are over. */
  async function work(backend: QueueLocation): Promise<readonly ReadableSpan[]> {
    exporter.reset();
    await prepareQueue(backend);
    const queue: HintQueue = await openQueue({ backend, prefix: 'traced', log });
    let done = 0;
    const bothDone = new Promise<void>((resolve) => {
      queue.work(
        'advance',
        async (ids) => {
          done += 1;
          if (done === 2) setImmediate(resolve);
          if (ids.includes(2)) throw new Error(SECRET);
        },
        { concurrency: 1 },
      );
    });
    await queue.hint('advance', [1]);
    await queue.hint('advance', [2]);
    await bothDone;
    await queue.close();
    await provider.forceFlush();
    return exporter.getFinishedSpans();
  }

  it.each(['postgres', 'redis'] as const)(
    'leads from each hint to its job on %s, and tells nothing of customers',
    async (kind) => {
      if (kind === 'redis' && redis === null) return;
      const spans = await work(
        kind === 'redis' ? { kind, url: redis?.url ?? '', isTrusted: () => true } : { kind, url: database.url },
      );
      const named = (part: string): readonly ReadableSpan[] => spans.filter(({ name }) => name.startsWith(part));
      const added = named('add advance');
      const processed = named('process advance');
      expect([added.length, processed.length]).toEqual([2, 2]);
      expect(processed.map((span) => span.spanContext().traceId).sort()).toEqual(
        added.map((span) => span.spanContext().traceId).sort(),
      );
      expect(
        processed.filter(({ status }) => status.code === SpanStatusCode.ERROR).map(({ status }) => status.message),
      ).toEqual(['Error']);
      const told = JSON.stringify(
        spans.map(({ name, attributes, events, status, links }) => ({ name, attributes, events, status, links })),
      );
      expect(told).not.toContain('canary');
      expect(told).not.toContain('"ids"');
      const attributes = new Set(spans.flatMap((span) => Object.keys(span.attributes)));
      expect([...attributes].filter((name) => !/^bullmq\.(queue|job|worker)\./.test(name))).toEqual([]);
    },
    30_000,
  );
});
