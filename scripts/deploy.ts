/** `perennial deploy`: checks the company folder, stores it as a release and makes the fleet run it. */
import { execFile } from 'node:child_process';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { checkProject } from '../engine/project/check.ts';
import { ProjectError } from '../engine/project/read.ts';
import { deployRelease, type Deployed } from '../engine/store/releases.ts';
import { formatProblems, summarise } from './check/format.ts';
import { requireSettings } from '../workers/needs.ts';
import { compileSources } from '../workers/parts.ts';
import { answer, notBlank, staffCommand, type Answer, type StaffOptions } from './support/staff.ts';
import { processTerminal, type Terminal } from './support/terminal.ts';
import { jsonLine } from './support/times.ts';

interface Options extends StaffOptions {
  readonly by: string;
  readonly note?: string;
}

/** The command. Exit code 1 when the folder has mistakes or the release is refused, 2 when it cannot be read. */
export function deployCommand(terminal: Terminal = processTerminal()): Command {
  return staffCommand('deploy', 'check playbooks and templates, and make them the ones that run')
    .option('--by <name>', 'who deploys, for the audit record', notBlank, userInfo().username)
    .option('--note <text>', 'what changes, for the audit record', notBlank)
    .action(async (options: Options) => deploy(terminal, options));
}

async function deploy(terminal: Terminal, options: Options): Promise<void> {
  const checked = await checkProject(options.project).catch((error: unknown) => {
    if (error instanceof ProjectError) return error;
    throw error;
  });
  if (checked instanceof ProjectError) {
    terminal.err(`${checked.message}\n`);
    terminal.setExitCode(2);
    return;
  }
  const { release, problems, sources } = checked;
  terminal.err(formatProblems(problems, { colour: terminal.colour, sources }));
  if (release === null) {
    terminal.err(`${summarise(problems)}: nothing was deployed.\n`);
    if (options.json === true) terminal.out(jsonLine({ outcome: 'mistakes', problems }));
    terminal.setExitCode(1);
    return;
  }
  const note = { author: options.by, note: options.note ?? null, gitCommit: await gitCommit(options.project) };
  await answer(terminal, options, async ({ db, config }) => {
    requireSettings(release, config);
    return describe(await deployRelease(db, compileSources, sources, note));
  });
}

/** The commit that the folder is at; null when it is in no repository, or git is not there. */
async function gitCommit(dir: string): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('git', ['rev-parse', 'HEAD'], { cwd: dir, timeout: 5_000 });
    return stdout.trim();
  } catch {
    // It only adds to the record; a company folder need not be a repository.
    return null;
  }
}

function leftBehindText({ leftBehind }: Extract<Deployed, { readonly outcome: 'refused' }>): string {
  const lines = leftBehind.map(({ playbook, step, because, enrolments, customers }) => {
    const names = `${customers.join(', ')}${enrolments > customers.length ? ', …' : ''}`;
    const what = because === 'gone' ? 'which is gone' : 'which is another kind of step now';
    return `  "${playbook}": ${enrolments} on the step "${step}", ${what} (${names})\n`;
  });
  return (
    `Not deployed: \`in_flight: move\` would leave customers behind.\n${lines.join('')}` +
    'Name where they go on under `renamed:`, keep the step, write `in_flight: pin`, or end them with "perennial cancel".\n'
  );
}

function describe(deployed: Deployed): Answer {
  const short = deployed.releaseId.slice(0, 12);
  switch (deployed.outcome) {
    case 'refused': {
      if (deployed.leftBehind.length > 0) return { json: deployed, text: leftBehindText(deployed), failed: true };
      const lines = deployed.needed.map(({ template, playbook, enrolments, customers }) => {
        const names = `${customers.join(', ')}${enrolments > customers.length ? ', …' : ''}`;
        return `  ${template}: ${enrolments} under way in "${playbook}" (${names})\n`;
      });
      const text =
        `Not deployed: templates are missing that customers who are under way still need.\n${lines.join('')}` +
        'Put them back, wait until these have finished, or end them with "perennial cancel".\n';
      return { json: deployed, text, failed: true };
    }
    case 'deployed': {
      if (!deployed.changed) return { json: deployed, text: `Release ${short} runs already: nothing changed.\n` };
      const part = (what: string, names: readonly string[]): string =>
        names.length === 0 ? '' : `  ${what}: ${names.join(', ')}\n`;
      const { added, altered, removed } = deployed;
      const parts = [part('new', added), part('changed', altered), part('gone', removed)].join('');
      return { json: deployed, text: `Release ${short} runs now.\n${parts}` };
    }
  }
}
