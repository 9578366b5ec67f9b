/** Checks `renamed`: each old id must lead to a step, and be none itself. docs/playbooks.md. */
import { renamedTo, type StepNames } from '../identity.ts';
import type { Loose } from '../read/walk.ts';
import type { PlaybookSource } from '../schema.ts';
import { hint, type Checks } from './context.ts';

/** Reports entries that would leave open which step is meant. `ids` are those of the steps. */
export function checkRenamed({ report }: Checks, source: Loose<PlaybookSource>, ids: ReadonlySet<string>): void {
  const { renamed } = source;
  if (renamed === undefined) return;
  const names = renamed as StepNames;
  for (const [old, now] of Object.entries(names)) {
    if (ids.has(old)) {
      const message = `\`${old}\` is a step of this playbook, so it cannot be the old id of \`${now}\``;
      report.atKey(renamed, old, {
        code: 'bad-rename',
        message,
        fix: 'remove this entry, or give the step another id',
      });
      continue;
    }
    const end = renamedTo(names, old);
    if (end === null) {
      const message = `\`renamed\` leads from \`${old}\` in a circle`;
      report.at(renamed, old, { code: 'bad-rename', message, fix: 'name the id that the step has now' });
    } else if (!ids.has(end)) {
      const fix = hint(end, ids, 'name the id of a step, or remove this entry');
      report.at(renamed, old, { code: 'unknown-step', message: `there is no step \`${end}\``, fix });
    }
  }
}
