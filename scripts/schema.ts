/** `perennial schema`: the JSON Schemas from which editors complete playbooks. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Argument, Command } from 'commander';
import { FILE_KINDS, type FileKind, jsonSchema } from '../engine/playbook/schema.ts';

/** The file of each schema in `schemas/`; source files name it in their first line. */
export const SCHEMA_FILES: Readonly<Record<FileKind, string>> = {
  playbook: 'playbook.schema.json',
  launch: 'launch.schema.json',
  company: 'perennial.schema.json',
  test: 'test.schema.json',
};

const WIDTH = 120;

/** JSON laid out as the project's formatter lays it out: lists on one line where they fit. */
function layOut(value: unknown, indent: string, taken: number): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const line = JSON.stringify(value).replaceAll('","', '", "');
    const isPlain = value.every((item) => typeof item !== 'object' || item === null);
    if (value.length === 0 || (isPlain && taken + line.length < WIDTH)) return line;
    return `[\n${value.map((item) => inner + layOut(item, inner, inner.length)).join(',\n')}\n${indent}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, item]) => {
    const name = `${inner}${JSON.stringify(key)}: `;
    return name + layOut(item, inner, name.length);
  });
  return entries.length === 0 ? '{}' : `{\n${entries.join(',\n')}\n${indent}}`;
}

/** A schema as text, as it stands in `schemas/`. */
export function schemaText(kind: FileKind): string {
  return `${layOut(jsonSchema(kind), '', 0)}\n`;
}

async function print(kind: FileKind, options: { readonly write?: string }): Promise<void> {
  if (options.write === undefined) {
    process.stdout.write(schemaText(kind));
    return;
  }
  await mkdir(options.write, { recursive: true });
  for (const each of FILE_KINDS) await writeFile(join(options.write, SCHEMA_FILES[each]), schemaText(each));
}

/** The command. */
export function schemaCommand(): Command {
  return new Command('schema')
    .description('print the JSON Schema of a kind of file, for editors')
    .addArgument(new Argument('[kind]', 'which file').choices(FILE_KINDS).default('playbook'))
    .option('--write <dir>', 'write the schemas of all kinds into a folder instead')
    .action(print);
}
