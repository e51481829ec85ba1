-- Unique values: `holder` asks by value, `claims` lists them in order.
CREATE TABLE claim (
    namespace TEXT NOT NULL,
    -- Case-folded.
    value     TEXT NOT NULL,
    -- 0 when it is reserved.
    uid       INTEGER NOT NULL,
    PRIMARY KEY (namespace, value)
) STRICT, WITHOUT ROWID;

-- `claims` of one identity, and `edit_claims`, which gives them to another.
CREATE INDEX claim_by_identity ON claim (uid);
