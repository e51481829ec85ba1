//! Colours of the text output: on a terminal only, and not with `NO_COLOR`.

use std::io;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

/// The styles that reports use; all of them plain where colours aren't wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Palette {
    /// What failed, or nearly did.
    pub(super) bad: Style,
    /// What is as it should be.
    pub(super) good: Style,
}

impl Palette {
    /// Returns what standard output shows.
    pub(super) fn of_output() -> Self {
        match AutoStream::choice(&io::stdout()) {
            ColorChoice::Never => Self::default(),
            _ => Self {
                bad: AnsiColor::Red.on_default(),
                good: AnsiColor::Green.on_default(),
            },
        }
    }
}
