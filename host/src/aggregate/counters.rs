//! The names under which an aggregation counts what it found and did.

use std::collections::BTreeMap;

/// Records in the file.
pub const READ: &str = "read";
/// Accounts listed as they were.
pub const UNCHANGED: &str = "unchanged";
/// Accounts never seen before.
pub const CREATED: &str = "created";
/// Accounts listed with another content.
pub const MODIFIED: &str = "modified";
/// Accounts that a full file doesn't list any more.
pub const VANISHED: &str = "vanished";
/// Accounts that were missing and are listed again.
pub const RETURNED: &str = "returned";
/// Records that can't be used.
pub const BROKEN: &str = "broken";
/// Accounts that aren't listed, but could be among the broken records.
pub const KEPT: &str = "kept";
/// Accounts that found their identity, or got a new one.
pub const CORRELATED: &str = "correlated";
/// Listed accounts that match nobody.
pub const UNCORRELATED: &str = "uncorrelated";
/// Listed accounts that match several identities.
pub const AMBIGUOUS: &str = "ambiguous";
/// Identities created.
pub const IDENTITIES: &str = "identities";
/// Accounts that get no identity because a rule says so.
pub const SKIPPED: &str = "skipped";
/// Native changes noted for triggers.
pub const NATIVE_CHANGES: &str = "nativeChanges";

/// What reports show, in this order.
pub const REPORTED: [&str; 14] = [
    READ,
    UNCHANGED,
    CREATED,
    MODIFIED,
    VANISHED,
    RETURNED,
    BROKEN,
    KEPT,
    CORRELATED,
    UNCORRELATED,
    AMBIGUOUS,
    IDENTITIES,
    SKIPPED,
    NATIVE_CHANGES,
];

/// Accounts known before: none in a first load.
pub(super) const KNOWN: &str = "known";
/// The highest uid before.
pub(super) const NEWEST_IDENTITY: &str = "newestIdentity";

/// Raises a counter.
pub(super) fn add(counters: &mut BTreeMap<String, u64>, name: &str, number: u64) {
    match counters.get_mut(name) {
        Some(count) => *count += number,
        None => {
            counters.insert(name.to_owned(), number);
        }
    }
}
