//! The filter language (being written).

/// A parsed filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(String);
