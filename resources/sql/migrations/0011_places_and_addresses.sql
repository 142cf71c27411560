-- Where an input came from: the same place given again is the same input, the same name from elsewhere another one.
-- Those of the inbox and those that were sent are known by their name below it; the paths of files were not kept, so
-- the first file of that name takes the row.
alter table ingestion add column place text;
update ingestion set place = origin || '/' || name where origin in ('inbox', 'upload', 'api') and length(name) <= 480;
create unique index ingestion_place on ingestion (project_id, place);

-- Every transcript that a feed offers for an item, the best first: [{"url", "media_type", "language"}]. Where one is
-- refused the next one is tried; url is the one that is at hand.
alter table ingestion add column addresses jsonb;

-- The step that set an input aside.
alter table ingestion add column refused_step text check (refused_step in ('fetch', 'extract'));
update ingestion set refused_step = case when url is not null and raw_key is null then 'fetch' else 'extract' end
where outcome = 'quarantined';

-- Items that a look at the feed left for the next one.
alter table feed add column n_left integer not null default 0;
