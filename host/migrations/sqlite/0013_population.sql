-- How many identities there are: `population` asks in every run, and mustn't take
-- longer where there are more. Whoever inserts into `identity` counts as well; the rest
-- is kept by triggers. A statement that a trigger may follow copies every page that it
-- touches, so one that changes nothing that is counted names none of these columns.
CREATE TABLE population (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    identities INTEGER NOT NULL,
    active     INTEGER NOT NULL,
    with_roles INTEGER NOT NULL
) STRICT;

INSERT INTO population
    SELECT 1, count(*), count(*) FILTER (WHERE NOT inactive), count(*) FILTER (WHERE has_roles)
    FROM identity WHERE type <> 'workgroup';

CREATE TRIGGER population_of_deleted AFTER DELETE ON identity
WHEN OLD.type <> 'workgroup'
BEGIN
    UPDATE population SET identities = identities - 1,
        active = active - (NOT OLD.inactive), with_roles = with_roles - (OLD.has_roles <> 0);
END;

CREATE TRIGGER population_of_changed AFTER UPDATE OF type, inactive, has_roles ON identity
WHEN OLD.type <> NEW.type OR OLD.inactive <> NEW.inactive OR OLD.has_roles <> NEW.has_roles
BEGIN
    UPDATE population SET
        identities = identities + (NEW.type <> 'workgroup') - (OLD.type <> 'workgroup'),
        active = active + (NEW.type <> 'workgroup' AND NOT NEW.inactive)
            - (OLD.type <> 'workgroup' AND NOT OLD.inactive),
        with_roles = with_roles + (NEW.type <> 'workgroup' AND NEW.has_roles)
            - (OLD.type <> 'workgroup' AND OLD.has_roles);
END;
