-- What identities were: `history` of one, the latest first. One per identity and
-- instant.
CREATE TABLE identity_history (
    uid      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    -- When the next of the same identity was kept.
    until    INTEGER,
    document TEXT NOT NULL,
    PRIMARY KEY (uid, at)
) STRICT, WITHOUT ROWID;

-- `prune_history`: those that had ended by an instant, and none of the others.
CREATE INDEX identity_history_ended ON identity_history (until) WHERE until IS NOT NULL;
