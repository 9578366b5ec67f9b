/** How an enrolment began: what started it, by which release. */
import type { Playbook } from '../playbook/types.ts';
import type { Evidence } from './answer.ts';
import { ask, fileOf, type Inquiry, verdictEvidence } from './inquiry.ts';
import type { EnrolmentOnRecord } from './record.ts';

/** What started the enrolment, in the words of its trigger, and the release whose structure it keeps. */
export async function entryEvidence(
  inquiry: Inquiry,
  enrolment: EnrolmentOnRecord,
  playbook: Playbook,
): Promise<readonly Evidence[]> {
  const { words, sources } = inquiry;
  const { startedAt, moved } = enrolment;
  const deployed = sources.deployedAt(startedAt);
  const quoter = await sources.quoter(deployed?.releaseId ?? enrolment.releaseId, fileOf(inquiry));
  const started: Evidence = {
    at: startedAt,
    text: `entered ${words.when(startedAt)}, started by ${starterOf(inquiry, enrolment)}`,
    quote: enrolment.entryKey.startsWith('manual:') ? null : quoter.at('trigger'),
    release: deployed,
  };
  const version: readonly Evidence[] = moved
    ? [{ text: 'a later deployment moved them into its version of the playbook (`in_flight: move`)' }]
    : [];
  return [started, ...conditionOfTrigger(inquiry, enrolment, playbook), ...version];
}

function conditionOfTrigger(
  inquiry: Inquiry,
  { origin, startedAt }: EnrolmentOnRecord,
  { trigger }: Playbook,
): readonly Evidence[] {
  if (trigger.kind !== 'event' || trigger.if === null || origin.event === undefined) return [];
  const verdict = ask(inquiry, trigger.if, { origin, at: startedAt });
  // What has changed since says nothing about then; that they entered does.
  return verdict.lasting && verdict.holds
    ? [verdictEvidence(inquiry, verdict, { label: "the trigger's `if`", quote: null })]
    : [];
}

/** What an entry key says about what started the enrolment, or asked for it in vain. */
export function starterOf(
  { record, words }: Inquiry,
  { entryKey, origin = {} }: Pick<EnrolmentOnRecord, 'entryKey'> & Partial<Pick<EnrolmentOnRecord, 'origin'>>,
): string {
  const colon = entryKey.indexOf(':');
  const [kind, rest] = [entryKey.slice(0, colon), entryKey.slice(colon + 1)];
  switch (kind) {
    case 'event':
      return origin.event === undefined
        ? `the event ${rest}`
        : `the event ${origin.event.event} (${rest}) of ${words.when(origin.event.at)}`;
    case 'date':
      return `the date ${rest}`;
    case 'lapse':
      return `a lapse that began ${words.when(Date.parse(rest))}`;
    case 'launch':
      return `the launch "${rest}"`;
    case 'schedule':
      return `its schedule, on ${rest}`;
    case 'segment':
      return `its segment, which turned true ${words.when(Date.parse(rest.split('/')[0] ?? rest))}`;
    case 'start': {
      const [playbook = '', step = ''] = rest.split('/');
      return `the step "${step}" of the playbook "${playbook}"`;
    }
    case 'manual': {
      const act = record.acts.find(({ action, detail }) => action === 'trigger' && detail['entryKey'] === entryKey);
      return act === undefined ? 'a person' : `${act.by} by hand${act.reason === null ? '' : ` (${act.reason})`}`;
    }
    default:
      return `"${entryKey}"`;
  }
}
