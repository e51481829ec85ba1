//! Going back: what an evaluation noted is forgotten when it doesn't count.
//!
//! Used by whoever runs rules, where the same question is asked twice.

use super::TrackedView;
use crate::model::{ReadKey, UnixMillis};

/// How much a view had noted at some point.
#[derive(Clone, Copy, Debug)]
pub struct ViewMark {
    wake: Option<UnixMillis>,
    reads: usize,
    trace: usize,
}

/// What a view noted since some point: the wake-up as it is now, and what was
/// read of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewNotes {
    wake: Option<UnixMillis>,
    reads: Vec<ReadKey>,
}

impl TrackedView {
    /// Returns a mark to come back to.
    pub fn mark(&self) -> ViewMark {
        let state = self.state();
        ViewMark {
            wake: state.wake,
            reads: state.reads.len(),
            trace: state.trace.as_ref().map_or(0, Vec::len),
        }
    }

    /// Forgets everything noted since the mark was made.
    pub fn rewind(&mut self, mark: &ViewMark) {
        let state = self.state_mut();
        state.wake = mark.wake;
        state.reads.truncate(mark.reads);
        if let Some(trace) = &mut state.trace {
            trace.truncate(mark.trace);
        }
    }

    /// Returns what was noted since the mark was made.
    pub fn noted_since(&self, mark: &ViewMark) -> ViewNotes {
        let state = self.state();
        ViewNotes {
            wake: state.wake,
            reads: state.reads[mark.reads..].to_vec(),
        }
    }
}
