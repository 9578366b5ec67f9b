import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { readConfig } from '../../workers/config.ts';
import { openParts } from '../../workers/parts.ts';
import { testDatabase } from '../support/postgres.ts';
import { testRedis } from '../support/redis.ts';

const redis = await testRedis();

(redis === null ? describe.skip : describe)('two companies on one Redis', () => {
  it('do not see each other’s hints, which name customers by number', async () => {
    const databases = [await testDatabase(), await testDatabase()];
    const log = pino({ level: 'silent' });
    const [mine, theirs] = await Promise.all(
      databases.map(async ({ url }) =>
        openParts(readConfig({ DATABASE_URL: url, REDIS_URL: redis?.url ?? '' }, '/'), log),
      ),
    );
    await mine?.queue.hint('bulk', [1]);
    expect(await mine?.queue.outstanding('bulk')).toBe(1);
    expect(await theirs?.queue.outstanding('bulk')).toBe(0);
    await Promise.all([mine?.close(), theirs?.close()]);
    await Promise.all(databases.map(async (database) => database.drop()));
    await redis?.stop();
  });
});
