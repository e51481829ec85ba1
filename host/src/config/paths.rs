//! Which properties a filter may read, depending on where it stands.
//!
//! It follows what the tracked view answers: a role's selector is asked before
//! roles are settled, and only attributes have a past.

use idr_core::definitions::{Model, RESERVED};
use idr_core::filter::{Filter, Path, SingleValue};
use idr_core::text::nearest;
use thiserror::Error;

/// Where a filter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterPlace {
    /// A role's selector or a population: attributes and accounts.
    Selector,
    /// A trigger's `included`: roles as well.
    Included,
    /// What a policy forbids, or whom it doesn't concern: roles as well.
    Policy,
    /// A trigger's `included_before`: attributes as they were.
    IncludedBefore,
    /// An attribute's old or new value, which is called `value`.
    ChangedValue,
}

/// A property that a filter can't read where it stands.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{message}")]
pub struct PathError {
    /// The property as the filter names it.
    pub path: String,
    message: String,
    hint: Option<String>,
}

impl PathError {
    /// Returns what to write instead, when that can be guessed.
    pub fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

/// Names of the identity's accounts as a collection; vanished ones aren't read.
const ACCOUNTS: [&str; 2] = ["links", "accounts"];

/// What every account has besides its application's attributes.
const ACCOUNT_PROPERTIES: [&str; 4] = [
    "application",
    "application.name",
    "nativeIdentity",
    "status",
];

/// Paths through the identity's roles.
const ROLES: [&str; 4] = [
    "assignedRoles",
    "assignedRoles.name",
    "detectedRoles",
    "detectedRoles.name",
];

/// First names of paths, which no attribute can have.
pub(super) const COLLECTIONS: [&str; 4] = ["links", "accounts", "assignedRoles", "detectedRoles"];

/// The attributes that filters can read in one tenant.
#[derive(Clone, Debug, Default)]
pub struct Readable<'a> {
    /// Identity attributes.
    pub attributes: Vec<&'a str>,
    /// Attributes of accounts in any application.
    pub account_attributes: Vec<&'a str>,
}

impl Readable<'static> {
    /// Returns what filters can read in a tenant with these definitions.
    pub fn of(model: &Model) -> Self {
        let attributes = model.attributes.iter();
        let applications = model.applications.iter();
        Self {
            attributes: attributes.map(|known| known.name.as_str()).collect(),
            account_attributes: applications
                .flat_map(|application| &application.schema)
                .map(|known| known.name.as_str())
                .collect(),
        }
    }
}

impl Readable<'_> {
    /// Says whether a filter that stands at `place` may ask everything that it
    /// asks.
    ///
    /// # Errors
    ///
    /// [`PathError`] for each property that can't be read there.
    pub fn check(&self, place: FilterPlace, filter: &Filter) -> Result<(), Vec<PathError>> {
        let mut errors = Vec::new();
        for collection in filter.collections() {
            let text = collection.to_string();
            if !ACCOUNTS.contains(&text.as_str()) {
                errors.push(PathError {
                    message: format!("`collectionCondition` can't be asked of `{text}`"),
                    hint: Some("it can be asked of `links`, the accounts".to_owned()),
                    path: text,
                });
            }
        }
        // Paths through a wrong collection are no use to complain about as well.
        if errors.is_empty() {
            let paths = filter.paths();
            let paths = paths.iter();
            errors.extend(paths.filter_map(|path| self.check_path(place, path).err()));
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    /// Says whether a filter that stands at `place` may read `path`.
    ///
    /// # Errors
    ///
    /// [`PathError`] with what is readable instead.
    pub fn check_path(&self, place: FilterPlace, path: &Path) -> Result<(), PathError> {
        let text = path.name().as_str();
        let refused = |message: String, hint: Option<String>| {
            let path = text.to_owned();
            Err(PathError {
                path,
                message,
                hint,
            })
        };
        if place == FilterPlace::ChangedValue {
            if text == SingleValue::PROPERTY {
                return Ok(());
            }
            return refused(
                format!("a changed value is called `value`, not `{text}`"),
                Some("write `value`".to_owned()),
            );
        }
        let is_role = ROLES.contains(&text);
        if is_role || COLLECTIONS.contains(&path.segments()[0].as_str()) {
            if place == FilterPlace::IncludedBefore {
                return refused(
                    format!("`{text}` as it was is not known"),
                    Some("only attributes have a past; ask for it in `included`".to_owned()),
                );
            }
            if is_role && place == FilterPlace::Selector {
                return refused(
                    format!("`{text}` is not settled yet where this filter is asked"),
                    Some("only policies and the `included` of a trigger can read roles".to_owned()),
                );
            }
            if is_role || self.is_of_accounts(text) {
                return Ok(());
            }
            return refused(format!("there is no property `{text}`"), self.similar(text));
        }
        match text.strip_prefix("manager.") {
            Some("manager") => refused("the manager's manager can't be read".to_owned(), None),
            Some(_) if place == FilterPlace::IncludedBefore => refused(
                format!("`{text}` as it was is not known"),
                Some("`manager` is: the name of the manager".to_owned()),
            ),
            Some(name) if self.is_attribute(name) => Ok(()),
            None if self.is_attribute(text) => Ok(()),
            Some(name) => refused(
                format!("there is no identity attribute `{name}`"),
                self.similar(text),
            ),
            None if path.segments().len() == 1 => refused(
                format!("there is no identity attribute `{text}`"),
                self.similar(text),
            ),
            None => refused(format!("there is no property `{text}`"), self.similar(text)),
        }
    }

    fn is_attribute(&self, name: &str) -> bool {
        self.attributes.contains(&name) || RESERVED.contains(&name)
    }

    fn is_of_accounts(&self, path: &str) -> bool {
        let (first, rest) = path.split_once('.').unwrap_or((path, "nativeIdentity"));
        let known = ACCOUNT_PROPERTIES.contains(&rest) || self.account_attributes.contains(&rest);
        ACCOUNTS.contains(&first) && known
    }

    /// Returns a hint with the readable path that is most like `text`.
    fn similar(&self, text: &str) -> Option<String> {
        let attributes = || self.attributes.iter().copied().chain(RESERVED);
        let mut paths: Vec<String> = attributes().map(str::to_owned).collect();
        paths.extend(attributes().map(|name| format!("manager.{name}")));
        paths.extend(ROLES.map(str::to_owned));
        for collection in ACCOUNTS {
            let properties = ACCOUNT_PROPERTIES.iter().chain(&self.account_attributes);
            paths.extend(properties.map(|name| format!("{collection}.{name}")));
        }
        let nearest = nearest(text, paths.iter().map(String::as_str))?;
        Some(format!("write `{nearest}`"))
    }
}

#[cfg(test)]
mod tests {
    use idr_core::filter::{Filter, Path};

    use super::{FilterPlace, Readable};

    fn readable() -> Readable<'static> {
        Readable {
            attributes: vec!["department"],
            account_attributes: vec!["memberOf"],
        }
    }

    #[test]
    fn what_can_be_read_depends_on_the_place() {
        use FilterPlace::{ChangedValue, Included, IncludedBefore, Selector};
        let answers = |path: &str| {
            [Selector, Included, IncludedBefore, ChangedValue]
                .map(|place| readable().check_path(place, &Path::new(path)).is_ok())
        };
        assert_eq!(answers("department"), [true, true, true, false]);
        assert_eq!(answers("inactive"), [true, true, true, false]);
        assert_eq!(answers("manager.department"), [true, true, false, false]);
        assert_eq!(answers("links"), [true, true, false, false]);
        assert_eq!(
            answers("links.application.name"),
            [true, true, false, false]
        );
        assert_eq!(answers("accounts.memberOf"), [true, true, false, false]);
        assert_eq!(answers("assignedRoles.name"), [false, true, false, false]);
        assert_eq!(answers("value"), [false, false, false, true]);
        assert_eq!(answers("manager.manager"), [false; 4]);
        assert_eq!(answers("links.colour"), [false; 4]);
        assert_eq!(answers("assignedRoles.colour"), [false; 4]);
    }

    #[test]
    fn only_accounts_can_be_asked_one_by_one() {
        let check = |text: &str| {
            let filter = Filter::parse(text).expect("it is a filter");
            readable().check(FilterPlace::Included, &filter).is_ok()
        };
        assert!(check(r#"links.collectionCondition("memberOf == \"a\"")"#));
        assert!(!check(
            r#"links.collectionCondition("department == \"a\"")"#
        ));
        assert!(!check(
            r#"assignedRoles.collectionCondition("name == \"a\"")"#
        ));
        assert!(!check(
            r#"links.collectionCondition("links.collectionCondition(\"memberOf == 1\")")"#
        ));
    }

    #[test]
    fn a_misspelt_property_gets_a_hint() {
        let error = |path: &str| {
            let error = readable()
                .check_path(FilterPlace::Selector, &Path::new(path))
                .expect_err("it is misspelt");
            format!("{error}; {}", error.hint().unwrap_or_default())
        };
        insta::assert_snapshot!(error("departement"), @"there is no identity attribute `departement`; write `department`");
        insta::assert_snapshot!(error("manager.departement"), @"there is no identity attribute `departement`; write `manager.department`");
        insta::assert_snapshot!(error("link.application.name"), @"there is no property `link.application.name`; write `links.application.name`");
        insta::assert_snapshot!(error("links.memberof"), @"there is no property `links.memberof`; write `links.memberOf`");
    }
}
