/** What the store asks of the core and `simulate` does not: attempts, settlements, pauses, people, changes from outside. */
import { describe, expect, it } from '@jest/globals';
import { changesOf, openDraft, ReaderLog, type Draft } from '../../engine/journey/draft.ts';
import { JourneyError } from '../../engine/journey/errors.ts';
import type { OwnedSend } from '../../engine/journey/order.ts';
import {
  attempt,
  cancelEnrolments,
  compareSends,
  enterByHand,
  receive,
  runDue,
  settle,
  updateProfile,
} from '../../engine/journey/run.ts';
import type { Consent, Context, CustomerEvent, CustomerState, Send } from '../../engine/journey/types.ts';
import type { Json, Release } from '../../engine/playbook/types.ts';
import { parseInstant } from '../../engine/time/text.ts';
import type { Instant } from '../../engine/time/types.ts';
import { contextOf, newState, Rows } from './driver.ts';
import { customer, populationOf, releaseOf, show, type Story } from './support.ts';

const at = parseInstant;
const ARRIVED = at('2026-03-01T00:00Z');
const NOBODY_SPOKE: Consent = { suppressed: false, unsubscribed: new Set(), subscribed: new Set() };

const opened = (when: string, data: Readonly<Record<string, Json>> = {}): CustomerEvent =>
  happened('app.opened', when, data);

function happened(event: string, when: string, data: Readonly<Record<string, Json>> = {}): CustomerEvent {
  return { id: `${event} ${when}`, event, at: at(when), data };
}

/** One customer, ada, of whom only the profile is known. */
class Desk {
  readonly release: Release;
  readonly ctx: Context;
  readonly paused = new Set<string>();
  readonly rows: Rows;
  handedAt: readonly Instant[] = [];
  draft: Draft;

  constructor(
    story: Pick<Story, 'company' | 'playbooks' | 'launches'>,
    fields: Readonly<Record<string, Json>> = {},
    consent = NOBODY_SPOKE,
  ) {
    this.release = releaseOf(story);
    this.ctx = contextOf(this.release, ARRIVED, this.paused);
    const [ada] = populationOf({ customers: [customer('ada', fields)] }).customers;
    if (ada === undefined) throw new Error('no customer');
    this.rows = new Rows(newState(ada.profile, this.release, ARRIVED, consent));
    this.draft = openDraft(this.rows.state, new ReaderLog());
  }

  /** Stores what changed, takes `claimed` out of the planned ones, and reads the customer anew. */
  store(...claimed: readonly Send[]): CustomerState {
    this.rows.store(changesOf(this.draft), claimed);
    this.handedAt = this.draft.reader.handedAt;
    this.draft = openDraft(this.rows.state, new ReaderLog(this.handedAt));
    return this.rows.state;
  }

  run(until: string): void {
    runDue([this.draft], at(until), this.ctx);
  }

  take(event: CustomerEvent, starts = true): void {
    if (starts) runDue([this.draft], event.at - 1, this.ctx);
    receive(this.draft, event, { at: event.at, starts }, this.ctx);
  }

  /** The only planned mail. */
  mail(): Send {
    const [send, ...more] = this.draft.sends.values();
    if (send === undefined || more.length > 0) throw new Error('expected one planned mail');
    return send;
  }

  attempt(when: string): ReturnType<typeof attempt> {
    return attempt(this.draft, this.mail(), at(when), this.ctx);
  }

  /** The lines since the customer was read. */
  lines(): readonly string[] {
    return changesOf(this.draft).lines.map(show);
  }
}

const TWO_MAILS = `
  trigger: { event: app.opened }
  steps: [ { email: one }, { wait: 1 day }, { email: two } ]`;

describe('an email step', () => {
  it('plans a mail, and nothing else of the enrolment goes on', () => {
    const desk = new Desk({ playbooks: { p: TWO_MAILS } });
    desk.take(opened('2026-03-02T10:00Z'));
    desk.run('2026-03-09T10:00Z');
    const { enrolments, sends, lines } = changesOf(desk.draft);
    expect(enrolments.map(({ position }) => position)).toEqual([{ on: 'mail', step: 'one' }]);
    expect(sends).toEqual([
      {
        status: 'planned',
        send: {
          id: null,
          playbook: 'p',
          entryKey: 'event:app.opened 2026-03-02T10:00Z',
          step: 'one',
          visit: 0,
          template: 'one',
          topic: 'news',
          transactional: false,
          ask: null,
          firstDueAt: at('2026-03-02T10:00Z'),
          dueAt: at('2026-03-02T10:00Z'),
        },
      },
    ]);
    expect(lines.map(show)).toEqual(['2026-03-02T10:00Z ada p enrol']);
  });

  it('leaves a mail that may go to the protocol, counted against the caps at once', () => {
    const desk = new Desk({ playbooks: { p: TWO_MAILS } });
    desk.take(opened('2026-03-02T10:00Z'));
    desk.store();
    expect(desk.attempt('2026-03-02T10:00:05Z')).toEqual({ do: 'hand' });
    expect(desk.draft.reader.handedAt).toEqual([at('2026-03-02T10:00:05Z')]);
    expect(changesOf(desk.draft)).toMatchObject({ sends: [], enrolments: [], lines: [] });
  });

  it('does not count transactional mail', () => {
    const desk = new Desk({ playbooks: { p: TWO_MAILS.replace('one }', 'one, topic: service }') } });
    desk.take(opened('2026-03-02T10:00Z'));
    expect(desk.attempt('2026-03-02T10:00Z')).toEqual({ do: 'hand' });
    expect(desk.draft.reader.handedAt).toEqual([]);
  });

  it('is re-dated for a window and for a cap, and is due since its step was reached', () => {
    const company = {
      defaults: { send_window: { days: 'any', hours: '12:00-18:00' } },
      caps: [{ at_most: 1, per: '1 day' }],
    };
    const desk = new Desk({ company, playbooks: { p: TWO_MAILS } });
    desk.take(opened('2026-03-02T10:00Z'));
    const noon = at('2026-03-02T12:00Z');
    expect(desk.attempt('2026-03-02T10:00Z')).toEqual({ do: 'defer', dueAt: noon, because: 'window' });
    expect(desk.mail()).toMatchObject({ firstDueAt: at('2026-03-02T10:00Z'), dueAt: noon });
    desk.draft.reader.add(at('2026-03-02T11:00Z'));
    // Free at 11:00 tomorrow, in the window an hour later.
    const tomorrow = at('2026-03-03T12:00Z');
    expect(desk.attempt('2026-03-02T12:00Z')).toEqual({ do: 'defer', dueAt: tomorrow, because: 'cap' });
    expect(desk.store().sends).toMatchObject([{ firstDueAt: at('2026-03-02T10:00Z'), dueAt: tomorrow }]);
  });

  it.each([
    // A month before 29 March, 09:00 to 10:00, lies before the mail of 28 February: it counts again.
    {
      rule: 'one that a window leads into',
      window: { days: 'sun', hours: '09:00-18:00' },
      caps: [{ at_most: 1, per: '1 month' }],
    },
    {
      rule: 'one that another cap leads into',
      window: 'any',
      caps: [
        { at_most: 1, per: '1 month' },
        { at_most: 1, per: 'P28DT20H' },
      ],
    },
  ])('is re-dated past every cap, also $rule', ({ window, caps }) => {
    const desk = new Desk({ company: { defaults: { send_window: window }, caps }, playbooks: { p: TWO_MAILS } });
    desk.draft.reader.add(at('2026-02-28T10:00Z'));
    desk.take(opened('2026-03-28T09:00Z'));
    expect(desk.attempt('2026-03-28T09:00Z')).toMatchObject({ do: 'defer', dueAt: at('2026-03-29T10:00Z') });
  });

  it('goes on at once when it is skipped', () => {
    const desk = new Desk({ playbooks: { p: TWO_MAILS } }, {}, { ...NOBODY_SPOKE, unsubscribed: new Set(['news']) });
    desk.take(opened('2026-03-02T10:00Z'));
    desk.store();
    expect(desk.attempt('2026-03-02T10:01Z')).toEqual({ do: 'skip', reason: 'unsubscribed' });
    expect(desk.lines()).toEqual(['2026-03-02T10:01Z ada p.one skip (unsubscribed)']);
    expect(desk.store()).toMatchObject({
      sends: [],
      enrolments: [{ position: { on: 'time', step: 'wait-1', dueAt: at('2026-03-03T10:01Z'), ready: false } }],
    });
  });

  it.each([
    { rule: 'the default is 3 days', more: '', lastInTime: '2026-03-05T10:00Z' },
    { rule: 'a playbook has its own', more: 'late_after: 2 hours', lastInTime: '2026-03-02T12:00Z' },
  ])('is late when it is overdue for longer than late_after: $rule', ({ more, lastInTime }) => {
    const story = { playbooks: { p: `\n  ${more}${TWO_MAILS.replace('one }', 'one, topic: service }')}` } };
    const inTime = new Desk(story);
    inTime.take(opened('2026-03-02T10:00Z'));
    expect(inTime.attempt(lastInTime)).toEqual({ do: 'hand' });
    const late = new Desk(story);
    late.take(opened('2026-03-02T10:00Z'));
    const then = at(lastInTime) + 1;
    expect(attempt(late.draft, late.mail(), then, late.ctx)).toEqual({ do: 'skip', reason: 'late' });
    expect([...late.draft.enrolments.values()]).toMatchObject([{ position: { dueAt: then + 86_400_000 } }]);
  });

  it('is not late for what its window made it wait', () => {
    const company = { defaults: { send_window: { days: 'sat', hours: 'any' } } };
    const desk = new Desk({ company, playbooks: { p: TWO_MAILS } });
    desk.take(opened('2026-03-02T10:00Z'));
    desk.attempt('2026-03-02T10:00Z');
    expect(desk.attempt('2026-03-07T23:00Z')).toEqual({ do: 'hand' });
  });

  it('asks what forbids it before it is late, and lateness before cap and window', () => {
    const company = { defaults: { send_window: { days: 'sat', hours: 'any' } }, caps: [{ at_most: 1, per: '7 days' }] };
    const desk = (consent: Consent): Desk => {
      const made = new Desk({ company, playbooks: { p: TWO_MAILS } }, {}, consent);
      made.take(opened('2026-03-02T10:00Z'));
      made.draft.reader.add(at('2026-03-06T00:00Z'));
      return made;
    };
    expect(desk(NOBODY_SPOKE).attempt('2026-03-06T10:00Z')).toEqual({ do: 'skip', reason: 'late' });
    const suppressed = desk({ ...NOBODY_SPOKE, suppressed: true });
    expect(suppressed.attempt('2026-03-06T10:00Z')).toEqual({ do: 'skip', reason: 'suppressed' });
  });
});

describe('a settlement', () => {
  const claimed = (): { readonly desk: Desk; readonly send: Send } => {
    const desk = new Desk({ playbooks: { p: `${TWO_MAILS}\n  exit: [ { event: order.refunded } ]` } });
    desk.take(opened('2026-03-02T10:00Z'));
    desk.store();
    const send = desk.mail();
    desk.attempt('2026-03-02T10:00Z');
    desk.store(send);
    return { desk, send };
  };
  const EMAIL = '2026-03-02T10:07Z ada p.one email';

  it.each([
    ['sent', [EMAIL]],
    ['unknown', [EMAIL]],
    ['failed', []],
  ] as const)('%s: the enrolment goes on from the hand-over', (outcome, lines) => {
    const { desk, send } = claimed();
    settle(desk.draft, send, { outcome, at: at('2026-03-02T10:07Z') }, desk.ctx);
    expect(desk.lines()).toEqual(lines);
    expect(desk.store().enrolments).toMatchObject([{ position: { step: 'wait-1', dueAt: at('2026-03-03T10:07Z') } }]);
  });

  it('changes nothing of an enrolment that has ended meanwhile, but says that the mail went', () => {
    const { desk, send } = claimed();
    desk.take(happened('order.refunded', '2026-03-02T10:05Z'));
    expect(desk.store().enrolments).toEqual([]);
    settle(desk.draft, send, { outcome: 'sent', at: at('2026-03-02T10:07Z') }, desk.ctx);
    expect(desk.lines()).toEqual([EMAIL]);
    expect(changesOf(desk.draft).enrolments).toEqual([]);
  });

  it('repeated, changes nothing', () => {
    const { desk, send } = claimed();
    settle(desk.draft, send, { outcome: 'sent', at: at('2026-03-02T10:07Z') }, desk.ctx);
    desk.store();
    settle(desk.draft, send, { outcome: 'sent', at: at('2026-03-02T10:09Z') }, desk.ctx);
    expect(changesOf(desk.draft).enrolments).toEqual([]);
    desk.run('2026-03-03T12:00Z');
    const standing = desk.store().enrolments;
    settle(desk.draft, send, { outcome: 'sent', at: at('2026-03-03T12:00Z') }, desk.ctx);
    expect(desk.store().enrolments).toEqual(standing);
  });

  it('that comes late lets what followed happen at its own due time', () => {
    const { desk, send } = claimed();
    settle(desk.draft, send, { outcome: 'sent', at: at('2026-03-02T10:07Z') }, desk.ctx);
    desk.run('2026-03-09T00:00Z');
    expect(desk.mail()).toMatchObject({ step: 'two', firstDueAt: at('2026-03-03T10:07Z') });
  });
});

describe('an event that arrives late', () => {
  it('is neither goal nor exit of what began after it', () => {
    const ends = 'goal: { event: order.placed }\n  exit: [ { event: order.refunded } ]';
    const desk = new Desk({ playbooks: { p: `\n  ${ends}${TWO_MAILS}` } });
    desk.take(opened('2026-03-02T10:00Z'));
    desk.take(happened('order.placed', '2026-03-02T09:59:59.999Z'));
    desk.take(happened('order.refunded', '2026-03-02T09:59:59.999Z'));
    expect(desk.lines()).toEqual(['2026-03-02T10:00Z ada p enrol']);
    desk.take(happened('order.refunded', '2026-03-02T10:00Z'));
    expect(desk.lines().slice(1)).toEqual(['2026-03-02T10:00Z ada p exit (event order.refunded)']);
  });
});

describe('a paused playbook', () => {
  const WAITS = `
    trigger: { event: app.opened }
    goal: { event: order.placed }
    steps:
      - wait_for: { event: review.posted, up_to: 2 days }
        then: [ { tag: came } ]
        else: [ { tag: missed } ]`;

  it('enrols, parks at the first step, and goes on from there when it is resumed', () => {
    const desk = new Desk({ playbooks: { p: TWO_MAILS } });
    desk.paused.add('p');
    desk.take(opened('2026-03-02T10:00Z'));
    desk.run('2026-03-03T10:00Z');
    const parked = { on: 'time', step: 'one', dueAt: at('2026-03-02T10:00Z'), ready: true };
    expect(desk.store()).toMatchObject({ sends: [], enrolments: [{ position: parked }] });
    desk.paused.clear();
    desk.run('2026-03-03T10:00Z');
    expect(desk.mail()).toMatchObject({ step: 'one', firstDueAt: at('2026-03-02T10:00Z') });
  });

  it('lets nothing that is due go on, and a goal end it', () => {
    const desk = new Desk({ playbooks: { p: WAITS } });
    desk.take(opened('2026-03-02T10:00Z'));
    desk.paused.add('p');
    desk.run('2026-03-09T00:00Z');
    expect(desk.lines()).toEqual(['2026-03-02T10:00Z ada p enrol']);
    desk.take(happened('order.placed', '2026-03-09T10:00Z'));
    expect(desk.lines()).toEqual(['2026-03-02T10:00Z ada p enrol', '2026-03-09T10:00Z ada p goal']);
  });

  it.each([
    ['in time', '2026-03-04T10:00Z', ['2026-03-04T10:00Z ada p.tag-1 tag', '2026-03-04T10:00Z ada p complete']],
    ['too late', '2026-03-04T10:00:00.001Z', ['2026-03-04T10:00Z ada p.tag-2 tag', '2026-03-04T10:00Z ada p complete']],
  ])('takes an awaited event %s, and goes on when it is resumed', (_when, came, lines) => {
    const desk = new Desk({ playbooks: { p: WAITS } });
    desk.take(opened('2026-03-02T10:00Z'));
    desk.paused.add('p');
    desk.take(happened('review.posted', came));
    desk.store();
    desk.paused.clear();
    desk.run('2026-03-09T00:00Z');
    expect(desk.lines()).toEqual(lines);
  });
});

describe('entry by hand', () => {
  const by = (id: string, when = '2026-03-02T10:00Z', vars: Readonly<Record<string, Json>> = {}) => ({
    entryKey: `manual:${id}`,
    at: at(when),
    vars,
  });
  const enter = (desk: Desk, playbook: string, how = by('1')): unknown =>
    enterByHand(desk.draft, playbook, how, desk.ctx);

  it('gives its vars to conditions, and has no event', () => {
    const desk = new Desk({
      playbooks: {
        p: `
          trigger: { manual: true }
          steps: [ { tag: x, if: vars.order == "42" } ]`,
        q: `
          trigger: { event: app.opened, if: event.screen == "home" }
          steps: [ { tag: y, if: event.screen == null } ]`,
      },
    });
    expect(enter(desk, 'p', by('1', '2026-03-02T10:00Z', { order: '42' }))).toEqual({ entered: true });
    expect(enter(desk, 'q')).toEqual({ entered: true });
    expect(desk.lines()).toEqual([
      '2026-03-02T10:00Z ada p enrol',
      '2026-03-02T10:00Z ada p.tag-1 tag',
      '2026-03-02T10:00Z ada p complete',
      '2026-03-02T10:00Z ada q enrol',
      '2026-03-02T10:00Z ada q.tag-1 tag',
      '2026-03-02T10:00Z ada q complete',
    ]);
  });

  it.each([
    ['not manual', 'manual: false\n  trigger: { event: app.opened }', {}],
    ['audience', 'trigger: { manual: true }\n  audience: customer.vip', {}],
    ['already active', 'trigger: { event: app.opened }', {}],
    // `again` is asked before `if_active`.
    ['not again', 'trigger: { event: app.opened }\n  entry: { again: after 1 month }', {}],
  ])('is refused: %s', (because, head) => {
    const desk = new Desk({ playbooks: { p: `\n  ${head}\n  steps: [ { wait: 9 days } ]` } });
    desk.take(opened('2026-03-02T09:00Z'));
    expect(enter(desk, 'p')).toEqual({ entered: false, because });
  });

  it('of a playbook that is none is a mistake of the caller', () => {
    expect(() => enter(new Desk({ playbooks: { p: TWO_MAILS } }), 'q')).toThrow('no playbook "q"');
  });
});

describe('cancelling', () => {
  it.each([
    ['one playbook', 'p', 1, ['p']],
    ['all', null, 2, ['p', 'q']],
  ])('%s ends what is active, and its mail', (_what, playbook, count, ended) => {
    const desk = new Desk({ playbooks: { p: TWO_MAILS, q: TWO_MAILS } });
    desk.take(opened('2026-03-02T10:00Z'));
    desk.store();
    const when = at('2026-03-02T11:00Z');
    expect(cancelEnrolments(desk.draft, { playbook, at: when, reason: 'asked for it' })).toBe(count);
    const { sends, enrolments, lines } = changesOf(desk.draft);
    expect(sends).toMatchObject(ended.map(() => ({ status: 'cancelled', reason: 'asked for it', at: when })));
    expect(enrolments.map(({ playbook: name, position }) => [name, position])).toEqual(
      ended.map((name) => [name, { on: 'ended', how: 'cancel', at: when, reason: 'asked for it' }]),
    );
    expect(lines.map(show)).toEqual(ended.map((name) => `2026-03-02T11:00Z ada ${name} cancel (asked for it)`));
    expect(desk.store().sends).toHaveLength(2 - count);
  });
});

describe('a profile that changes from outside', () => {
  const BIRTHDAY = `
    trigger: { date: customer.birthday, at: "09:00" }
    steps: [ { tag: x } ]`;
  const dueOf = (desk: Desk): unknown => desk.draft.timers.get('p')?.dueAt;

  it('re-dates its timers, from now on only', () => {
    const desk = new Desk({ playbooks: { p: BIRTHDAY } });
    desk.run('2026-03-02T10:00Z');
    expect(dueOf(desk)).toBeNull();
    updateProfile(desk.draft, { birthday: '1990-03-05' }, at('2026-03-05T08:59Z'), desk.ctx);
    expect(dueOf(desk)).toBe(at('2026-03-05T09:00Z'));
    updateProfile(desk.draft, { birthday: '1990-03-04' }, at('2026-03-05T08:59Z'), desk.ctx);
    expect(dueOf(desk)).toBe(at('2027-03-04T09:00Z'));
    desk.store();
    updateProfile(desk.draft, { timezone: 'Europe/Berlin', birthday: '1990-03-06' }, at('2026-03-05T08:59Z'), desk.ctx);
    expect(dueOf(desk)).toBe(at('2026-03-06T08:00Z'));
  });

  it('does not bring a day twice to somebody who travels west', () => {
    const desk = new Desk({ playbooks: { p: BIRTHDAY } }, { birthday: '1990-03-05', timezone: 'Asia/Tokyo' });
    desk.run('2026-03-05T08:00Z');
    expect(desk.lines()).toHaveLength(3);
    desk.store();
    updateProfile(desk.draft, { timezone: 'America/New_York' }, at('2026-03-05T08:00Z'), desk.ctx);
    desk.run('2026-03-06T00:00Z');
    expect(desk.lines()).toEqual([]);
    expect(dueOf(desk)).toBe(at('2027-03-05T14:00Z'));
  });

  it('keeps the attributes that it does not name', () => {
    const desk = new Desk({ playbooks: { p: BIRTHDAY } }, { plan: 'gold', score: 1 });
    updateProfile(desk.draft, { attributes: { score: 2 } }, at('2026-03-02T10:00Z'), desk.ctx);
    expect(changesOf(desk.draft).profile?.attributes).toEqual({ plan: 'gold', score: 2 });
  });

  it('brings a lapse of somebody who never came forward with an earlier created_at', () => {
    const story = {
      playbooks: {
        p: `
          trigger: { inactive: { no: order.placed, for: 10 days, or_never: true } }
          steps: [ { tag: x } ]`,
      },
    };
    const desk = new Desk(story);
    desk.run('2026-03-02T10:00Z');
    expect(dueOf(desk)).toBe(at('2026-03-11T00:00Z'));
    updateProfile(desk.draft, { created_at: at('2026-02-25T12:00Z') }, at('2026-03-02T10:00Z'), desk.ctx);
    expect(dueOf(desk)).toBe(at('2026-03-07T12:00Z'));
    updateProfile(desk.draft, { created_at: at('2026-01-01T12:00Z') }, at('2026-03-02T10:00Z'), desk.ctx);
    expect(dueOf(desk)).toBeNull();
  });
});

describe('timers', () => {
  const LAPSE = {
    playbooks: {
      p: `
        trigger: { inactive: { no: app.opened, for: 10 days } }
        steps: [ { wait: 1 day } ]`,
    },
  };

  it('of inactivity are left alone by events, and dated anew when they fire', () => {
    const desk = new Desk(LAPSE);
    desk.take(opened('2026-03-02T10:00Z'));
    expect(desk.store().timers.get('p')?.dueAt).toBe(at('2026-03-12T10:00Z'));
    desk.take(opened('2026-03-08T10:00Z'));
    expect(changesOf(desk.draft).timers).toEqual([]);
    desk.run('2026-03-12T10:00Z');
    expect(desk.lines()).toEqual([]);
    expect(desk.store().timers.get('p')?.dueAt).toBe(at('2026-03-18T10:00Z'));
    desk.run('2026-03-20T00:00Z');
    expect(desk.lines()).toEqual(['2026-03-18T10:00Z ada p enrol', '2026-03-19T10:00Z ada p complete']);
  });

  it('are looked at without a change when nothing changed', () => {
    const desk = new Desk(LAPSE);
    desk.take(opened('2026-03-02T10:00Z'));
    desk.store();
    desk.run('2026-03-05T00:00Z');
    expect(changesOf(desk.draft)).toEqual({
      profile: null,
      stats: new Map(),
      enrolments: [],
      sends: [],
      effects: [],
      timers: [],
      launchesAsked: [],
      refusals: [],
      lines: [],
    });
  });

  it('of a rule that changes look forward from when it did', () => {
    const desk = new Desk(LAPSE);
    desk.take(opened('2026-03-02T10:00Z'));
    const state = desk.store();
    const shorter = releaseOf({ playbooks: { p: (LAPSE.playbooks.p ?? '').replace('10 days', '5 days') } });
    const due = (deployedAt: string): unknown => {
      const draft = openDraft(state, new ReaderLog());
      runDue([draft], at('2026-03-07T10:00Z') - 1, contextOf(shorter, at(deployedAt)));
      return draft.timers.get('p')?.dueAt;
    };
    expect(due('2026-03-07T10:00Z')).toBe(at('2026-03-07T10:00Z'));
    expect(due('2026-03-07T10:00:00.001Z')).toBeNull();
  });

  it('of a playbook that is gone do nothing', () => {
    const desk = new Desk(LAPSE);
    desk.take(opened('2026-03-02T10:00Z'));
    const draft = openDraft(desk.store(), new ReaderLog());
    runDue([draft], at('2026-04-01T00:00Z'), contextOf(releaseOf({ playbooks: { q: TWO_MAILS } }), ARRIVED));
    expect(changesOf(draft).lines).toEqual([]);
  });
});

describe('history', () => {
  it('sets facts and touches nothing else', () => {
    const desk = new Desk({
      playbooks: {
        p: `
          trigger: { event: app.opened }
          goal: { event: order.placed }
          steps: [ { wait_for: { event: review.posted, up_to: 9 days } } ]`,
      },
    });
    desk.take(opened('2026-03-02T10:00Z'));
    const before = desk.store().enrolments;
    for (const event of ['app.opened', 'review.posted', 'order.placed']) {
      desk.take(happened(event, '2026-03-03T10:00Z', { total: 5 }), false);
    }
    expect(desk.lines()).toEqual([]);
    const { profile, stats, enrolments } = desk.store();
    expect(enrolments).toEqual(before);
    expect(profile).toMatchObject({ orders: 1, spent: 5, first_order_at: at('2026-03-03T10:00Z') });
    expect(stats.get('app.opened')).toEqual({
      first: at('2026-03-02T10:00Z'),
      last: at('2026-03-03T10:00Z'),
      count: 2,
    });
  });

  it('keeps the first and the latest of facts that come in any order', () => {
    const desk = new Desk({ playbooks: { p: TWO_MAILS } });
    for (const day of ['05', '03', '04']) desk.take(happened('order.placed', `2026-02-${day}T10:00Z`), false);
    expect(desk.store().profile).toMatchObject({
      orders: 3,
      spent: 0,
      first_order_at: at('2026-02-03T10:00Z'),
      last_order_at: at('2026-02-05T10:00Z'),
      last_seen_at: at('2026-02-05T10:00Z'),
    });
  });
});

describe('launches', () => {
  const story = {
    playbooks: {
      p: `
        trigger: { launch: any }
        audience: customer.vip
        steps: [ { wait: 1 day } ]`,
    },
    launches: { lamp: '{ title: Lamp, public_at: 2026-03-05T10:00 }' },
  };

  it.each([
    ['in the audience', true, ['2026-03-05T10:00Z ada p enrol']],
    ['not in it', false, []],
  ])('somebody %s is asked once', (_who, vip, lines) => {
    const desk = new Desk(story, { vip });
    desk.run('2026-03-05T10:00Z');
    expect(desk.lines()).toEqual(lines);
    expect(changesOf(desk.draft).launchesAsked).toEqual([{ playbook: 'p', launch: 'lamp' }]);
    expect(desk.store().launchesDue).toEqual([]);
  });

  it('are not for somebody whose address another record has taken them with', () => {
    const desk = new Desk(story, { vip: true });
    const draft = openDraft({ ...desk.rows.state, launchesTaken: new Set(['p/lamp']) }, new ReaderLog());
    runDue([draft], at('2026-03-05T10:00Z'), desk.ctx);
    expect(changesOf(draft)).toMatchObject({ lines: [], launchesAsked: [{ playbook: 'p', launch: 'lamp' }] });
  });
});

describe('state that cannot be', () => {
  it('names the enrolment at fault', () => {
    const desk = new Desk({ playbooks: { p: TWO_MAILS } });
    desk.take(opened('2026-03-02T10:00Z'));
    const state = desk.store();
    const position = { on: 'time', step: 'gone', dueAt: at('2026-03-02T10:00Z'), ready: false } as const;
    const broken = { ...state, sends: [], enrolments: state.enrolments.map((of) => ({ ...of, position })) };
    const draft = openDraft(broken, new ReaderLog());
    let error: unknown = null;
    try {
      runDue([draft], at('2026-03-03T00:00Z'), desk.ctx);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(JourneyError);
    expect(error).toMatchObject({
      code: 'unknown-step',
      enrolment: { playbook: 'p', entryKey: 'event:app.opened 2026-03-02T10:00Z' },
    });
  });
});

describe('compareSends', () => {
  it('goes by due time, priority, playbook, customer, then the older enrolment', () => {
    const priority = (name: string): string => (name === 'c' ? `\n  priority: 1${TWO_MAILS}` : TWO_MAILS);
    const release = releaseOf({ playbooks: { a: priority('a'), b: priority('b'), c: priority('c') } });
    const send = (playbook: string, dueAt: number, startedAt: number, customer = 'ada', place = 0): OwnedSend => ({
      customer,
      age: { startedAt, place },
      send: {
        id: null,
        playbook,
        entryKey: `event:${place}`,
        step: 'one',
        visit: 0,
        template: 'one',
        topic: 'news',
        transactional: false,
        ask: null,
        firstDueAt: 0,
        dueAt,
      },
    });
    const inOrder = [
      send('b', 1, 1),
      send('c', 2, 2),
      send('a', 2, 1),
      send('a', 2, 2, 'ada', 9),
      send('a', 2, 2, 'ada', 10),
      send('a', 2, 0, 'bob'),
      send('b', 2, 0),
      send('gone', 2, 0),
    ];
    expect([...inOrder].reverse().sort(compareSends(release))).toEqual(inOrder);
  });
});
