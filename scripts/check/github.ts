import type { Problem } from '../../engine/playbook/problem.ts';

/** How GitHub calls the levels. */
const COMMANDS = { error: 'error', warning: 'warning', hint: 'notice' } as const;

/** Source: github.com/actions/toolkit, packages/core/src/command.ts. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** Problems as workflow commands, which GitHub shows beside the lines. @param pathOf a file's path in the repository. */
export function githubCommands(problems: readonly Problem[], pathOf: (file: string) => string): string {
  return problems
    .map(({ file, line, column, level, code, message, fix }) => {
      const place = `file=${escapeProperty(pathOf(file))},line=${line},col=${column}`;
      const text = fix === null ? message : `${message}\n→ ${fix}`;
      return `::${COMMANDS[level]} ${place},title=${escapeProperty(code)}::${escapeData(text)}\n`;
    })
    .join('');
}
