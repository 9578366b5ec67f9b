/** `perennial trigger`: starts a playbook for one customer by hand. */
import { InvalidArgumentError, type Command } from 'commander';
import type { Line } from '../engine/journey/types.ts';
import type { Json } from '../engine/playbook/types.ts';
import { RenderError } from '../engine/message/scope.ts';
import { sampleSurvey } from '../engine/message/survey.ts';
import { triggerPlaybook, type ForeseenMails, type Triggered } from '../engine/store/trigger.ts';
import { NOBODYS_LINKS, renderFor } from '../workers/composing.ts';
import type { Zone } from '../engine/time/types.ts';
import { zoneOfCustomer } from './support/customer-zone.ts';
import type { CommandContext } from './support/database.ts';
import { actCommand, answer, nearestText, notFound, notWorkable, personText } from './support/staff.ts';
import type { ActOptions, Answer } from './support/staff.ts';
import { harmless, processTerminal, table, type Terminal } from './support/terminal.ts';
import { localTime } from './support/times.ts';

interface Options extends ActOptions {
  readonly customer: string;
  readonly set: Readonly<Record<string, Json>>;
  readonly dryRun?: boolean;
}

/** The command. Exit code 0 when the customer was enrolled (or would be), 1 when not, 2 when used wrongly. */
export function triggerCommand(terminal: Terminal = processTerminal()): Command {
  return actCommand('trigger', 'start a playbook for one customer')
    .argument('<playbook>', 'the name of the playbook')
    .requiredOption('--customer <id-or-email>', 'whom to start it for')
    .option('--set <key=value>', 'sets vars.KEY to a text; KEY:=VALUE sets it to JSON; may be repeated', addVar, {})
    .option('--dry-run', 'say what would happen, and change nothing')
    .action(async (playbook: string, options: Options) =>
      answer(terminal, options, async (context) => {
        const { db, cache } = context;
        const { customer, by, reason, set: vars, dryRun = false } = options;
        let unwritable: readonly Unwritable[] = [];
        const onForeseen = (mails: ForeseenMails): void => {
          unwritable = tryMails(mails);
        };
        const request = { customer, playbook, vars, by, reason, dryRun, onForeseen };
        const triggered = await triggerPlaybook(db, cache, request);
        const described = await describe(context, triggered, playbook, options.customer, terminal);
        return unwritable.length === 0 ? described : withUnwritable(described, unwritable);
      }),
    );
}

/** A mail that would be held, and its error. */
interface Unwritable {
  readonly template: string;
  readonly error: string;
}

/** Writes the mails as a worker would, to find what it would hold. */
function tryMails(mails: ForeseenMails): readonly Unwritable[] {
  const { vars } = mails;
  return mails.mails.flatMap(({ template, ask }) => {
    try {
      const survey = ask === null ? null : sampleSurvey(ask);
      renderFor({ ...mails, template, survey, links: NOBODYS_LINKS, enrolment: { origin: {}, vars } });
      return [];
    } catch (error) {
      if (!(error instanceof RenderError)) throw error;
      return [{ template, error: error.message }];
    }
  });
}

function withUnwritable(described: Answer, unwritable: readonly Unwritable[]): Answer {
  const lines = unwritable.map(({ template, error }) => `email ${template} would be held: ${harmless(error)}\n`);
  const advice = 'Give what is missing with --set KEY=VALUE, or mend the template.\n';
  return {
    json: { ...described.json, unwritable },
    text: `${described.text}${lines.join('')}${advice}`,
    failed: true,
  };
}

const SETTING = /^([A-Za-z_][A-Za-z0-9_]*)(:?=)(.*)$/s;

function addVar(text: string, earlier: Readonly<Record<string, Json>>): Readonly<Record<string, Json>> {
  const [, key, operator, value] = SETTING.exec(text) ?? [];
  if (key === undefined || value === undefined) {
    throw new InvalidArgumentError('Expected KEY=TEXT or KEY:=JSON, such as order_id=1042 or amount:=12.5.');
  }
  if (Object.hasOwn(earlier, key)) throw new InvalidArgumentError(`"${key}" is set twice.`);
  return { ...earlier, [key]: operator === '=' ? value : parseJson(value) };
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new InvalidArgumentError(`"${text}" is no JSON. For a text, write KEY=TEXT.`);
  }
}

async function describe(
  context: CommandContext,
  triggered: Triggered,
  playbook: string,
  typed: string,
  terminal: Terminal,
): Promise<Answer> {
  switch (triggered.outcome) {
    case 'unknown':
    case 'ambiguous':
      return notFound(triggered, typed);
    case 'unknown playbook': {
      const text = `There is no playbook "${harmless(playbook)}".\n${nearestText(triggered.nearest)}`;
      return { json: triggered, text, failed: true };
    }
    case 'not workable':
      return notWorkable(triggered.customer);
    case 'refused': {
      const text = `Customer ${personText(triggered.customer)} was not enrolled: ${WHY[triggered.because]}.\n`;
      return { json: triggered, text, failed: true };
    }
    case 'entered': {
      const zone = await zoneOfCustomer(context, triggered.customer.id);
      return { json: triggered, text: entered(triggered, playbook, zone, terminal) };
    }
  }
}

const WHY: Readonly<Record<Extract<Triggered, { readonly outcome: 'refused' }>['because'], string>> = {
  'not manual': 'the playbook says "manual: false"',
  audience: "the playbook's audience does not include them",
  'already active': 'they are in this playbook at present',
  'not again': 'they were in this playbook before, and its "entry" rule forbids another time',
  draining: 'the playbook is draining, so nobody new enters',
};

function entered(
  triggered: Extract<Triggered, { readonly outcome: 'entered' }>,
  playbook: string,
  zone: Zone,
  terminal: Terminal,
): string {
  const who = personText(triggered.customer);
  const done = triggered.dryRun
    ? `Dry run, nothing was changed. Customer ${who} would enter "${playbook}".\n`
    : `Customer ${who} has entered "${playbook}".\n`;
  if (triggered.paused) return `${done}The playbook is paused: they wait at its first step until it is resumed.\n`;
  const same = zone.name === terminal.zone.name;
  const rows = triggered.ahead.map((line) => [
    localTime(line.at, zone),
    ...(same ? [] : [localTime(line.at, terminal.zone)]),
    lineText(line),
  ]);
  const head = [`their time (${zone.name})`, ...(same ? [] : [`your time (${terminal.zone.name})`]), 'what'];
  return `${done}If nothing else happens:\n${table([head, ...rows], '  ')}`;
}

function lineText(line: Line): string {
  const at = line.step === undefined ? '' : ` at ${line.step}`;
  switch (line.do) {
    case 'email':
    case 'survey':
      return `${line.do} ${line.template ?? ''}`;
    case 'enrol':
    case 'complete':
    case 'goal':
      return line.do;
    case 'task':
    case 'webhook':
    case 'coupon':
    case 'set':
    case 'tag':
    case 'untag':
      return `${line.do}${at}`;
    case 'exit':
      return line.reason === 'restart' ? 'the one under way ends: restart' : `exit${at}: ${line.reason ?? ''}`;
    case 'skip':
    case 'cancel':
      return `${line.do}${at}: ${line.reason ?? ''}`;
  }
}
