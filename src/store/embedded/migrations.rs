//! The tables, as the steps that make them. Owns every `CREATE`; a step that was released is never
//! changed, a new schema is one more entry of [`MIGRATIONS`].

/// The schema that this program writes.
pub const SCHEMA_VERSION: u32 = 4;

/// Entry N brings a file from schema N to N + 1.
pub(super) const MIGRATIONS: [&str; SCHEMA_VERSION as usize] =
    [FIRST, MONEY_AND_AUDIT, SEARCH_AND_DELETION, TICKETS_AND_RUNS];

// `queue` of a session: NULL nothing to do, 0 may be claimed, 1 may be claimed at `claimable_at`
// (leased, or set aside). The large `head` comes last, so that reading the rest never touches it.
const FIRST: &str = "
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
";

// Amounts are micro-dollars. A reservation's `body` is all of it; once closed, `closed_at` and
// `cost` say when and with what. The audit log can only be appended to: `OR REPLACE` deletes without
// asking a trigger, so an insert must also be the next one in the chain.
const MONEY_AND_AUDIT: &str = "
CREATE TABLE accounts (
  name TEXT PRIMARY KEY,
  spent INTEGER NOT NULL DEFAULT 0 CHECK (spent >= 0),
  reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0)
) WITHOUT ROWID;

CREATE TABLE reservations (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  session TEXT NOT NULL,
  closed_at INTEGER,
  cost INTEGER,
  body TEXT NOT NULL
);
CREATE INDEX reservations_open ON reservations (session, seq) WHERE closed_at IS NULL;
CREATE INDEX reservations_closed ON reservations (closed_at) WHERE closed_at IS NOT NULL;

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  entry TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE TRIGGER audit_stays BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_rewritten BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_has_no_gaps BEFORE INSERT ON audit
WHEN NEW.seq <> coalesce((SELECT max(seq) FROM audit), 0) + 1
  OR NEW.previous <> coalesce((SELECT hash FROM audit ORDER BY seq DESC LIMIT 1), '')
BEGIN SELECT RAISE(ABORT, 'a record of the audit log must continue its chain'); END;
";

// `said` holds what can be searched, in small letters: titles and what was said. The row of item P of
// session S is S * 2^32 + P, a title's has all lower bits set; see `find.rs`. (SQLite's own `lower`
// leaves capitals beyond ASCII as they are: those of older sessions are found as they were written.)
// `graves` holds hashes of what a deleted session must stay known by; see `erase.rs`.
const SEARCH_AND_DELETION: &str = "
ALTER TABLE sessions ADD COLUMN channel TEXT;
UPDATE sessions SET channel = json_extract(head, '$.origin.channel') WHERE head IS NOT NULL;

CREATE TABLE said (
  id INTEGER PRIMARY KEY,
  words TEXT NOT NULL
);
INSERT INTO said (id, words)
  SELECT (session << 32) | position, lower(substr(json_extract(body, '$.text'), 1, 20000)) FROM items
  WHERE json_extract(body, '$.item') IN ('user', 'assistant', 'summary')
    AND json_extract(body, '$.text') <> '';
INSERT INTO said (id, words)
  SELECT (session << 32) | position,
    (SELECT lower(substr(group_concat(json_extract(value, '$.text'), ' '), 1, 20000))
     FROM json_each(body, '$.lines'))
  FROM items WHERE json_extract(body, '$.item') = 'overheard' AND json_array_length(body, '$.lines') > 0;
INSERT INTO said (id, words)
  SELECT (id << 32) | 4294967295, lower(title) FROM sessions WHERE title IS NOT NULL;

CREATE TABLE graves (
  name BLOB PRIMARY KEY,
  fence INTEGER NOT NULL DEFAULT 0,
  at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX graves_at ON graves (at);
CREATE INDEX deliveries_closed ON deliveries (due) WHERE outcome IS NOT NULL;
";

// A ticket that is held is due when its hold runs out, so a watcher that died is followed by the next one.
// `words` of a run is what it can be found by, in small letters.
const TICKETS_AND_RUNS: &str = "
CREATE TABLE tickets (
  id TEXT PRIMARY KEY,
  session TEXT NOT NULL,
  door TEXT NOT NULL,
  due INTEGER NOT NULL,
  held_until INTEGER NOT NULL DEFAULT 0,
  fence INTEGER NOT NULL DEFAULT 0,
  claims INTEGER NOT NULL DEFAULT 0,
  closed_at INTEGER,
  memo TEXT,
  body TEXT NOT NULL
);
CREATE INDEX tickets_due ON tickets (door, due) WHERE closed_at IS NULL;
CREATE INDEX tickets_open ON tickets (session) WHERE closed_at IS NULL;
CREATE INDEX tickets_closed ON tickets (closed_at) WHERE closed_at IS NOT NULL;

CREATE TABLE ticket_requests (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  ticket TEXT NOT NULL REFERENCES tickets (id),
  answered_at INTEGER,
  body TEXT NOT NULL
);
CREATE INDEX ticket_requests_open ON ticket_requests (ticket, seq) WHERE answered_at IS NULL;

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  session TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  words TEXT NOT NULL,
  body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX runs_newest ON runs (started_at);
";
