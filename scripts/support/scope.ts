/** One playbook or all of them, as commands are told. */
import type { Command } from 'commander';
import { nearestAll } from '../../engine/playbook/nearest.ts';
import type { Queryable } from '../../engine/store/database.ts';
import { nearestText, type Answer } from './staff.ts';
import { harmless } from './terminal.ts';

/** The playbook's name, or null for `--all`; anything but exactly one of the two is misuse. */
export function onePlaybookOrAll(command: Command, name: string | undefined, all: boolean | undefined): string | null {
  if ((name !== undefined) === (all === true)) {
    command.error('error: name one playbook, or give --all: exactly one of the two', { exitCode: 2 });
  }
  return name ?? null;
}

/** The answer for a playbook that was never deployed; null for one that was. */
export async function unknownPlaybook(db: Queryable, name: string): Promise<Answer | null> {
  const { rows } = await db.query<{ name: string }>('select name from playbooks order by name');
  const names = rows.map((row) => row.name);
  if (names.includes(name)) return null;
  const nearest = nearestAll(name, names, 3);
  const text = `There is no playbook "${harmless(name)}".\n${nearestText(nearest)}`;
  return { json: { outcome: 'unknown playbook', nearest }, text, failed: true };
}
