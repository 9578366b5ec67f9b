/** `perennial rollback`: makes an earlier release run again, by the same checks as a deployment. */
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { rollbackTarget, type RollbackTarget } from '../engine/store/deployments.ts';
import { loadSources } from '../engine/store/releases.ts';
import { compileSources } from '../workers/parts.ts';
import { planAndDeploy } from './deploy/release.ts';
import { answer, notBlank, staffCommand, type ActOptions, type Answer } from './support/staff.ts';
import { processTerminal, type Terminal } from './support/terminal.ts';

/** The command. Exit code 1 when there is nothing to go back to, or customers under way forbid it. */
export function rollbackCommand(terminal: Terminal = processTerminal()): Command {
  return staffCommand('rollback', 'make an earlier release run again')
    .argument('[release]', 'its id, or the beginning of it (default: the one before)', notBlank)
    .option('--by <name>', 'who does this, for the audit record', notBlank, userInfo().username)
    .requiredOption('--reason <text>', 'why, for the audit record', notBlank)
    .action(async (release: string | undefined, options: ActOptions) => {
      await answer(terminal, options, async (context) => {
        const target = await rollbackTarget(context.db, release ?? null);
        if (target.outcome !== 'found') return notFound(target, release ?? '');
        const sources = await loadSources(context.db, target.releaseId);
        // Where the sources came from is on record with the release's first deployment.
        const note = { author: options.by, note: options.reason, gitCommit: null, kind: 'rollback' } as const;
        const files = { sources, release: compileSources(sources).release };
        return planAndDeploy(terminal, options.json === true, context, files, note);
      });
    });
}

function notFound(target: Exclude<RollbackTarget, { readonly outcome: 'found' }>, typed: string): Answer {
  switch (target.outcome) {
    case 'nothing before':
      return {
        json: target,
        text: 'No release ran before this one. "perennial releases" shows them all; name one.\n',
        failed: true,
      };
    case 'unknown release':
      return { json: target, text: `There is no release "${typed}": see "perennial releases".\n`, failed: true };
    case 'ambiguous release': {
      const ids = target.candidates.map((id) => `  ${id.slice(0, 20)}\n`).join('');
      return { json: target, text: `Several releases begin with "${typed}":\n${ids}`, failed: true };
    }
  }
}
