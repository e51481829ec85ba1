//! What goes wrong in a command, and with which exit code: the one place that
//! turns the rooms' errors into what `main` prints.

use std::error::Error;
use std::fmt;
use std::io;

use idr_core::view::SnapshotError;
use serde::Serialize;

use crate::aggregate::AggregateError;
use crate::config::ConfigError;
use crate::connect::ConnectError;
use crate::dispatch::DispatchError;
use crate::refresh::RefreshError;
use crate::report::canonical::ExportError;
use crate::store::StoreError;
use crate::tenant::OpenError;

/// Why a command failed, with what to do about it.
#[derive(Debug)]
pub struct CommandError {
    /// Decides the exit code.
    pub kind: ErrorKind,
    /// What failed; its sources are printed as causes.
    pub error: Box<dyn Error + Send + Sync>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The command was called in a way that makes no sense: exit code 2.
    Usage,
    /// The tenant's configuration is wrong: exit code 2.
    Configuration,
    /// It was tried and went wrong: exit code 3.
    Failed,
    /// Whoever read the output has gone: exit code 0, and nothing is printed.
    BrokenPipe,
}

impl CommandError {
    /// Returns an error of a kind, without a hint.
    pub fn new(kind: ErrorKind, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            error: error.into(),
            hint: None,
        }
    }

    /// Returns an error about how the command was called.
    pub fn usage(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Usage, error)
    }

    /// Returns an error about the tenant's configuration.
    pub fn configuration(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Configuration, error)
    }

    /// Returns an error about something that was tried and went wrong.
    pub fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Failed, error)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Returns the exit code of the program.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            ErrorKind::Usage | ErrorKind::Configuration => 2,
            ErrorKind::Failed => 3,
            ErrorKind::BrokenPipe => 0,
        }
    }
}

/// An error for programs: what a person would read, in parts.
#[derive(Serialize)]
struct ErrorReport {
    error: String,
    causes: Vec<String>,
    hint: Option<String>,
    exit_code: u8,
}

impl CommandError {
    /// Returns the error as one JSON object: `error`, `causes`, `hint`, `exit_code`.
    pub fn to_json(&self) -> String {
        let report = ErrorReport {
            error: self.error.to_string(),
            causes: self.causes(),
            hint: self.hint.clone(),
            exit_code: self.exit_code(),
        };
        serde_json::to_string_pretty(&report).expect("texts can be written as JSON")
    }

    /// Returns the causes, outermost first.
    ///
    /// A cause that only repeats what the one above ends with is left out: some
    /// libraries put their source into their own message as well.
    fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut above = self.error.to_string();
        let mut cause = self.error.source();
        while let Some(error) = cause {
            let message = error.to_string();
            if !above.ends_with(&message) {
                causes.push(message.clone());
                above = message;
            }
            cause = error.source();
        }
        causes
    }
}

/// An `error:` line, a `caused by:` line per cause and a `hint:` line.
impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "error: {}", self.error)?;
        for cause in self.causes() {
            write!(formatter, "\ncaused by: {cause}")?;
        }
        match &self.hint {
            Some(hint) => write!(formatter, "\nhint: {hint}"),
            None => formatter.write_str(""),
        }
    }
}

/// For output only: errors about other files belong to the room that reads them.
impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::new(ErrorKind::BrokenPipe, error);
        }
        Self::failed(OutputError(error))
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        let hint = error.hint();
        Self::configuration(error).with_hint(hint)
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let hint = error.hint();
        Self::failed(error).with_hint(hint)
    }
}

impl From<SnapshotError> for CommandError {
    fn from(error: SnapshotError) -> Self {
        Self::failed(error)
    }
}

impl From<OpenError> for CommandError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Configuration(error) => error.into(),
            OpenError::Store(error) => error.into(),
        }
    }
}

impl From<RefreshError> for CommandError {
    fn from(error: RefreshError) -> Self {
        let kind = match &error {
            RefreshError::Store(_)
            | RefreshError::Snapshot(_)
            | RefreshError::Correlation(_)
            | RefreshError::Cancelled(_)
            | RefreshError::TooManyExceptions { .. }
            | RefreshError::NoCopy(_)
            | RefreshError::Threads(_) => ErrorKind::Failed,
            RefreshError::Configuration(_) | RefreshError::SecretChanged => {
                ErrorKind::Configuration
            }
            RefreshError::InTheFuture { .. }
            | RefreshError::BeforeTheLast { .. }
            | RefreshError::Criterion { .. }
            | RefreshError::NoSuchRun(_)
            | RefreshError::NotHeld { .. }
            | RefreshError::Overtaken(_)
            | RefreshError::NotCancellable { .. }
            | RefreshError::NotResumable { .. } => ErrorKind::Usage,
        };
        let hint = error.hint();
        Self::new(kind, error).with_hint(hint)
    }
}

impl From<AggregateError> for CommandError {
    fn from(error: AggregateError) -> Self {
        let kind = match &error {
            AggregateError::NoFile { .. } => ErrorKind::Configuration,
            AggregateError::Backwards { .. }
            | AggregateError::Future { .. }
            | AggregateError::Unknown(_)
            | AggregateError::Undecidable { .. }
            | AggregateError::UnknownAccount { .. }
            | AggregateError::UnknownIdentity(_)
            | AggregateError::NotLinked(_)
            | AggregateError::NotAFile { .. }
            | AggregateError::NoDelta { .. } => ErrorKind::Usage,
            AggregateError::Connect(ConnectError::Settings { .. }) => ErrorKind::Configuration,
            AggregateError::NoMatch { .. }
            | AggregateError::Unreadable { .. }
            | AggregateError::NoHeader { .. }
            | AggregateError::BrokenHeader { .. }
            | AggregateError::MissingColumn { .. }
            | AggregateError::RepeatedColumn { .. }
            | AggregateError::NotAdopted
            | AggregateError::Connect(_)
            | AggregateError::Store(_)
            | AggregateError::Snapshot(_) => ErrorKind::Failed,
        };
        let hint = error.hint();
        Self::new(kind, error).with_hint(hint)
    }
}

impl From<DispatchError> for CommandError {
    fn from(error: DispatchError) -> Self {
        let kind = match &error {
            DispatchError::Paused => ErrorKind::Usage,
            DispatchError::ReadBack(_) | DispatchError::Store(_) => ErrorKind::Failed,
        };
        let hint = error.hint();
        Self::new(kind, error).with_hint(hint)
    }
}

impl From<ConnectError> for CommandError {
    fn from(error: ConnectError) -> Self {
        let kind = match &error {
            ConnectError::Settings { .. } | ConnectError::Incapable { .. } => {
                ErrorKind::Configuration
            }
            ConnectError::Unavailable { .. }
            | ConnectError::Refused { .. }
            | ConnectError::Reference { .. } => ErrorKind::Failed,
        };
        let hint = error.hint();
        Self::new(kind, error).with_hint(hint)
    }
}

impl From<ExportError> for CommandError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Store(error) => error.into(),
            ExportError::Snapshot(error) => error.into(),
            ExportError::Write(error) => error.into(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the output can't be written")]
struct OutputError(#[source] io::Error);

#[cfg(test)]
mod tests {
    use std::io;

    use super::{CommandError, ErrorKind};

    #[derive(Debug, thiserror::Error)]
    #[error("the store `idr.db` can't be opened")]
    struct Outer(#[source] Middle);

    #[derive(Debug, thiserror::Error)]
    #[error("opening failed: {0}")]
    struct Middle(#[source] io::Error);

    #[test]
    fn causes_are_printed_once_each_and_the_hint_last() {
        let inner = io::Error::new(io::ErrorKind::PermissionDenied, "not allowed");
        let error =
            CommandError::failed(Outer(Middle(inner))).with_hint("make it readable".to_owned());
        insta::assert_snapshot!(error, @r"
        error: the store `idr.db` can't be opened
        caused by: opening failed: not allowed
        hint: make it readable
        ");
        assert_eq!(error.exit_code(), 3);
    }

    #[test]
    fn nobody_reading_any_more_is_success() {
        let error = CommandError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(error.kind, ErrorKind::BrokenPipe);
        assert_eq!(error.exit_code(), 0);
    }
}
