/** The language, defined once: what is checked, the types of what is read, and the JSON Schemas of editors all come from here. */
import { z } from 'zod';
import { perennial } from './schema/company.ts';
import { launch } from './schema/launch.ts';
import { playbookTest } from './schema/playbook-test.ts';
import { playbook } from './schema/playbook.ts';

export type { CompanySource } from './schema/company.ts';
export type { LaunchSource } from './schema/launch.ts';
export type { PlaybookTestSource } from './schema/playbook-test.ts';
export type { PlaybookSource, SendWindowSource, TriggerSource } from './schema/playbook.ts';
export type { StepSource } from './schema/steps.ts';

/** The kinds of files. */
export const FILE_KINDS = ['playbook', 'launch', 'company', 'test'] as const;
export type FileKind = (typeof FILE_KINDS)[number];

/** The schema of each kind of file. */
export const SCHEMAS = { playbook, launch, company: perennial, test: playbookTest } as const;

/** A file's JSON Schema (draft 7, which editors know best), from which they complete and check while it is written. */
export function jsonSchema(kind: FileKind): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(SCHEMAS[kind], { io: 'input', target: 'draft-7', unrepresentable: 'any' });
}
