-- When an identity was last changed by anything but a refresh: `last_times`.
ALTER TABLE identity ADD COLUMN modified_at INTEGER;

-- When an identity was last refreshed: `last_times`. Apart from `identity`, so
-- that a refresh of everybody in which nothing changes writes few pages.
CREATE TABLE last_refresh (
    uid INTEGER PRIMARY KEY,
    at  INTEGER NOT NULL
) STRICT;
