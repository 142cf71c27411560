-- Visits of links that are older than they may be kept by day and by site.

-- name: fold_link_visits
-- A month of a link becomes one number each for people and programs; none is lost, so what was counted stays counted. So
-- many rows at a time, as there may be millions of them when it is done for the first time.
with slice as (
  select link_id, day, referrer_host, is_bot from link_visit
  where day < %(kept_from)s::date and (referrer_host <> 'other' or extract(day from day) <> 1)
  order by day limit %(top)s
  for update skip locked
), old as (
  delete from link_visit v using slice
  where (v.link_id, v.day, v.referrer_host, v.is_bot) = (slice.link_id, slice.day, slice.referrer_host, slice.is_bot)
  returning v.link_id, date_trunc('month', v.day)::date as month, v.is_bot, v.visits
), kept as (
  insert into link_visit (link_id, day, referrer_host, is_bot, visits)
  select link_id, month, 'other', is_bot, sum(visits)::bigint from old group by link_id, month, is_bot
  on conflict (link_id, day, referrer_host, is_bot) do update set visits = link_visit.visits + excluded.visits
  returning link_id
)
select (select count(*) from old)::int as folded, (select count(*) from kept)::int as months

-- name: count_link_visits_to_fold
select count(*)::int as n from link_visit
where day < %(kept_from)s::date and (referrer_host <> 'other' or extract(day from day) <> 1)
