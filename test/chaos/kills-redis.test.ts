import { afterAll, it } from '@jest/globals';
import { testRedis } from '../support/redis.ts';
import { killing } from './killing.ts';

const redis = await testRedis();
afterAll(async () => redis?.stop());

// Without a redis-server there is nothing to run, and the suite's support says so.
if (redis === null) it.skip('a fleet whose hints go over Redis', () => undefined);
else killing('Redis', redis.url);
