/** Lists of `name=value;` as the records of DKIM and DMARC have them (RFC 6376 section 3.2). */

/** Values by name; of a name that is there twice the first. */
export type Tags = ReadonlyMap<string, string>;

/** The tags of a text; what is no tag is left out. */
export function tagsOf(text: string): Tags {
  const tags = new Map<string, string>();
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(equals, 0)).trim();
    if (name !== '' && !tags.has(name)) tags.set(name, part.slice(equals + 1).trim());
  }
  return tags;
}
