/** `perennial keys`: the keys that sign links in mails, and a new one in place of the present one. */
import type { Command } from 'commander';
import { listSigningKeys, rotateSigningKey, type ListedKey } from '../engine/store/signing-keys.ts';
import { actCommand, answer, bareCommand, staffCommand, type ActOptions, type StaffOptions } from './support/staff.ts';
import { processTerminal, table, type Terminal } from './support/terminal.ts';
import { localTime } from './support/times.ts';

/** The command, with its parts `list` and `rotate`. */
export function keysCommand(terminal: Terminal = processTerminal()): Command {
  // Without options of its own: `perennial keys --json` is `perennial keys list --json`.
  const keys = bareCommand('keys', 'see the keys that sign links in mails, or have a new one sign');
  keys.addCommand(listCommand(terminal), { isDefault: true });
  return keys.addCommand(rotateCommand(terminal));
}

function listCommand(terminal: Terminal): Command {
  return staffCommand('list', 'show which key signs, and which are kept for links of earlier mails').action(
    async (options: StaffOptions) =>
      answer(terminal, { ...options, readOnly: true }, async ({ db }) => {
        const keys = await listSigningKeys(db);
        return { json: { keys }, text: keysText(keys, terminal) };
      }),
  );
}

function rotateCommand(terminal: Terminal): Command {
  return actCommand('rotate', 'make a new key, which signs from now on; links of earlier mails stay valid').action(
    async (options: ActOptions) =>
      answer(terminal, options, async ({ db }) => {
        const id = await rotateSigningKey(db, options.by, options.reason);
        const text =
          `Key ${id} signs from now on; processes that run take it within a minute.\n` +
          'The earlier keys are kept, so that links of earlier mails stay valid.\n';
        return { json: { outcome: 'rotated', key: id }, text };
      }),
  );
}

function keysText(keys: readonly ListedKey[], terminal: Terminal): string {
  const rows = keys.map(({ id, createdAt, signs }) => [
    String(id),
    localTime(createdAt, terminal.zone),
    signs ? 'signs' : 'reads links of earlier mails',
  ]);
  return table([['key', `made (${terminal.zone.name})`, 'what it does'], ...rows]);
}
