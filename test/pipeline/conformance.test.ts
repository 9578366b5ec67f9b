/** The worked examples through the real pipeline: what was simulated is what runs (docs/architecture.md P5). */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectedLines, readExample } from '../support/examples.ts';
import { comparable, runPipeline } from '../support/pipeline.ts';
import { testRedis, type TestRedis } from '../support/redis.ts';
import { sharedFolder } from '../support/shared.ts';

const folder = sharedFolder('conformance');
const examples = folder === null ? [] : readdirSync(folder);
let redis: TestRedis | null = null;

beforeAll(async () => {
  redis = await testRedis();
});
afterAll(async () => {
  await redis?.stop();
});

(folder === null ? describe.skip : describe)('the worked examples through the pipeline', () => {
  it.each(examples.sort())('%s, the queue on PostgreSQL', async (example) => {
    await compare(join(folder ?? '', example), null);
  });

  it.each(examples.sort())('%s, the queue on Redis', async (example) => {
    if (redis === null) return;
    await compare(join(folder ?? '', example), redis.url);
  });
});

async function compare(dir: string, redisUrl: string | null): Promise<void> {
  const expected = comparable(expectedLines(dir));
  const { timeline, taken } = await runPipeline({ ...readExample(dir), redisUrl });
  expect(timeline).toEqual(expected);
  expect(taken).toHaveLength(expected.filter((line) => line.do === 'email').length);
  expect(new Set(taken.map((mail) => mail.messageId)).size).toBe(taken.length);
}
