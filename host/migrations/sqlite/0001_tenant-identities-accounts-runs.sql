-- One file is one tenant. Documents are JSON text as `store::codec` writes them.
-- What stands in columns beside a document is there for a query, which is named.
-- Instants are milliseconds since 1970 UTC; words are those of documents.

-- The tenant as a whole: `tenant`. `last_as_of` stands apart from the document
-- because every chunk that is applied raises it.
CREATE TABLE tenant (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    last_as_of INTEGER,
    document   TEXT NOT NULL
) STRICT;

-- Adopted configurations: `configuration` asks by digest, and `adopt` whether it
-- is there already.
CREATE TABLE configuration (
    digest TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Their files: `configuration` reads all of one.
CREATE TABLE configuration_file (
    configuration TEXT NOT NULL,
    path          TEXT NOT NULL,
    content       BLOB NOT NULL,
    PRIMARY KEY (configuration, path)
) STRICT, WITHOUT ROWID;

-- The content of files, by sha256: configurations share what they have in common.
CREATE TABLE content (
    digest BLOB PRIMARY KEY,
    bytes  BLOB NOT NULL
) STRICT;

-- What selection, skipping and counting need of an identity. Kept apart from the
-- document so that they never read one: `select`, `due`, `population`, `managers`.
CREATE TABLE identity (
    -- Given in input order and never used again.
    uid            INTEGER PRIMARY KEY AUTOINCREMENT,
    name           TEXT NOT NULL,
    type           TEXT NOT NULL,
    inactive       INTEGER NOT NULL,
    has_roles      INTEGER NOT NULL,
    manager        INTEGER,
    input_version  INTEGER NOT NULL,
    identity_read  INTEGER NOT NULL,
    access_read    INTEGER NOT NULL,
    state_version  INTEGER NOT NULL,
    events_read    INTEGER NOT NULL,
    wake_at        INTEGER
) STRICT;

-- `named`; keeps names unique.
CREATE UNIQUE INDEX identity_by_name ON identity (name);

-- `due` and the selection of who is due: whose inputs have changed.
CREATE INDEX identity_due ON identity (uid)
    WHERE type <> 'workgroup'
      AND (input_version <> identity_read OR input_version <> access_read);

-- `next_wake`, `due` and the selection of who is due or wakes at an instant.
CREATE INDEX identity_by_wake ON identity (wake_at)
    WHERE type <> 'workgroup' AND wake_at IS NOT NULL;

-- `events_pending`.
CREATE INDEX identity_events_pending ON identity (uid)
    WHERE type <> 'workgroup' AND state_version <> events_read;

-- The identities themselves: `read_chunk` in order of uid, `attribute_of` one
-- by uid, `list` those that a filter may mean.
CREATE TABLE identity_document (
    uid      INTEGER PRIMARY KEY,
    document TEXT NOT NULL
) STRICT;

-- The look-up index: `find` asks by attribute and case-folded value.
CREATE TABLE identity_lookup (
    attribute TEXT NOT NULL,
    value     TEXT NOT NULL,
    uid       INTEGER NOT NULL,
    PRIMARY KEY (attribute, value, uid)
) STRICT, WITHOUT ROWID;

-- Reads of others: the selection of readers asks who has read a changed key,
-- `aggregate` who has looked for the name of a new identity.
CREATE TABLE identity_read (
    key_hash INTEGER NOT NULL,
    uid      INTEGER NOT NULL,
    PRIMARY KEY (key_hash, uid)
) STRICT, WITHOUT ROWID;

-- What was changed that others may have read, since readers were last selected:
-- one row per chunk, each key hash as eight bytes, little-endian.
CREATE TABLE changed_keys (
    number     INTEGER PRIMARY KEY,
    key_hashes BLOB NOT NULL
) STRICT;

-- What aggregation knows of an account without reading it:
-- `account_fingerprints`; and by key its owner, under whom the document lies.
CREATE TABLE account (
    application     TEXT NOT NULL,
    native_identity TEXT NOT NULL,
    -- 0 when it has none.
    owner           INTEGER NOT NULL,
    present         INTEGER NOT NULL,
    fingerprint     INTEGER NOT NULL,
    PRIMARY KEY (application, native_identity)
) STRICT, WITHOUT ROWID;

-- The accounts themselves, each identity's side by side and in order, so that
-- `read_chunk` reads those of many identities in one go.
CREATE TABLE account_document (
    owner           INTEGER NOT NULL,
    application     TEXT NOT NULL,
    native_identity TEXT NOT NULL,
    document        TEXT NOT NULL,
    PRIMARY KEY (owner, application, native_identity)
) STRICT, WITHOUT ROWID;

-- What accounts without an owner look for, unless a person keeps them apart:
-- `correlatable` meets it with the look-up index.
CREATE TABLE account_lookup (
    application     TEXT NOT NULL,
    native_identity TEXT NOT NULL,
    attribute       TEXT NOT NULL,
    value           TEXT NOT NULL,
    PRIMARY KEY (application, native_identity, attribute, value)
) STRICT, WITHOUT ROWID;

-- Runs: `run` by number, `runs` the latest first. The status stands apart for
-- `begin_run`, which drops what runs that are over have left behind.
CREATE TABLE run (
    id       INTEGER PRIMARY KEY,
    status   TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;

-- Whom a run is about: `selected`.
CREATE TABLE selection (
    run INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    PRIMARY KEY (run, uid)
) STRICT, WITHOUT ROWID;

-- What a run has planned: `spooled`.
CREATE TABLE spool (
    run      INTEGER NOT NULL,
    uid      INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (run, uid)
) STRICT, WITHOUT ROWID;

-- Aggregations: `aggregation` by number, `aggregations` the latest first.
CREATE TABLE aggregation (
    id       INTEGER PRIMARY KEY,
    document TEXT NOT NULL
) STRICT;

-- What an aggregation wants to do: `staged`.
CREATE TABLE stage (
    aggregation INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    document    TEXT NOT NULL,
    PRIMARY KEY (aggregation, position)
) STRICT, WITHOUT ROWID;

-- Events as recorded: `events`, the latest first.
CREATE TABLE event (
    number   INTEGER PRIMARY KEY,
    id       TEXT NOT NULL,
    uid      INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    trigger  TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;

-- `events` of one identity; keeps an event from being recorded twice. It begins
-- with the uid because chunks come in order of uid and ids in none.
CREATE UNIQUE INDEX event_by_identity ON event (uid, sequence, id);

-- Findings, open and closed: `findings`.
CREATE TABLE finding (
    number      INTEGER PRIMARY KEY,
    -- The identity that it is about, or else the application.
    uid         INTEGER,
    application TEXT NOT NULL,
    -- 0 is the most severe.
    severity    INTEGER NOT NULL,
    phase       TEXT NOT NULL,
    subject     TEXT NOT NULL,
    cause       TEXT NOT NULL,
    message     TEXT NOT NULL,
    hint        TEXT,
    first_seen  INTEGER NOT NULL,
    closed_at   INTEGER
) STRICT;

-- What is open: `open_findings`, `findings`, and `apply` and
-- `set_application_findings` for one identity or application.
CREATE INDEX finding_open ON finding (uid, application) WHERE closed_at IS NULL;

-- What people did: `audit_entries`, the latest first.
CREATE TABLE audit (
    number  INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason  TEXT NOT NULL
) STRICT;

INSERT INTO tenant (one, document) VALUES (1, '{}');
