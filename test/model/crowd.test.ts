/**
 * Caps under contention: four workers claim overlapping chunks of a crowd whose members share addresses, and exchange
 * them meanwhile. The count is the one at the other side, by address.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ingest, type Incoming } from '../../engine/store/ingest.ts';
import { CAPS, RELEASES, START } from './company.ts';
import { expectInvariants } from './invariants.ts';
import { identify } from './people.ts';
import { nothingPromised, type Promised } from './promised.ts';
import { claimBy, finish, settled } from './work.ts';
import { openWorld, type World } from './world.ts';

const CUSTOMERS = 300;
const READERS = 60;
const CHUNK = 50;
const MOVES = 60;
const [SHORT] = CAPS;

const playbook = (priority: number): string => `
topic: news
priority: ${priority}
trigger: { event: order.placed }
steps:
  - email: mail/one
  - email: mail/two
`;
const FILES = {
  ...RELEASES.first,
  ...Object.fromEntries([1, 2, 3, 4, 5].map((number) => [`playbooks/crowd-${number}.yaml`, playbook(number)])),
};
const key = (number: number): string => `c${number % CUSTOMERS}`;
const address = (number: number): string => `reader${number % READERS}@example.com`;

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => {
  await world.close();
});

async function takeAll(make: (number: number) => Incoming): Promise<void> {
  const { rejected } = await ingest(
    world.db,
    world.cache,
    Array.from({ length: CUSTOMERS }, (_, number) => make(number)),
    { history: false },
  );
  expect(rejected).toEqual([]);
}

/** Each worker goes through the whole crowd, each in chunks cut elsewhere. */
async function deliverCrowd(promised: Promised, ids: readonly number[]): Promise<void> {
  await settled(
    world.workers.map(async (_, number) => {
      const shift = number * 17;
      const order = [...ids.slice(shift), ...ids.slice(0, shift)];
      for (let first = 0; first < order.length; first += CHUNK) {
        await claimBy(promised, world, number, 'bulk', order.slice(first, first + CHUNK));
        await finish(promised, world, number);
      }
    }),
  );
}

/** Customers take the addresses of others, one after the other. */
async function move(round: number): Promise<void> {
  for (let number = 0; number < MOVES; number += 1) {
    await identify(world, key(number * 37 + round), { email: address(number * 11 + round) });
  }
}

it('no address receives more than its caps allow, while workers collide and readers move', async () => {
  await world.begin(FILES, START);
  const promised = nothingPromised(START, world.workers.length);
  await takeAll((number) => ({ kind: 'identify', customer: key(number), traits: { email: address(number) } }));
  await takeAll((number) => ({
    kind: 'track',
    customer: key(number),
    createIfMissing: false,
    event: { id: `order ${number}`, event: 'order.placed', at: START, data: { total: 5 } },
  }));
  const ids = (await world.rows<{ id: number }>('select id from customers order by id')).map(({ id }) => id);

  await deliverCrowd(promised, ids);
  // Every reader had more due than the cap, and nobody was kept from what it allows.
  expect(promised.received).toHaveLength(READERS * SHORT.atMost);

  for (let round = 1; round <= 2; round += 1) {
    promised.now += SHORT.perMs;
    await world.setClock(promised.now, SHORT.perMs);
    await settled([deliverCrowd(promised, ids), move(round)]);
    await deliverCrowd(promised, ids);
    await expectInvariants(promised, world);
  }
  expect(promised.received.length).toBeGreaterThan(READERS * SHORT.atMost * 1.5);
}, 120_000);
