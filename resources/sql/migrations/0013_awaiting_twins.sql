-- A source that is searched until a better twin has its vectors is no twin yet: it keeps its keywords, its place in its
-- month and its turn when postings are made anew.
alter table source add column awaits_twin bigint references source on delete set null;
alter table source add check (awaits_twin <> id);
alter table source add check (twin_of is null or awaits_twin is null);
create index source_awaiting on source (awaits_twin) where awaits_twin is not null;

-- Those that were called twins while they waited still have chunks; where the better one has its vectors by now they
-- are out of the index like any twin.
update chunk c set is_current = false
from source s join source better on better.id = s.twin_of
where c.source_id = s.id and c.is_current and better.step in ('keywords', 'ready') and better.twin_of is null;
update source s set awaits_twin = s.twin_of, twin_of = null
where s.twin_of is not null and exists (select from chunk c where c.source_id = s.id and c.is_current);
