-- What the red team found: ways round the approval gate that are closed here.

-- A simulated person can never pass for a real one.
create function keep_person_kind() returns trigger language plpgsql as $$
begin
  if new.is_simulated is distinct from old.is_simulated or new.name is distinct from old.name then
    raise exception 'who % is cannot be changed', old.name using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger person_kind before update of is_simulated, name on person
  for each row execute function keep_person_kind();

-- A reply answers the post it was approved for: which post a row stands for never changes.
create function keep_post_identity() returns trigger language plpgsql as $$
begin
  if (new.channel_id, new.platform, new.platform_post_id)
      is distinct from (old.channel_id, old.platform, old.platform_post_id) then
    raise exception 'which post % is cannot be changed', old.id using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger post_identity before update of channel_id, platform, platform_post_id on post
  for each row execute function keep_post_identity();

-- Once something is to be sent for a review, its words are complete.
create function guard_review_part() returns trigger language plpgsql as $$
begin
  if exists (select from publication p where p.review_id = new.review_id) then
    raise exception 'review % is decided: no words can be added to it', new.review_id
      using errcode = 'insufficient_privilege';
  end if;
  return new;
end $$;
create trigger review_part_complete before insert on review_part
  for each row execute function guard_review_part();

-- Whether the reviewer may approve is asked when the words are put in and again before they are sent. Once they
-- may have gone out, an account that was shut meanwhile must not keep the publisher from writing down what
-- became of them: the words cannot change any more.
create or replace function guard_publication_part() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    if (new.text, new.sha256, new.position, new.publication_id)
        is distinct from (old.text, old.sha256, old.position, old.publication_id) then
      raise exception 'the text of a publication cannot be changed' using errcode = 'insufficient_privilege';
    end if;
    if new.state <> 'sending' or old.state = 'sending' then
      return null;
    end if;
  end if;
  if not exists (
    select from publication p
    join review r on r.id = p.review_id and r.post_id = p.post_id
    join review_part a on a.review_id = r.id and a.position = new.position
    join person d on d.id = r.reviewer_id and d.role in ('approver', 'admin') and d.is_active
    join channel c on c.id = p.channel_id
    join post o on o.id = p.post_id and o.channel_id = c.id
    where p.id = new.publication_id and r.decision = 'approved' and a.sha256 = new.sha256
      and r.is_simulated = d.is_simulated and (c.is_sandbox or not r.is_simulated)
  ) then
    raise exception 'publication %: part % was not approved with this text', new.publication_id, new.position
      using errcode = 'insufficient_privilege';
  end if;
  return null;
end $$;

-- No publication without an approval of the same post, not even an empty one.
create function guard_publication_review() returns trigger language plpgsql as $$
begin
  if not exists (
    select from review r where r.id = new.review_id and r.post_id = new.post_id and r.decision = 'approved'
  ) then
    raise exception 'publication %: post % was not approved by review %', new.id, new.post_id, new.review_id
      using errcode = 'insufficient_privilege';
  end if;
  return null;
end $$;
create constraint trigger publication_approved after insert on publication
  not deferrable for each row execute function guard_publication_review();
