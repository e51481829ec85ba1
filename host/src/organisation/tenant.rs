//! The configuration of a made-up organisation: files that come with the
//! program, and the example rules, so that no toolchain is needed.

use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::places::SITES;

macro_rules! file {
    ($path:literal) => {
        ($path, include_str!(concat!("tenant/", $path)))
    };
}

const FILES: [(&str, &str); 12] = [
    file!("idr.toml"),
    file!("applications/ad.toml"),
    file!("applications/contractors.toml"),
    file!("applications/crm.toml"),
    file!("applications/hr.toml"),
    file!("identity.toml"),
    file!("lifecycle.toml"),
    file!("populations.toml"),
    file!("roles/business.toml"),
    file!("roles/by-rule.toml"),
    file!("roles/it.toml"),
    file!("triggers.toml"),
];

const RULES: (&str, &str) = file!("rules/rules.toml");

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
    for folder in ["applications", "roles", "rules", "feeds"] {
        fs::create_dir_all(directory.join(folder))?;
    }
    for (path, content) in FILES {
        fs::write(directory.join(path), content)?;
    }
    let (path, content) = RULES;
    fs::write(directory.join(path), rules(content))?;
    for (name, component) in COMPONENTS {
        fs::write(directory.join(format!("rules/{name}.wasm")), component)?;
    }
    Ok(())
}

/// Fills in the components' digests and the sites' names.
fn rules(template: &str) -> String {
    let mut rules = template.to_owned();
    for (name, component) in COMPONENTS {
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
    use super::{RULES, rules};

    #[test]
    fn nothing_is_left_to_fill_in() {
        let rules = rules(RULES.1);
        let open = rules.lines().find(|line| line.contains("\"{"));
        assert_eq!(open, None);
        assert!(rules.contains("\"site.BER\" = \"Berlin\""));
    }
}
