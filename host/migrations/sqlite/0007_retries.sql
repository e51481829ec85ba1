-- When an identity is refreshed again because a failure may have passed by itself.
-- Apart from `wake_at`, for nothing is replayed at that moment.
ALTER TABLE identity ADD COLUMN retry_at INTEGER;

-- `due` and the selection of who is due.
CREATE INDEX identity_by_retry ON identity (retry_at)
    WHERE type <> 'workgroup' AND retry_at IS NOT NULL;
