-- name: unread_notifications
select id, kind, message, entity_type, entity_id, created_at from notification
where read_at is null order by id desc limit %(top)s

-- name: list_dead_letters
select item_table, item_id, step, reason, created_at from dead_letter
where revived_at is null order by id desc limit %(top)s

-- name: count_publications
select state, count(*)::int as n from publication group by state order by state
