/** `perennial releases`: what ran from when, who deployed it, and what it changed. */
import { InvalidArgumentError, type Command } from 'commander';
import { listDeployments, type Deployment } from '../engine/store/deployments.ts';
import { commitText } from './support/commit.ts';
import { answer, staffCommand, type StaffOptions } from './support/staff.ts';
import { harmless, paint, processTerminal, type Terminal } from './support/terminal.ts';
import { localTime } from './support/times.ts';

interface Options extends StaffOptions {
  readonly limit: number;
}

/** The command. */
export function releasesCommand(terminal: Terminal = processTerminal()): Command {
  return staffCommand('releases', 'list what was deployed: which release, when, by whom, and what it changed')
    .option('--limit <n>', 'so many, the newest first', positive, 20)
    .action(async (options: Options) => {
      await answer(terminal, { ...options, readOnly: true }, async ({ db }) => {
        const deployments = await listDeployments(db, options.limit);
        const text = deployments.map((one) => describe(one, terminal)).join('');
        return { json: { deployments }, text: text === '' ? 'Nothing was deployed yet: "perennial deploy".\n' : text };
      });
    });
}

function describe(one: Deployment, terminal: Terminal): string {
  const { releaseId, kind, at, author, gitCommit, note, changes, current } = one;
  const head = [
    `${current ? '*' : ' '} ${releaseId.slice(0, 12)}`,
    localTime(at, terminal.zone),
    harmless(author),
    ...(kind === 'rollback' ? ['rollback'] : []),
    ...(gitCommit === null ? [] : [commitText(gitCommit)]),
    ...(current ? ['(runs now)'] : []),
  ].join('  ');
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ['+', changes.added],
    ['~', changes.altered],
    ['-', changes.removed],
  ];
  const what = parts.flatMap(([sign, names]) => names.map((name) => `${sign} ${name}`));
  return [
    current ? paint(terminal, 'bold', head) : head,
    ...(note === null ? [] : [`    ${harmless(note)}`]),
    `    ${what.length === 0 ? 'no playbook changed' : what.join(', ')}`,
    '',
  ].join('\n');
}

const MAX_LIMIT = 10_000;

function positive(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= MAX_LIMIT) return number;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_LIMIT}.`);
}
