/** Why a launch has not started a playbook. */
import { launchInstant } from '../journey/launch.ts';
import type { Launch } from '../playbook/types.ts';
import type { Instant } from '../time/types.ts';
import type { Answer, Evidence } from './answer.ts';
import { audienceNow } from './ahead.ts';
import { type LaunchRun, launchRuns, otherReader } from './further.ts';
import { fileOf, type Inquiry, startByHand, what, who } from './inquiry.ts';
import { explainRefusal } from './refused.ts';

interface Asked {
  readonly launch: Launch;
  readonly at: Instant;
}

/** Explains the latest launch that has come, or else the next one. */
export async function explainLaunches(inquiry: Inquiry): Promise<Answer> {
  const { record, release, sources, db, until } = inquiry;
  const playbook = release.byName.get(record.playbook.name);
  if (playbook === undefined) throw new Error('a playbook that does not run has no launches to come: this is a bug');
  const quoter = await sources.quoter(release.id, fileOf(inquiry));
  const head: Evidence = { text: 'the trigger', quote: quoter.at('trigger'), release: sources.deployedAt(record.now) };
  const asked = [...release.launches.values()]
    .flatMap((launch): readonly Asked[] => {
      const at = launchInstant(playbook, launch, release.company);
      return at === null ? [] : [{ launch, at }];
    })
    .sort((a, b) => b.at - a.at);
  const last = asked.find(({ at }) => at <= until);
  const next = asked.findLast(({ at }) => at > until);
  if (last === undefined && next === undefined) {
    const answer = `${who(inquiry)} did not enter ${what(inquiry)}: there is no launch that starts it.`;
    return { code: 'no launch', answer, evidence: [head], next: startByHand(inquiry) };
  }
  const coming = next === undefined ? [] : await comingEvidence(inquiry, next);
  if (last === undefined) {
    const { launch, at } = next as Asked;
    const answer = `${who(inquiry)} has not entered ${what(inquiry)} yet: the launch "${launch.name}" asks its audience on ${inquiry.words.when(at)}.`;
    return { code: 'not yet', answer, evidence: [head, ...coming], next: startByHand(inquiry) };
  }
  const runs = await launchRuns(db, record.playbook.id, record.customer.id);
  const run = runs.find(({ launch, dueAt }) => launch === last.launch.name && dueAt === last.at);
  return past(inquiry, last, run ?? null, [head, ...coming]);
}

async function comingEvidence(inquiry: Inquiry, { launch, at }: Asked): Promise<readonly Evidence[]> {
  const quote = (await inquiry.sources.quoter(inquiry.release.id, `playbooks/launches/${launch.name}.yaml`)).at(
    'public_at',
  );
  const text = `the launch "${launch.name}" asks its audience on ${inquiry.words.when(at)}`;
  return [{ at, text, quote }, ...(await audienceNow(inquiry, at, { launch: launch.name }))];
}

async function past(
  inquiry: Inquiry,
  { launch, at }: Asked,
  run: LaunchRun | null,
  evidence: readonly Evidence[],
): Promise<Answer> {
  const { record, words, db } = inquiry;
  const { id: customerId, address, arrivedAt, hold } = record.customer;
  const when = words.when(at);
  const said = (code: string, because: string, more: readonly Evidence[] = []): Answer => ({
    code,
    answer: `${who(inquiry)} did not enter ${what(inquiry)} at the launch "${launch.name}" of ${when}: ${because}.`,
    evidence: [...evidence, ...more],
    next: startByHand(inquiry),
  });
  const refusal = record.refusals.find(({ entryKey }) => entryKey === `launch:${launch.name}`);
  if (refusal !== undefined) return explainRefusal(inquiry, refusal);
  const other = await otherReader(db, { playbookId: record.playbook.id, customerId, address }, launch.name);
  if (other !== null) {
    const text = `"${other.key}", who has the same address, entered on ${words.when(other.at)}`;
    return said(
      'another record',
      'another record of the same address was let in, and two records of one address are one reader',
      [{ at: other.at, text }],
    );
  }
  if (run === null) {
    const armed = { text: `the trigger was deployed on ${words.when(record.playbook.armedFrom)}` };
    return said('before', 'its instant lay in the past when it was deployed, and the past starts nothing', [armed]);
  }
  if (arrivedAt > at) return said('before they were known', `they came to be known only on ${words.when(arrivedAt)}`);
  if (run.owed || hold !== null)
    return said('held', 'they were held at that time, and are asked when they are released');
  if (!run.passed) return said('due', 'it is under way, and has not come to them yet');
  return said(
    'not on record',
    'they were asked, and why they were not let in is not on record',
    await audienceNow(inquiry, at, { launch: launch.name }),
  );
}
