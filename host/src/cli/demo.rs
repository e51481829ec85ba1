//! `demo`: a made-up organisation in which a month passes.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use indicatif::ProgressBar;

use super::generate::make_folder;
use super::{CommandError, GlobalOptions, Outcome};
use crate::demo::{self, DemoError};

/// Make a tenant with a made-up organisation, let a month pass in it, and say
/// what happened
///
/// 2,000 people with accounts in a personnel system, a list of contractors, a
/// directory and a CRM. People join, move and leave, and some records are
/// messy. Nothing outside the folder is touched.
#[derive(clap::Args, Debug)]
pub(super) struct DemoArgs {
    /// The folder to make
    #[arg(long, value_name = "DIR", default_value = "demo")]
    directory: PathBuf,

    /// Replace the folder if it holds a tenant
    #[arg(long)]
    force: bool,
}

/// Runs the command.
pub(super) fn run(
    args: &DemoArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    make_folder(
        &args.directory,
        args.force,
        "`--force` replaces it; `--directory` makes another",
    )?;
    let bar = match !options.quiet && io::stderr().is_terminal() {
        true => ProgressBar::new(0),
        false => ProgressBar::hidden(),
    };
    let demonstration = demo::run(&args.directory, &mut |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    if !options.quiet {
        demonstration.write(&program(), out)?;
    }
    // The findings are part of the story.
    Ok(Outcome::Done)
}

/// Returns how whoever started the program calls it.
fn program() -> String {
    // Cargo says where the package is to what it runs.
    if std::env::var_os("CARGO_MANIFEST_DIR").is_some() {
        return "cargo run --release --".to_owned();
    }
    let called = std::env::args_os().next();
    called
        .unwrap_or_else(|| OsString::from("idr"))
        .to_string_lossy()
        .into_owned()
}

impl From<DemoError> for CommandError {
    fn from(error: DemoError) -> Self {
        Self::failed(error)
    }
}
