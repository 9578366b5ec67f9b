import { parse } from 'yaml';

/**
 * The top-level keys by which two texts of perennial.yaml differ in what they say; comments and the order of keys do not
 * count. Both must be sound.
 */
export function changedKeys(before: string, after: string): readonly string[] {
  const was = (parse(before) ?? {}) as Readonly<Record<string, unknown>>;
  const is = (parse(after) ?? {}) as Readonly<Record<string, unknown>>;
  const keys = new Set([...Object.keys(was), ...Object.keys(is)]);
  return [...keys].filter((key) => JSON.stringify(was[key]) !== JSON.stringify(is[key]));
}
