-- How effects stand with whoever carries them out: `settle`. `step` counts the
-- steps of a workflow that are done, `message` is what went wrong last.
ALTER TABLE outbox ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN next_attempt INTEGER;
ALTER TABLE outbox ADD COLUMN step INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN message TEXT;
ALTER TABLE outbox ADD COLUMN settled_at INTEGER;

-- `open_effects`: what is to be carried out or under way, in order.
CREATE INDEX outbox_open ON outbox (number) WHERE status IN ('waiting', 'sent', 'failed');

-- `effect` asks for one by its id alone.
CREATE INDEX outbox_by_id ON outbox (id);

-- A store that was restored from a backup carries nothing out until a person says so.
ALTER TABLE tenant ADD COLUMN dispatch_paused INTEGER NOT NULL DEFAULT 0;

-- What people are to do: `work_items`, and `complete_work_item` by id.
CREATE TABLE work_item (
    number      INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    effect      TEXT NOT NULL,
    uid         INTEGER NOT NULL,
    owner       TEXT,
    description TEXT NOT NULL,
    status      TEXT NOT NULL,
    opened_at   INTEGER NOT NULL,
    closed_at   INTEGER,
    closed_by   TEXT,
    comment     TEXT
) STRICT;

-- Withdrawing an effect closes what people were to do for it.
CREATE INDEX work_item_by_effect ON work_item (effect);

-- What idr itself has done, or is doing, with accounts: `own_changes`.
CREATE TABLE own_change (
    application     TEXT NOT NULL,
    native_identity TEXT NOT NULL,
    owner           INTEGER NOT NULL,
    under_way       TEXT,
    confirmed_at    INTEGER,
    gone            INTEGER NOT NULL,
    PRIMARY KEY (application, native_identity)
) STRICT, WITHOUT ROWID;
