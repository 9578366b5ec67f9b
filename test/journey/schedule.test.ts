/** The trigger of a schedule: everyone in the audience, on the rule's days, each in their own zone. */
import { describe, expect, it } from '@jest/globals';
import { changesOf, openDraft, ReaderLog } from '../../engine/journey/draft.ts';
import { runDue, updateProfile } from '../../engine/journey/run.ts';
import type { Context } from '../../engine/journey/types.ts';
import { parseInstant } from '../../engine/time/text.ts';
import { newState } from './driver.ts';
import { customer, populationOf, releaseOf, timelineOf } from './support.ts';

const DIGEST = `
  trigger: { schedule: "FREQ=MONTHLY;BYMONTHDAY=1", at: "08:00" }
  audience: "'wholesale' in customer.tags == false"
  steps:
    - if: trigger.count > 4
      then: [ { tag: late-in-the-year } ]
      else: [ { email: digest/month } ]`;

describe('a schedule', () => {
  it('starts everyone in the audience at each occurrence, in their zone, and counts within the year', () => {
    const lines = timelineOf({
      playbooks: { digest: DIGEST },
      customers: [
        customer('ada', { timezone: 'Europe/Berlin' }),
        customer('bob', { timezone: 'America/New_York' }),
        customer('cy', { tags: ['wholesale'] }),
      ],
      from: '2026-04-01T06:00Z',
      until: '2026-05-02T00:00Z',
    });
    expect(lines).toEqual([
      '2026-04-01T06:00Z ada digest enrol',
      '2026-04-01T06:00Z ada digest.month email',
      '2026-04-01T06:00Z ada digest complete',
      '2026-04-01T12:00Z bob digest enrol',
      '2026-04-01T12:00Z bob digest.month email',
      '2026-04-01T12:00Z bob digest complete',
      '2026-05-01T06:00Z ada digest enrol',
      '2026-05-01T06:00Z ada digest.tag-1 tag',
      '2026-05-01T06:00Z ada digest complete',
      '2026-05-01T12:00Z bob digest enrol',
      '2026-05-01T12:00Z bob digest.tag-1 tag',
      '2026-05-01T12:00Z bob digest complete',
    ]);
  });

  it('comes once a day to one who moves west after it, and at the new time to one who moves before it', () => {
    const release = releaseOf({ playbooks: { digest: DIGEST } });
    const from = parseInstant('2026-04-01T00:00Z');
    const ctx: Context = {
      release,
      playbookOf: (name) => release.byName.get(name)!,
      armedFrom: () => from,
      isPaused: () => false,
      handsOverAtOnce: true,
    };
    const { customers } = populationOf({ customers: [customer('ada', { timezone: 'Europe/Berlin' })] });
    const draft = openDraft(newState(customers[0]!.profile, release, from, customers[0]!.consent), new ReaderLog());
    const mails = (): readonly string[] =>
      changesOf(draft)
        .lines.filter((line) => line.do === 'email')
        .map((line) => new Date(line.at).toISOString().slice(0, 16));
    runDue([draft], parseInstant('2026-04-01T07:00Z'), ctx);
    updateProfile(draft, { timezone: 'America/New_York' }, parseInstant('2026-04-01T07:00Z'), ctx);
    runDue([draft], parseInstant('2026-04-30T12:00Z'), ctx);
    expect(mails()).toEqual(['2026-04-01T06:00']);
    updateProfile(draft, { timezone: 'Asia/Tokyo' }, parseInstant('2026-04-30T12:00Z'), ctx);
    runDue([draft], parseInstant('2026-05-02T00:00Z'), ctx);
    expect(mails()).toEqual(['2026-04-01T06:00']);
    expect(changesOf(draft).profile?.tags).toEqual(['late-in-the-year']);
  });
});
