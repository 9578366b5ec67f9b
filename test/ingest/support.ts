/** A company for the tests of what comes in: declared attributes and events of every type. */
import { compileProject } from '../../engine/playbook/compile.ts';
import type { Company } from '../../engine/playbook/types.ts';
import { sourcesOf } from '../support/staff.ts';

const COMPANY = `company:
  name: Sample
  address: 1 Sample Street
mail:
  from: Sample <hello@sample.example>
defaults:
  timezone: Europe/London
  send_window: any
purchase: { event: order.placed, amount: total }
attributes:
  plan: string
  score: number
  wants_mail: boolean
  renewal_date: date
  met_at: datetime
  likes: list
events:
  order.placed: { total: number, order_id: string, gift: boolean, day: date, paid_at: datetime, items: list }
topics:
  news: { title: News, default: in }
  tips: { title: Tips, default: out }
`;

/** Thanks at once, and asks three days later. */
export const FILES = {
  'perennial.yaml': COMPANY,
  'playbooks/thanks.yaml': `title: Thanks
topic: news
trigger: { event: order.placed }
steps:
  - email: thanks/note
`,
  'templates/thanks/note.hbs': 'Thank you',
};

/** The company, compiled. */
export function intakeCompany(): Company {
  const { release, problems } = compileProject(sourcesOf(FILES));
  if (release === null) throw new Error(JSON.stringify(problems));
  return release.company;
}
