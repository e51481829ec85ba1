//! What can go wrong with a rule: when it is loaded, and when it is asked.

use std::path::PathBuf;

use idr_core::model::Name;
use idr_core::rule::RuleFailure;
use idr_core::view::ReadError;
use thiserror::Error;

use super::contract::{Fix, Misfit};
use super::kind::RuleKind;

/// One evaluation of a rule gave no answer.
///
/// Always about one rule and one question: the host and the run stay healthy.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("rule `{rule}` ({question}) {trouble}{}", self.whereabouts())]
pub struct RuleError {
    /// The tenant's name.
    pub tenant: String,
    /// The rule's name.
    pub rule: String,
    /// Its kind and what it was asked.
    pub question: String,
    /// The identity or account that it was asked about.
    pub about: String,
    /// What went wrong.
    pub trouble: Trouble,
}

impl RuleError {
    /// Whoever looks after limits looks after those of many tenants.
    fn whereabouts(&self) -> String {
        let is_no_start = matches!(self.trouble, Trouble::CannotStart(_) | Trouble::NoRoom);
        if self.trouble.is_a_limit() || is_no_start {
            format!(" (tenant `{}`, {})", self.tenant, self.about)
        } else {
            String::new()
        }
    }
}

/// What went wrong in one evaluation.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Trouble {
    /// The rule can't tell, by its own judgement.
    #[error("declined: {0}")]
    Declined(String),
    /// The rule says that what it read makes no sense.
    #[error("calls it invalid: {0}")]
    Invalid(String),
    /// The rule says that it went wrong itself.
    #[error("failed: {0}")]
    Failed(String),
    /// A read stopped it.
    #[error("asked for what can't be read: {0}")]
    Read(ReadError),
    /// It passed something that makes no sense to a function of the host.
    #[error("passed {0}")]
    Argument(String),
    /// It answered something that makes no sense.
    #[error("answered {0}")]
    Answer(String),
    /// It used up its fuel.
    #[error("used up its limit of {limit} fuel{place}")]
    OutOfFuel {
        /// The limit.
        limit: u64,
        /// Where it was then, as the end of the sentence; empty when the
        /// component doesn't name its functions.
        place: String,
    },
    /// It wanted more memory than it may have.
    #[error("wanted {wanted_bytes} bytes of memory, more than its limit of {limit_bytes}{place}")]
    OutOfMemory {
        /// What it would have had.
        wanted_bytes: usize,
        /// The limit.
        limit_bytes: usize,
        /// As with fuel.
        place: String,
    },
    /// It wanted a larger table than any rule may have.
    #[error(
        "wanted a table of {wanted_entries} entries, more than the {limit_entries} that the host \
         gives any rule"
    )]
    TableTooLarge {
        /// What it wanted.
        wanted_entries: usize,
        /// The limit.
        limit_entries: usize,
    },
    /// It passed or was passed too much.
    #[error(
        "exchanged {wanted_bytes} bytes with the host, more than its limit of {limit_bytes} bytes"
    )]
    TooMuchTransferred {
        /// What would have been exchanged by then.
        wanted_bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// One text or list alone was too large to be looked at.
    #[error(
        "exchanged {exchanged_bytes} bytes with the host, and then a text or list larger than its \
         limit of {limit_bytes} bytes"
    )]
    TooMuchAtOnce {
        /// What had been exchanged before.
        exchanged_bytes: usize,
        /// The limit of all that is exchanged.
        limit_bytes: usize,
    },
    /// Its answer is too large.
    #[error("answered with {answered_bytes} bytes, more than its limit of {limit_bytes}")]
    TooMuchAnswered {
        /// What the texts of the answer take.
        answered_bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// Time was up. Never a verdict: the same question is asked again with
    /// more time before this counts.
    #[error("was still running after {given_ms} ms, {}its limit of {limit_ms} ms", times(*.given_ms, *.limit_ms))]
    OutOfTime {
        /// The time that it had in the end.
        given_ms: u64,
        /// The limit.
        limit_ms: u64,
    },
    /// It crashed.
    #[error("crashed: {0}")]
    Crashed(String),
    /// It called a function of WASI, which no rule is given.
    #[error("called `{function}`, which rules are not given")]
    Wasi {
        /// The function, with its interface.
        function: String,
        /// What to call instead.
        instead: &'static str,
    },
    /// It called a function that its kind is not given.
    #[error("called `{function}`, which {kind} rules are not given")]
    OtherKinds {
        /// The function, with its interface.
        function: String,
        /// The kind that was asked.
        kind: RuleKind,
    },
    /// It could not be started.
    #[error("can't be started: {0}")]
    CannotStart(String),
    /// So many instances are in use that there was no room for one more. Never
    /// a verdict: asked again later.
    #[error("found no room for an instance")]
    NoRoom,
}

impl Trouble {
    /// Returns the stable word for findings.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Declined(_) => "rule-declined",
            Self::Invalid(_) => "rule-invalid",
            Self::Failed(_) => "rule-failed",
            Self::Read(error) => error.cause(),
            Self::Argument(_) => "rule-argument",
            Self::Answer(_) => "rule-answer",
            Self::OutOfFuel { .. } => "rule-out-of-fuel",
            Self::OutOfMemory { .. } => "rule-out-of-memory",
            Self::TableTooLarge { .. } => "rule-table",
            Self::TooMuchTransferred { .. } | Self::TooMuchAtOnce { .. } => "rule-transfer",
            Self::TooMuchAnswered { .. } => "rule-output",
            Self::OutOfTime { .. } => "host-too-slow",
            Self::Crashed(_) => "rule-crashed",
            Self::Wasi { .. } => "rule-wasi",
            Self::OtherKinds { .. } => "rule-import",
            Self::CannotStart(_) => "rule-start",
            Self::NoRoom => "host-too-busy",
        }
    }

    /// Returns what an operator or the rule's author can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Declined(_) | Self::Invalid(_) => return None,
            Self::Read(error) => return error.hint(),
            Self::Wasi { instead, .. } => *instead,
            Self::Failed(_) | Self::Crashed(_) => {
                "write a case with what it read, and run it with `idr rule test`"
            }
            Self::Argument(_) | Self::Answer(_) => {
                "wit/0.1.2/rules.wit says what is allowed; correct the rule"
            }
            Self::OutOfFuel { .. } => "shorten the rule, or raise `fuel` in rules/rules.toml",
            Self::OutOfMemory { .. } => {
                "shorten the rule, or raise `memory_bytes` in rules/rules.toml"
            }
            Self::TableTooLarge { .. } => {
                "no rule may have so large a table; build it with a smaller one"
            }
            Self::TooMuchTransferred { .. } | Self::TooMuchAtOnce { .. } => {
                "read less, or raise `transfer_bytes` in rules/rules.toml"
            }
            Self::TooMuchAnswered { .. } => {
                "answer less, or raise `output_bytes` in rules/rules.toml"
            }
            Self::OutOfTime { .. } => {
                "the host is overloaded, or `time_ms` in rules/rules.toml is too low for `fuel`"
            }
            Self::OtherKinds { .. } => {
                "each kind reads only what is settled before it; see the worlds in wit/0.1.2/rules.wit"
            }
            Self::CannotStart(_) => "run `idr rule inspect` on the component",
            Self::NoRoom => "refresh with fewer threads, or use fewer rules at a time",
        };
        Some(hint.to_owned())
    }

    /// Says whether a limit stopped it.
    pub(super) fn is_a_limit(&self) -> bool {
        matches!(
            self,
            Self::OutOfFuel { .. }
                | Self::OutOfMemory { .. }
                | Self::TableTooLarge { .. }
                | Self::TooMuchTransferred { .. }
                | Self::TooMuchAtOnce { .. }
                | Self::TooMuchAnswered { .. }
                | Self::OutOfTime { .. }
        )
    }

    /// Says whether a limit stopped it that may depend on what ran before on
    /// the same instance, and so says nothing about the rule's purity.
    pub(super) fn depends_on_use(&self) -> bool {
        matches!(
            self,
            Self::OutOfFuel { .. }
                | Self::OutOfMemory { .. }
                | Self::TableTooLarge { .. }
                | Self::OutOfTime { .. }
                | Self::NoRoom
        )
    }

    /// Returns it without the rule's own words, for a rule that may read what
    /// nobody is to be shown.
    pub(super) fn masked(self) -> Self {
        let hidden = || MASKED.to_owned();
        match self {
            Self::Declined(_) => Self::Declined(hidden()),
            Self::Invalid(_) => Self::Invalid(hidden()),
            Self::Failed(_) => Self::Failed(hidden()),
            Self::Crashed(_) => Self::Crashed(hidden()),
            Self::Argument(_) => Self::Argument(hidden()),
            Self::Answer(_) => Self::Answer(hidden()),
            Self::OutOfFuel { limit, .. } => Self::OutOfFuel {
                limit,
                place: String::new(),
            },
            Self::OutOfMemory {
                wanted_bytes,
                limit_bytes,
                ..
            } => Self::OutOfMemory {
                wanted_bytes,
                limit_bytes,
                place: String::new(),
            },
            other => other,
        }
    }
}

/// What takes the place of a rule's words.
pub(super) const MASKED: &str = "(not shown: the rule may read sensitive attributes)";

/// Says how many times its limit a rule had, as a phrase before it.
fn times(given: u64, limit: u64) -> String {
    match given.checked_div(limit) {
        None | Some(0 | 1) => String::new(),
        Some(times) => format!("{times} times "),
    }
}

/// How long to wait before a question that the host was too slow for is asked again.
const RETRY_AFTER_MS: i64 = 10 * 60 * 1000;

impl From<Box<RuleError>> for RuleFailure {
    fn from(error: Box<RuleError>) -> Self {
        match error.trouble {
            Trouble::Read(read) => Self::Read(read),
            ref trouble => Self::Failed {
                cause: Name::new(trouble.cause()),
                message: error.to_string(),
                hint: trouble.hint(),
                retry_after_ms: matches!(trouble, Trouble::OutOfTime { .. } | Trouble::NoRoom)
                    .then_some(RETRY_AFTER_MS),
            },
        }
    }
}

/// A rule component can't be used.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The file can't be read.
    #[error("can't read the rule component `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is something else altogether.
    #[error("it is no WebAssembly component")]
    NoWebAssembly,
    /// It is a core module.
    #[error("it is a core WebAssembly module, not a component")]
    CoreModule,
    /// It isn't valid, or uses a feature that is switched off.
    #[error("it can't be compiled")]
    Broken(#[source] wasmtime::Error),
    /// It doesn't fit the contract, in each of these ways.
    #[error("it doesn't fit the contract: {}", spoken_misfits(.0))]
    Contract(Vec<Misfit>),
    /// Its types differ from the contract's.
    #[error("its types are not those of the contract ({kind}){}", spoken_differences(.differences))]
    Types {
        /// The kind whose interfaces differ.
        kind: RuleKind,
        /// What differs: a sentence each.
        differences: Vec<String>,
        /// The difference as found.
        #[source]
        source: wasmtime::Error,
    },
    /// It consists of more parts than one rule may have.
    #[error("it has {found} {what}, more than the {limit} that a rule may have")]
    TooManyParts {
        /// What there is too much of.
        what: &'static str,
        /// How many it has.
        found: usize,
        /// How many it may have.
        limit: usize,
    },
    /// It can't be started.
    #[error("it can't be started")]
    CannotStart(#[source] wasmtime::Error),
    /// It is used as something that it isn't.
    #[error("it is used as {wanted} rule, but exports {}", spoken_kinds(.exported))]
    NotOfThatKind {
        /// How it is used.
        wanted: RuleKind,
        /// What it is.
        exported: Vec<RuleKind>,
    },
    /// The host's own engine can't be set up.
    #[error("the WebAssembly engine can't be set up")]
    Engine(#[source] wasmtime::Error),
    /// The bytes with a pinned digest are missing.
    #[error("there is no component with sha256 {0}")]
    Missing(String),
}

impl LoadError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::CoreModule => Some(
                "make it a component: `wasm-tools component new FILE.wasm -o RULE.wasm`".to_owned(),
            ),
            Self::Contract(misfits) => {
                let mut fixes: Vec<&str> = Vec::new();
                for misfit in misfits {
                    let fix = misfit.fix.as_str();
                    if !fixes.contains(&fix) {
                        fixes.push(fix);
                    }
                }
                Some(fixes.join("; "))
            }
            Self::Types { .. } => Some(Fix::Text.as_str().to_owned()),
            Self::TooManyParts { .. } => Some(
                "build the rule smaller: leave out what it doesn't use, and let it be optimised"
                    .to_owned(),
            ),
            Self::NotOfThatKind { .. } => {
                Some("`idr rule inspect` shows what a component exports".to_owned())
            }
            Self::Unreadable { .. }
            | Self::NoWebAssembly
            | Self::Broken(_)
            | Self::CannotStart(_)
            | Self::Engine(_)
            | Self::Missing(_) => None,
        }
    }
}

/// One rule of a tenant can't be used.
#[derive(Debug, Error)]
#[error("rule `{rule}` can't be used")]
pub struct RuleLoadError {
    /// The rule's name in `rules/rules.toml`.
    pub rule: Name,
    /// Why.
    #[source]
    pub source: LoadError,
}

fn spoken_misfits(misfits: &[Misfit]) -> String {
    let problems: Vec<&str> = misfits.iter().map(|misfit| &*misfit.problem).collect();
    problems.join("; ")
}

fn spoken_differences(differences: &[String]) -> String {
    if differences.is_empty() {
        return String::new();
    }
    format!(": {}", differences.join("; "))
}

fn spoken_kinds(kinds: &[RuleKind]) -> String {
    kinds
        .iter()
        .map(|kind| kind.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::{RuleError, Trouble};

    fn spoken(trouble: Trouble) -> String {
        let error = RuleError {
            tenant: "acme".to_owned(),
            rule: "state".to_owned(),
            question: "lifecycle-state".to_owned(),
            about: "identity `ana`".to_owned(),
            trouble,
        };
        error.to_string()
    }

    #[test]
    fn what_keeps_a_rule_from_running_names_tenant_and_identity() {
        insta::assert_snapshot!(
            spoken(Trouble::CannotStart("it took longer than 10000 ms".to_owned())),
            @"rule `state` (lifecycle-state) can't be started: it took longer than 10000 ms (tenant `acme`, identity `ana`)"
        );
        insta::assert_snapshot!(
            spoken(Trouble::NoRoom),
            @"rule `state` (lifecycle-state) found no room for an instance (tenant `acme`, identity `ana`)"
        );
        insta::assert_snapshot!(
            spoken(Trouble::Declined("no".to_owned())),
            @"rule `state` (lifecycle-state) declined: no"
        );
    }

    #[test]
    fn time_is_told_with_the_limit() {
        let out_of_time = |given_ms, limit_ms| {
            let trouble = Trouble::OutOfTime { given_ms, limit_ms };
            trouble.to_string()
        };
        assert_eq!(
            out_of_time(20, 20),
            "was still running after 20 ms, its limit of 20 ms"
        );
        assert_eq!(
            out_of_time(200, 20),
            "was still running after 200 ms, 10 times its limit of 20 ms"
        );
    }
}
