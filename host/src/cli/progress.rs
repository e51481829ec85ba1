//! The progress bar of a run: on a terminal only.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};

use super::GlobalOptions;
use crate::store::Run;

const TEMPLATE: &str = "{msg}  [{bar:30}] {human_pos}/{human_len}  {per_sec}  {eta} left  {prefix}";

/// Shows on standard error how far a run has come.
pub(super) struct RunProgress {
    bar: ProgressBar,
}

impl RunProgress {
    /// Returns a bar, which stays hidden where nobody could or wants to see it.
    pub(super) fn new(options: &GlobalOptions) -> Self {
        let wanted = !options.quiet && !options.json && io::stderr().is_terminal();
        let bar = if wanted {
            ProgressBar::new(0)
        } else {
            ProgressBar::hidden()
        };
        let style = ProgressStyle::with_template(TEMPLATE).expect("the template is right");
        bar.set_style(style.progress_chars("=> "));
        Self { bar }
    }

    /// Shows how many identities are done of what the run is doing.
    pub(super) fn show(&self, run: &Run, done: u64, of: u64) {
        let step = &run.step;
        let doing = step.stage.doing();
        self.bar
            .set_message(format!("{} wave {} {doing}", step.instant, step.wave));
        self.bar
            .set_prefix(format!("{} findings", run.counters.findings_opened));
        self.bar.set_length(of);
        self.bar.set_position(done);
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for RunProgress {
    fn drop(&mut self) {
        self.finish();
    }
}
