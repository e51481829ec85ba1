//! Go, by its own compiler.

use crate::component::{self, Contract};
use crate::manifest::Project;
use crate::{GuestError, Language, read, tools, write};

const HELPERS: &str = include_str!("../../support/go/rules.go");

/// Lets generated code find its runtime in the folder.
const RUNTIME_IS_HERE: &str = "\nreplace go.bytecodealliance.org/pkg => ./wit_runtime\n";
const RUNTIME_MODULE: &str = "module go.bytecodealliance.org/pkg\n\ngo 1.25\n";

macro_rules! runtime_files {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../support/go/pkg/", $name)))),+]
    };
}

/// The runtime that generated code uses: go.bytecodealliance.org/pkg v0.4.0.
const RUNTIME: [(&str, &str); 11] = runtime_files![
    "LICENSE",
    "wit/async/async.go",
    "wit/async/empty.s",
    "wit/runtime/empty.s",
    "wit/runtime/runtime.go",
    "wit/types/future.go",
    "wit/types/option.go",
    "wit/types/result.go",
    "wit/types/stream.go",
    "wit/types/tuple.go",
    "wit/types/unit.go",
];

/// Builds the folder as the Go module `wit_component`, with the generated
/// packages beside the author's.
pub(crate) fn build(project: &Project) -> Result<Vec<u8>, GuestError> {
    let mut contract = Contract::of(project)?;
    generate(project, &mut contract)?;

    let module = project.scratch().join("core.wasm");
    write(&module, b"")?;
    let mut go = tools::tool("go", Language::Go)?;
    go.current_dir(&project.folder)
        .env("GOOS", "wasip1")
        .env("GOARCH", "wasm")
        .env("GOPROXY", "off")
        .env("GOTOOLCHAIN", "local")
        .env("GOFLAGS", "-mod=mod")
        .args([
            "build",
            "-buildmode=c-shared",
            "-trimpath",
            "-buildvcs=false",
        ])
        // The runtime of the bindings links to one of Go's own functions.
        .args(["-ldflags=-w -checklinkname=0", "-o"])
        .arg(&module)
        .arg(".");
    tools::run(&mut go)?;
    let module = contract.embedded_in(read(&module)?, project)?;
    component::closed(&module, &contract, project)
}

fn generate(project: &Project, contract: &mut Contract) -> Result<(), GuestError> {
    let options = wit_bindgen_go::Opts {
        format: wit_bindgen_go::Format::False,
        quiet: true,
        ..Default::default()
    };
    let generated = super::bindings(project, contract, options.build())?;
    for (name, content) in generated.iter() {
        let mut content = content.to_vec();
        if name == "go.mod" {
            content.extend(RUNTIME_IS_HERE.bytes());
        }
        write(&project.folder.join(name), &content)?;
    }
    write(&project.folder.join("rules/rules.go"), HELPERS.as_bytes())?;
    let runtime = project.folder.join("wit_runtime");
    write(&runtime.join("go.mod"), RUNTIME_MODULE.as_bytes())?;
    for (name, content) in RUNTIME {
        write(&runtime.join(name), content.as_bytes())?;
    }
    Ok(())
}
