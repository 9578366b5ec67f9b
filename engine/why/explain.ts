/**
 * Answers "why?" from the record alone: why this customer did or did not enter this playbook, or did or did not get to
 * this step. What the record cannot tell is said to be not on record; nothing is guessed.
 */
import { openDraft, ReaderLog } from '../journey/draft.ts';
import { zoneOf } from '../journey/view.ts';
import { nearestAll } from '../playbook/nearest.ts';
import type { Playbook, Step } from '../playbook/types.ts';
import type { ReleaseCache, StoreContext } from '../store/context.ts';
import type { Database, Queryable } from '../store/database.ts';
import { loadStates, type Loaded } from '../store/load.ts';
import type { Compile } from '../store/releases.ts';
import type { Instant } from '../time/types.ts';
import type { Answer } from './answer.ts';
import { explainEnrolment } from './enrolment.ts';
import { type Inquiry, who } from './inquiry.ts';
import { explainNoEntry, removalEvidence } from './not-entered.ts';
import { type EnrolmentOnRecord, readRecord, type WhyRecord } from './record.ts';
import { explainRefusal } from './refused.ts';
import { openSources } from './sources.ts';
import { explainStep } from './step.ts';
import { wordsFor } from './words.ts';

/** What is asked. */
export interface Question {
  readonly customerId: number;
  readonly playbook: string;
  /** A step's id, or the template of an email step; null: about the playbook as a whole. */
  readonly step: string | null;
  /** About the enrolment, or the trigger, at or before this; null: the latest. */
  readonly at: Instant | null;
}

/** What came of the question. */
export type Explained =
  | ({ readonly outcome: 'answered' } & Answer)
  | { readonly outcome: 'unknown playbook'; readonly nearest: readonly string[] }
  /** `--at` lies after `now`: the record says nothing of what is to come. */
  | { readonly outcome: 'in the future'; readonly now: Instant }
  | { readonly outcome: 'unknown step'; readonly nearest: readonly string[]; readonly steps: readonly string[] };

/**
 * Explains. Reads in one snapshot, and writes nothing.
 * @throws StoreError `no-release`, or `broken-release` when an old release decided that no longer compiles.
 */
export async function explain(
  db: Database,
  deps: { readonly cache: ReleaseCache; readonly compile: Compile },
  question: Question,
): Promise<Explained> {
  // Before the snapshot: compiling takes longer than a transaction may idle.
  const ctx = await deps.cache.context(db);
  const found = await db.transaction(async (tx) => {
    await tx.query('set transaction isolation level repeatable read, read only');
    const record = await readRecord(tx, question.customerId, question.playbook, ctx.ids);
    if (record === null) return null;
    const [loaded] = await loadStates(tx, [question.customerId], ctx);
    return loaded === undefined ? null : { record, loaded };
  });
  if (found === null) return unknownPlaybook(db, question.playbook);
  const { now } = found.record;
  if (question.at !== null && question.at > now) return { outcome: 'in the future', now };
  const inquiry = inquiryOf(db, deps.compile, ctx, found.record, found.loaded, question);
  return answerTo(inquiry, question);
}

async function unknownPlaybook(db: Queryable, name: string): Promise<Explained> {
  const { rows } = await db.query<{ name: string }>('select name from playbooks order by name');
  const names = rows.map((row) => row.name);
  return { outcome: 'unknown playbook', nearest: nearestAll(name, names, 3) };
}

function inquiryOf(
  db: Queryable,
  compile: Compile,
  ctx: StoreContext,
  record: WhyRecord,
  loaded: Loaded,
  { at }: Question,
): Inquiry {
  const { release } = ctx;
  const zone = zoneOf(record.customer.profile, release.company);
  return {
    db,
    record,
    release,
    ctx,
    openDraft: () => openDraft(loaded.state, new ReaderLog(loaded.reader.handedAt)),
    sources: openSources(db, compile, record.deployments),
    words: wordsFor(zone, release.company.zone),
    until: at ?? record.now,
  };
}

async function answerTo(inquiry: Inquiry, { step: named, at }: Question): Promise<Explained> {
  const enrolment = chosen(inquiry.record, at);
  const playbook = await playbookOf(inquiry, enrolment);
  let step: Step | null = null;
  if (named !== null && playbook !== null) {
    step = stepNamed(playbook, named);
    if (step === null) return unknownStep(playbook, named);
  }
  if (enrolment === null || playbook === null) {
    const answer = await explainNoEntry(inquiry);
    const prefix = step === null ? '' : `The step "${step.id}" was not reached. `;
    return { outcome: 'answered', ...answer, answer: `${prefix}${answer.answer}` };
  }
  const way = { enrolment, playbook };
  const answer = step === null ? await explainEnrolment(inquiry, way) : await explainStep(inquiry, way, step);
  const evidence = [
    ...answer.evidence,
    ...(await removalEvidence(inquiry)),
    ...(await refusedSince(inquiry, enrolment)),
  ];
  return { outcome: 'answered', ...whileHeld(inquiry, enrolment, { ...answer, evidence }) };
}

/** Nothing in any enrolment of a held customer goes on, whatever it waits for. */
function whileHeld(inquiry: Inquiry, { status }: EnrolmentOnRecord, answer: Answer): Answer {
  const { hold } = inquiry.record.customer;
  if (hold === null || status !== 'active') return answer;
  const held = `As a customer, ${who(inquiry)} is held since ${inquiry.words.when(hold.at)}, so nothing goes on: ${hold.error}.`;
  const next = [{ command: 'perennial held', why: 'shows what is held, to be retried or dropped' }, ...answer.next];
  return { ...answer, code: 'customer held', answer: `${held} ${answer.answer}`, next };
}

/** The one under way, else the latest; with a time, the one that was under way then, else the latest before. */
function chosen({ enrolments }: WhyRecord, at: Instant | null): EnrolmentOnRecord | null {
  if (at === null) return enrolments.find(({ status }) => status === 'active') ?? enrolments[0] ?? null;
  const before = enrolments.filter(({ startedAt }) => startedAt <= at);
  return before.find(({ endedAt }) => endedAt === null || endedAt >= at) ?? before[0] ?? null;
}

/** The playbook as the enrolment keeps it, or as it runs for those who are not in it. */
async function playbookOf(inquiry: Inquiry, enrolment: EnrolmentOnRecord | null): Promise<Playbook | null> {
  const { record, release, sources } = inquiry;
  if (enrolment === null) return release.byName.get(record.playbook.name) ?? null;
  const current = release.byName.get(record.playbook.name);
  if (current?.version === enrolment.version) return current;
  return (await sources.release(enrolment.releaseId)).byName.get(record.playbook.name) ?? null;
}

function stepNamed(playbook: Playbook, named: string): Step | null {
  const byId = playbook.steps.get(named);
  if (byId !== undefined) return byId;
  return [...playbook.steps.values()].find((step) => 'template' in step && step.template === named) ?? null;
}

function unknownStep(playbook: Playbook, named: string): Explained {
  const steps = [...playbook.steps.keys()];
  return { outcome: 'unknown step', nearest: nearestAll(named, steps, 3), steps };
}

/** An entry that was refused after the one that is explained. */
async function refusedSince(inquiry: Inquiry, enrolment: EnrolmentOnRecord): Promise<Answer['evidence']> {
  const { record, until } = inquiry;
  const refusal = record.refusals.find(({ at }) => at >= enrolment.startedAt && at <= until);
  if (refusal === undefined) return [];
  const { evidence } = await explainRefusal(inquiry, refusal);
  return evidence.slice(0, 1);
}
