//! The program as people meet it: one test binary, a module per subject.

#[path = "../common/mod.rs"]
mod common;

mod account_selection;
mod accounts_again;
mod audit;
mod by_hand;
mod check;
mod counters;
mod deciders;
mod documentation;
mod dry_run;
mod due;
mod event;
mod explain;
mod explain_entitlement;
mod finding;
mod history;
mod how_it_runs;
mod identity;
mod logical;
mod native_entitlements;
mod owners;
mod policies;
mod proposals;
mod provisioning;
mod prune;
mod refresh;
mod replaced;
mod risk;
mod roles;
mod run;
mod selection;
mod selection_by_time;
mod small_tenant;
mod state_accounts;
mod stories;
mod thresholds;
mod transforms;
mod triggers;
mod unique;
mod wiring;
