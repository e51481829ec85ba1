//! The names that a tenant defines, gathered before anything is checked, and
//! the resolving of references to them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use idr_core::definitions::{RESERVED, RoleType, RuleIndex};
use idr_core::filter::{Filter, FilterError};
use idr_core::model::{Name, ValueType};
use idr_core::text::nearest;

use super::Sources;
use crate::config::document::Scope;
use crate::config::paths::{COLLECTIONS, FilterPlace, Readable};

/// What a rule is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RuleUse {
    AccountCorrelation,
    IdentityCreation,
    BeforeRefresh,
    AfterRefresh,
    ValueChange,
    ManagerCorrelation,
    AttributePromotion,
    LifecycleState,
    RoleAssignment,
    IdentityTrigger,
    Policy,
    AccountSelection,
    LogicalAccount,
    TargetMapping,
}

/// An account attribute, as far as others need to know it.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownAccountAttribute {
    pub(super) name: Name,
    pub(super) entitlement: bool,
}

#[derive(Debug, Default)]
struct KnownApplication {
    attributes: BTreeMap<String, bool>,
    detects_native_changes: bool,
    is_provisioned: bool,
    is_logical: bool,
}

/// Every name that is defined, rightly or not: a definition with a mistake in it
/// is reported once, not again by whoever refers to it.
#[derive(Debug, Default)]
pub(super) struct Known {
    applications: BTreeMap<String, KnownApplication>,
    attributes: BTreeMap<String, ValueType>,
    states: Vec<String>,
    role_types: BTreeMap<String, RoleType>,
    roles: BTreeMap<String, Option<RoleType>>,
    rules: Vec<String>,
    populations: Vec<String>,
    rule_uses: RefCell<Vec<(RuleIndex, RuleUse)>>,
    has_secret: bool,
    needs_secret: Cell<bool>,
}

impl Known {
    /// Gathers the names.
    pub(super) fn of(sources: &Sources) -> Self {
        let mut known = Self {
            has_secret: sources.settings.raw.secret.is_some(),
            ..Self::default()
        };
        for (name, application) in &sources.applications {
            let schema = &application.raw.schema;
            let attributes = schema
                .iter()
                .map(|(name, attribute)| (name.clone(), attribute.entitlement))
                .collect();
            let application = KnownApplication {
                attributes,
                detects_native_changes: application.raw.native_changes.is_some(),
                is_provisioned: application.raw.provisioning,
                is_logical: application.raw.logical.is_some(),
            };
            known.applications.insert(name.clone(), application);
        }
        for (name, attribute) in &sources.identity.raw.attributes {
            let word = attribute.value_type.as_deref().unwrap_or_default();
            let value_type = ValueType::ALL.iter().find(|(known, _)| *known == word);
            let value_type = value_type.map(|(_, value_type)| *value_type);
            known
                .attributes
                .insert(name.clone(), value_type.unwrap_or_default());
        }
        known.role_types = super::role_types::gather(&sources.roles);
        for role in sources.roles.iter().flat_map(|file| &file.raw.role) {
            if let Some(name) = &role.name {
                let word = role.role_type.as_deref().unwrap_or_default();
                let role_type = known.role_types.get(word).copied();
                known.roles.insert(name.clone(), role_type);
            }
        }
        known.states = sources.lifecycle.raw.states.keys().cloned().collect();
        known.rules = sources.rules.raw.rules.keys().cloned().collect();
        known.populations = sources
            .populations
            .raw
            .populations
            .keys()
            .cloned()
            .collect();
        known
    }

    /// Resolves a reference to an application.
    pub(super) fn application(&self, scope: &Scope<'_>, text: &str) -> Option<Name> {
        if self.applications.contains_key(text) {
            return Some(Name::new(text));
        }
        let names = self.applications.keys().map(String::as_str);
        let file = format!("applications/{text}.toml");
        unknown(scope, "application", text, names, &file);
        None
    }

    /// Resolves a reference to an account attribute; says nothing where the
    /// application itself is unknown.
    pub(super) fn account_attribute(
        &self,
        scope: &Scope<'_>,
        application: &str,
        text: &str,
    ) -> Option<KnownAccountAttribute> {
        let attributes = &self.applications.get(application)?.attributes;
        match attributes.get(text) {
            Some(entitlement) => Some(KnownAccountAttribute {
                name: Name::new(text),
                entitlement: *entitlement,
            }),
            None => {
                let names = attributes.keys().map(String::as_str);
                let message = format!("accounts in `{application}` have no attribute `{text}`");
                scope.report_with_hint(message, hint_for(text, names, &schema_of(application)));
                None
            }
        }
    }

    /// Resolves a reference to an account attribute that is an entitlement.
    pub(super) fn entitlement(
        &self,
        scope: &Scope<'_>,
        application: &str,
        text: &str,
    ) -> Option<Name> {
        let attribute = self.account_attribute(scope, application, text)?;
        if !attribute.entitlement {
            scope.report_with_hint(
                format!("`{text}` is no entitlement"),
                format!("write `entitlement = true` for it in applications/{application}.toml"),
            );
        }
        attribute.entitlement.then_some(attribute.name)
    }

    /// Reads a filter over the accounts of an application: it reads their
    /// attributes, `nativeIdentity` and `status`.
    pub(super) fn account_filter(
        &self,
        scope: &Scope<'_>,
        application: &str,
        text: &str,
    ) -> Option<Filter> {
        let filter = parsed(scope, text)?;
        let attributes = &self.applications.get(application)?.attributes;
        let names = || attributes.keys().map(String::as_str);
        let names = || names().chain(["nativeIdentity", "status"]);
        let mut unreadable: Vec<String> = filter.paths().iter().map(ToString::to_string).collect();
        unreadable.retain(|path| !names().any(|name| name == path));
        for path in &unreadable {
            let column = column_of(text, path);
            scope.report_with_hint(
                format!("{column}accounts in `{application}` have no attribute `{path}`"),
                hint_for(path, names(), &schema_of(application)),
            );
        }
        unreadable.is_empty().then_some(filter)
    }

    /// Says whether roles and attributes call for changes of an application's accounts.
    pub(super) fn is_provisioned(&self, application: &str) -> bool {
        let known = self.applications.get(application);
        known.is_some_and(|known| known.is_provisioned)
    }

    /// Says whether an application's accounts are made of others.
    pub(super) fn is_logical(&self, application: &str) -> bool {
        let known = self.applications.get(application);
        known.is_some_and(|known| known.is_logical)
    }

    /// Says whether an attribute of an application's accounts lists entitlements.
    pub(super) fn is_entitlement(&self, application: &str, attribute: Name) -> bool {
        let known = self.applications.get(application);
        let known = known.and_then(|known| known.attributes.get(attribute.as_str()));
        known.is_some_and(|is_entitlement| *is_entitlement)
    }

    /// Says whether an application, or any, records native changes.
    pub(super) fn detects_native_changes(&self, application: Option<&str>) -> bool {
        let detects = |known: &KnownApplication| known.detects_native_changes;
        match application {
            // An unknown one has been reported already.
            Some(name) => self.applications.get(name).is_none_or(detects),
            None => self.applications.values().any(detects),
        }
    }

    /// Resolves a reference to an identity attribute, with its type; also one of
    /// these reserved names.
    pub(super) fn identity_attribute(
        &self,
        scope: &Scope<'_>,
        text: &str,
        reserved: &[&str],
    ) -> Option<(Name, ValueType)> {
        if let Some(value_type) = self.attributes.get(text) {
            return Some((Name::new(text), *value_type));
        }
        if reserved.contains(&text) {
            let value_type = match text {
                "inactive" => ValueType::Boolean,
                "uid" => ValueType::Integer,
                _ => ValueType::Text,
            };
            return Some((Name::new(text), value_type));
        }
        if RESERVED.contains(&text) {
            scope.report(format!("`{text}` can't be used here"));
            return None;
        }
        let names = self.attributes.keys().map(String::as_str);
        let names = names.chain(reserved.iter().copied());
        unknown(scope, "identity attribute", text, names, "identity.toml");
        None
    }

    /// Notes that something is derived from the tenant's secret.
    pub(super) fn use_secret(&self, scope: &Scope<'_>) {
        self.needs_secret.set(true);
        if !self.has_secret {
            scope.report_with_hint(
                "it is derived from a secret of the tenant, and there is none",
                "write `secret = \"env:NAME\"` or `secret = \"file:PATH\"` in idr.toml",
            );
        }
    }

    /// Says whether something is derived from the tenant's secret.
    pub(super) fn needs_secret(&self) -> bool {
        self.needs_secret.get()
    }

    /// Says whether an identity attribute is defined.
    pub(super) fn has_identity_attribute(&self, text: &str) -> bool {
        self.attributes.contains_key(text)
    }

    /// Resolves a reference to a lifecycle state.
    pub(super) fn state(&self, scope: &Scope<'_>, text: &str) -> Option<Name> {
        if self.states.iter().any(|state| state == text) {
            return Some(Name::new(text));
        }
        let names = self.states.iter().map(String::as_str);
        unknown(scope, "lifecycle state", text, names, "lifecycle.toml");
        None
    }

    /// Resolves a reference to a type of role.
    pub(super) fn role_type(&self, scope: &Scope<'_>, text: &str) -> Option<RoleType> {
        let known = self.role_types.get(text).copied();
        if known.is_none() {
            let names = self.role_types.keys().map(String::as_str);
            unknown(scope, "type of role", text, names, "a file in roles/");
        }
        known
    }

    /// Resolves a reference to a role, with its type where that is right.
    pub(super) fn role(&self, scope: &Scope<'_>, text: &str) -> Option<(Name, Option<RoleType>)> {
        if let Some(role_type) = self.roles.get(text) {
            return Some((Name::new(text), *role_type));
        }
        let names = self.roles.keys().map(String::as_str);
        unknown(scope, "role", text, names, "a file in roles/");
        None
    }

    /// Resolves a reference to a rule and notes what it is used as.
    pub(super) fn rule(&self, scope: &Scope<'_>, text: &str, as_a: RuleUse) -> Option<RuleIndex> {
        match self.rules.iter().position(|rule| rule == text) {
            Some(place) => {
                self.rule_uses.borrow_mut().push((RuleIndex(place), as_a));
                Some(RuleIndex(place))
            }
            None => {
                let names = self.rules.iter().map(String::as_str);
                unknown(scope, "rule", text, names, "rules/rules.toml");
                None
            }
        }
    }

    /// Returns what a rule is used as.
    pub(super) fn rule_uses(&self, rule: RuleIndex) -> Vec<RuleUse> {
        let uses = self.rule_uses.borrow();
        let of_rule = uses.iter().filter(|(known, _)| *known == rule);
        of_rule.map(|(_, as_a)| *as_a).collect()
    }

    /// Resolves a reference to a population.
    pub(super) fn population(&self, scope: &Scope<'_>, text: &str) -> Option<usize> {
        let place = self.populations.iter().position(|known| known == text);
        if place.is_none() {
            let names = self.populations.iter().map(String::as_str);
            unknown(scope, "population", text, names, "populations.toml");
        }
        place
    }

    /// Reads a filter; every property in it must be readable at its place.
    pub(super) fn filter(
        &self,
        scope: &Scope<'_>,
        text: &str,
        place: FilterPlace,
    ) -> Option<Filter> {
        let filter = parsed(scope, text)?;
        let attributes = self.attributes.keys().map(String::as_str);
        let applications = self.applications.values();
        let readable = Readable {
            attributes: attributes.collect(),
            account_attributes: applications
                .flat_map(|application| application.attributes.keys())
                .map(String::as_str)
                .collect(),
        };
        match readable.check(place, &filter) {
            Ok(()) => Some(filter),
            Err(errors) => {
                for error in errors {
                    let column = column_of(text, &error.path);
                    scope.report_with_hint_opt(format!("{column}{error}"), error.hint());
                }
                None
            }
        }
    }
}

/// Reads a filter's text.
fn parsed(scope: &Scope<'_>, text: &str) -> Option<Filter> {
    let parsed = Filter::parse(text);
    let report = |error: &FilterError| scope.report_with_hint_opt(error.to_string(), error.hint());
    parsed.inspect_err(report).ok()
}

/// Says where the attributes of an application's accounts are defined.
fn schema_of(application: &str) -> String {
    format!("the schema of applications/{application}.toml")
}

/// Reports a reference to something that isn't defined.
fn unknown<'n>(
    scope: &Scope<'_>,
    what: &str,
    text: &str,
    names: impl Iterator<Item = &'n str>,
    file: &str,
) {
    let hint = hint_for(text, names, file);
    scope.report_with_hint(format!("there is no {what} `{text}`"), hint);
}

fn hint_for<'n>(text: &str, names: impl Iterator<Item = &'n str>, file: &str) -> String {
    match nearest(text, names) {
        Some(nearest) => format!("write `{nearest}`"),
        None => format!("define it in {file}"),
    }
}

/// Returns `column 5: ` for where a property first stands in a filter's text.
/// One within a collection's condition can't be pointed at.
fn column_of(filter: &str, path: &str) -> String {
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '.');
    let mut quoted = false;
    let mut escaped = false;
    let mut before = ' ';
    for (column, (offset, character)) in filter.char_indices().enumerate() {
        if !quoted
            && !in_name(before)
            && let Some(rest) = filter[offset..].strip_prefix(path)
            && !rest.starts_with(|c: char| c != '.' && in_name(c))
        {
            return format!("column {}: ", column + 1);
        }
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = character == '\\' && !escaped;
        before = character;
    }
    String::new()
}

/// Checks the name of an identity attribute: filters must be able to read it.
pub(super) fn check_attribute_name(scope: &Scope<'_>, name: &str) {
    // `zone` is read everywhere, and a tenant says where it comes from.
    if name != "zone" && RESERVED.contains(&name) || COLLECTIONS.contains(&name) {
        scope.report_with_hint(
            format!("`{name}` is a name that idr gives a meaning itself"),
            "choose another name",
        );
        return;
    }
    let parsed = Filter::parse(&format!("{name}.notNull()"));
    let is_one_name = parsed.is_ok_and(|filter| {
        filter
            .paths()
            .iter()
            .all(|path| path.segments().len() == 1 && path.to_string() == name)
    });
    if !is_one_name {
        scope.report_with_hint(
            format!("`{name}` can't be the name of an identity attribute"),
            "use letters, digits, `_`, `-`, and single spaces between words",
        );
    }
}

/// Checks any other name; says whether it is one.
pub(super) fn check_name(scope: &Scope<'_>, name: &str) -> bool {
    let is_name = !name.is_empty() && name.trim() == name && !name.chars().any(char::is_control);
    if !is_name {
        scope.report_with_hint(
            format!("{name:?} can't be a name"),
            "use at least one character, no space at the ends, and no line breaks",
        );
    }
    is_name
}

#[cfg(test)]
mod tests {
    use super::column_of;

    #[test]
    fn a_property_is_pointed_at_where_it_stands_as_itself() {
        let filter = r#"subdept == "dept" && dept.in({"a"})"#;
        assert_eq!(column_of(filter, "dept"), "column 22: ");
        assert_eq!(column_of(filter, "nothing"), "");
        assert_eq!(column_of("é == 1 && x == 2", "x"), "column 11: ");
    }
}
