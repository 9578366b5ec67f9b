/** What is still to come for somebody who has not entered, by the rules themselves run ahead in memory. */
import { JourneyError } from '../journey/errors.ts';
import { runDue } from '../journey/run.ts';
import type { Context, Origin } from '../journey/types.ts';
import type { Instant } from '../time/types.ts';
import type { Evidence } from './answer.ts';
import { ask, fileOf, type Inquiry } from './inquiry.ts';

/** Further than this nobody plans. */
const HORIZON_MS = 366 * 86_400_000;

/** When the customer would enter the playbook within a year if nothing else happened; null: they would not. */
export function entryAhead(inquiry: Inquiry): Instant | null {
  const { ctx, record } = inquiry;
  const simulated: Context = { ...ctx, handsOverAtOnce: true };
  const draft = inquiry.openDraft();
  try {
    runDue([draft], record.now + HORIZON_MS, simulated);
  } catch (error) {
    // Whoever would be held on the way there does not get there.
    if (!(error instanceof JourneyError)) throw error;
  }
  const entry = draft.lines.find(({ line }) => line.do === 'enrol' && line.playbook === record.playbook.name);
  return entry?.line.at ?? null;
}

/** Whether they would enter, as evidence. */
export function aheadEvidence(inquiry: Inquiry): Evidence {
  const at = entryAhead(inquiry);
  if (at === null) return { text: 'if nothing else happens, they do not enter within a year' };
  return { at, text: `if nothing else happens, they enter on ${inquiry.words.when(at)}` };
}

/** What the audience says by what is known now; nothing for a playbook that is for all. */
export async function audienceNow(inquiry: Inquiry, at: Instant, origin: Origin): Promise<readonly Evidence[]> {
  const { release, record, sources, words } = inquiry;
  const audience = release.byName.get(record.playbook.name)?.audience ?? null;
  if (audience === null) return [];
  const { holds, values } = ask(inquiry, audience, { origin, at });
  const read = Object.keys(values).length === 0 ? '' : `: ${words.values(values)}`;
  const quote = (await sources.quoter(release.id, fileOf(inquiry))).at('audience');
  return [
    {
      text: `by what is known now, the audience ${holds ? 'includes' : 'does not include'} them${read}`,
      values,
      quote,
    },
  ];
}
