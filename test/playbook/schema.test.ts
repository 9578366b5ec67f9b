import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { FILE_KINDS } from '../../engine/playbook/schema.ts';
import { SCHEMA_FILES, schemaText } from '../../scripts/schema.ts';

const ROOT = resolve(import.meta.dirname, '../..');

describe('the JSON Schemas for editors', () => {
  it.each(FILE_KINDS)('%s is what the language is now (else: perennial schema --write schemas)', (kind) => {
    expect(readFileSync(`${ROOT}/schemas/${SCHEMA_FILES[kind]}`, 'utf8')).toBe(schemaText(kind));
  });

  it('describe every key of a playbook', () => {
    const { properties } = JSON.parse(schemaText('playbook')) as {
      readonly properties: Readonly<Record<string, { readonly description?: string }>>;
    };
    const undescribed = Object.keys(properties).filter((key) => properties[key]?.description === undefined);
    expect(undescribed).toEqual([]);
  });
});
