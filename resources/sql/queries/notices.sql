-- name: unread_notifications
select id, kind, message, entity_type, entity_id, created_at from notification
where read_at is null order by id desc limit %(top)s

-- name: list_notifications
-- post_id is where people find what a notice is about, where that is a post or a reply.
select n.id, n.kind, n.message, n.entity_type, n.entity_id, n.created_at, n.ended_at, n.read_at,
       case n.entity_type when 'post' then n.entity_id when 'publication' then p.post_id end as post_id
from notification n left join publication p on n.entity_type = 'publication' and p.id = n.entity_id
where %(with_read)s or n.read_at is null
order by n.id desc limit %(top)s

-- name: count_unread_by_kind
select kind, count(*)::int as n, max(created_at) as last_at from notification where read_at is null group by kind order by kind

-- name: mark_notifications_read
update notification set read_at = now()
where read_at is null and (%(ids)s::bigint[] is null or id = any(%(ids)s)) and (%(kind)s::text is null or kind = %(kind)s)
returning id

-- name: list_dead_letters
select item_table, item_id, step, reason, created_at from dead_letter
where revived_at is null order by id desc limit %(top)s

-- name: count_publications
select state, count(*)::int as n from publication group by state order by state
