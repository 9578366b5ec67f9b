/** The letters of the sample company in every language of the pages, composed, signed and taken by a mail server: what others judge. */
import { createDkimKey, dkimRecord, dkimRecordName, readDkimKey } from '../../engine/mail/dkim/key.ts';
import { signDkim } from '../../engine/mail/dkim/sign.ts';
import { openTransport } from '../../engine/mail/transport.ts';
import type { Profile } from '../../engine/journey/types.ts';
import type { Playbook, Release } from '../../engine/playbook/types.ts';
import type { TemplateSet } from '../../engine/message/templates.ts';
import { checkSources } from '../../engine/project/check.ts';
import { readProject } from '../../engine/project/read.ts';
import type { ClaimedSend } from '../../engine/store/claim.ts';
import { findPackageRoot } from '../../scripts/init/package-root.ts';
import { composeSend } from '../../workers/composing.ts';
import { startSink } from '../support/smtp-sink.ts';

/** The languages that the pages for readers speak. Letters of the sample company are English; their dates and amounts are not. */
export const LOCALES = ['en-GB', 'de-DE', 'fr-FR'] as const;
/** Who signs. */
export const DOMAIN = 'hearth.example';

/** A letter as the mail server got it. */
export interface Letter {
  /** Its template and its locale, such as `welcome/hello de-DE`. */
  readonly name: string;
  readonly lane: ClaimedSend['lane'];
  readonly bytes: Buffer;
}

/** Letters, and the records of the DNS by which their signatures are verified. */
export interface Letters {
  readonly letters: readonly Letter[];
  readonly records: Readonly<Record<string, string>>;
}

const AT = Date.parse('2026-10-13T09:00:00Z');
const READER: Profile = {
  id: 'c1',
  email: 'anna.berg@example.com',
  name: 'Anna Berg',
  first_name: 'Anna',
  last_name: 'Berg',
  timezone: null,
  locale: null,
  birthday: '1990-10-13',
  created_at: Date.parse('2024-10-13T09:00:00Z'),
  tags: [],
  attributes: {},
  orders: 5,
  spent: 412.5,
  first_order_at: Date.parse('2024-10-13T09:00:00Z'),
  last_order_at: Date.parse('2026-10-01T09:00:00Z'),
  last_seen_at: null,
  satisfaction: null,
};
const KEY = { id: 1, secret: new Uint8Array(32).fill(7) };
const LINKS = { publicUrl: 'https://hearth.example', key: KEY };

/** Every mail that a playbook of the sample company sends, in every locale, one after the other. */
export function sampleSends(release: Release, templates: TemplateSet): readonly ClaimedSend[] {
  const sends = release.playbooks.flatMap((playbook) =>
    [...playbook.steps.values()].flatMap((step) =>
      step.kind === 'email' ? [{ playbook, step: step.id, template: step.template, topic: step.topic }] : [],
    ),
  );
  return LOCALES.flatMap((locale) =>
    sends.map(({ playbook, step, template, topic }, index): ClaimedSend => {
      const id = 1_000 + index;
      const where = { playbook: playbook.name, entryKey: 'event:HH-20417', step };
      return {
        sendId: id,
        fence: 1,
        customerId: 1,
        lane: topic.transactional ? 'transactional' : 'bulk',
        address: 'anna.berg@example.com',
        messageId: `<${id}.${step}@hearth.example>`,
        attempts: 0,
        waitMs: 0,
        limits: [],
        doubtAt: null,
        send: {
          ...where,
          id,
          visit: 0,
          template,
          topic: topic.name,
          transactional: topic.transactional,
          ask: null,
          firstDueAt: AT,
          dueAt: AT,
        },
        profile: { ...READER, locale },
        enrolment: enrolmentOf(playbook, where, release),
        now: AT,
        release,
        templates,
      };
    }),
  );
}

function enrolmentOf(
  playbook: Playbook,
  where: { readonly playbook: string; readonly entryKey: string; readonly step: string },
  release: Release,
): ClaimedSend['enrolment'] {
  const [launch] = release.launches.keys();
  const data = { order_id: 'HH-20417', total: 86.5, room: 'kitchen' };
  return {
    id: 1,
    playbook: where.playbook,
    entryKey: where.entryKey,
    version: playbook.version,
    startedAt: AT,
    origin: {
      event: { id: 'HH-20417', event: 'order.placed', at: AT, data },
      trigger: { count: 2, date: '2026-10-13' },
      ...(launch === undefined ? {} : { launch }),
    },
    vars: { order_id: 'HH-20417', gesture: 'A new lamp is on its way.' },
    position: { on: 'mail', step: where.step },
  };
}

/** The sample company, checked. */
export async function sampleCompany(): Promise<{ readonly release: Release; readonly templates: TemplateSet }> {
  const { release, templates } = checkSources(await readProject(await findPackageRoot(import.meta.dirname)));
  if (release === null) throw new Error('the sample company does not compile: see "perennial check"');
  return { release, templates };
}

/** Makes the letters, signs them with a new key of each kind, and hands them to a mail server. */
export async function receivedLetters(): Promise<Letters> {
  const { release, templates } = await sampleCompany();
  const keys = [readDkimKey('r2026', await createDkimKey('rsa')), readDkimKey('e2026', await createDkimKey('ed25519'))];
  const sink = await startSink({ keep: true });
  const transport = openTransport({ url: sink.url, connections: 1 });
  const letters: Letter[] = [];
  try {
    for (const send of sampleSends(release, templates)) {
      const mail = composeSend(send, LINKS, KEY);
      const message = await signDkim(mail.message, { domain: DOMAIN, at: AT, keys });
      const delivery = await transport.deliver({ ...mail, message }, async () => true);
      const bytes = sink.sources[letters.length];
      if (delivery.kind !== 'accepted' || bytes === undefined) throw new Error(`not taken: ${delivery.kind}`);
      letters.push({ name: `${send.send.template} ${send.profile.locale ?? ''}`, lane: send.lane, bytes });
    }
  } finally {
    await transport.close();
    await sink.close();
  }
  const records = keys.map((key) => [dkimRecordName(key.selector, DOMAIN), dkimRecord(key)] as const);
  return { letters, records: Object.fromEntries(records) };
}
