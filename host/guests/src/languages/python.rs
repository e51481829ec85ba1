//! Python, run by CPython.

use crate::answers::{self, Export, Naming, pascal};
use crate::component::Contract;
use crate::manifest::Project;
use crate::{GuestError, Language, read, tools, write};

const HOST: &str = include_str!("../../support/python/idr_host.py");
const HELPERS: &str = include_str!("../../support/python/idr_rule.py");

/// Puts `rule.py`, what it imports and what stands between it and the host into a
/// component with the interpreter.
pub(crate) fn build(project: &Project) -> Result<Vec<u8>, GuestError> {
    project.source("rule.py", "`rule.py`")?;
    write(&project.bindings().join("idr_rule.py"), HELPERS.as_bytes())?;
    let generated = project.scratch().join("python");
    let entry = entry_of(&Contract::of(project)?);
    write(&generated.join("idr_entry.py"), entry.as_bytes())?;
    write(&generated.join("idr_host.py"), HOST.as_bytes())?;

    let component = project.scratch().join("component.wasm");
    write(&component, b"")?;
    let mut componentize = tools::tool("componentize-py", Language::Python)?;
    componentize
        .current_dir(&project.folder)
        .arg("-d")
        .arg(&project.wit)
        .args(["-w", &project.world, "componentize", "--stub-wasi"])
        .args(["idr_entry", "-p", ".", "-p", "bindings", "-p"])
        .arg(&generated)
        .arg("-o")
        .arg(&component);
    tools::run(&mut componentize)?;
    read(&component)
}

/// Returns a module with the classes of a rule, as the host asks them.
fn entry_of(contract: &Contract) -> String {
    // The host comes first: it takes the clock away.
    let mut entry = "import idr_host\nimport rule\n\nidr_host.built = True\n".to_owned();
    for export in answers::exports(contract, &Python) {
        let Export {
            interface,
            answers,
            error,
        } = export;
        let name = pascal(&interface);
        entry += &format!("{name} = idr_host.asked(rule.{name}, {answers}, {error})\n");
    }
    entry
}

/// How Python writes the names of the contract.
struct Python;

impl Naming for Python {
    fn member(&self, name: &str) -> String {
        name.replace('-', "_")
    }

    fn case(&self, variant: &str, case: &str) -> String {
        format!("{}_{}", pascal(variant), pascal(case))
    }
}
