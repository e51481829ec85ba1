//! Which file is read: the one named on the command line, or the last that
//! the configuration's pattern matches.

use std::path::{Path, PathBuf};

use super::error::AggregateError;

/// Returns the file that a configured path means; `*` in its last part stands
/// for any text, and the last match in order of name counts.
pub(super) fn find(directory: &Path, configured: &str) -> Result<PathBuf, AggregateError> {
    let path = directory.join(configured);
    let pattern = path.file_name().map(|name| name.to_string_lossy());
    let Some(pattern) = pattern.filter(|pattern| pattern.contains('*')) else {
        return Ok(path);
    };
    let folder = path.parent().unwrap_or(directory);
    let unreadable = |source| AggregateError::Unreadable {
        path: folder.to_owned(),
        source,
    };
    let mut last: Option<String> = None;
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let name = name.to_string_lossy().into_owned();
        if matches(&pattern, &name) && last.as_ref().is_none_or(|last| name > *last) {
            last = Some(name);
        }
    }
    let last = last.ok_or_else(|| AggregateError::NoMatch {
        pattern: path.clone(),
    })?;
    Ok(folder.join(last))
}

/// Says whether a name is like a pattern, in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(start) => rest = &rest[start + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::{find, matches};

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(matches("hr-*.csv", "hr-2026-01.csv"));
        assert!(matches("*", ""));
        assert!(matches("a*b*c", "a-b-b-c"));
        assert!(!matches("hr-*.csv", "hr-2026.csv.gz"));
        assert!(!matches("ab*ba", "aba"));
        assert!(!matches("a*b*b", "ab"));
    }

    #[test]
    fn the_last_match_is_read() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for name in ["hr-2026-01.csv", "hr-2026-02.csv", "crm.csv"] {
            std::fs::write(folder.path().join(name), "").expect("it can be written to");
        }
        let found = find(folder.path(), "hr-*.csv").expect("two match");
        assert!(found.ends_with("hr-2026-02.csv"));
        let error = find(folder.path(), "ad-*.csv").expect_err("none matches");
        assert!(error.to_string().ends_with("ad-*.csv`"));
    }
}
