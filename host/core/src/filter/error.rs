//! What is wrong with the text of a filter, and where.

use thiserror::Error;

/// The text isn't a filter.
///
/// `column` counts characters from 1, over the whole text.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("column {column}: expected {expected}, found {found}")]
pub struct FilterError {
    /// Where the unexpected part begins.
    pub column: usize,
    /// What could have stood there.
    pub expected: String,
    /// What stands there instead, in backticks unless it is the end.
    pub found: String,
    hint: Option<String>,
}

impl FilterError {
    /// Returns what to write instead, when that can be guessed.
    pub fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

/// A [`FilterError`] whose place is still a byte offset.
#[derive(Clone, Debug)]
pub(super) struct SyntaxError {
    pub(super) offset: usize,
    pub(super) expected: String,
    pub(super) found: String,
    pub(super) hint: Option<String>,
}

impl SyntaxError {
    pub(super) fn new(
        offset: usize,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self {
            offset,
            expected: expected.into(),
            found: found.into(),
            hint: None,
        }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn with_hint_opt(mut self, hint_opt: Option<String>) -> Self {
        self.hint = hint_opt;
        self
    }

    pub(super) fn within(self, text: &str) -> FilterError {
        let before = text.get(..self.offset).unwrap_or(text);
        FilterError {
            column: before.chars().count() + 1,
            expected: self.expected,
            found: self.found,
            hint: self.hint,
        }
    }
}
