-- Whom a run was asked to refresh, where that isn't who is due or everybody:
-- its selections and `next_wake` keep to them.
CREATE TABLE chosen (
    run INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    PRIMARY KEY (run, uid)
) STRICT, WITHOUT ROWID;
