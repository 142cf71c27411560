-- Opt-outs of a rehearsal hold on sandbox channels only, a real one holds everywhere. And who is left alone is known by
-- the platform's id of the author too, where it tells one, since a handle can be changed.
alter table post add column author_id text;
create index post_author_id on post (platform, author_id) where author_id is not null;

alter table opt_out
  add column is_rehearsal boolean not null default false,
  add column author_id text;
-- An earlier one names only the post where it was heard first: whoever was blocked by a person too, or asked again on the
-- platform, left no other row. So it is a rehearsal's where no person had a hand in it and no post of a real channel can
-- be the author's, purged ones included, which name nobody. All others go on holding everywhere.
update opt_out o set is_rehearsal = true
from post p join channel c on c.id = p.channel_id
where p.id = o.post_id and c.is_sandbox and o.person_id is null
  and not exists (
    select from post q join channel d on d.id = q.channel_id
    where not d.is_sandbox and q.platform = o.platform and q.author is null)
  and not exists (
    select from post q join channel d on d.id = q.channel_id
    where not d.is_sandbox and q.platform = o.platform and lower(q.author) = lower(o.author));
-- A handle may be taken over: whoever asks under it is an author of its own.
alter table opt_out drop constraint opt_out_pkey,
  add constraint opt_out_author unique nulls not distinct (platform, author, is_rehearsal, author_id);
create index opt_out_author_id on opt_out (platform, author_id) where author_id is not null;

-- Posts whose authors are not left alone, by handle or by id: the one place that says who is. Read as a whole it costs
-- two hash joins, whatever the number of posts.
create view willing_post as
select p.id, p.channel_id, p.status, p.gone_at from post p join channel c on c.id = p.channel_id
where not exists (
    select from opt_out x
    where x.platform = p.platform and lower(x.author) = lower(p.author) and (c.is_sandbox or not x.is_rehearsal))
  and not exists (
    select from opt_out x
    where x.platform = p.platform and x.author_id = p.author_id and (c.is_sandbox or not x.is_rehearsal));

-- The same of one post, for statements that look at few: it is a call for each. Its body is bound here, so that no
-- caller's search_path leads it astray.
create function is_left_alone(o post) returns boolean language sql stable
return not exists (select from willing_post w where w.id = o.id);

-- An id that was learnt stays, and so does where an opt-out holds.
create or replace function keep_asked_opt_out() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  if old.is_asked and (tg_op = 'DELETE'
      or (new.platform, new.author, new.is_asked, new.is_rehearsal)
        is distinct from (old.platform, old.author, old.is_asked, old.is_rehearsal)
      or (old.author_id is not null and new.author_id is distinct from old.author_id)) then
    raise exception '% asked to be left alone on %: this stays', old.author, old.platform
      using errcode = 'insufficient_privilege';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end $$;

create or replace view trainable_post as
select p.id from willing_post p join channel_policy c on c.channel_id = p.channel_id
where c.may_train and p.gone_at is null and p.status <> 'withdrawn';
create or replace view profilable_post as
select p.id from willing_post p join channel_policy c on c.channel_id = p.channel_id
where c.may_profile and p.gone_at is null and p.status <> 'withdrawn';
grant select on willing_post to rejoinder_may_run, rejoinder_may_publish;
