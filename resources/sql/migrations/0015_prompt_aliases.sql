-- Which version of a task's prompt is used: two aliases per task, changed here or in MLflow.

-- body holds the whole file from here on; in rows of earlier versions its sections only, until the next start writes
-- the file over them.
alter table prompt_version
  add column demos jsonb not null default '[]' check (jsonb_typeof(demos) = 'array'),
  -- null: MLflow's registry does not have it yet
  add column registered_at timestamptz,
  add unique (task, version);

create table prompt_alias (
  task text not null,
  alias text not null check (alias in ('champion', 'challenger')),
  -- null: nobody carries it; the champion can only be replaced. Unique: no version carries both.
  version text unique,
  -- who carried it before, to go back to
  previous text,
  -- who carried it when PostgreSQL and MLflow last agreed: whoever differs from this has changed it since
  agreed text,
  changed_at timestamptz not null default now(),
  primary key (task, alias),
  check (alias = 'challenger' or version is not null),
  foreign key (task, version) references prompt_version (task, version),
  foreign key (task, previous) references prompt_version (task, version)
);

insert into prompt_alias (task, alias, version, agreed)
select distinct on (task) task, 'champion', version, version
from prompt_version where is_champion order by task, created_at desc;

alter table prompt_version drop column is_champion;

create index draft_prompt_version on draft (prompt_version);
create index model_run_prompt_version on model_run (prompt_version) where prompt_version is not null;

grant select, insert, update on prompt_alias to rejoinder_may_run;
