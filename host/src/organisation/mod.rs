//! A made-up organisation: its people, what its applications say of them, and
//! a tenant that is configured for it.
//!
//! `idr generate` and `idr bench` make tenants of any size with it, each of a
//! profile, and `idr demo` lets a month pass in one. Everything follows from the
//! profile, the number of people and a seed.
//!
//! | file | what it does |
//! |---|---|
//! | `people` | who there is |
//! | `places`, `names` | where they work and at what, and what they are called |
//! | `feeds` | files as the applications would write them |
//! | `tenant` | the configuration, with the example rules |
//! | `profile` | what made tenants can be like |
//! | `standard` | the standard tenant: configuration and feeds |
//! | `midpoint` | the shapes that midPoint publishes figures of |
//! | `load` | aggregates the feeds |
//! | `dice` | chance |

mod dice;
mod feeds;
mod load;
mod midpoint;
mod names;
mod people;
mod places;
mod profile;
mod standard;
mod tenant;

use std::fs;
use std::io;
use std::path::Path;

pub(crate) use dice::Dice;
pub use feeds::{APPLICATIONS, FeedWriter};
pub use load::{LoadError, aggregate_all};
pub use people::{
    Contract, CrmAccount, DirectoryAccount, Employment, FIRST_DAY, FIRST_INSTANT, Organisation,
    Person, employee_number,
};
pub use places::{DEPARTMENTS, Department, PROJECTS, SITES, Site};
pub(crate) use places::{department_of, site_of};
pub use profile::{Made, Profile};

/// Writes configuration and rules of an organisation's tenant into a new or
/// empty folder, with a folder for its feeds.
///
/// # Errors
///
/// When a file can't be written.
pub fn write_configuration(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    tenant::write(directory)
}

/// Writes so many more roles into the folder of an organisation's tenant: with
/// many roles, whom each is for has to be found without asking about all of them.
///
/// # Errors
///
/// When a file can't be written.
pub fn write_more_roles(directory: &Path, roles: u64) -> io::Result<()> {
    tenant::write_more_roles(directory, roles)
}

/// Writes a tenant for an organisation into a new or empty folder:
/// configuration, rules, and the feeds of the first day.
///
/// # Errors
///
/// When a file can't be written.
pub fn write_tenant(directory: &Path, organisation: Organisation) -> io::Result<()> {
    write_configuration(directory)?;
    let mut feeds = FeedWriter::create(&directory.join("feeds"))?;
    for person in organisation.people() {
        feeds.write(&person)?;
    }
    feeds.finish(&[])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    use super::{Organisation, write_tenant};
    use crate::config::Tenant;

    fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let entry = entry.expect("it can be listed");
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() {
                let inner = content(&entry.path());
                found.extend(
                    inner
                        .into_iter()
                        .map(|(path, content)| (format!("{name}/{path}"), content)),
                );
            } else {
                found.insert(name, fs::read(entry.path()).expect("it can be read"));
            }
        }
        found
    }

    #[test]
    fn the_tenant_is_configured_without_problems() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        write_tenant(folder.path(), Organisation::new(50, 1)).expect("it can be written to");
        let tenant = Tenant::load(folder.path()).unwrap_or_else(|error| panic!("{error:#?}"));
        assert_eq!(tenant.model.applications.len(), 4);
        let by_rule = tenant.model.roles.iter().filter(|role| {
            matches!(
                role.selector,
                Some(idr_core::definitions::Selector::Rule(_))
            )
        });
        assert_eq!(by_rule.count(), 20);
    }

    #[test]
    fn the_same_seed_writes_the_same_files() {
        let write = |seed: u64| {
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            write_tenant(folder.path(), Organisation::new(300, seed)).expect("it can be written");
            content(folder.path())
        };
        let first = write(5);
        assert!(first == write(5));
        assert!(first != write(6));
        assert!(first.contains_key("feeds/hr.csv"), "{:?}", first.keys());
    }
}
