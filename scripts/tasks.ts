/** `perennial tasks` and `perennial task done`: what playbooks give people to do. */
import { InvalidArgumentError, type Command } from 'commander';
import { finishTask, listTasks, type Task, type TaskDone } from '../engine/store/tasks.ts';
import { answer, bareCommand, notBlank, staffCommand, type Answer, type StaffOptions } from './support/staff.ts';
import { harmless, processTerminal, table, type Terminal } from './support/terminal.ts';
import { localTime } from './support/times.ts';

interface ListOptions extends StaffOptions {
  readonly open?: boolean;
}

interface DoneOptions extends StaffOptions {
  readonly by: string;
  readonly note?: string;
}

/** The command that lists them. */
export function tasksCommand(terminal: Terminal = processTerminal()): Command {
  return staffCommand('tasks', 'show what playbooks give people to do, what is due first')
    .option('--open', 'only what is not done yet')
    .action(async (options: ListOptions) =>
      answer(terminal, options, async ({ db }) => {
        const tasks = await listTasks(db, { openOnly: options.open === true });
        return { json: { tasks }, text: listText(tasks, options.open === true, terminal) };
      }),
    );
}

/** The command that ticks one off. Exit code 1 when there is no such task, or it was done before. */
export function taskCommand(terminal: Terminal = processTerminal()): Command {
  const done = staffCommand('done', 'tick a task off')
    .argument('<id>', 'its number, as "perennial tasks" shows it', readId)
    .requiredOption('--by <name>', 'who did it, for the audit record', notBlank)
    .option('--note <text>', 'what there is to say about it', notBlank)
    .action(async (id: number, options: DoneOptions) =>
      answer(terminal, options, async ({ db }) =>
        describe(id, await finishTask(db, id, { by: options.by, note: options.note ?? null }), terminal),
      ),
    );
  return bareCommand('task', 'tick off what a playbook gave somebody to do').addCommand(done);
}

function listText(tasks: readonly Task[], openOnly: boolean, terminal: Terminal): string {
  if (tasks.length === 0) return openOnly ? 'There is nothing to do.\n' : 'No playbook has given anybody a task.\n';
  const rows = tasks.map((task) => [
    String(task.id),
    task.dueAt === null ? '' : localTime(task.dueAt, terminal.zone),
    task.to ?? '',
    task.customer,
    task.title,
    `${task.playbook} at ${task.step}`,
    ...(openOnly ? [] : [task.doneAt === null ? '' : `${localTime(task.doneAt, terminal.zone)} ${task.doneBy ?? ''}`]),
  ]);
  const head = ['task', `due (${terminal.zone.name})`, 'for', 'customer', 'what', 'from'];
  return table([openOnly ? head : [...head, 'done'], ...rows]);
}

function describe(id: number, done: TaskDone, terminal: Terminal): Answer {
  switch (done.outcome) {
    case 'done':
      return { json: done, text: `Done: ${harmless(done.task.title)}\n` };
    case 'done before': {
      const { doneAt, doneBy } = done.task;
      const when = doneAt === null ? '' : ` on ${localTime(doneAt, terminal.zone)}`;
      return { json: done, text: `Task ${id} was done${when} by ${harmless(doneBy ?? '')}.\n`, failed: true };
    }
    case 'unknown':
      return { json: { ...done, id }, text: `There is no task ${id}. See "perennial tasks".\n`, failed: true };
  }
}

function readId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected the number of a task, such as 12.');
}
