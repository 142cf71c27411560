-- What an author asked for is honoured for ever: only what a person put on the block list can be taken off it. A person
-- who blocks somebody who then asks to be left alone makes the row one that was asked for; there is no way back.
create function keep_asked_opt_out() returns trigger language plpgsql as $$
begin
  if old.is_asked and (tg_op = 'DELETE'
      or (new.platform, new.author, new.is_asked) is distinct from (old.platform, old.author, old.is_asked)) then
    raise exception '% asked to be left alone on %: this stays', old.author, old.platform
      using errcode = 'insufficient_privilege';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end $$;
create trigger opt_out_keep before update or delete on opt_out for each row execute function keep_asked_opt_out();
