-- What is to be done outside: `effects`, the latest first.
CREATE TABLE outbox (
    number   INTEGER PRIMARY KEY,
    id       TEXT NOT NULL,
    uid      INTEGER NOT NULL,
    status   TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;

-- Keeps an effect from being recorded twice, and finds what is withdrawn. It
-- begins with the uid because chunks come in order of uid and ids in none.
CREATE UNIQUE INDEX outbox_by_identity ON outbox (uid, id);
