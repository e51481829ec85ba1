-- How far a run has come, noted once a second for other processes: `progress`.
CREATE TABLE progress (
    run        INTEGER PRIMARY KEY,
    done       INTEGER NOT NULL,
    of         INTEGER NOT NULL,
    step_ms    INTEGER NOT NULL,
    elapsed_ms INTEGER NOT NULL
) STRICT;

-- Runs that other processes have asked to stop: `is_asked_to_stop`.
CREATE TABLE asked_to_stop (
    run INTEGER PRIMARY KEY
) STRICT;
