-- The tables as the first release made them. Frozen: files like this exist.
CREATE TABLE sessions (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  door TEXT NOT NULL,
  fence INTEGER NOT NULL DEFAULT 0,
  lease_until INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER NOT NULL DEFAULT 0,
  queue INTEGER,
  claimable_at INTEGER NOT NULL DEFAULT 0,
  waiting_since INTEGER,
  unread INTEGER NOT NULL DEFAULT 0,
  wants INTEGER NOT NULL DEFAULT 0,
  last_seq INTEGER NOT NULL DEFAULT 0,
  claimed_seq INTEGER NOT NULL DEFAULT 0,
  items INTEGER NOT NULL DEFAULT 0,
  turns INTEGER NOT NULL DEFAULT 0,
  updated_at INTEGER NOT NULL DEFAULT 0,
  title TEXT,
  head TEXT
);
CREATE INDEX sessions_ready ON sessions (door, waiting_since) WHERE queue = 0;
CREATE INDEX sessions_deferred ON sessions (door, claimable_at) WHERE queue = 1;
CREATE INDEX sessions_held ON sessions (door, lease_until) WHERE lease_until > 0;
CREATE INDEX sessions_newest ON sessions (updated_at) WHERE head IS NOT NULL;

CREATE TABLE items (
  session INTEGER NOT NULL REFERENCES sessions (id),
  position INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (session, position)
) WITHOUT ROWID;

CREATE TABLE operations (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  session INTEGER NOT NULL REFERENCES sessions (id),
  consumed_at INTEGER,
  body TEXT
);
CREATE INDEX operations_unread ON operations (session, seq) WHERE consumed_at IS NULL;
CREATE INDEX operations_consumed ON operations (consumed_at) WHERE consumed_at IS NOT NULL;

CREATE TABLE later (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX later_at ON later (at);

CREATE TABLE deliveries (
  id TEXT PRIMARY KEY,
  destination TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due INTEGER NOT NULL,
  outcome TEXT,
  detail TEXT,
  notice TEXT
);
CREATE INDEX deliveries_due ON deliveries (due) WHERE outcome IS NULL;
PRAGMA user_version = 1;
