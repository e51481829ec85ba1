-- What identities were: `history` of one, the latest first; `prune_history` those
-- that had ended by an instant. One per identity and instant.
CREATE TABLE identity_history (
    uid      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (uid, at)
) STRICT, WITHOUT ROWID;

-- `prune_history`: what is old enough at all.
CREATE INDEX identity_history_by_time ON identity_history (at);
