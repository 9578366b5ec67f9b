/**
 * What a record itself has under a name, and never what all objects have under it: a name that comes from outside may be
 * `constructor` or `toString`.
 */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
