//! Aggregation: reading an application's accounts into the store.
//!
//! | file | what it does |
//! |---|---|
//! | [`connector`] | settings of a feed, from the configuration |

pub mod connector;

/// Temporary.
pub type AggregateError = crate::store::StoreError;
/// Temporary.
pub fn correlate_waiting(
    _: &dyn crate::store::Store,
    _: &idr_core::definitions::Model,
    _: idr_core::model::UnixMillis,
) -> Result<u64, AggregateError> {
    Ok(0)
}
