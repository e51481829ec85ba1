//! Python, run by CPython.

use crate::manifest::Project;
use crate::{GuestError, Language, read, tools, write};

const HELPERS: &str = include_str!("../../support/python/idr_rule.py");

/// Puts `rule.py` and what it imports into a component with the interpreter.
pub(crate) fn build(project: &Project) -> Result<Vec<u8>, GuestError> {
    project.source("rule.py", "`rule.py`")?;
    write(&project.bindings().join("idr_rule.py"), HELPERS.as_bytes())?;

    let component = project.scratch().join("component.wasm");
    write(&component, b"")?;
    let mut componentize = tools::tool("componentize-py", Language::Python)?;
    componentize
        .current_dir(&project.folder)
        .arg("-d")
        .arg(&project.wit)
        .args(["-w", &project.world, "componentize", "--stub-wasi"])
        .args(["rule", "-p", ".", "-p", "bindings", "-o"])
        .arg(&component);
    tools::run(&mut componentize)?;
    read(&component)
}
