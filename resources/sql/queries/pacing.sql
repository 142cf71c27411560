-- How fast an account may go: the limits of its platform, counted with each claim, corrected by each answer.

-- name: database_time
select clock_timestamp()

-- name: open_rate_windows
insert into rate_window (account_key, action, name, limit_count, length_s, reset_at)
select %(account_key)s, %(action)s, own.name, own.limit_count, own.length_s, %(now)s
from unnest(%(names)s::text[], %(limit_counts)s::int[], %(lengths_s)s::int[]) as own(name, limit_count, length_s)
on conflict (account_key, action, name) do nothing

-- name: lock_rate_windows
select name, limit_count, used_count, reset_at from rate_window
where account_key = %(account_key)s and action = %(action)s
order by name
for update

-- name: count_call
-- One call more. Of our own windows every stretch of their length counts, so what matters is the oldest call that has
-- to be over before the next one; a window that was reported starts anew with this call once it is over.
with called as (
  insert into rate_call (account_key, action, called_at) values (%(account_key)s, %(action)s, %(now)s)
)
update rate_window w
set used_count = case
      when w.name like 'reported:%%' then case when w.reset_at <= %(now)s then 1 else w.used_count + 1 end
      else 1 + (
        select count(*) from rate_call c
        where (c.account_key, c.action) = (w.account_key, w.action)
          and c.called_at > %(now)s - make_interval(secs => w.length_s))
    end,
    reset_at = case
      when w.name like 'reported:%%' and w.reset_at > %(now)s then w.reset_at
      when w.name like 'reported:%%' or w.limit_count = 1 then %(now)s + make_interval(secs => w.length_s)
      else make_interval(secs => w.length_s) + coalesce(
        (select c.called_at from rate_call c
         where (c.account_key, c.action) = (w.account_key, w.action)
           and c.called_at > %(now)s - make_interval(secs => w.length_s)
         order by c.called_at desc offset greatest(w.limit_count - 2, 0) limit 1),
        (select min(c.called_at) from rate_call c
         where (c.account_key, c.action) = (w.account_key, w.action)
           and c.called_at > %(now)s - make_interval(secs => w.length_s)),
        %(now)s)
    end,
    updated_at = now()
where w.account_key = %(account_key)s and w.action = %(action)s and w.name not like 'hold:%%'
  and w.name not like 'channel:%%'

-- name: room_from
-- When every window has room for so many calls at once: for our own, once the call before the last that may still count
-- is over. Of a window that has fewer in all, when it is free.
select max(case
    when w.name like 'reported:%%' then w.reset_at
    else make_interval(secs => w.length_s) + (
      select c.called_at from rate_call c
      where (c.account_key, c.action) = (w.account_key, w.action)
        and c.called_at > %(now)s - make_interval(secs => w.length_s)
      order by c.called_at desc offset w.limit_count - least(%(calls)s, w.limit_count) limit 1)
  end)
from rate_window w
where w.account_key = %(account_key)s and w.action = %(action)s and w.name not like 'hold:%%'
  and w.name not like 'channel:%%'
  and (w.name not like 'reported:%%'
    or (w.reset_at > %(now)s and w.limit_count - w.used_count < least(%(calls)s, w.limit_count)))

-- name: forget_calls
-- No window is longer than a day.
delete from rate_call where called_at < %(before)s

-- name: report_rate_window
-- What a platform says of a window. Calls since the last answer stay counted: in one and the same window an answer
-- that was overtaken by another cannot give them back. A window with another end is a new one.
insert into rate_window as w (account_key, action, name, limit_count, used_count, length_s, reset_at)
values (%(account_key)s, %(action)s, %(name)s, %(limit_count)s, %(used_count)s, %(length_s)s, %(reset_at)s)
on conflict (account_key, action, name) do update
set limit_count = excluded.limit_count, length_s = excluded.length_s, reset_at = excluded.reset_at, updated_at = now(),
    used_count = case
      when excluded.reset_at between w.reset_at - interval '2 s' and w.reset_at + interval '2 s'
      then greatest(w.used_count, excluded.used_count) else excluded.used_count end

-- name: set_rate_window
-- A hold is never shortened by another of its kind: of two replies in hand at once one may have been told less.
insert into rate_window (account_key, action, name, limit_count, used_count, length_s, reset_at)
values (%(account_key)s, %(action)s, %(name)s, %(limit_count)s, %(used_count)s, %(length_s)s, %(reset_at)s)
on conflict (account_key, action, name) do update
set limit_count = excluded.limit_count, used_count = excluded.used_count, length_s = excluded.length_s,
    reset_at = greatest(rate_window.reset_at, excluded.reset_at), updated_at = now()

-- name: end_hold
update rate_window set reset_at = %(now)s, updated_at = now()
where account_key = %(account_key)s and action = %(action)s and name = %(name)s and reset_at > %(now)s

-- name: all_rate_windows
select account_key, action, name, limit_count, used_count, reset_at, length_s from rate_window
order by account_key, action, name

-- name: waiting_publications
-- What a publisher would have to do on each channel that is enabled, and when the next of it is due.
select c.id as channel_id,
       count(*) filter (where p.state = 'queued')::int as queued,
       count(*) filter (where p.state = 'queued' and p.due_at <= %(now)s)::int as due,
       count(*) filter (where p.state = 'sending')::int as sending,
       count(*) filter (where p.state = 'unknown' and p.due_at <= %(now)s)::int as to_read_back,
       min(p.due_at) filter (where p.state = 'queued') as next_due_at,
       coalesce(bool_or(p.state = 'queued' and p.parts_sent > 0), false) as is_begun,
       min(p.due_at) filter (where p.state = 'unknown') as next_read_back_at
from channel c
left join publication p on p.channel_id = c.id and p.state in ('queued', 'sending', 'unknown')
  and not (p.state = 'unknown' and p.reason_code is not distinct from 'read_back_absent')
where c.is_enabled
group by c.id
order by c.id
