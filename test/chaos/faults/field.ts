/** Where faults happen: a site under load, and what is counted of it. */
import { conclude } from '../conclude.ts';
import { countConversations, type Conversations } from '../conversations.ts';
import type { Fleet, Post } from '../fleet.ts';
import { watchHands } from '../hands.ts';
import { openLoad, type Load, type Rate } from '../load.ts';
import { randomFrom, type Random } from '../random.ts';
import type { Outcome } from '../scenario.ts';
import type { Site } from '../site.ts';

/** A site under load, and what is counted of it. */
export interface Ground {
  readonly site: Site;
  readonly load: Load;
  readonly random: Random;
  readonly conversations: Conversations;
  /** What is found wrong on the way, a line each. */
  readonly wrong: string[];
}

/** The same with a fleet at work. */
export interface Field extends Ground {
  readonly fleet: Fleet;
  /** Ends the load, waits until nothing is due, drains the fleet, and judges. */
  conclude(facts: { readonly faults: number; readonly recoveryMs?: number | null }): Promise<Outcome>;
}

/** How a field is opened. */
export interface FieldOptions {
  readonly posts: readonly (string | Post)[];
  readonly seed: number;
  readonly rate: Rate;
  /** What happens under load before there is a fleet. */
  readonly before?: (ground: Ground) => Promise<void>;
}

/** Brings a fleet to work on a site. */
export async function openField(site: Site, options: FieldOptions): Promise<Field> {
  const load = openLoad(site);
  const hands = watchHands(site.db);
  const conversations = countConversations(site.sink);
  const wrong: string[] = [];
  const ground: Ground = { site, load, random: randomFrom(options.seed), conversations, wrong };
  load.start(options.rate);
  await options.before?.(ground);
  const fleet = site.startFleet(options.posts);
  await fleet.whenRunning();
  return {
    ...ground,
    fleet,
    conclude: async ({ faults, recoveryMs }) => {
      await load.stop();
      await load.finish();
      const heldMs = await hands.stop();
      // One that is told to end while it starts has nothing to drain.
      await fleet.whenRunning();
      const ends = await fleet.drain();
      wrong.push(...ends.filter((end) => end !== 0).map((end) => `a process that was to drain ended with ${end}`));
      const unknownBound = await conversations.count();
      const recovered = recoveryMs === undefined ? heldMs : recoveryMs === null ? null : Math.max(recoveryMs, heldMs);
      return conclude(site, load, [fleet], { faults, unknownBound, recoveryMs: recovered, wrong });
    },
  };
}
