/** The linter: every rule over the whole company, less what is allowed. */
import type { CheckedSources } from '../checked.ts';
import type { Problem } from '../problem.ts';
import { type Allowance, type Allowances, readAllowances } from './allowances.ts';
import type { Finding, LintContext, Rule, Standing, TemplateFacts } from './rule.ts';
import { ABOUT_ALLOWANCES, RULES } from './rules.ts';
import { removedStep } from './rules/removed-step.ts';

export type { Standing, TemplateFacts } from './rule.ts';

/** What the linter is told besides the sources. */
export interface LintFacts {
  readonly templates: readonly TemplateFacts[];
  /** Who is under way, from a database; null where none was asked. */
  readonly standing: readonly Standing[] | null;
  /** What was found in templates, and what each of them allows, by rules that read templates. */
  readonly mails: { readonly found: readonly Problem[]; readonly allowances: ReadonlyMap<string, Allowances> };
  /** Whether nothing is wrong anywhere: else rules see a part of the company only, and an allowance may be needed later. */
  readonly isWhole: boolean;
}

function problem({ code, level }: Pick<Rule, 'code' | 'level'>, finding: Finding): Problem {
  const { file, line, column, message, fix } = finding;
  return { file, line, column, level: finding.level ?? level, code, message, fix };
}

function about(code: 'bad-allowance' | 'unused-allowance', finding: Finding): Problem {
  const rule = ABOUT_ALLOWANCES.find((one) => one.code === code);
  if (rule === undefined) throw new Error(`there is no rule ${code}`);
  return problem(rule, finding);
}

function unused(file: string, { rule, line, column }: Allowance): Problem {
  const message = `\`${rule}\` finds nothing here, so there is nothing to allow`;
  return about('unused-allowance', { file, line, column, message, fix: 'take the comment out' });
}

/** Takes out what the files allow, and adds what is wrong with their allowances. */
function withoutAllowed(found: readonly Problem[], context: LintContext, facts: LintFacts): readonly Problem[] {
  const names = RULES.map(({ code }) => code);
  const files = [
    ...[context.company, ...context.playbooks].map(({ report: { file }, text }) => ({
      file,
      ...readAllowances(file, text, names),
    })),
    ...[...facts.mails.allowances].map(([file, allowances]) => ({ file, ...allowances })),
  ];
  const allowed = new Map<string, Allowance>();
  for (const { file, allowed: list } of files)
    for (const one of list) allowed.set(`${file}\n${one.of}\n${one.rule}`, one);
  const used = new Set<Allowance>();
  const rest = found.filter(({ file, line, code }) => {
    const allowance = allowed.get(`${file}\n${line}\n${code}`);
    if (allowance !== undefined) used.add(allowance);
    return allowance === undefined;
  });
  // Without a database nobody can say whether this one is needed.
  const isAsked = ({ rule }: Allowance): boolean => rule !== removedStep.code || facts.standing !== null;
  return [
    ...rest,
    ...files.flatMap(({ bad }) => bad.map((finding) => about('bad-allowance', finding))),
    ...files.flatMap(({ file, allowed: list }) =>
      list.filter((one) => facts.isWhole && !used.has(one) && isAsked(one)).map((one) => unused(file, one)),
    ),
  ];
}

/** Everything that the rules find in sources without mistakes, in no order. */
export function lint(checked: CheckedSources, facts: LintFacts): readonly Problem[] {
  const { stages } = checked.company.source;
  const world = { stages: stages?.map(({ name }) => name) ?? [] };
  const context: LintContext = { ...checked, templates: facts.templates, standing: facts.standing ?? [], world };
  const found = RULES.flatMap((rule) => [...rule.find(context)].map((finding) => problem(rule, finding)));
  return withoutAllowed([...found, ...facts.mails.found], context, facts);
}
