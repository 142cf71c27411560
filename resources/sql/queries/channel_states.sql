-- name: set_channel_state
-- since is when the state began: the same state again keeps it.
insert into channel_state as s (channel_id, part, state, detail) values (%(channel_id)s, %(part)s, %(state)s, %(detail)s)
on conflict (channel_id, part) do update
set since = case when s.state = excluded.state then s.since else now() end,
    state = excluded.state, detail = excluded.detail, updated_at = now()

-- name: channel_states
select s.channel_id, c.name as channel, s.part, s.state, s.detail, s.since, s.updated_at
from channel_state s join channel c on c.id = s.channel_id
where c.is_enabled
order by c.id, s.part
