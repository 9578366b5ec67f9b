/** Consent that came with imported customers, in few statements. */
import type { Queryable } from '../../store/database.ts';
import { erasedAmong } from '../../store/erasures.ts';
import { ALL_TOPICS } from '../../journey/attempt.ts';
import { EVERYTHING } from '../../store/suppress.ts';
import type { Instant } from '../../time/types.ts';
import type { ImportedConsent } from './check.ts';

/**
 * Writes what the lines say; call it before their customers become known, so that no mail can come between. An
 * import never takes a suppression back: a `subscribed` counts only where the reader has not said no here. Of addresses
 * that were erased nothing is written.
 */
export async function recordConsent(
  db: Queryable,
  imported: readonly ImportedConsent[],
  now: Instant,
  file: string,
): Promise<void> {
  const addresses = imported.map(({ address }) => address);
  const erased = await erasedAmong(db, 'address', addresses);
  const consents = imported.filter(({ address }) => !erased.has(address));
  const no = consents.flatMap(({ address, suppressed, unsubscribed }) =>
    [...(suppressed ? [EVERYTHING] : []), ...unsubscribed].map((scope) => [address, scope] as const),
  );
  const yes = consents.flatMap(({ address, subscribed }) => subscribed.map((topic) => [address, topic] as const));
  const at = new Date(now).toISOString();
  if (no.length > 0) {
    await db.query(
      `insert into suppressions (address, scope, at, source, reason)
       select address, scope, $3, 'import', $4 from unnest($1::text[], $2::text[]) as r(address, scope)
       on conflict (address, scope) do nothing`,
      [no.map(([address]) => address), no.map(([, scope]) => scope), at, file],
    );
  }
  if (yes.length > 0) {
    await db.query(
      `with fresh as (
       insert into opt_ins (address, topic, at, source)
       select r.address, r.topic, $3, 'import' from unnest($1::text[], $2::text[]) as r(address, topic)
       where not exists (select from suppressions s where s.address = r.address and s.scope in (r.topic, '${ALL_TOPICS}'))
       on conflict (address, topic) do nothing returning address, topic)
       insert into consents (address, topic, given, at, source, detail)
       select address, topic, true, $3, 'import', $4 from fresh`,
      [yes.map(([address]) => address), yes.map(([, topic]) => topic), at, file],
    );
  }
}
