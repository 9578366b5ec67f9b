/** Why a segment has not started a playbook. */
import { armSegments } from '../journey/segments.ts';
import type { Trigger } from '../playbook/types.ts';
import type { Answer } from './answer.ts';
import { ask, fileOf, type Inquiry, startByHand, what, who } from './inquiry.ts';
import { explainRefusal } from './refused.ts';

/** Explains by the last refused turn, or else by what the condition says now and said last. */
export async function explainSegment(
  inquiry: Inquiry,
  trigger: Trigger & { readonly kind: 'segment' },
): Promise<Answer> {
  const { record, sources, release, words, until } = inquiry;
  const refusal = record.refusals.find(({ entryKey, at }) => entryKey.startsWith('segment:') && at <= until);
  if (refusal !== undefined) return explainRefusal(inquiry, refusal);
  const { holds, values } = ask(inquiry, trigger.when, { at: record.now });
  const quote = (await sources.quoter(release.id, fileOf(inquiry))).at('trigger');
  const deployed = sources.deployedAt(record.now);
  const head = {
    text: `now it is ${holds ? 'true' : 'false'}: ${words.values(values)}`,
    values,
    quote,
    release: deployed,
  };
  const said = (code: string, because: string): Answer => ({
    code,
    answer: `${who(inquiry)} did not enter ${what(inquiry)}: ${because}.`,
    evidence: [head],
    next: startByHand(inquiry),
  });
  if (!holds) return said('condition', `its segment does not include them, since ${words.values(values)}`);
  const draft = inquiry.openDraft();
  const before = draft.timers.get(record.playbook.name)?.basis;
  armSegments(draft, record.now, inquiry.ctx);
  const isKnown = before !== undefined && draft.timers.get(record.playbook.name)?.basis === before;
  if (isKnown && before.endsWith(' false')) return said('due', 'its segment has turned true just now');
  const because =
    'its segment includes them, but did so already when the playbook, the customer or an import arrived, ' +
    'and only a change from false to true starts it';
  return said('true already', because);
}
