import { ABOUT_ALLOWANCES, RULES } from '../../engine/playbook/lint/rules.ts';
import type { Problem } from '../../engine/playbook/problem.ts';

/** How SARIF calls the levels (section 3.27.10). */
const LEVELS = { error: 'error', warning: 'warning', hint: 'note' } as const;

interface RuleObject {
  readonly id: string;
  readonly shortDescription?: { readonly text: string };
  readonly defaultConfiguration?: { readonly level: string };
}

function rulesOf(problems: readonly Problem[]): readonly RuleObject[] {
  const known = [...RULES, ...ABOUT_ALLOWANCES].map(({ code, level, reason }) => ({
    id: code,
    shortDescription: { text: reason },
    defaultConfiguration: { level: LEVELS[level] },
  }));
  const ids = new Set(known.map(({ id }) => id));
  const others = [...new Set(problems.map(({ code }) => code))].filter((code) => !ids.has(code)).sort();
  return [...known, ...others.map((id) => ({ id }))];
}

/** A path as the relative reference that SARIF asks for (RFC 3986). */
function uriOf(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/**
 * Problems as a SARIF 2.1.0 log (docs.oasis-open.org/sarif/sarif/v2.1.0), for code scanning and editors.
 * @param pathOf a file's path in the repository. @param version this program's.
 */
export function sarifLog(
  problems: readonly Problem[],
  pathOf: (file: string) => string,
  version: string,
): Readonly<Record<string, unknown>> {
  const rules = rulesOf(problems);
  const indices = new Map(rules.map(({ id }, index) => [id, index]));
  const results = problems.map(({ file, line, column, level, code, message, fix }) => ({
    ruleId: code,
    ruleIndex: indices.get(code),
    level: LEVELS[level],
    message: { text: fix === null ? message : `${message}\n→ ${fix}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(pathOf(file)) },
          region: { startLine: line, startColumn: column },
        },
      },
    ],
  }));
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver: { name: 'perennial', version, rules } }, columnKind: 'utf16CodeUnits', results }],
  };
}
