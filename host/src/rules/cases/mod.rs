//! Rules in isolation: a component asked cases that are written down, without
//! a tenant or a store.
//!
//! A case says what the rule finds when it reads, as of when it is asked, and
//! what it should answer. [`find()`] looks for components and the cases beside
//! them, [`run()`] runs one component's cases. The command `rule test` and the
//! tests of the example rules use it.

mod consequences;
mod difference;
mod find;
mod format;
mod mask;
mod measure;
mod recorded;
mod run;
mod setting;
mod write;

pub use difference::Difference;
pub use find::{ComponentCases, FileStates, FindError, file_states, find, find_with};
pub use format::{Case, CaseError, Expectation, Setting, Wakes, parse};
pub use measure::{Costs, FuelSample, Times, measure, sample_fuel};
pub use recorded::{RecordedCase, WrittenCase};
pub use run::{CaseReport, run};
