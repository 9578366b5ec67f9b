/** The sample company's own templates and settings, with one playbook for the measurement. */
import { checkProject } from '../../engine/project/check.ts';
import type { SourceFile } from '../../engine/playbook/problem.ts';
import { findPackageRoot } from '../../scripts/init/package-root.ts';

/** The template that is sent: a note on an order. Transactional mail takes the way over SMTP. */
export const TEMPLATE = 'thank-you/note';

/** One mail at the order, then a wait. */
export const MAIL_AT_ORDER = `title: Order note
topic: service
trigger: { event: order.placed }
manual: false
steps:
  - email: ${TEMPLATE}
  - wait: 30 days
`;

/** A wait of a month for everyone who orders. */
export const WAIT_AT_ORDER = `title: Wait
topic: service
trigger: { event: order.placed }
manual: false
steps:
  - wait: 30 days
  - email: ${TEMPLATE}
`;

/** The sample's files with this playbook in place of its own. */
export async function companyWith(playbook: string): Promise<readonly SourceFile[]> {
  const { sources } = await checkProject(await findPackageRoot(import.meta.dirname));
  const kept = sources.filter((file) => !file.path.startsWith('playbooks/'));
  return [...kept, { path: 'playbooks/order-note.yaml', text: playbook }];
}
