//! JavaScript and TypeScript, run by QuickJS.

use std::path::Path;

use crate::answers::{self, Export, Naming, camel};
use crate::component::Contract;
use crate::manifest::Project;
use crate::{GuestError, Language, read, tools, write};

const HOST: &str = include_str!("../../support/javascript/host.js");
const HELPERS: &str = include_str!("../../support/javascript/idr.js");
const HELPER_TYPES: &str = include_str!("../../support/javascript/idr.d.ts");
const CONTRACT_TYPES: &str = include_str!("../../support/javascript/rules.d.ts");

/// The version that these types are of; what an older one lacks does no harm.
const TYPES_VERSION: &str = "@0.1.2";

/// Bundles `rule.js` or `rule.ts` with what it imports and with what stands between it
/// and the host, and puts that into a component with the engine.
pub(crate) fn build(project: &Project) -> Result<Vec<u8>, GuestError> {
    let source = match project.language {
        Language::TypeScript => project.source("rule.ts", "`rule.ts`")?,
        _ => project.source("rule.js", "`rule.js`")?,
    };
    let contract = Contract::of(project)?;
    let version = contract.version();
    let version = version.map_or(TYPES_VERSION.to_owned(), |version| format!("@{version}"));
    for (name, content) in [
        ("idr.js", HELPERS),
        ("idr.d.ts", HELPER_TYPES),
        ("rules.d.ts", CONTRACT_TYPES),
    ] {
        let content = content.replace(TYPES_VERSION, &version);
        write(&project.bindings().join(name), content.as_bytes())?;
    }

    let entry = project.scratch().join("entry.js");
    write(&entry, entry_of(&contract, &source).as_bytes())?;
    write(&project.scratch().join("host.js"), HOST.as_bytes())?;

    let bundle = project.scratch().join("rule.js");
    let mut esbuild = tools::tool("esbuild", project.language)?;
    esbuild
        .current_dir(&project.folder)
        .arg(entry)
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

/// Returns a module that exports what a rule exports, as the host asks it.
fn entry_of(contract: &Contract, source: &Path) -> String {
    let file = source.file_name().unwrap_or_default().to_string_lossy();
    let exports = answers::exports(contract, &JavaScript);
    let names = exports.iter().map(|known| camel(&known.interface));
    let names: Vec<String> = names
        .enumerate()
        .map(|(place, name)| format!("{name} as rule{place}"))
        .collect();
    // The host comes first: it takes the clock away.
    let mut entry = format!(
        "import {{ asked }} from './host.js';\nimport {{ {} }} from '../{file}';\n\n",
        names.join(", ")
    );
    for (place, export) in exports.iter().enumerate() {
        let Export {
            interface,
            answers,
            error,
        } = export;
        let name = camel(interface);
        entry +=
            &format!("export const {name} = asked('{name}', rule{place}, {answers}, {error});\n");
    }
    entry
}

/// How JavaScript writes the names of the contract.
struct JavaScript;

impl Naming for JavaScript {
    fn member(&self, name: &str) -> String {
        camel(name)
    }

    fn case(&self, _: &str, case: &str) -> String {
        case.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use wit_parser::{Resolve, WorldItem};

    use super::{CONTRACT_TYPES, HELPER_TYPES, TYPES_VERSION, camel};
    use crate::answers::pascal;

    const CONTRACT: &str = include_str!("../../../../wit/0.1.2/rules.wit");

    #[test]
    fn the_types_know_every_function_of_the_contract() {
        let mut contract = Resolve::default();
        let package = contract.push_source("rules.wit", CONTRACT);
        let package = package.expect("the contract is well-formed");
        let world = contract.select_world(&[package], Some("all-kinds"));
        let world = &contract.worlds[world.expect("every kind in one")];
        let functions = |items: &[&WorldItem]| {
            let mut functions = Vec::new();
            for item in items {
                let WorldItem::Interface { id, .. } = item else {
                    continue;
                };
                let interface = &contract.interfaces[*id];
                let name = interface.name.clone().expect("it has a name");
                let own = interface.functions.keys();
                functions.extend(own.map(|function| (name.clone(), camel(function))));
            }
            functions
        };
        let imports: Vec<&WorldItem> = world.imports.values().collect();
        for (interface, function) in functions(&imports) {
            let module = format!("declare module 'idr:rules/{interface}{TYPES_VERSION}' {{");
            let start = CONTRACT_TYPES.find(&module).expect(&module);
            let module = &CONTRACT_TYPES[start..];
            let module = &module[..module.find("\n}").expect("it ends")];
            let declared = format!("  export function {function}(");
            assert!(module.contains(&declared), "{interface}: {function}");
        }
        let exports: Vec<&WorldItem> = world.exports.values().collect();
        assert_eq!(exports.len(), crate::kinds().len());
        for (interface, function) in functions(&exports) {
            let name = pascal(&interface);
            let start = HELPER_TYPES.find(&format!("export interface {name} {{"));
            let declared = &HELPER_TYPES[start.expect(&name)..];
            let declared = &declared[..declared.find('}').expect("it ends")];
            assert!(declared.contains(&format!(" {function}(")), "{declared}");
        }
    }

    #[test]
    fn the_types_are_of_one_version() {
        for types in [CONTRACT_TYPES, HELPER_TYPES] {
            assert_eq!(
                types.matches("@0.").count(),
                types.matches(TYPES_VERSION).count()
            );
        }
    }
}
