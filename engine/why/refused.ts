/** Entries that a trigger asked for and a rule refused, from the record. */
import type { RefusalReason } from '../journey/types.ts';
import type { Playbook } from '../playbook/types.ts';
import { addDuration } from '../time/duration.ts';
import type { Answer, Evidence } from './answer.ts';
import { starterOf } from './entry.ts';
import { fileOf, type Inquiry, startByHand, what, who } from './inquiry.ts';
import type { RefusalOnRecord } from './record.ts';

/** Explains one refused entry. */
export async function explainRefusal(inquiry: Inquiry, refusal: RefusalOnRecord): Promise<Answer> {
  const { words, sources } = inquiry;
  const because = refusal.because as RefusalReason;
  const release = await sources.release(refusal.releaseId);
  const playbook = release.byName.get(inquiry.record.playbook.name) ?? null;
  const reason = reasonText(inquiry, refusal, because, playbook);
  const quoter = await sources.quoter(refusal.releaseId, fileOf(inquiry));
  const quote = quoter.at(KEY[because]) ?? quoter.at('trigger');
  const values = refusal.values ?? {};
  const read = Object.keys(values).length === 0 ? '' : `; it read: ${words.values(values)}`;
  const evidence: Evidence[] = [
    {
      at: refusal.at,
      text: `${starterOf(inquiry, refusal)} asked for it on ${words.when(refusal.at)}, and was refused by ${RULE[because]}${read}`,
      quote,
      values,
      release: sources.deploymentOf(refusal.releaseId, refusal.at),
    },
    ...(because === 'audience' || because === 'draining' ? [] : earlier(inquiry, refusal)),
  ];
  return {
    code: `refused: ${because}`,
    answer: `${who(inquiry)} was not let into ${what(inquiry)} on ${words.when(refusal.at)}: ${reason}.`,
    evidence,
    next: startByHand(inquiry),
  };
}

/** Where the rule stands in the playbook; without a word of its own there, the trigger's default holds. */
const KEY: Readonly<Record<RefusalReason, string>> = {
  'not again': 'entry',
  'already active': 'entry',
  audience: 'audience',
  draining: 'in_flight',
};

const RULE: Readonly<Record<RefusalReason, string>> = {
  'not again': '`entry.again`',
  'already active': '`entry.if_active`',
  audience: '`audience`',
  draining: '`in_flight: drain`',
};

function reasonText(
  { record, words }: Inquiry,
  { at }: RefusalOnRecord,
  because: RefusalReason,
  playbook: Playbook | null,
): string {
  switch (because) {
    case 'audience':
      return 'its audience does not include them';
    case 'draining':
      return 'the playbook is draining: who is in it finishes, and nobody new enters';
    case 'already active':
      return 'they were in it already, and `if_active` is "ignore"';
    case 'not again': {
      const again = playbook?.entry.again ?? 'never';
      if (typeof again === 'string') return 'they had been in it before, and `again` is "never"';
      const last = record.enrolments.find(({ startedAt }) => startedAt < at)?.startedAt;
      const from =
        last === undefined ? '' : `, which is from ${words.when(addDuration(last, again.after, words.zone))} on`;
      return `they had been in it before, and may enter again only ${again.after.text} after the last start${from}`;
    }
  }
}

/** The enrolment that was in the way. */
function earlier({ record, words }: Inquiry, { at }: RefusalOnRecord): readonly Evidence[] {
  const before = record.enrolments.find(({ startedAt }) => startedAt <= at);
  if (before === undefined) return [];
  const until = before.endedAt === null ? 'and is in it still' : `and ended on ${words.when(before.endedAt)}`;
  return [{ at: before.startedAt, text: `they had entered on ${words.when(before.startedAt)} ${until}` }];
}
