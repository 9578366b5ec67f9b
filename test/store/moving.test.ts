/** Editing while customers are under way: pin, move, drain and renamed, on a real database. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { triggerPlaybook } from '../../engine/store/trigger.ts';
import { clear, COMPANY, openFleet, type Fleet } from './support.ts';

const HEAD = 'topic: service\ntrigger: { event: order.placed }\n';
const V1 = `${HEAD}steps:
  - email: care/hello
  - wait: 2 days
    id: pause
  - email: care/tips
`;
/** The first mail has another id and stands after the wait; the tips have become another letter. */
const V2 = `${HEAD}in_flight: move
renamed: { hello: greeting, pause: rest }
steps:
  - wait: 9 days
    id: rest
  - email: care/hello
    id: greeting
  - email: care/news
`;
const NEXT_DAY = '2026-03-03T09:00:00Z';
const AFTER_WAIT = '2026-03-04T09:00:00Z';

const files = (care: string, templates: readonly string[] = ['hello', 'tips', 'news']): Record<string, string> => ({
  'perennial.yaml': COMPANY,
  'playbooks/care.yaml': care,
  ...Object.fromEntries(templates.map((name) => [`templates/care/${name}.hbs`, name])),
});

describe('a playbook that is edited while customers are under way', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await openFleet(files(V1));
  });
  afterAll(async () => {
    await fleet.close();
  });
  beforeEach(async () => {
    await clear(fleet);
    await fleet.deploy(files(V1));
  });
  /** Customers of these keys who have had the first mail and wait. */
  const underWay = async (...keys: readonly string[]): Promise<number[]> => {
    const ids = await fleet.customers(keys);
    await fleet.event('order.placed', keys);
    await fleet.deliver('transactional', ids);
    return ids;
  };
  const where = async (): Promise<unknown> =>
    fleet.rows(`select c.key, e.status, e.step, to_char(e.due_at at time zone 'UTC', 'MM-DD') as due
      from enrolments e join customers c on c.id = e.customer_id order by e.id`);

  it('pins by default: whoever is under way finishes what they started with', async () => {
    const ids = await underWay('ada');
    await fleet.deploy(files(V2.replace('in_flight: move\n', '')));
    await fleet.at(AFTER_WAIT);
    await fleet.advance(ids);
    expect(await fleet.deliver('transactional', ids)).toEqual(['ada tips']);
  });

  it('moves: a wait keeps its end, the renamed mail is not sent again, and the rows take the new names', async () => {
    const ids = await underWay('ada');
    await fleet.deploy(files(V2));
    expect(await where()).toEqual([{ key: 'ada', status: 'active', step: 'pause', due: '03-04' }]);
    await fleet.at(AFTER_WAIT);
    await fleet.advance(ids);
    expect(await fleet.deliver('transactional', ids)).toEqual(['ada news']);
    expect(await fleet.sends()).toEqual(['ada greeting sent', 'ada news sent']);
    expect(await where()).toEqual([{ key: 'ada', status: 'complete', step: null, due: null }]);
  });

  it('moves a mail that is under way, and goes on after it in the new order', async () => {
    const ids = await fleet.customers(['ada', 'bob']);
    await fleet.event('order.placed', ['ada', 'bob']);
    const claimed = await fleet.claim('transactional', [ids[0] ?? 0]);
    await fleet.deploy(files(V2));
    expect(await fleet.hand(claimed)).toEqual([true]);
    await fleet.settle(claimed, { kind: 'accepted' });
    expect(await fleet.deliver('transactional', ids)).toEqual(['ada news', 'bob greeting']);
    expect(await fleet.deliver('transactional', ids)).toEqual(['bob news']);
    expect(await fleet.sends()).toEqual(['ada greeting sent', 'ada news sent', 'bob greeting sent', 'bob news sent']);
  });

  it('refuses to move anybody to a step that is gone or of another kind, and says how many; later ones may', async () => {
    await underWay('ada', 'bob');
    const gone = V2.replace('hello: greeting, pause: rest', 'hello: greeting');
    expect(await fleet.deploy(files(gone))).toMatchObject({
      outcome: 'refused',
      leftBehind: [{ playbook: 'care', step: 'pause', because: 'gone', enrolments: 2, customers: ['ada', 'bob'] }],
    });
    const other = V2.replace('wait: 9 days', 'tag: x');
    expect(await fleet.deploy(files(other))).toMatchObject({
      outcome: 'refused',
      leftBehind: [{ step: 'pause', because: 'other kind', enrolments: 2 }],
    });
    expect(await fleet.deploy(files(V2))).toMatchObject({ outcome: 'deployed', altered: ['care'] });
  });

  it('carries names over several releases, and pins those who were moved where they are', async () => {
    const ids = await underWay('ada');
    // Pinned, but its names are followed.
    const between = V1.replace('id: pause', 'id: break').replace('topic', 'renamed: { pause: break }\ntopic');
    await fleet.deploy(files(between));
    const third = V2.replace('hello: greeting, pause: rest', 'hello: greeting, break: rest');
    expect(await fleet.deploy(files(third))).toMatchObject({ outcome: 'deployed' });
    expect(await fleet.rows(`select current_steps as names from playbook_versions order by id`)).toContainEqual({
      names: expect.objectContaining({ hello: 'greeting', pause: 'rest' }),
    });
    // An edit that pins leaves her where the release before has put her.
    const fourth = third.replace('in_flight: move\n', '').replace('care/news', 'care/tips');
    expect(await fleet.deploy(files(fourth))).toMatchObject({ outcome: 'deployed' });
    await fleet.at(AFTER_WAIT);
    await fleet.advance(ids);
    expect(await fleet.deliver('transactional', ids)).toEqual(['ada news']);
  });

  it('takes the renames back when an earlier release comes back', async () => {
    const ids = await underWay('ada');
    const first = V1.replace('topic', 'in_flight: move\ntopic');
    await fleet.deploy(files(V2));
    const again = await fleet.customers(['bob']);
    await fleet.event('order.placed', ['bob']);
    expect(await fleet.deploy(files(first))).toMatchObject({ outcome: 'deployed' });
    await fleet.at(AFTER_WAIT);
    await fleet.advance(ids);
    expect(await fleet.deliver('transactional', ids)).toEqual(['ada tips']);
    // Bob began in the second: its wait of nine days, after which the first release has only the tips.
    await fleet.at('2026-03-11T09:00:00Z');
    await fleet.advance(again);
    expect(await fleet.deliver('transactional', again)).toEqual(['bob tips']);
    expect(await fleet.sends()).toEqual(['ada hello sent', 'ada tips sent', 'bob tips sent']);
  });

  it('keeps a template that a moved mail was planned with', async () => {
    const ids = await fleet.customers(['ada']);
    await fleet.event('order.placed', ['ada']);
    const renamed = V2.replaceAll('email: care/hello', 'email: care/news').replace('- email: care/news\n`', '');
    const lean = renamed.replace('    id: greeting\n  - email: care/news\n', '    id: greeting\n');
    expect(await fleet.deploy(files(lean, ['tips', 'news']))).toMatchObject({
      outcome: 'refused',
      needed: [{ template: 'care/hello', playbook: 'care', enrolments: 1, customers: ['ada'] }],
    });
    expect(await fleet.deploy(files(lean))).toMatchObject({ outcome: 'deployed' });
    expect(await fleet.deploy(files(`${lean}# again\n`, ['tips', 'news']))).toMatchObject({ outcome: 'refused' });
    expect(await fleet.deliver('transactional', ids)).toEqual(['ada greeting']);
    expect(await fleet.deploy(files(`${lean}# again\n`, ['tips', 'news']))).toMatchObject({ outcome: 'deployed' });
  });

  it('drains: they finish, and nobody enters, not by hand either', async () => {
    const ids = await underWay('ada');
    await fleet.deploy(files(V1.replace('topic', 'in_flight: drain\ntopic')));
    await fleet.customers(['bob']);
    await fleet.at(NEXT_DAY);
    await fleet.event('order.placed', ['bob']);
    const byHand = { customer: 'bob', playbook: 'care', vars: {}, by: 'mia', reason: 'test', dryRun: false };
    expect(await triggerPlaybook(fleet.db, fleet.cache, byHand)).toMatchObject({
      outcome: 'refused',
      because: 'draining',
    });
    await fleet.at(AFTER_WAIT);
    await fleet.advance(ids);
    expect(await fleet.deliver('transactional', ids)).toEqual(['ada tips']);
    expect(await where()).toEqual([{ key: 'ada', status: 'complete', step: null, due: null }]);
  });
});
