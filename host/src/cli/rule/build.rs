//! `rule build`: from a rule's sources to its component.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use idr_guests::Built;
use serde::Serialize;

use super::guest_error;
use crate::cli::{CommandError, GlobalOptions, Outcome, write_json};
use crate::report::grouped;

/// Build a rule: its sources become NAME.wasm beside them
///
/// `rule.toml` in the folder says what it is: its name, its language, and the
/// world of the contract that it is made for. The language's own tools are called:
/// cargo, zig, go, componentize-py, or esbuild and componentize-qjs, from the
/// folder that IDR_GUEST_TOOLS names, or else from the path.
#[derive(Args, Debug)]
pub(super) struct BuildArgs {
    /// The folder with rule.toml
    #[arg(default_value = ".")]
    path: PathBuf,
}

#[derive(Serialize)]
struct Component {
    component: PathBuf,
    language: &'static str,
    size_bytes: usize,
}

pub(super) fn run(
    args: &BuildArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let Built {
        component,
        language,
        size_bytes,
    } = idr_guests::build(&args.path).map_err(guest_error)?;
    if options.json {
        let built = Component {
            component,
            language: language.as_str(),
            size_bytes,
        };
        write_json(out, &built)?;
    } else if !options.quiet {
        let size = grouped(size_bytes as u64);
        writeln!(
            out,
            "{}: {size} bytes, from {language}",
            component.display()
        )?;
    }
    Ok(Outcome::Done)
}
