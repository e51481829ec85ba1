//! Runs customers' rules: WebAssembly components behind `wit/0.1.2/rules.wit`.
//!
//! [`RuleEngine`] is the machine, one per process. [`RuleHost`] has the rules
//! of one tenant, compiled and checked; each of a run's threads has a
//! [`RuleWorker`], through which planning asks its questions. [`cases`] runs
//! rules in isolation.
//!
//! A rule gets no clock, files, network or randomness. It reads through the
//! tracked view, and what it answers is checked before anybody sees it.

mod bindings;
mod cache;
mod call;
pub mod cases;
mod component;
mod consequences;
mod contract;
mod crash;
mod difference;
mod engine;
mod error;
mod evaluator;
mod instance;
mod kind;
mod linker;
mod parts;
mod plain;
mod query;
mod read;
mod reuse;
mod signature;
mod uses;
mod values;

pub use cache::ComponentCache;
pub use call::{Call, Log, LogLevel, LogLine};
pub use component::{Resources, RuleComponent, digest_of, read};
pub use contract::{CONTRACT_VERSION, Fix, Misfit, Surface};
pub use engine::RuleEngine;
pub use error::{LoadError, RuleError, RuleLoadError, Trouble};
pub use evaluator::{Evaluation, RuleHost, RuleWorker};
pub use kind::{Answer, Question, RuleKind};
pub use read::Read;
pub use uses::{RuleUse, uses_of};
