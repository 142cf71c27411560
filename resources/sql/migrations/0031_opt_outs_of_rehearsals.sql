-- Opt-outs of a rehearsal hold on sandbox channels only, a real one holds everywhere. And who is left alone is known by
-- the platform's id of the author too, where it tells one, since a handle can be changed.
alter table post add column author_id text;
create index post_author_id on post (platform, author_id) where author_id is not null;

alter table opt_out
  add column is_rehearsal boolean not null default false,
  add column author_id text;
-- Of earlier ones the post tells where they were heard. Where that is not known they go on holding everywhere.
update opt_out o set is_rehearsal = true
from post p join channel c on c.id = p.channel_id
where p.id = o.post_id and c.is_sandbox;
alter table opt_out drop constraint opt_out_pkey, add primary key (platform, author, is_rehearsal);
create index opt_out_author_id on opt_out (platform, author_id) where author_id is not null;

-- Whether the author of a post is left alone, by handle or by id. The one place that says so.
create function is_left_alone(o post) returns boolean language sql stable as $$
  select exists (
      select from opt_out x
      where x.platform = o.platform and lower(x.author) = lower(o.author)
        and (not x.is_rehearsal or (select c.is_sandbox from channel c where c.id = o.channel_id)))
    or exists (
      select from opt_out x
      where x.platform = o.platform and x.author_id = o.author_id
        and (not x.is_rehearsal or (select c.is_sandbox from channel c where c.id = o.channel_id)))
$$;

-- An id that was learnt stays, and so does where an opt-out holds.
create or replace function keep_asked_opt_out() returns trigger language plpgsql as $$
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
select p.id from post p join channel_policy c on c.channel_id = p.channel_id
where c.may_train and p.gone_at is null and p.status <> 'withdrawn' and not is_left_alone(p);
create or replace view profilable_post as
select p.id from post p join channel_policy c on c.channel_id = p.channel_id
where c.may_profile and p.gone_at is null and p.status <> 'withdrawn' and not is_left_alone(p);
