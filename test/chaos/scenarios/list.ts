/** Every scenario, in the order in which they run. */
import type { Scenario } from '../scenario.ts';
import { clocks } from './clocks.ts';
import { crashPoints } from './crash-points.ts';
import { kills } from './kills.ts';
import { medley } from './medley.ts';
import { rolling } from './rolling.ts';
import { sameJob } from './same-job.ts';
import { schedulerKills } from './scheduler-kills.ts';
import { blocked, paused } from './sleepers.ts';
import { postgresCrowded, postgresDiskFull, postgresRestarted } from './postgres.ts';
import { redisCut, redisDown, redisFlushed } from './redis.ts';
import { sentinel } from './sentinel.ts';
import { smtp } from './smtp.ts';

export const SCENARIOS: readonly Scenario[] = [
  kills,
  schedulerKills,
  crashPoints,
  sameJob,
  paused,
  blocked,
  clocks,
  rolling,
  medley,
  redisFlushed,
  redisDown,
  redisCut,
  sentinel,
  postgresRestarted,
  postgresCrowded,
  postgresDiskFull,
  smtp,
];
