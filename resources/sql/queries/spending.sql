-- What calls of platforms cost: the sums by UTC day, what processes hold, and what stopped.

-- name: lock_spend
-- Whoever changes what a channel spends takes turns here, until the transaction ends.
select pg_advisory_xact_lock(21080, %(channel_id)s::integer)

-- name: count_spend
select count_spend(%(channel_id)s, %(day)s, %(action)s, %(ids)s::text[], %(price_usd)s) as charged_usd

-- name: uncount_spend
-- Takes back one deed that surely was not taken; a deed that was not counted changes nothing.
with gone as (
  delete from spend_resource
  where channel_id = %(channel_id)s and day >= %(since)s and action = %(action)s and resource_id = %(resource_id)s
  returning channel_id, day, action
)
update spend_entry e
set n_resources = greatest(e.n_resources - 1, 0), n_charged = greatest(e.n_charged - 1, 0),
    spent_usd = greatest(e.spent_usd - %(charged_usd)s::numeric, 0), updated_at = now()
from gone
where (e.channel_id, e.day, e.action) = (gone.channel_id, gone.day, gone.action)

-- name: keep_charge
-- What was booked for an attempt at a part of a reply, at the price of that moment.
insert into publication_charge (publication_id, position, attempt, action, charged_usd)
values (%(publication_id)s, %(position)s, %(attempt)s, %(action)s, %(charged_usd)s)
on conflict do nothing

-- name: drop_charge
delete from publication_charge
where (publication_id, position, attempt) = (%(publication_id)s, %(position)s, %(attempt)s)
returning action, charged_usd

-- name: spent_so_far
-- Spent and held today and this month. Of today is also what a living process took just before midnight.
with spent as (
  select coalesce(sum(spent_usd) filter (where day = %(today)s), 0) as day_usd, coalesce(sum(spent_usd), 0) as month_usd,
         coalesce(sum(n_charged) filter (where action = 'post_read'), 0)::bigint as month_post_reads
  from spend_entry where channel_id = %(channel_id)s and day between %(month)s and %(today)s
), held as (
  select coalesce(sum(held_usd) filter (where day = %(today)s or renewed_at > now() - %(alive_s)s * interval '1 second'), 0)
           as held_day_usd,
         coalesce(sum(held_usd), 0) as held_month_usd
  from spend_hold
  where channel_id = %(channel_id)s and holder is distinct from %(holder)s::uuid and day between %(month)s and %(today)s
)
select spent.*, held.* from spent, held

-- name: spend_state
select s.state, s.detail, t.needed_usd, t.goes_on_at
from (select) one
left join channel_state s on s.channel_id = %(channel_id)s and s.part = 'spend'
left join spend_stop t on t.channel_id = %(channel_id)s

-- name: set_spend_hold
insert into spend_hold (channel_id, holder, day, held_usd)
values (%(channel_id)s, %(holder)s, %(today)s, %(held_usd)s)
on conflict (channel_id, holder) do update
set day = excluded.day, held_usd = excluded.held_usd, renewed_at = now()

-- name: drop_spend_hold
delete from spend_hold where channel_id = %(channel_id)s and holder = %(holder)s

-- name: set_spend_stop
insert into spend_stop as s (channel_id, needed_usd, goes_on_at)
values (%(channel_id)s, %(needed_usd)s, %(goes_on_at)s)
on conflict (channel_id) do update
set needed_usd = least(s.needed_usd, excluded.needed_usd), goes_on_at = excluded.goes_on_at

-- name: drop_spend_stop
delete from spend_stop where channel_id = %(channel_id)s

-- name: forget_spend_resources
-- What was read before yesterday is charged again anyway; so many rows at a time.
delete from spend_resource where ctid = any (array(
  select ctid from spend_resource where channel_id = %(channel_id)s and day < %(yesterday)s limit %(top)s))

-- name: book_lost_holds
-- What a process that died held on a day that is over is booked as spent: nobody knows how much of it was.
with lost as (
  delete from spend_hold where channel_id = %(channel_id)s and day < %(yesterday)s returning channel_id, day, held_usd
)
insert into spend_entry as s (channel_id, day, action, spent_usd)
select channel_id, day, 'unaccounted', sum(held_usd) from lost group by channel_id, day
on conflict (channel_id, day, action) do update
set spent_usd = s.spent_usd + excluded.spent_usd, updated_at = now()

-- name: spend_by_action
-- What a channel spent since a day, by day and by what was paid for; the newest day first.
select day, action, n_resources, n_charged, spent_usd
from spend_entry where channel_id = %(channel_id)s and day >= %(since)s
order by day desc, action

-- name: spent_on_platforms
-- What all channels spent on a day (UTC), in USD.
select coalesce(sum(spent_usd), 0)::float8 as spent_usd from spend_entry where day = %(day)s
