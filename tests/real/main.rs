//! Thirteen months of a directory that nobody here wrote, through the tenant
//! `tests/tenants/cert`, compared person by person with what an oracle works
//! out from the files alone.
//!
//! | module | what it does |
//! |---|---|
//! | `data` | finds, reads and writes the months; says aloud when they are absent |
//! | `oracle` | what should come out |
//! | `edits` | seeded changes to the months |
//! | `tenant` | the tenant, driven through the library |
//! | `walks` | forwards, backwards, there and back, edited |
//! | `program` | forwards through the real binary |
//! | `complete` | the tenant's folder is complete and its components are current |

#[path = "../common/mod.rs"]
mod common;

mod complete;
mod data;
mod edits;
mod oracle;
mod program;
mod tenant;
mod walks;
