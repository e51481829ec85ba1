//! `applications/*.toml`: what is aggregated, and whose it is.

use std::collections::BTreeMap;

use encoding_rs::Encoding;
use idr_core::definitions::{
    AccountAttribute, Application, ApplicationProvisioning, CorrelationMatch, CorrelationStep,
    IdentityCreation, NativeChangeDetection, NativeEntitlements, NativeResponse, Threshold,
};
use idr_core::model::{AccountStatus, IdentityType, Name, NativeOperation, ValueType};
use idr_core::text::{fold, nearest};

use super::database;
use super::names::{Known, RuleUse, check_name};
use super::{Source, logical};
use crate::aggregate::connector::{Connector, DelimitedFile, Guard, StatusColumn};
use crate::config::document::Scope;
use crate::config::files;
use crate::config::problem::Problems;
use crate::config::raw::{
    RawAccountAttribute, RawApplication, RawAuthoritative, RawCorrelationStep, RawGuard,
    RawNativeChanges, RawStatus,
};
use crate::config::values::{duration_ms, required, threshold, value_type, within, word};

/// What kind of connector an application has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Database,
}

const CONNECTORS: [(&str, Kind); 2] = [("delimited-file", Kind::File), ("sql", Kind::Database)];

/// Checks all applications.
pub(super) fn check(
    sources: &BTreeMap<String, Source<RawApplication>>,
    known: &Known,
    problems: &Problems,
) -> (Vec<Application>, BTreeMap<Name, Connector>) {
    let mut applications = Vec::new();
    let mut connectors = BTreeMap::new();
    let mut ranks: BTreeMap<i64, &str> = BTreeMap::new();
    for (name, source) in sources {
        let scope = source.scope(problems);
        scope.check_version(source.raw.version, false);
        if !check_name(&scope, name) {
            continue;
        }
        let mut application = application(&scope, name, &source.raw, known);
        application.logical = logical::check(&scope, name, &source.raw, sources, known);
        let rank = source.raw.authoritative.as_ref().map(rank_of);
        if let Some(rank) = rank
            && let Some(first) = ranks.insert(rank, name)
        {
            scope.at("authoritative").at("rank").report_with_hint(
                format!("`{first}` has rank {rank} as well"),
                "give each authoritative application a rank of its own: the lowest decides",
            );
        }
        if source.raw.logical.is_some() {
            applications.push(application);
            continue;
        }
        let connector = connector(&scope, &source.raw);
        connectors.insert(application.name, connector);
        applications.push(application);
    }
    let creates = |source: &Source<RawApplication>| source.raw.authoritative.is_some();
    if !sources.is_empty() && !sources.values().any(creates) {
        problems.add_to_file(
            &format!("{}/", files::APPLICATIONS),
            "no application is authoritative, so no identity would ever be created".to_owned(),
            Some("write `[authoritative]` for the one that knows who there is".to_owned()),
        );
    }
    (applications, connectors)
}

/// Checks how an application is reached.
fn connector(scope: &Scope<'_>, raw: &RawApplication) -> Connector {
    let guard = guard(&scope.at("guard"), &raw.guard);
    let place = scope.at("connector");
    let connector_type = required(&place, "type", raw.connector.connector_type.as_deref());
    let kind = connector_type.and_then(|text| word(&place.at("type"), text, &CONNECTORS));
    if kind == Some(Kind::Database) {
        return Connector {
            file: DelimitedFile::default(),
            database: database::check(scope, raw),
            guard,
        };
    }
    if kind == Some(Kind::File) {
        database::report_keys_of_databases(scope, raw);
    }
    Connector {
        file: file(&place, raw),
        database: None,
        guard,
    }
}

fn application(scope: &Scope<'_>, name: &str, raw: &RawApplication, known: &Known) -> Application {
    let authoritative = scope.at("authoritative");
    let native_changes = scope.at("native_changes");
    let vanish_grace = raw.vanish_grace.as_deref();
    Application {
        name: Name::new(name),
        schema: schema(&scope.at("schema"), &raw.schema),
        correlation: correlation(&scope.at("correlation"), name, &raw.correlation, known),
        creates: raw
            .authoritative
            .as_ref()
            .and_then(|raw| creation(&authoritative, name, raw, known)),
        vanish_grace_ms: vanish_grace
            .and_then(|text| duration_ms(&scope.at("vanish_grace"), text))
            .unwrap_or(0),
        native_changes: raw
            .native_changes
            .as_ref()
            .map(|raw| detection(&native_changes, name, raw, known)),
        native_entitlements: native_entitlements(scope, raw),
        logical: None,
        provisioning: ApplicationProvisioning::default(),
    }
}

fn native_entitlements(scope: &Scope<'_>, raw: &RawApplication) -> NativeEntitlements {
    let has_entitlements = raw.schema.values().any(|attribute| attribute.entitlement);
    let response = |key: &str, text: &Option<String>, default| {
        let Some(text) = text else {
            return default;
        };
        let scope = scope.at(key);
        if !has_entitlements {
            scope.report_with_hint(
                "it has no effect: none of the attributes is an entitlement",
                "mark those that are with `entitlement = true`",
            );
        }
        word(&scope, text, &NativeResponse::ALL).unwrap_or(default)
    };
    let defaults = NativeEntitlements::default();
    NativeEntitlements {
        gain: response("native_gain", &raw.native_gain, defaults.gain),
        loss: response("native_loss", &raw.native_loss, defaults.loss),
    }
}

fn schema(scope: &Scope<'_>, raw: &BTreeMap<String, RawAccountAttribute>) -> Vec<AccountAttribute> {
    if raw.is_empty() {
        scope.report("its accounts have no attributes");
    }
    let mut attributes = Vec::new();
    for (name, raw) in raw {
        let scope = scope.at(name);
        check_name(&scope, name);
        let value_type = value_type(&scope, raw.value_type.as_deref());
        if raw.separator.is_some() && value_type != ValueType::Many {
            scope.at("separator").report_with_hint(
                "only several values are separated",
                "write `type = \"many\"`",
            );
        }
        if raw.separator.as_deref() == Some("") {
            scope.at("separator").report("it is empty");
        }
        if raw.entitlement && !matches!(value_type, ValueType::Text | ValueType::Many) {
            scope.at("entitlement").report_with_hint(
                format!("an attribute of type `{value_type}` can't be an entitlement"),
                "write `type = \"many\"`, or `type = \"text\"`",
            );
        }
        attributes.push(AccountAttribute {
            name: Name::new(name),
            value_type,
            entitlement: raw.entitlement,
            sensitive: raw.sensitive,
        });
    }
    attributes
}

fn correlation(
    scope: &Scope<'_>,
    application: &str,
    raw: &[RawCorrelationStep],
    known: &Known,
) -> Vec<CorrelationStep> {
    let mut steps = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        let scope = scope.item(index);
        if let Some(rule) = &raw.rule {
            for (key, is_there) in [
                ("account", raw.account.is_some()),
                ("identity", raw.identity.is_some()),
            ] {
                if is_there {
                    scope.at(key).report("it has no effect on a rule");
                }
            }
            let rule = known.rule(&scope.at("rule"), rule, RuleUse::AccountCorrelation);
            steps.extend(rule.map(CorrelationStep::Rule));
            continue;
        }
        let account = required(&scope, "account", raw.account.as_deref())
            .and_then(|name| known.account_attribute(&scope.at("account"), application, name));
        let identity = required(&scope, "identity", raw.identity.as_deref())
            .and_then(|name| known.identity_attribute(&scope.at("identity"), name, &["name"]));
        if let (Some(account), Some((identity_attribute, _))) = (account, identity) {
            steps.push(CorrelationStep::Match(CorrelationMatch {
                account_attribute: account.name,
                identity_attribute,
            }));
        }
    }
    steps
}

fn creation(
    scope: &Scope<'_>,
    application: &str,
    raw: &RawAuthoritative,
    known: &Known,
) -> Option<IdentityCreation> {
    let rank = within(&scope.at("rank"), rank_of(raw), 0, u64::from(u32::MAX));
    let name = required(scope, "name", raw.name.as_deref())
        .and_then(|name| known.account_attribute(&scope.at("name"), application, name));
    let identity_type = match raw.identity_type.as_deref() {
        Some(text) => word(&scope.at("type"), text, &IdentityType::ALL),
        None => Some(IdentityType::Person),
    };
    let rule = raw.rule.as_deref();
    let rule = rule.and_then(|rule| known.rule(&scope.at("rule"), rule, RuleUse::IdentityCreation));
    Some(IdentityCreation {
        rule,
        rank: rank.and_then(|rank| u32::try_from(rank).ok())?,
        name_attribute: name?.name,
        identity_type: identity_type?,
    })
}

/// Returns the rank, which is 1 unless it is said otherwise.
fn rank_of(raw: &RawAuthoritative) -> i64 {
    raw.rank.unwrap_or(1)
}

fn detection(
    scope: &Scope<'_>,
    application: &str,
    raw: &RawNativeChanges,
    known: &Known,
) -> NativeChangeDetection {
    let operations: Vec<NativeOperation> = match &raw.operations {
        None => NativeOperation::ALL
            .map(|(_, operation)| operation)
            .to_vec(),
        Some(words) => {
            let scope = scope.at("operations");
            if words.is_empty() {
                scope.report("none would be recorded");
            }
            let words = words.iter().enumerate();
            words
                .filter_map(|(index, text)| word(&scope.item(index), text, &NativeOperation::ALL))
                .collect()
        }
    };
    let scope = scope.at("attributes");
    if !raw.attributes.is_empty() && !operations.contains(&NativeOperation::Modify) {
        scope.report("they have no effect: modifications are not recorded");
    }
    let attributes = raw.attributes.iter().enumerate();
    let attributes = attributes.filter_map(|(index, attribute)| {
        known
            .account_attribute(&scope.item(index), application, attribute)
            .map(|known| known.name)
    });
    NativeChangeDetection {
        attributes: attributes.collect(),
        operations,
    }
}

fn file(scope: &Scope<'_>, application: &RawApplication) -> DelimitedFile {
    let raw = &application.connector;
    if let Some(path) = &raw.path {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if path.is_empty() {
            scope.at("path").report("it is empty");
        } else if folder.contains('*') {
            scope.at("path").report_with_hint(
                "a `*` can't stand for folders",
                "use it in the name of the file only, such as `feeds/hr-*.csv`",
            );
        }
    }
    let native_identity = required(scope, "native_identity", raw.native_identity.as_deref());
    let delimiter = raw.delimiter.as_deref();
    let delimiter = delimiter.and_then(|text| one_byte(&scope.at("delimiter"), text));
    let defaults = DelimitedFile::default();
    let delimiter = delimiter.unwrap_or(defaults.delimiter);
    let quote = match raw.quote.as_deref() {
        None => defaults.quote,
        Some("") => None,
        Some(text) => one_byte(&scope.at("quote"), text),
    };
    if quote == Some(delimiter) {
        scope.at("quote").report("it is the delimiter as well");
    }
    let encoding = raw.encoding.as_deref();
    let columns = application.schema.iter().filter_map(|(name, attribute)| {
        let column = attribute.column.as_ref()?;
        Some((Name::new(name), column.clone()))
    });
    let separators = application.schema.iter().filter_map(|(name, attribute)| {
        let separator = attribute.separator.as_ref()?;
        Some((Name::new(name), separator.clone()))
    });
    DelimitedFile {
        path: raw.path.clone(),
        delimiter,
        quote,
        encoding: encoding
            .and_then(|text| self::encoding(&scope.at("encoding"), text))
            .unwrap_or(defaults.encoding),
        native_identity: native_identity.unwrap_or_default().to_owned(),
        columns: columns.collect(),
        multi_valued: separators.collect(),
        status: raw
            .status
            .as_ref()
            .and_then(|raw| status(&scope.at("status"), raw)),
    }
}

fn encoding(scope: &Scope<'_>, text: &str) -> Option<&'static Encoding> {
    let encoding = Encoding::for_label(text.as_bytes());
    if encoding.is_none() {
        let hint = match nearest(text, ["utf-8", "latin1", "windows-1252", "utf-16"]) {
            Some(nearest) => format!("write `{nearest}`"),
            None => "write a name such as `utf-8`, `latin1`, `windows-1252` or `utf-16`".to_owned(),
        };
        scope.report_with_hint(format!("there is no encoding `{text}`"), hint);
    }
    encoding
}

fn one_byte(scope: &Scope<'_>, text: &str) -> Option<u8> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n' | b' ') => Some(*byte),
        _ => {
            scope.report_with_hint(
                format!("{text:?} is not one ASCII character"),
                "write one such as `,`, `;`, `|` or `\\t`",
            );
            None
        }
    }
}

pub(super) fn status(scope: &Scope<'_>, raw: &RawStatus) -> Option<StatusColumn> {
    let column = required(scope, "column", raw.column.as_deref());
    let mut words: BTreeMap<String, AccountStatus> = BTreeMap::new();
    for (key, texts, status) in [
        ("enabled", &raw.enabled, AccountStatus::Enabled),
        ("disabled", &raw.disabled, AccountStatus::Disabled),
        ("locked", &raw.locked, AccountStatus::Locked),
    ] {
        for (index, text) in texts.iter().enumerate() {
            let before = words.insert(fold(text), status);
            if before.is_some_and(|before| before != status) {
                let scope = scope.at(key).item(index);
                scope.report(format!("`{text}` means something else already"));
            }
        }
    }
    if raw.disabled.is_empty() && raw.locked.is_empty() {
        scope.report_with_hint(
            "the column would change nothing",
            "say which words mean `disabled` or `locked`",
        );
    }
    Some(StatusColumn {
        column: column?.to_owned(),
        enabled: raw.enabled.clone(),
        disabled: raw.disabled.clone(),
        locked: raw.locked.clone(),
    })
}

fn guard(scope: &Scope<'_>, raw: &RawGuard) -> Guard {
    let bound = |key: &str, value: &Option<toml::Value>, default: Option<Threshold>| match value {
        None => default,
        Some(toml::Value::String(text)) if text == "off" => None,
        Some(value) => threshold(&scope.at(key), value),
    };
    let defaults = Guard::default();
    Guard {
        vanished: bound("vanished", &raw.vanished, defaults.vanished),
        new: bound("new", &raw.new, defaults.new),
        rekeyed: bound("rekeyed", &raw.rekeyed, defaults.rekeyed),
        emptied: bound("emptied", &raw.emptied, defaults.emptied),
    }
}
