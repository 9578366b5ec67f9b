import { beforeAll, describe, expect, it } from '@jest/globals';
import type { MailScope, Rendered } from '../../engine/message/scope.ts';
import { checkSources } from '../../engine/project/check.ts';
import { readProject } from '../../engine/project/read.ts';
import { parseInstant } from '../../engine/time/text.ts';
import { utc } from '../../engine/time/zone.ts';
import { findPackageRoot } from '../../scripts/init/package-root.ts';

const UNSUBSCRIBE = 'https://hearth.example/unsubscribe/token';

/** What is the least that each letter can be given: a customer without a name, no `vars`, an order without a total. */
function scope(company: MailScope['company'], launch: MailScope['launch'], named: boolean): MailScope {
  const now = parseInstant('2026-10-13T09:00:00Z');
  const customer = { id: 'c1', first_order_at: parseInstant('2024-10-13T09:00:00Z'), orders: 5 };
  return {
    customer: named ? { ...customer, first_name: 'Gráinne <b>' } : customer,
    company,
    ...(launch === undefined ? {} : { launch }),
    event: named ? { order_id: 'HH-1', total: 1234.5 } : { order_id: 'HH-1' },
    trigger: { count: 2, date: '2026-10-13' },
    vars: named ? { order_id: 'HH-1', gesture: 'A new lamp & our apologies.' } : {},
    unsubscribe_url: UNSUBSCRIBE,
    preferences_url: 'https://hearth.example/preferences/token',
    locale: 'en-GB',
    zone: utc,
    now,
  };
}

interface Letter {
  readonly name: string;
  readonly transactional: boolean;
  readonly bare: Rendered;
  readonly full: Rendered;
}
const letters: Letter[] = [];
let address: string;

beforeAll(async () => {
  const { release, templates } = checkSources(await readProject(await findPackageRoot(import.meta.dirname)));
  if (release === null) throw new Error('the sample company does not compile: see "perennial check"');
  const { fields } = release.company;
  address = fields['address'] as string;
  const launch = release.launches.get('ember-lamp')?.fields;
  const steps = release.playbooks.flatMap(({ steps }) => [...steps.values()]);
  for (const step of steps) {
    if (step.kind !== 'email') continue;
    const template = templates.get(step.template);
    if (template === null) throw new Error(`no template ${step.template}`);
    const [bare, full] = [false, true].map((named) => template.render(scope(fields, launch, named)));
    letters.push({ name: step.template, transactional: step.topic.transactional, bare: bare!, full: full! });
  }
});

const failing = (wrong: (letter: Letter) => boolean): readonly string[] =>
  letters.filter(wrong).map(({ name }) => name);

describe('the letters of the sample company', () => {
  it('are there, and can be written to somebody of whom hardly anything is known', () => {
    expect(letters.length).toBeGreaterThan(15);
    expect(failing(({ bare }) => !bare.text.includes('Hello there,'))).toEqual([]);
    expect(failing(({ bare, full }) => /undefined|null|NaN|\{\{/.test(bare.html + bare.text + full.html))).toEqual([]);
  });

  it('greet by name, escaped in HTML and plain in text', () => {
    expect(failing(({ full }) => !full.html.includes('Hello Gráinne &lt;b&gt;,'))).toEqual([]);
    expect(failing(({ full }) => !full.text.includes('Hello Gráinne <b>,'))).toEqual([]);
  });

  it('have a subject that a telephone shows whole, and a preheader that adds to it', () => {
    expect(failing(({ full }) => full.subject.length < 8 || full.subject.length > 55)).toEqual([]);
    expect(failing(({ full }) => full.preheader.length < 15 || full.preheader === full.subject)).toEqual([]);
  });

  it('say who writes, and let readers of news leave', () => {
    expect(failing(({ bare }) => !bare.html.includes(address) || !bare.text.includes(address))).toEqual([]);
    const offers = ({ bare }: Letter): boolean => bare.html.includes(UNSUBSCRIBE) && bare.text.includes(UNSUBSCRIBE);
    expect(failing((letter) => offers(letter) === letter.transactional)).toEqual([]);
  });

  it('load nothing from elsewhere and are small enough not to be cut off (Gmail: 102 KB)', () => {
    expect(failing(({ full }) => /<img|<link|<script|url\(|@import/i.test(full.html))).toEqual([]);
    expect(failing(({ full }) => Buffer.byteLength(full.html) > 30_000)).toEqual([]);
  });
});
