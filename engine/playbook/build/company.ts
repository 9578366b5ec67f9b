import { parseDuration } from '../../time/duration.ts';
import { utc, zone } from '../../time/zone.ts';
import type { Resolved } from '../check/context.ts';
import type { CompanySource } from '../schema.ts';
import type { Company, Condition, Json, Sending, Topic } from '../types.ts';
import type { Defaults } from './playbook.ts';
import { buildWindow } from './window.ts';

/** 09:00, where `defaults.at` is left out. */
const NINE = 9 * 60;
const LATE_AFTER = parseDuration('3 days');

function buildTopics(topics: CompanySource['topics']): Readonly<Record<string, Topic>> {
  const entries = Object.entries(topics ?? {}).map(([name, topic]): [string, Topic] => [
    name,
    { name, title: topic.title, transactional: topic.transactional ?? false, default: topic.default ?? 'in' },
  ]);
  return Object.fromEntries(entries);
}

function buildStages(stages: NonNullable<CompanySource['stages']>, resolved: Resolved): Company['stages'] {
  return stages.map((stage) => {
    const when: Condition | undefined = resolved.conditions.get(stage)?.get('when');
    if (when === undefined) throw new Error('a stage was let through unchecked');
    return { name: stage.name, when };
  });
}

function buildSending(sending: CompanySource['sending']): Sending | null {
  if (sending === undefined) return null;
  const { per_second: perSecond = null, domains = {}, warm_up: warmUp } = sending;
  return {
    perSecond,
    domains,
    warmUp: warmUp === undefined ? null : { from: warmUp.from, perDay: warmUp.per_day },
  };
}

/** Builds the company from a `perennial.yaml` in which no mistake was found. */
export function buildCompany(source: CompanySource, resolved: Resolved): Defaults {
  const { mail, defaults = {} } = source;
  const company: Company = {
    fields: source.company as Readonly<Record<string, Json>>,
    mail: {
      from: mail.from,
      replyTo: mail.reply_to ?? null,
      onlyTo: mail.only_to ?? null,
      bounces: mail.bounces ?? null,
      dkim:
        mail.dkim === undefined
          ? null
          : { domain: mail.dkim.domain ?? null, selectors: [...new Set(mail.dkim.selectors)] },
      tracking: { clicks: mail.tracking?.clicks ?? false, opens: mail.tracking?.opens ?? false },
    },
    zone: (defaults.timezone === undefined ? null : zone(defaults.timezone)) ?? utc,
    locale: defaults.locale ?? 'en',
    at: defaults.at ?? NINE,
    sendWindow: buildWindow(defaults.send_window ?? 'any'),
    lateAfter: defaults.late_after ?? LATE_AFTER,
    purchase:
      source.purchase === undefined ? null : { event: source.purchase.event, amount: source.purchase.amount ?? null },
    attributes: source.attributes ?? {},
    events: source.events ?? {},
    topics: buildTopics(source.topics),
    caps: (source.caps ?? []).map((cap) => ({ atMost: cap.at_most, per: cap.per })),
    blackouts: source.blackouts ?? [],
    sending: buildSending(source.sending),
    stages: buildStages(source.stages ?? [], resolved),
  };
  return { company, leapDay: defaults.leap_day ?? 'feb-28' };
}
