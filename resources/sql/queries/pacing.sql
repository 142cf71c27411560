-- How fast an account may go: the limits of its platform, counted with each claim, corrected by each answer.

-- name: open_rate_window
insert into rate_window (account_key, action, name, limit_count, length_s, reset_at)
values (%(account_key)s, %(action)s, %(name)s, %(limit_count)s, %(length_s)s, %(now)s)
on conflict (account_key, action, name) do nothing

-- name: lock_rate_windows
select name, limit_count, used_count, reset_at from rate_window
where account_key = %(account_key)s and action = %(action)s
order by name
for update

-- name: count_call
-- A window that is over starts anew with this call; a hold is no window and counts nothing.
update rate_window
set used_count = case when reset_at <= %(now)s then 1 else used_count + 1 end,
    reset_at = case when reset_at <= %(now)s then %(now)s + make_interval(secs => length_s) else reset_at end,
    updated_at = now()
where account_key = %(account_key)s and action = %(action)s and name not like 'hold:%%'

-- name: set_rate_window
insert into rate_window (account_key, action, name, limit_count, used_count, length_s, reset_at)
values (%(account_key)s, %(action)s, %(name)s, %(limit_count)s, %(used_count)s, %(length_s)s, %(reset_at)s)
on conflict (account_key, action, name) do update
set limit_count = excluded.limit_count, used_count = excluded.used_count, length_s = excluded.length_s,
    reset_at = excluded.reset_at, updated_at = now()
