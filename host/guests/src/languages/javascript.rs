//! JavaScript and TypeScript, run by QuickJS.

use crate::manifest::Project;
use crate::{GuestError, Language, read, tools, write};

const HELPERS: &str = include_str!("../../support/javascript/idr.js");
const HELPER_TYPES: &str = include_str!("../../support/javascript/idr.d.ts");
const CONTRACT_TYPES: &str = include_str!("../../support/javascript/rules.d.ts");

/// Bundles `rule.js` or `rule.ts` with what it imports, and puts that into a
/// component with the engine.
pub(crate) fn build(project: &Project) -> Result<Vec<u8>, GuestError> {
    let source = match project.language {
        Language::TypeScript => project.source("rule.ts", "`rule.ts`")?,
        _ => project.source("rule.js", "`rule.js`")?,
    };
    for (name, content) in [
        ("idr.js", HELPERS),
        ("idr.d.ts", HELPER_TYPES),
        ("rules.d.ts", CONTRACT_TYPES),
    ] {
        write(&project.bindings().join(name), content.as_bytes())?;
    }

    let bundle = project.scratch().join("rule.js");
    let mut esbuild = tools::tool("esbuild", project.language)?;
    esbuild
        .current_dir(&project.folder)
        .arg(source)
        .args(["--bundle", "--format=esm", "--external:idr:*"])
        .args(["--log-level=warning", "--charset=utf8"])
        .arg(format!("--outfile={}", bundle.display()));
    tools::run(&mut esbuild)?;

    let component = project.scratch().join("component.wasm");
    let mut componentize = tools::tool("componentize-qjs", project.language)?;
    componentize
        .current_dir(&project.folder)
        .arg("-w")
        .arg(&project.wit)
        .args(["-n", &project.world, "-j"])
        .arg(&bundle)
        .args(["--stub-wasi", "--sync", "--opt-size", "-o"])
        .arg(&component);
    tools::run(&mut componentize)?;
    read(&component)
}
