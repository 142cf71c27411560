-- Links in replies: addresses of our own, how often they were followed, what visitors did, and what a reviewer is told.

-- name: tracked_links_of
select post_id, target, address from tracked_link where post_id = any (%(post_ids)s)

-- name: save_tracked_link
insert into tracked_link (code, address, target, post_id, source_id)
values (%(code)s, %(address)s, %(target)s, %(post_id)s, %(source_id)s)
on conflict (post_id, target) do nothing
returning id

-- name: follow_link
-- Where it leads, counted where that is wanted. A day has so many sites by name and one for all others, so that nobody
-- can fill the table by naming sites.
with found as (
  select id, target from tracked_link where code = %(code)s
), named as (
  select found.id,
         case when %(referrer_host)s = '' or exists (
                select from link_visit v
                where v.link_id = found.id and v.day = %(day)s::date and v.referrer_host = %(referrer_host)s)
              or (select count(distinct v.referrer_host) from link_visit v
                  where v.link_id = found.id and v.day = %(day)s::date) < %(most_hosts)s::bigint
         then %(referrer_host)s else %(other)s end as referrer_host
  from found where %(is_counted)s::boolean
), counted as (
  insert into link_visit (link_id, day, referrer_host, is_bot)
  select named.id, %(day)s::date, named.referrer_host, %(is_bot)s::boolean from named
  on conflict (link_id, day, referrer_host, is_bot) do update set visits = link_visit.visits + 1
  returning link_id
)
select found.target, (select count(*) from counted)::int as counted from found

-- name: link_of_project
-- By its code or by the whole address.
select t.id
from tracked_link t
join post p on p.id = t.post_id
join channel c on c.id = p.channel_id
where (t.code = %(link)s or t.address = %(link)s) and c.project_id = %(project_id)s

-- name: save_conversion
insert into conversion (project_id, external_id, link_id, kind, value_usd, occurred_at)
values (%(project_id)s, %(external_id)s, %(link_id)s, %(kind)s, %(value_usd)s, %(occurred_at)s)
on conflict (project_id, external_id) do nothing
returning id

-- name: find_conversion
select link_id, kind, value_usd, occurred_at from conversion
where project_id = %(project_id)s and external_id = %(external_id)s

-- name: with_tracked_links
select distinct a.publication_id
from publication_part a
join publication p on p.id = a.publication_id
join tracked_link t on t.post_id = p.post_id and strpos(a.text, t.address) > 0
where a.publication_id = any (%(publication_ids)s)
order by a.publication_id

-- name: conversions_of
-- A link counts for a publication whose words have it. Bots are no visitors. Conversions count up to an age of the reply,
-- where one is given.
with linked as (
  select distinct a.publication_id, t.id as link_id
  from publication_part a
  join publication p on p.id = a.publication_id
  join tracked_link t on t.post_id = p.post_id and strpos(a.text, t.address) > 0
  where a.publication_id = any (%(publication_ids)s)
)
select asked.id as publication_id,
       coalesce((select sum(v.visits) from linked l join link_visit v on v.link_id = l.link_id and not v.is_bot
                 where l.publication_id = asked.id), 0)::bigint as visits,
       told.conversions, told.value_usd
from unnest(%(publication_ids)s::bigint[]) as asked(id)
cross join lateral (
  select count(*)::bigint as conversions, coalesce(sum(c.value_usd), 0)::float8 as value_usd
  from linked l
  join publication p on p.id = l.publication_id
  join conversion c on c.link_id = l.link_id
  where l.publication_id = asked.id
    and (%(age_s)s::integer is null or c.occurred_at <= p.sent_at + make_interval(secs => %(age_s)s::integer))
) told

-- name: case_link
-- What was proposed for the latest draft about a post as it stands, and what that quotes; before the rest, the best.
-- Its address is the one of when it was drafted: settings may have changed since.
with latest as (
  select d.id, d.decision_id, d.text from draft d join post p on p.id = d.post_id and p.round = d.round
  where d.post_id = %(post_id)s order by d.version desc limit 1
)
select d.text as draft_text, n.is_link_proposed, n.link_reason, n.price_usd::float8 as price_usd,
       n.price_with_link_usd::float8 as price_with_link_usd,
       v.quote, v.start_s, v.speaker, s.title as source_title, s.url as source_url, c.id as chunk_id, c.source_id,
       (select q.address from draft_evidence q join draft x on x.id = q.draft_id
        where x.post_id = v.post_id and q.evidence_id = v.id and q.address is not null
        order by q.draft_id desc limit 1) as drafted_address
from latest d
left join decision n on n.id = d.decision_id
cross join evidence v
join claim m on m.id = v.claim_id
join post p on p.id = v.post_id and p.round = m.round
join chunk c on c.id = v.chunk_id
join source s on s.id = c.source_id
where v.post_id = %(post_id)s
order by exists (select from draft_evidence q where q.draft_id = d.id and q.evidence_id = v.id) desc, v.score desc,
         v.position
limit 1

-- name: link_report
select t.code, t.address, t.target, t.post_id, t.created_at,
       coalesce((select sum(v.visits) from link_visit v where v.link_id = t.id and not v.is_bot), 0)::bigint as visits,
       coalesce((select sum(v.visits) from link_visit v where v.link_id = t.id and v.is_bot), 0)::bigint as bot_visits,
       (select count(*) from conversion c where c.link_id = t.id)::bigint as conversions,
       coalesce((select sum(c.value_usd) from conversion c where c.link_id = t.id), 0)::float8 as value_usd
from tracked_link t
join post p on p.id = t.post_id
join channel c on c.id = p.channel_id
where c.project_id = %(project_id)s
order by t.id desc
limit %(top)s

-- name: purge_tracked_links
-- What may stand in a reply goes on leading readers to the source; what nobody can have been given goes.
delete from tracked_link t
where t.post_id = any (%(ids)s)
  and not exists (
    select from publication p where p.post_id = t.post_id and (p.first_sending_at is not null or p.state in ('handoff', 'sent'))
  )
