/** What every session of ours is to be like, whatever the server, the role or the URL say. */

/** Times and dates are read as they are written so (timestamp.ts). */
const READABLE = '-c timezone=UTC -c datestyle=ISO';

/**
 * With one way to each row there is nothing to gain from planning anew for each set of ids, and planning one of the
 * protocol's statements takes as long as running it.
 */
const INDEXED = '-c enable_seqscan=off -c jit=off -c plan_cache_mode=force_generic_plan';

/** How to connect to `url`: options in it come first, so that ours hold; pg would take them instead of ours. */
export function sessionAt(
  url: string,
  indexed = false,
): { readonly connectionString: string; readonly options: string } {
  const ours = indexed ? `${READABLE} ${INDEXED}` : READABLE;
  if (!/[?&]options=/.test(url)) return { connectionString: url, options: ours };
  const parsed = new URL(url);
  const theirs = parsed.searchParams.getAll('options');
  parsed.searchParams.delete('options');
  return { connectionString: parsed.href, options: [...theirs, ours].join(' ') };
}
