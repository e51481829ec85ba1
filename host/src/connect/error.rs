//! What goes wrong between idr and an application.

use thiserror::Error;

use crate::config::ReferenceError;

/// No text of an application's own is shown longer than that.
const MOST_CHARACTERS: usize = 300;

/// An application that can't be reached, or that doesn't do what it is asked.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// It can't be reached, or is busy.
    #[error("application `{application}` can't be reached: {message}")]
    Unavailable {
        /// The application.
        application: String,
        /// What it says.
        message: String,
    },
    /// It says no.
    #[error("application `{application}` refused: {message}")]
    Refused {
        /// The application.
        application: String,
        /// What it says.
        message: String,
    },
    /// Its connector can't do that.
    #[error("the connector of application `{application}` can't {what}")]
    Incapable {
        /// The application.
        application: String,
        /// What it was asked for.
        what: &'static str,
    },
    /// It isn't as the configuration says.
    #[error("applications/{application}.toml: {message}")]
    Settings {
        /// The application.
        application: String,
        /// What differs.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// What its address or password refers to can't be read.
    #[error("what `{key}` of application `{application}` refers to can't be read")]
    Reference {
        /// The application.
        application: String,
        /// The key in its connector.
        key: &'static str,
        /// Why.
        #[source]
        source: ReferenceError,
    },
}

impl ConnectError {
    /// Says whether the same call may succeed later, without anybody doing
    /// anything about it.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Settings { hint, .. } => hint.clone(),
            Self::Unavailable { .. }
            | Self::Refused { .. }
            | Self::Incapable { .. }
            | Self::Reference { .. } => None,
        }
    }

    /// Returns an error about an application that can't be reached.
    pub fn unavailable(application: &str, message: impl AsRef<str>) -> Self {
        Self::Unavailable {
            application: application.to_owned(),
            message: shown(message.as_ref()),
        }
    }

    /// Returns an error about an application that says no.
    pub fn refused(application: &str, message: impl AsRef<str>) -> Self {
        Self::Refused {
            application: application.to_owned(),
            message: shown(message.as_ref()),
        }
    }
}

/// Cuts a text of an application's own, and strips it of control characters.
pub(crate) fn shown(text: &str) -> String {
    let plain = text.chars().map(|character| match character.is_control() {
        true => ' ',
        false => character,
    });
    plain.take(MOST_CHARACTERS).collect()
}
