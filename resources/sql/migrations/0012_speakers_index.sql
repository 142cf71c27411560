-- Who speaks is a filter of searches: without an index a rare speaker was looked for in every chunk.

create index chunk_speakers on chunk using gin (speakers);
