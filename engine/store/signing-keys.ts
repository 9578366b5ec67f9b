/** The keys under which links in mails are signed. */
import type { SigningKey } from '../message/link-token.ts';
import type { Queryable } from './database.ts';

/** All keys, the newest first: that one signs, all of them are good for reading. */
export async function loadSigningKeys(db: Queryable): Promise<readonly SigningKey[]> {
  const { rows } = await db.query<{ id: number; secret: Buffer }>(
    'select id, secret from signing_keys order by id desc',
  );
  return rows;
}

/** The key that signs. @throws Error when there is none: the database is not migrated. */
export async function signingKey(db: Queryable): Promise<SigningKey> {
  const [key] = await loadSigningKeys(db);
  if (key === undefined) throw new Error('the table "signing_keys" is empty: restore it, or links could not be signed');
  return key;
}
