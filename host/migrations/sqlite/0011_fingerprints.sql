-- An account's fingerprint becomes one of 128 bits that nobody can choose:
-- `account_marks`. `account_fingerprint` is the program's own function.
CREATE TABLE account_marked (
    application     TEXT NOT NULL,
    native_identity TEXT NOT NULL,
    -- 0 when it has none.
    owner           INTEGER NOT NULL,
    present         INTEGER NOT NULL,
    fingerprint     BLOB NOT NULL,
    PRIMARY KEY (application, native_identity)
) STRICT, WITHOUT ROWID;

-- A document that can't be read is nobody's match, and said when it is read.
INSERT INTO account_marked (application, native_identity, owner, present, fingerprint)
SELECT application, native_identity, owner, present,
    ifnull(account_fingerprint(native_identity, document), zeroblob(16))
FROM account LEFT JOIN account_document USING (owner, application, native_identity)
ORDER BY application, native_identity;

DROP TABLE account;
ALTER TABLE account_marked RENAME TO account;
