/** What `deploy` and `rollback` have in common: the plan first, then the switch, and what came of it. */
import type { Release } from '../../engine/playbook/types.ts';
import type { SourceFile } from '../../engine/playbook/problem.ts';
import { lookOnly } from '../../engine/store/look.ts';
import { planRelease } from '../../engine/store/plan.ts';
import { deployRelease, type Deployed, type DeployNote } from '../../engine/store/releases.ts';
import { requireSettings } from '../../workers/needs.ts';
import { compileSources } from '../../workers/parts.ts';
import { decisionsOf, decisionsText, planText } from '../plan/text.ts';
import type { CommandContext } from '../support/database.ts';
import type { Answer } from '../support/staff.ts';
import type { Terminal } from '../support/terminal.ts';

/** Shows what the release changes, and deploys it unless customers under way forbid it. */
export async function planAndDeploy(
  terminal: Terminal,
  json: boolean,
  { db, config }: CommandContext,
  files: { readonly release: Release; readonly sources: readonly SourceFile[] },
  note: DeployNote,
): Promise<Answer> {
  const { release, sources } = files;
  requireSettings(release, config);
  const plan = await lookOnly(db, async (tx) => planRelease(tx, compileSources, sources, compileSources(sources)));
  if (!json && plan.running?.id !== plan.releaseId) {
    terminal.out(planText(plan, terminal, release.company.zone));
    terminal.out(decisionsText(decisionsOf(plan), terminal));
    terminal.out('\n');
  }
  return describe(await deployRelease(db, compileSources, sources, note));
}

function describe(deployed: Deployed): Answer {
  const short = deployed.releaseId.slice(0, 12);
  switch (deployed.outcome) {
    case 'refused':
      return { json: deployed, text: refusalText(deployed), failed: true };
    case 'deployed':
      return deployed.changed
        ? { json: deployed, text: `Release ${short} runs now.\n` }
        : { json: deployed, text: `Release ${short} runs already: nothing changed.\n` };
  }
}

/** As it was found under the lock: more may have happened since the plan. */
function refusalText({ needed, leftBehind }: Extract<Deployed, { readonly outcome: 'refused' }>): string {
  const plan = { playbooks: [], needed, leftBehind };
  const lines = decisionsOf(plan).map(({ message }) => `  ${message}\n`);
  const fixes = [
    ...(leftBehind.length === 0
      ? []
      : ['Name where they go on under `renamed:`, keep the step, or write `in_flight: pin`.\n']),
    ...(needed.length === 0 ? [] : ['Put the templates back.\n']),
  ];
  return (
    `Not deployed: customers who are under way forbid it. Nothing was changed.\n${lines.join('')}${fixes.join('')}` +
    'Or wait until they have finished, or end them with "perennial cancel".\n'
  );
}
