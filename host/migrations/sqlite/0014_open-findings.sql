-- How many findings are open is counted in every run: with `muted_until` in it, the index
-- alone tells (`open_findings`).
DROP INDEX finding_open;
CREATE INDEX finding_open ON finding (uid, application, muted_until) WHERE closed_at IS NULL;
