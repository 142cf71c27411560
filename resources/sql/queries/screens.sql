-- What the review app shows beside single cases: numbers, what changed, replies that were approved.

-- name: desk_pulse
-- Changes whenever something that people look at does; cheap enough to ask every few seconds.
select (select count(*) from post where stage = 'review' and status = 'pending')::int as waiting,
       (select max(updated_at) from post) as post_changed_at,
       (select max(id) from publication_event) as last_event,
       (select max(id) from review) as last_review,
       (select max(since) from channel_state) as channel_changed_at,
       (select count(*) from notification where read_at is null)::int as unread

-- name: desk_numbers
select (select count(*) from post where stage = 'review' and status = 'pending')::int as waiting,
       (select count(*) from review where decision = 'approved' and not is_simulated and created_at >= %(day_at)s)::int
         as approved_today,
       (select count(*) from review where decision = 'rejected' and not is_simulated and created_at >= %(day_at)s)::int
         as rejected_today,
       (select count(*) from publication_event where to_state = 'sent' and created_at >= %(day_at)s)::int as sent_today,
       (select count(*) from publication where state = 'handoff')::int as handoffs,
       (select count(*) from publication where state = 'unknown')::int as unknown,
       (select count(*) from notification where read_at is null)::int as unread,
       (select count(*) from dead_letter where revived_at is null)::int as dead,
       (select coalesce(sum(spent_usd), 0) from model_spend
         where scope = 'total' and day = (%(day_at)s at time zone 'UTC')::date)::float8 as model_usd_today

-- name: list_publications
select p.id, p.post_id, p.state, p.due_at, p.attempts, p.sent_at, p.platform_id, p.platform_url, p.reason_code,
       p.detail, p.created_at, p.updated_at, p.parts_sent, a.texts, o.platform, o.author, o.community, o.url as post_url,
       o.text as post_text, o.version as post_version, c.name as channel, c.is_sandbox, d.display_name as reviewer,
       r.is_simulated
from publication p
cross join lateral (
  select array_agg(t.text order by t.position) as texts from publication_part t where t.publication_id = p.id
) a
join post o on o.id = p.post_id
join channel c on c.id = p.channel_id
join review r on r.id = p.review_id
join person d on d.id = r.reviewer_id
where %(state)s::text is null or p.state = %(state)s
order by p.updated_at desc, p.id desc
limit %(limit)s offset %(offset)s
