/** A small company whose mails a fleet is killed over: every part of the protocol has work all the time. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { COMPANY } from '../support/staff.ts';

/** Mails that each order brings about, by lane. */
export const MAILS_PER_ORDER = { transactional: 2, bulk: 3 } as const;
/** Enrolments that each order brings about. */
export const ENROLMENTS_PER_ORDER = 3;
/** The wait between the two mails of the playbook `news`, in ms of business time. */
export const NEWS_WAIT_MS = 2 * 60_000;

const FILES: Readonly<Record<string, string>> = {
  'perennial.yaml': COMPANY,
  'playbooks/receipt.yaml': `title: Receipt
topic: service
trigger: { event: order.placed }
steps:
  - email: shop/receipt
  - set: { plan: kept }
  - email: shop/care
`,
  'playbooks/news.yaml': `title: News
topic: news
trigger: { event: order.placed }
steps:
  - email: shop/hello
  - wait: 2 minutes
  - email: shop/tips
`,
  'playbooks/nudge.yaml': `title: Nudge
topic: news
trigger: { inactive: { no: order.placed, for: 3 minutes } }
steps:
  - email: shop/again
`,
};
const TEMPLATES = ['receipt', 'care', 'hello', 'tips', 'again'];

/** Writes the company into a folder; `changed` are files, by their path within it, that replace its own. */
export async function writeCompany(folder: string, changed: Readonly<Record<string, string>> = {}): Promise<void> {
  const templates = TEMPLATES.map((name): [string, string] => [
    `templates/shop/${name}.hbs`,
    `---\nsubject: ${name} for {{customer.id}}\n---\n<p>Dear {{customer.id}}, this is ${name}.</p>\n`,
  ]);
  for (const [name, text] of Object.entries({ ...FILES, ...Object.fromEntries(templates), ...changed })) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}
