/** Who runs the fleet need not be allowed to make tables: the function makes this one kind, with its owner's rights. */
export const eventPartitions = {
  name: '0013-event-partitions',
  sql: `
-- It takes a time and no name, so that nothing else can be made with it. The path is fixed, and has no place that others write to.
do $make$ begin execute format($define$
create function make_events_partition(of_time timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
declare
  start timestamp := date_trunc('quarter', of_time at time zone 'UTC');
  bounds text := format('from (%%L) to (%%L)', start at time zone 'UTC', (start + interval '3 months') at time zone 'UTC');
  partition text := to_char(start, '"events_"YYYY"_q"Q');
begin
  if start < timestamp '2000-01-01' then
    partition := 'events_before';
    bounds := format('from (minvalue) to (%%L)', timestamp '2000-01-01' at time zone 'UTC');
  end if;
  -- "if not exists" alone fails when two make the same one at once.
  perform pg_advisory_xact_lock(7318204553);
  execute format('create table if not exists %%I.%%I partition of %%I.events for values %%s', %1$L, partition, %1$L, bounds);
end $body$
$define$, current_schema()); end $make$;
revoke execute on function make_events_partition(timestamptz) from public;
`,
} as const;
