//! `rule new`: a folder to start a rule in.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use idr_guests::Language;
use serde::Serialize;

use super::guest_error;
use crate::cli::{CommandError, GlobalOptions, Outcome, write_json};
use crate::rules::RuleKind;

/// Start a rule: a folder with sources that work, and their cases
///
/// The rule is a small one of its kind, to be changed into yours. Then
/// `idr rule build NAME` and `idr rule test NAME`.
#[derive(Args, Debug)]
pub(super) struct NewArgs {
    /// The folder to make; its last part is the rule's name
    name: PathBuf,

    /// What the rule decides
    #[arg(long, value_parser = PossibleValuesParser::new(RuleKind::ALL.map(RuleKind::as_str)))]
    kind: String,

    /// The language it is written in
    #[arg(
        long = "lang",
        value_name = "LANGUAGE",
        value_parser = PossibleValuesParser::new(Language::ALL.map(Language::as_str))
    )]
    language: String,
}

#[derive(Serialize)]
struct Created {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

pub(super) fn run(
    args: &NewArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let language = Language::named(&args.language)
        .ok_or_else(|| CommandError::usage(format!("`{}` is no language", args.language)))?;
    let files = idr_guests::create(&args.name, &args.kind, language).map_err(guest_error)?;
    if options.json {
        let created = Created {
            folder: args.name.clone(),
            files,
        };
        write_json(out, &created)?;
    } else if !options.quiet {
        for file in files {
            writeln!(out, "{}", args.name.join(file).display())?;
        }
        let name = args.name.display();
        writeln!(out, "next: idr rule build {name} && idr rule test {name}")?;
    }
    Ok(Outcome::Done)
}
