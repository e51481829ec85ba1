//! Aggregation: reading an application's accounts into the store.
//!
//! | file | what it does |
//! |---|---|
//! | [`connector`] | settings of a feed, from the configuration |

pub mod connector;
