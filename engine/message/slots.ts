/** Slots: what `{{{body}}}`, `{{subject}}` and `{{preheader}}` stand for in a layout, a partial or a template. */
import { type Expansion, type Place, report } from './expansion.ts';
import { type Expression, type Part, content, partsOf, program } from './syntax.ts';

/** A slot's name and what stands in it. */
export interface Slot {
  readonly name: string;
  readonly statements: readonly Part[];
}

/** The slot that an expression names, unless a partial's parameter has the name. */
export function slotOf(node: Expression | undefined, place: Place, expansion: Expansion): Slot | undefined {
  if (node?.type !== 'PathExpression' || place.names.has(node.original)) return undefined;
  const statements = expansion.slots.get(node.original);
  return statements === undefined ? undefined : { name: node.original, statements };
}

/** Puts a slot's statements in the place of its name. */
export function fillSlot(
  slot: Slot,
  node: hbs.AST.MustacheStatement,
  place: Place,
  expansion: Expansion,
): readonly Part[] {
  if (slot.name === 'body' && node.escaped) {
    report(expansion, place, node, {
      code: 'escaped-body',
      message: '{{body}} would show the mail as source text',
      fix: 'write {{{body}}} with three braces',
    });
    return [];
  }
  expansion.usedSlots.add(slot.name);
  return slot.statements;
}

/** `{{#if subject}}` and the like: known now, since a slot is empty or not. Undefined for other blocks. */
export function slotBranch(
  node: hbs.AST.BlockStatement,
  place: Place,
  expansion: Expansion,
): hbs.AST.Program | null | undefined {
  const slot = slotOf(node.params[0] as Expression | undefined, place, expansion);
  if (slot === undefined || !['if', 'unless'].includes(node.path.original)) return undefined;
  return slot.statements.length > 0 === (node.path.original === 'if') ? node.program : (node.inverse ?? null);
}

/** Fixed text, for HTML. */
export function escapeHtml(fixed: string): string {
  return fixed.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Fixed text of a subject, put where HTML is read. */
export function escapeContent(statements: readonly Part[]): readonly Part[] {
  return statements.map((statement) => {
    switch (statement.type) {
      case 'ContentStatement':
        return content(escapeHtml(statement.value), statement.loc);
      case 'BlockStatement':
        return { ...statement, ...escapedBranches(statement) };
      case 'MustacheStatement':
        return statement;
    }
  });
}

function escapedBranches(node: hbs.AST.BlockStatement): Pick<hbs.AST.BlockStatement, 'program' | 'inverse'> {
  const escaped = (tree: hbs.AST.Program): hbs.AST.Program =>
    program(escapeContent(partsOf(tree)), tree.blockParams, tree.loc);
  return { program: escaped(node.program), inverse: node.inverse === undefined ? node.inverse : escaped(node.inverse) };
}
