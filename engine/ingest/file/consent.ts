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
  const yes = consents.flatMap(({ address, subscribed, proof }) =>
    subscribed.map((topic) => ({ address, topic, ...proof })),
  );
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
    // A topic twice in a file counts once.
    const rows = [...new Map(yes.map((row) => [`${row.address} ${row.topic}`, row])).values()];
    await db.query(
      // Words that come later than the subscription are kept, too: they are what proves it.
      `with given as (
         select r.address, r.topic, coalesce(r.at, $3::timestamptz) as at, r.source, r.wording, r.language
         from unnest($1::text[], $2::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[])
           as r(address, topic, at, source, wording, language)
         where not exists (select from suppressions s where s.address = r.address and s.scope in (r.topic, '${ALL_TOPICS}'))),
       fresh as (
         insert into opt_ins (address, topic, at, source) select address, topic, at, 'import' from given
         on conflict (address, topic) do nothing returning address, topic)
       insert into consents (address, topic, given, at, source, wording, language, detail)
       select address, topic, true, at, 'import', wording, language, concat_ws(', ', source, $8::text) from given g
       where (address, topic) in (select address, topic from fresh)
         or (wording is not null and not exists (
           select from consents c where c.address = g.address and c.topic = g.topic and c.given and c.wording = g.wording))`,
      [
        rows.map(({ address }) => address),
        rows.map(({ topic }) => topic),
        at,
        rows.map((row) => (row.at === null ? null : new Date(row.at).toISOString())),
        rows.map(({ source }) => source),
        rows.map(({ wording }) => wording),
        rows.map(({ language }) => language),
        file,
      ],
    );
  }
}
