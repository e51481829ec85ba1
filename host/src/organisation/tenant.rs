//! The configuration of a made-up organisation: files that come with the
//! program, and the example rules, so that no toolchain is needed.

use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::places::SITES;

/// A file of a configuration: where it goes in the tenant's folder, and what it says.
/// `$folder` is where it lies beside this source.
macro_rules! file {
    ($folder:literal, $path:literal) => {
        ($path, include_str!(concat!($folder, "/", $path)))
    };
}

/// An example rule: its name and its component.
macro_rules! component {
    ($name:literal) => {
        (
            $name,
            include_bytes!(concat!(
                "../../../rules-examples/rust/",
                $name,
                "/",
                $name,
                ".wasm"
            )) as &[u8],
        )
    };
}

pub(super) use {component, file};

const FILES: [(&str, &str); 12] = [
    file!("tenant", "idr.toml"),
    file!("tenant", "applications/ad.toml"),
    file!("tenant", "applications/contractors.toml"),
    file!("tenant", "applications/crm.toml"),
    file!("tenant", "applications/hr.toml"),
    file!("tenant", "identity.toml"),
    file!("tenant", "lifecycle.toml"),
    POPULATIONS,
    file!("tenant", "roles/business.toml"),
    file!("tenant", "roles/by-rule.toml"),
    file!("tenant", "roles/it.toml"),
    file!("tenant", "triggers.toml"),
];

const POPULATIONS: (&str, &str) = file!("tenant", "populations.toml");

const RULES: (&str, &str) = file!("tenant", "rules/rules.toml");

const COMPONENTS: [(&str, &[u8]); 5] = [
    component!("attribute-promotion"),
    component!("identity-trigger"),
    component!("lifecycle-state"),
    component!("project-roles"),
    component!("role-assignment"),
];

/// Writes the configuration into a tenant's folder.
///
/// # Errors
///
/// When a file can't be written.
pub(super) fn write(directory: &Path) -> io::Result<()> {
    write_files(directory, &FILES, RULES, &COMPONENTS)
}

/// Writes files, rules and their components into a tenant's folder, with folders
/// for what else it has.
///
/// # Errors
///
/// When a file can't be written.
pub(super) fn write_files(
    directory: &Path,
    files: &[(&str, &str)],
    (path, content): (&str, &str),
    components: &[(&str, &[u8])],
) -> io::Result<()> {
    for folder in ["applications", "roles", "rules", "feeds"] {
        fs::create_dir_all(directory.join(folder))?;
    }
    for (path, content) in files {
        fs::write(directory.join(path), content)?;
    }
    fs::write(directory.join(path), rules(content, components))?;
    for (name, component) in components {
        fs::write(directory.join(format!("rules/{name}.wasm")), component)?;
    }
    Ok(())
}

/// Writes so many more roles into a tenant's folder, which next to nobody has. A
/// quarter each ask by match list, by filter for a code that reads as a number, by
/// such a filter of a population, and for a number.
///
/// # Errors
///
/// When a file can't be written.
pub(super) fn write_more_roles(directory: &Path, roles: u64) -> io::Result<()> {
    let mut more = "version = 1\n".to_owned();
    let mut populations = String::new();
    for number in 0..roles {
        let selector = match number % 4 {
            0 => format!("match = {{ costCenter = \"CC-{number}x\" }}"),
            1 => format!("filter = 'costCenter == \"{number}\" && inactive == false'"),
            2 => format!("population = \"code-{number}\""),
            _ => format!("filter = 'jobLevel == {}'", number + 1_000),
        };
        more += &format!(
            "\n[[role]]\nname = \"Code {number}\"\ntype = \"business\"\nselector = {{ {selector} }}\n"
        );
        if number % 4 == 2 {
            populations += &format!(
                "\n[populations.code-{number}]\nfilter = 'employeeNumber == \"{number}\" && inactive == false'\n"
            );
        }
    }
    fs::write(directory.join("roles/more.toml"), more)?;
    let (path, known) = POPULATIONS;
    fs::write(directory.join(path), known.to_owned() + &populations)
}

/// Fills in the components' digests and the sites' names.
fn rules(template: &str, components: &[(&str, &[u8])]) -> String {
    let mut rules = template.to_owned();
    for (name, component) in components {
        let digest = hex::encode(Sha256::digest(component));
        rules = rules.replace(&format!("{{{name}}}"), &digest);
    }
    let sites: Vec<String> = SITES
        .iter()
        .map(|site| format!("\"site.{}\" = \"{}\"", site.code, site.city))
        .collect();
    rules.replace("{sites}", &sites.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::{COMPONENTS, RULES, rules};

    #[test]
    fn nothing_is_left_to_fill_in() {
        let rules = rules(RULES.1, &COMPONENTS);
        let open = rules.lines().find(|line| line.contains("\"{"));
        assert_eq!(open, None);
        assert!(rules.contains("\"site.BER\" = \"Berlin\""));
    }
}
