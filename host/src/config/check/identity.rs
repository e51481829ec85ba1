//! `identity.toml`: identity attributes, and how managers are found.

use std::sync::Arc;

use idr_core::definitions::{
    AttributeDefinition, EditMode, ManagerCorrelation, OnEmpty, OnNoAccount, Origin, RuleIndex,
    Source as AttributeSource,
};
use idr_core::model::{Name, ValueType};
use idr_core::transform::Transform;
use idr_core::transform::account::AccountRead;

use super::Source;
use super::names::{Known, RuleUse, check_attribute_name, check_name};
use super::transforms::{Shelf, is_generator};
use crate::config::document::Scope;
use crate::config::problem::Problems;
use crate::config::raw::{RawAttribute, RawIdentity, RawManager, RawSource, RawUnique};
use crate::config::values::{of_type, required, value_type, word_or_default};

const EDIT_MODES: [(&str, EditMode); 3] = [
    ("read-only", EditMode::ReadOnly),
    ("permanent", EditMode::Permanent),
    ("until-feed-changes", EditMode::UntilFeedChanges),
];

const ON_EMPTY: [(&str, OnEmpty); 2] = [("next", OnEmpty::Next), ("clear", OnEmpty::Clear)];

const ON_NO_ACCOUNT: [(&str, OnNoAccount); 3] = [
    ("next", OnNoAccount::Next),
    ("keep", OnNoAccount::Keep),
    ("clear", OnNoAccount::Clear),
];

/// What `identity.toml` says.
pub(super) struct Identity {
    pub(super) attributes: Vec<AttributeDefinition>,
    pub(super) before_refresh: Option<RuleIndex>,
    pub(super) after_refresh: Option<RuleIndex>,
    pub(super) manager: Option<ManagerCorrelation>,
}

/// Checks `identity.toml`.
pub(super) fn check(source: &Source<RawIdentity>, known: &Known, problems: &Problems) -> Identity {
    let scope = source.scope(problems);
    scope.check_version(source.raw.version, false);
    let rule = |key: &str, rule: &Option<String>, as_a| {
        let rule = rule.as_deref();
        rule.and_then(|rule| known.rule(&scope.at(key), rule, as_a))
    };
    let raw = &source.raw;
    let before_refresh = rule(
        "before_refresh",
        &raw.before_refresh,
        RuleUse::BeforeRefresh,
    );
    let after_refresh = rule("after_refresh", &raw.after_refresh, RuleUse::AfterRefresh);
    check_proposals(&scope, &source.raw);
    let shelf = Shelf::new(scope.at("transforms"), &source.raw.transforms, known);
    shelf.check_all();
    let attributes = scope.at("attributes");
    let attributes = source
        .raw
        .attributes
        .iter()
        .map(|(name, raw)| attribute(&attributes.at(name), name, raw, known, &shelf));
    let manager = source.raw.manager.as_ref();
    Identity {
        attributes: attributes.collect(),
        before_refresh,
        after_refresh,
        manager: manager.and_then(|raw| correlation(&scope.at("manager"), raw, known)),
    }
}

/// Reports a rule whose proposals nothing takes, and attributes for which no
/// rule proposes anything.
fn check_proposals(scope: &Scope<'_>, raw: &RawIdentity) {
    let attributes = scope.at("attributes");
    let mut takers = raw.attributes.iter().filter(|(_, raw)| raw.proposals);
    let whole = [
        ("before_refresh", &raw.before_refresh),
        ("after_refresh", &raw.after_refresh),
    ];
    let whole = whole.into_iter().filter(|(_, rule)| rule.is_some());
    let listening = raw.attributes.iter();
    let listening = listening.filter(|(_, raw)| raw.on_change.is_some());
    let rules: Vec<Scope<'_>> = whole
        .map(|(key, _)| scope.at(key))
        .chain(listening.map(|(name, _)| attributes.at(name).at("on_change")))
        .collect();
    if rules.is_empty() {
        for (name, _) in takers {
            attributes.at(name).at("proposals").report_with_hint(
                "no rule proposes values",
                "name one as `before_refresh`, `after_refresh` or an attribute's `on_change`, or leave it out",
            );
        }
    } else if takers.next().is_none() {
        for rule in rules {
            rule.report_with_hint(
                "it may not propose a value for any attribute",
                "write `proposals = true` for those that it is about",
            );
        }
    }
}

fn attribute(
    scope: &Scope<'_>,
    name: &str,
    raw: &RawAttribute,
    known: &Known,
    shelf: &Shelf<'_>,
) -> AttributeDefinition {
    check_attribute_name(scope, name);
    let value_type = value_type(scope, raw.value_type.as_deref());
    if name == "zone" && value_type != ValueType::Text {
        scope.at("type").report("a time zone is a text");
    }
    let edit_mode = raw.edit_mode.as_deref();
    let edit_mode = word_or_default(&scope.at("edit_mode"), edit_mode, &EDIT_MODES);
    if raw.sources.is_empty() && edit_mode == EditMode::ReadOnly && !raw.proposals {
        scope.at("sources").report_with_hint(
            "there are none, and nobody may edit it: it never has a value",
            "name a source, or write `edit_mode = \"permanent\"`",
        );
    }
    let places = scope.at("sources");
    let mut sources = Vec::new();
    let mut last_word: Option<usize> = None;
    for (index, raw) in raw.sources.iter().enumerate() {
        let scope = places.item(index);
        if let Some(last) = last_word {
            let reason = "which never leaves the answer to the next";
            scope.report(format!(
                "it is never asked: before it is sources[{last}], {reason}"
            ));
        }
        let Some(source) = attribute_source(&scope, raw, value_type, known, shelf) else {
            continue;
        };
        if last_word.is_none() && always_answers(&source) {
            last_word = Some(index);
        }
        sources.push(source);
    }
    let generates = |source: &AttributeSource| matches!(source.origin, Origin::Usernames(_));
    let unique = unique(scope, name, raw, sources.iter().any(generates));
    if unique.is_some() && value_type != ValueType::Text {
        scope.at("type").report_with_hint(
            format!("it is {value_type}, and only texts can be unique"),
            "write `type = \"text\"`",
        );
    }
    let on_change = raw.on_change.as_deref();
    let on_change =
        on_change.and_then(|rule| known.rule(&scope.at("on_change"), rule, RuleUse::ValueChange));
    AttributeDefinition {
        name: Name::new(name),
        value_type,
        sources,
        proposals: raw.proposals,
        on_change,
        unique,
        edit_mode,
        sensitive: raw.sensitive,
        targets: Vec::new(),
    }
}

/// Returns the namespace within which an attribute's values are unique, if they
/// are: those that are generated always.
fn unique(scope: &Scope<'_>, name: &str, raw: &RawAttribute, generated: bool) -> Option<Name> {
    match &raw.unique {
        Some(RawUnique::Within(namespace)) => {
            check_name(&scope.at("unique"), namespace).then(|| Name::new(namespace))
        }
        Some(RawUnique::Is(false)) if generated => {
            let place = scope.at("unique");
            place.report("names that are generated are unique always");
            None
        }
        Some(RawUnique::Is(true)) => Some(Name::new(name)),
        Some(RawUnique::Is(false)) | None => generated.then(|| Name::new(name)),
    }
}

fn attribute_source(
    scope: &Scope<'_>,
    raw: &RawSource,
    value_type: ValueType,
    known: &Known,
    shelf: &Shelf<'_>,
) -> Option<AttributeSource> {
    let origin = match (&raw.application, &raw.fixed, &raw.rule, &raw.transform) {
        (Some(application), None, None, transform) => {
            known.application(&scope.at("application"), application);
            let attribute = required(scope, "attribute", raw.attribute.as_deref())?;
            let place = scope.at("attribute");
            let attribute = known.account_attribute(&place, application, attribute);
            let transform = match transform {
                Some(raw) => Some(shelf.transform(&scope.at("transform"), raw, true)?),
                None => None,
            };
            let (application, attribute) = (Name::new(application), attribute?.name);
            Some(match transform {
                None => Origin::Account {
                    application,
                    attribute,
                },
                Some(transform) => Origin::Transform(Arc::new(Transform::Of {
                    input: Box::new(Transform::Account(AccountRead {
                        application,
                        attribute,
                        sort_by: None,
                        descending: false,
                        first_only: true,
                        filters: Vec::new(),
                    })),
                    transform: Arc::new(transform),
                })),
            })
        }
        (None, Some(value), None, None) => {
            of_type(&scope.at("static"), value, value_type).map(Origin::Static)
        }
        (None, None, Some(rule), None) => known
            .rule(&scope.at("rule"), rule, RuleUse::AttributePromotion)
            .map(Origin::Rule),
        (None, None, None, Some(raw)) if is_generator(raw) => shelf
            .usernames(&scope.at("transform"), raw)
            .map(|generator| Origin::Usernames(Arc::new(generator))),
        (None, None, None, Some(raw)) => shelf
            .transform(&scope.at("transform"), raw, false)
            .map(|transform| Origin::Transform(Arc::new(transform))),
        _ => {
            scope.report_with_hint(
                "a source is one of an account's attribute, a fixed value, a transform, or a rule",
                "write `application` and `attribute`, or `static`, or `transform`, or `rule`",
            );
            return None;
        }
    };
    if raw.application.is_none() {
        let what = match (&raw.rule, &raw.transform) {
            (Some(_), _) => "rule",
            (None, Some(_)) => "transform",
            (None, None) => "fixed value",
        };
        let reads_accounts = raw.transform.is_some();
        for (key, is_there) in [
            ("attribute", raw.attribute.is_some()),
            ("on_empty", raw.on_empty.is_some() && !reads_accounts),
            (
                "on_no_account",
                raw.on_no_account.is_some() && !reads_accounts,
            ),
        ] {
            if is_there {
                scope
                    .at(key)
                    .report(format!("it has no effect on a {what}"));
            }
        }
    }
    let on_no_account = raw.on_no_account.as_deref();
    Some(AttributeSource {
        origin: origin?,
        on_empty: word_or_default(&scope.at("on_empty"), raw.on_empty.as_deref(), &ON_EMPTY),
        on_no_account: word_or_default(&scope.at("on_no_account"), on_no_account, &ON_NO_ACCOUNT),
    })
}

/// Says whether the sources after this one are never asked.
fn always_answers(source: &AttributeSource) -> bool {
    match source.origin {
        Origin::Static(_) => true,
        Origin::Rule(_) => false,
        Origin::Account { .. } | Origin::Transform(_) | Origin::Usernames(_) => {
            source.on_empty == OnEmpty::Clear && source.on_no_account != OnNoAccount::Next
        }
    }
}

fn correlation(scope: &Scope<'_>, raw: &RawManager, known: &Known) -> Option<ManagerCorrelation> {
    let places = scope.at("sources");
    if raw.sources.is_empty() {
        places.report("there are none, so nobody has a manager");
    }
    let mut sources = Vec::new();
    for (index, raw) in raw.sources.iter().enumerate() {
        let scope = places.item(index);
        let application = required(&scope, "application", raw.application.as_deref());
        let attribute = required(&scope, "attribute", raw.attribute.as_deref());
        let (Some(application), Some(attribute)) = (application, attribute) else {
            continue;
        };
        let name = known.application(&scope.at("application"), application);
        let attribute = known.account_attribute(&scope.at("attribute"), application, attribute);
        if let (Some(application), Some(attribute)) = (name, attribute) {
            sources.push((application, attribute.name));
        }
    }
    let rule = raw.rule.as_deref();
    let rule =
        rule.and_then(|rule| known.rule(&scope.at("rule"), rule, RuleUse::ManagerCorrelation));
    let identity = match (&raw.identity_attribute, &raw.rule) {
        (None, Some(_)) => None,
        (identity, _) => Some(required(scope, "identity_attribute", identity.as_deref())?),
    };
    let place = scope.at("identity_attribute");
    let identity_attribute = match identity {
        Some(identity) => Some(known.identity_attribute(&place, identity, &["name"])?.0),
        None => None,
    };
    Some(ManagerCorrelation {
        sources,
        rule,
        identity_attribute,
    })
}
