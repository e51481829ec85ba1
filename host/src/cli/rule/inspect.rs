//! `rule inspect`: look into a rule component.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::load_error;
use crate::cli::{CommandError, GlobalOptions, Outcome, write_json};
use crate::rules::{LoadError, RuleComponent, RuleEngine, read};

/// Show what a component exports, imports and needs
#[derive(Args, Debug)]
pub(super) struct InspectArgs {
    /// The component
    path: PathBuf,
}

/// What a component is.
#[derive(Serialize)]
struct Inspection {
    component: PathBuf,
    sha256: String,
    size_bytes: usize,
    /// The kinds of rule that it exports.
    kinds: Vec<&'static str>,
    imports: Vec<Import>,
    /// What its author may want to change.
    advice: Vec<String>,
}

#[derive(Serialize)]
struct Import {
    interface: String,
    functions: Vec<String>,
}

/// Runs the command.
pub(super) fn run(
    args: &InspectArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let bytes = read(&args.path).map_err(load_error)?;
    let engine = RuleEngine::new().map_err(load_error)?;
    let component = RuleComponent::load(&engine, &bytes, None).map_err(|error| {
        let hint = error.hint();
        let unusable = UnusableComponent {
            path: args.path.clone(),
            source: error,
        };
        CommandError::configuration(unusable).with_hint(hint)
    })?;
    let inspection = Inspection::of(args.path.clone(), &component);
    if options.json {
        write_json(out, &inspection)?;
        return Ok(Outcome::Done);
    }
    writeln!(out, "component  {}", inspection.component.display())?;
    writeln!(out, "sha256     {}", inspection.sha256)?;
    writeln!(out, "size       {} bytes", inspection.size_bytes)?;
    writeln!(out, "kinds      {}", inspection.kinds.join(", "))?;
    for import in &inspection.imports {
        writeln!(
            out,
            "imports    {}: {}",
            import.interface,
            import.functions.join(", ")
        )?;
    }
    for advice in &inspection.advice {
        writeln!(out, "advice     {advice}")?;
    }
    Ok(Outcome::Done)
}

impl Inspection {
    fn of(path: PathBuf, component: &RuleComponent) -> Self {
        let surface = component.surface();
        let mut advice: Vec<String> = surface
            .wasi
            .iter()
            .map(|name| {
                format!("it imports `{name}`: calling that ends the evaluation, there is no WASI")
            })
            .collect();
        let asks_today = surface.imports.iter().any(|(interface, functions)| {
            interface.starts_with("idr:rules/time@")
                && functions.iter().any(|function| function == "today")
        });
        if asks_today {
            advice.push(
                "it imports `time.today`: calling that wakes the identity every midnight; \
                 prefer `date-reached` or `day-over`"
                    .to_owned(),
            );
        }
        let imports = surface
            .imports
            .iter()
            .filter(|(_, functions)| !functions.is_empty());
        Self {
            component: path,
            sha256: component.sha256().to_owned(),
            size_bytes: component.size_bytes(),
            kinds: surface.kinds.iter().map(|kind| kind.as_str()).collect(),
            imports: imports
                .map(|(interface, functions)| Import {
                    interface: interface.clone(),
                    functions: functions.clone(),
                })
                .collect(),
            advice,
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("`{}` is no usable rule component", path.display())]
struct UnusableComponent {
    path: PathBuf,
    #[source]
    source: LoadError,
}
