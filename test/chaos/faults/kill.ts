/** Kills processes of a fleet at work, one after the other, and replaces them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fleet, Member } from '../fleet.ts';
import { pick, type Random } from '../random.ts';
import { untilTaken } from '../until.ts';
import type { Field } from './field.ts';

/** Every kill hits a fleet at work, however slow the machine is. */
const MAILS_BETWEEN = 10;
const MAX_PAUSE_MS = 200;
/** Kills of a process that may be only starting. */
const ANY_SHARE = 0.1;

/** Kills until `isEnough` of workers and of all; gives the number of all. */
export async function killUntil(field: Field, isEnough: (workers: number, all: number) => boolean): Promise<number> {
  const { fleet, random, conversations } = field;
  let workers = 0;
  let all = 0;
  while (!isEnough(workers, all)) {
    await untilTaken(field, MAILS_BETWEEN);
    await sleep(random() * MAX_PAUSE_MS);
    const victim = await chooseVictim(fleet, random);
    if (victim.isRunning() && isWorker(victim)) workers += 1;
    all += 1;
    conversations.killed();
    await victim.end('SIGKILL');
    fleet.replace(victim);
  }
  return all;
}

function isWorker(member: Member): boolean {
  return member.roles.includes('deliver');
}

/** Mostly one that works, or nothing would be worth killing; now and then one that is still starting. */
async function chooseVictim(fleet: Fleet, random: Random): Promise<Member> {
  const workers = fleet.members.filter(isWorker);
  // On a slow machine processes would be killed before they have done anything.
  if (!workers.some((member) => member.isRunning())) await Promise.race(workers.map(async (member) => member.running));
  const running = fleet.members.filter((member) => member.isRunning());
  return pick(random, random() < ANY_SHARE ? fleet.members : running);
}
