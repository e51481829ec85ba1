//! C, by the compiler that Zig brings along.

use std::path::PathBuf;

use crate::component::{self, Contract};
use crate::manifest::Project;
use crate::{GuestError, Language, read, tools, write};

const HELPERS: &str = include_str!("../../support/c/idr.h");
const STDERR: &str = include_str!("../../support/c/idr.c");

/// Builds every `.c` file of the folder, with bindings in `bindings/`.
pub(crate) fn build(project: &Project) -> Result<Vec<u8>, GuestError> {
    let sources = sources(project)?;
    let mut contract = Contract::of(project)?;
    let bindings = project.bindings();
    // One name for every world, so that sources include the same header whatever
    // they export.
    let options = wit_bindgen_c::Opts {
        rename_world: Some("rule".to_owned()),
        ..Default::default()
    };
    let generated = super::bindings(project, &mut contract, options.build())?;
    for (name, content) in generated.iter() {
        write(&bindings.join(name), content)?;
    }
    write(&bindings.join("idr.h"), HELPERS.as_bytes())?;
    write(&bindings.join("idr.c"), STDERR.as_bytes())?;

    let module = project.scratch().join("core.wasm");
    write(&module, b"")?;
    let mut zig = tools::tool("zig", Language::C)?;
    zig.current_dir(&project.folder)
        .args([
            "cc",
            "--target=wasm32-wasi",
            "-mexec-model=reactor",
            "-std=c17",
        ])
        // Whoever asserts something means it; Zig leaves assertions out otherwise.
        .args(["-Oz", "-g1", "-Wall", "-UNDEBUG", "-Ibindings", "-o"])
        .arg(&module)
        .args(sources)
        // The object file tells what the module was compiled for.
        .args(["bindings/rule.c", "bindings/rule_component_type.o"])
        .arg("bindings/idr.c");
    tools::run(&mut zig)?;
    let module = component::without_debug_sections(&read(&module)?);
    component::closed(&module, &contract, project)
}

fn sources(project: &Project) -> Result<Vec<PathBuf>, GuestError> {
    let unreadable = |source| GuestError::Unreadable {
        path: project.folder.clone(),
        source,
    };
    let mut sources = Vec::new();
    for entry in std::fs::read_dir(&project.folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "c") {
            // From the folder itself: assertions tell where they stand.
            sources.extend(path.file_name().map(PathBuf::from));
        }
    }
    if sources.is_empty() {
        return Err(GuestError::NoSource {
            what: "C source (`rule.c`)",
            folder: project.folder.clone(),
        });
    }
    sources.sort();
    Ok(sources)
}
