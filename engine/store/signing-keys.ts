/** The keys under which links in mails are signed: the newest signs, all of them are good for reading. */
import { randomBytes } from 'node:crypto';
import type { SigningKey } from '../message/link-token.ts';
import type { Instant } from '../time/types.ts';
import { writeAudit } from './audit.ts';
import { businessNow, type Database, type Queryable } from './database.ts';

/** As many as HMAC-SHA-256 makes use of (RFC 2104 section 3). */
const SECRET_BYTES = 32;

/** A key without its secret, for people. */
export interface ListedKey {
  readonly id: number;
  /** Machine time of the database. */
  readonly createdAt: Instant;
  /** The newest: links of new mails are signed with it. */
  readonly signs: boolean;
}

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

/** All keys without their secrets, the newest first. */
export async function listSigningKeys(db: Queryable): Promise<readonly ListedKey[]> {
  const { rows } = await db.query<{ id: number; createdAt: Instant }>(
    'select id, created_at as "createdAt" from signing_keys order by id desc',
  );
  return rows.map(({ id, createdAt }, index) => ({ id, createdAt, signs: index === 0 }));
}

/** Adds a key, which signs from now on, with the act on record; the others stay for reading. Gives its id. */
export async function rotateSigningKey(db: Database, by: string, reason: string): Promise<number> {
  return db.transaction(async (tx) => {
    const { rows } = await tx.query<{ id: number }>('insert into signing_keys (secret) values ($1) returning id', [
      randomBytes(SECRET_BYTES),
    ]);
    const id = rows[0]?.id ?? 0;
    await writeAudit(tx, { businessAt: await businessNow(tx), by, action: 'keys.rotate', reason, detail: { key: id } });
    return id;
  });
}
