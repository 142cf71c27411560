CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

-- Posts of others (loaded) and replies of the account (is_own). Times are Unix seconds, UTC.
CREATE TABLE IF NOT EXISTS post (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    platform TEXT NOT NULL CHECK (platform IN ('x', 'reddit')),
    id TEXT NOT NULL,
    x_id INTEGER,                       -- the id as a number, so that since_id compares as X does
    parent_id TEXT,
    conversation_id TEXT NOT NULL,
    community TEXT COLLATE NOCASE,
    author TEXT COLLATE NOCASE,
    author_followers INTEGER,
    text TEXT NOT NULL,
    url TEXT,
    created_at REAL NOT NULL,
    metrics TEXT NOT NULL DEFAULT '{}',
    mentions TEXT NOT NULL DEFAULT '[]',
    quotes TEXT,
    is_own INTEGER NOT NULL DEFAULT 0,
    is_deleted INTEGER NOT NULL DEFAULT 0,
    is_locked INTEGER NOT NULL DEFAULT 0,
    UNIQUE (platform, id)
);
CREATE INDEX IF NOT EXISTS post_listing ON post (platform, community, created_at DESC, seq DESC);
CREATE INDEX IF NOT EXISTS post_x_id ON post (x_id) WHERE platform = 'x';
CREATE INDEX IF NOT EXISTS post_parent ON post (platform, parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS post_own ON post (platform, created_at) WHERE is_own = 1;

-- Posts of X that were read, by day since 1970-01-01 in UTC.
CREATE TABLE IF NOT EXISTS post_reads (day INTEGER PRIMARY KEY, posts INTEGER NOT NULL);

-- Which posts of X were read on the day that is today, so that each counts once.
CREATE TABLE IF NOT EXISTS read_today (x_id INTEGER PRIMARY KEY, day INTEGER NOT NULL);

-- Posts that flows have made, by their id as a number.
CREATE TABLE IF NOT EXISTS flow_post (x_id INTEGER PRIMARY KEY);

CREATE TABLE IF NOT EXISTS rule (id TEXT PRIMARY KEY, value TEXT NOT NULL UNIQUE, tag TEXT);

CREATE TABLE IF NOT EXISTS token (token TEXT PRIMARY KEY, account TEXT, expires_at REAL NOT NULL);

CREATE TABLE IF NOT EXISTS fault (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    endpoint TEXT NOT NULL, kind TEXT NOT NULL, times INTEGER NOT NULL, delay_s REAL NOT NULL
);

-- Faults that happened.
CREATE TABLE IF NOT EXISTS struck (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, endpoint TEXT NOT NULL, kind TEXT NOT NULL
);

-- What a scenario does, and when, in simulated Unix seconds; outcome says what came of it.
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, done_at REAL, outcome TEXT
);
CREATE INDEX IF NOT EXISTS event_waiting ON event (at, id) WHERE done_at IS NULL;

-- Every write request, accepted or refused; never changed after it was written.
CREATE TABLE IF NOT EXISTS witness (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL, platform TEXT NOT NULL, endpoint TEXT NOT NULL, account TEXT,
    parent_id TEXT, text TEXT, text_sha256 TEXT, platform_id TEXT, error TEXT
);
CREATE INDEX IF NOT EXISTS witness_window ON witness (platform, endpoint, at);
