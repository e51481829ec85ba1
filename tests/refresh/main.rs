//! What a refresh does, through the library and the memory store.

mod again;
mod consequences;
mod convergence;
mod counters;
mod governance;
mod histories;
mod incremental_equals_full;
mod provisioned;
mod retries;
mod variety;
mod world;
