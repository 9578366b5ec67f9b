/** The pages with generated parts, and what stands in them. */
import { MAIL_RULES } from '../../engine/message/lint/rules.ts';
import { ABOUT_ALLOWANCES, RULES } from '../../engine/playbook/lint/rules.ts';
import { jsonSchema } from '../../engine/playbook/schema.ts';
import { configVariables } from '../../workers/config.ts';
import { keyTable } from './key-table.ts';
import type { JsonSchema } from './schema-rows.ts';
import { markdownTable, withSection } from './section.ts';
import { renewTestPage } from './test-page.ts';

/** A page of the documentation. */
export interface Page {
  /** From the root of the checkout. */
  readonly path: string;
  /** The page with its generated parts made anew. @throws Error when a part is missing. */
  readonly renew: (page: string) => string;
}

/** Every page that has generated parts. `npm run docs` renews them; a test says when one is stale. */
export const PAGES: readonly Page[] = [
  { path: 'docs/playbooks.md', renew: renewReference },
  { path: 'docs/linting.md', renew: (page) => withSection(page, 'generated: rules', rulesTable()) },
  { path: 'docs/testing-playbooks.md', renew: renewTestPage },
  { path: 'README.md', renew: (page) => withSection(page, 'configuration', configurationTable()) },
];

/** Said once for all triggers and for all steps. */
const OF_EVERY_TRIGGER = new Set(['manual']);
const OF_EVERY_STEP = new Set(['id', 'if']);

function renewReference(page: string): string {
  return [...sectionsOfReference()].reduce(
    (text, [name, contents]) => withSection(text, `generated: ${name}`, contents),
    page,
  );
}

function sectionsOfReference(): ReadonlyMap<string, string> {
  const playbook: JsonSchema = jsonSchema('playbook');
  const sections = new Map<string, string>([
    ['perennial.yaml', keyTable(jsonSchema('company'))],
    ['playbook', keyTable(playbook, new Set(['trigger', 'steps']))],
    ['launch', keyTable(jsonSchema('launch'))],
  ]);
  for (const form of playbook.properties?.['trigger']?.anyOf ?? []) {
    const name = kindOf(form);
    sections.set(`trigger ${name}`, keyTable(form, name === 'manual' ? new Set() : OF_EVERY_TRIGGER));
  }
  const steps = playbook.definitions?.['step']?.anyOf ?? [];
  for (const form of steps) {
    const name = kindOf(form);
    sections.set(`step ${name}`, keyTable(form, name === 'if' ? new Set(['id']) : OF_EVERY_STEP));
  }
  return sections.set('every step', everyStep(steps));
}

/** A form of trigger or step is named by the first key that it must have. */
function kindOf({ required }: JsonSchema): string {
  const [name] = required ?? [];
  if (name === undefined) throw new Error('a form of the language has no key that names it');
  return name;
}

function everyStep(steps: readonly JsonSchema[]): string {
  const any = steps.find((form) => kindOf(form) === 'email');
  if (any === undefined) throw new Error('the language has no step "email"');
  const own = Object.keys(any.properties ?? {}).filter((key) => !OF_EVERY_STEP.has(key));
  return keyTable({ ...any, required: [] }, new Set(own));
}

function rulesTable(): string {
  const rows = [...RULES, ...MAIL_RULES, ...ABOUT_ALLOWANCES].map(({ code, level, reason }) => [
    `\`${code}\``,
    level,
    reason,
  ]);
  return markdownTable(['rule', 'level', 'why'], rows);
}

function configurationTable(): string {
  const rows = configVariables.map(({ name, description, unset }) => [`\`${name}\``, description, unset]);
  return markdownTable(['variable', 'what it is', 'when it is not set'], rows);
}
