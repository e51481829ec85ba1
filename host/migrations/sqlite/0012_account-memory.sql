-- What idr remembers of accounts that are nobody's by now, for whoever has them
-- next: written and read by `aggregate`.
CREATE TABLE account_memory (
    application     TEXT NOT NULL,
    native_identity TEXT NOT NULL,
    document        TEXT NOT NULL,
    PRIMARY KEY (application, native_identity)
) STRICT, WITHOUT ROWID;
