-- Which model wrote a summary and with which prompt; none did where its statements are quoted, and note then says why
-- where one was asked, else what of its summary was left out. method says how summaries are made as a whole.
alter table summary
  add column model text,
  add column prompt_version text,
  add column note text not null default '',
  add check ((model is null) = (prompt_version is null));
