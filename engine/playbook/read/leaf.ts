import { z } from 'zod';
import { nearest } from '../nearest.ts';
import { type Document, isMap, isScalar, isSeq, type Node, scalarText } from '../yaml/document.ts';
import { quoteFix } from './choose.ts';
import type { Report } from './report.ts';

type Schema = z.core.$ZodType;

/** What reading one document shares. */
export interface Walk {
  readonly document: Document;
  readonly report: Report;
}

/** Reports a mistake at a node; what is there counts as missing. */
export function complain(
  { report }: Walk,
  node: Node,
  said: { readonly code: string; readonly message: string; readonly fix: string | null },
): undefined {
  report.atNode(node, { code: said.code, message: said.message, fix: said.fix });
}

/** What stands at a node, for messages. */
function found(node: Node): string {
  if (isMap(node)) return 'a map';
  if (isSeq(node)) return 'a list';
  if (!isScalar(node)) return 'something else';
  const text = scalarText(node);
  if (text === null) return 'nothing';
  return typeof node.value === 'string' ? `the text "${text.slice(0, 60)}"` : `\`${text}\``;
}

/** Reports a node of another kind than expected. */
export function wrongType(context: Walk, expected: string, node: Node): undefined {
  return complain(context, node, {
    code: 'wrong-type',
    message: `expected ${expected}, found ${found(node)}`,
    fix: null,
  });
}

/** Checks a plain value by a leaf's schema; undefined where it is wrong. */
export function checkLeaf(context: Walk, schema: Schema, value: unknown, node: Node): unknown {
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const code = issue.code === 'invalid_type' ? 'wrong-type' : 'bad-value';
    if (issue.code === 'invalid_value' && issue.values.length > 1) badChoice(context, issue.values.map(String), node);
    else complain(context, node, { code, message: describeIssue(issue, node), fix: quoteFix([schema], value) });
  }
  return undefined;
}

/** Texts read by `text()` say themselves what they found; other messages say what was expected only. */
function describeIssue(issue: z.core.$ZodIssue, node: Node): string {
  return issue.message.startsWith('"') ? issue.message : `${issue.message}, found ${found(node)}`;
}

function badChoice(context: Walk, values: readonly string[], node: Node): void {
  const written = scalarText(node) ?? '';
  const near = nearest(written, values);
  const list = values.map((value) => `\`${value}\``).join(', ');
  const fix = near === null ? null : `did you mean \`${near}\`?`;
  complain(context, node, { code: 'bad-value', message: `expected one of ${list}, found ${found(node)}`, fix });
}
