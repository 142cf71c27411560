-- Visits of links that are older than they may be kept by day and by site.

-- name: fold_link_visits
-- A month of a link becomes one number each for people and programs; none is lost, so what was counted stays counted.
with old as (
  delete from link_visit
  where day < %(kept_from)s::date and (referrer_host <> 'other' or extract(day from day) <> 1)
  returning link_id, date_trunc('month', day)::date as month, is_bot, visits
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
