-- Until when a finding is muted and doesn't count as open: `open_findings`.
ALTER TABLE finding ADD COLUMN muted_until INTEGER;
