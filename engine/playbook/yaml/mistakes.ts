import type { YAMLError } from 'yaml';
import type { Problem } from '../problem.ts';
import type { Place } from './document.ts';
import { DEEPEST, type Foreign } from './limits.ts';

/** What a message needs of a source. */
interface Source {
  readonly file: string;
  readonly text: string;
  place(offset: number): Place;
}

type Said = readonly [message: string, fix: string | null];

const ONE_DOCUMENT: Said = [
  'a file holds one document; `---` starts a second',
  'put the second into a file of its own',
];

/** The line at an offset, in two parts. */
function around(text: string, offset: number): { readonly before: string; readonly rest: string } {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  return { before: text.slice(start, offset), rest: text.slice(offset, end < 0 ? text.length : end) };
}

/** The commonest slips by the parser's code, said in the words of somebody who wrote a playbook. */
function explain(error: YAMLError, before: string, rest: string): Said {
  const code: string = error.code;
  switch (code) {
    case 'UNEXPECTED_TOKEN':
      if (/:\s+(["']).*\1\s*$/.test(before)) {
        return [`the text in quotes ends before \`${rest.trim()}\``, 'put the whole value in quotes of the other kind'];
      }
      return [
        `\`${rest.trim().slice(0, 40)}\` cannot stand here`,
        'check brackets and quotes, or put the whole value in quotes',
      ];
    case 'TAB_AS_INDENT':
      return ['a tab cannot indent', 'use spaces'];
    case 'BAD_SCALAR_START':
      return [`a value cannot start with \`${rest.slice(0, 1)}\``, 'put the whole value in quotes'];
    case 'BLOCK_AS_IMPLICIT_KEY':
      return ['there is a second `: ` in one line', 'put the value in quotes, or start a new line'];
    case 'MULTILINE_IMPLICIT_KEY':
    case 'BAD_INDENT':
      if (error.message.includes('end with')) return ['a bracket is not closed', 'close it with ] or }'];
      return ['the indentation does not match the lines above', 'start it in the same column as its siblings'];
    case 'MISSING_CHAR':
      return error.message.includes('quote')
        ? ['a text in quotes does not end', 'close the quote']
        : ['a `:` is missing after a name', 'write `name: value`, with a space after the colon'];
    case 'BAD_ALIAS':
      return [
        'a value that starts with `*` or `&` is an alias or an anchor, which the language does not have',
        'put it in quotes',
      ];
    case 'MULTIPLE_DOCS':
      return ONE_DOCUMENT;
    default:
      return [error.message, null];
  }
}

/** A mistake of YAML itself. */
export function syntaxProblem(source: Source, error: YAMLError): Problem {
  const [offset] = error.pos;
  const { before, rest } = around(source.text, offset);
  const [message, fix] = explain(error, before, rest);
  const place = { file: source.file, ...source.place(offset), level: 'error' } as const;
  if (error.code === 'MULTIPLE_DOCS') return { ...place, code: 'yaml-documents', message, fix };
  return { ...place, code: 'yaml-syntax', message: `no valid YAML: ${message}`, fix };
}

function refusal({ code, name }: Foreign): Said {
  switch (code) {
    case 'yaml-alias':
      return [
        'anchors (`&name`) and aliases (`*name`) are not part of the language',
        'write it out, or put the text in quotes',
      ];
    case 'yaml-tag':
      return [
        'a `!` at the start of a value makes a YAML tag, and tags are not part of the language',
        'put the whole value in quotes',
      ];
    case 'too-deep':
      return [`nested deeper than ${DEEPEST} levels`, 'split it into several playbooks'];
    case 'yaml-documents':
      return ONE_DOCUMENT;
    case 'yaml-syntax':
      return [`no valid YAML: \`${name}\` closes nothing`, 'remove it, or put the whole value in quotes'];
    case 'duplicate-key':
      return [`\`${name}\` stands twice in this map`, 'keep one of the two'];
  }
}

/** Something that YAML has and the language has not. */
export function foreignProblem(source: Source, foreign: Foreign): Problem {
  const [message, fix] = refusal(foreign);
  return { file: source.file, ...source.place(foreign.offset), level: 'error', code: foreign.code, message, fix };
}
