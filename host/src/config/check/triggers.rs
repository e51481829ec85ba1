//! `triggers.toml`: what is to be noticed.

use std::collections::BTreeMap;

use idr_core::definitions::{Population, Rule, RuleIndex, Trigger, TriggerCondition, digest};
use idr_core::filter::Filter;
use idr_core::model::{Handler, Name};
use idr_core::text::nearest;

use super::Source;
use super::names::{Known, RuleUse, check_name};
use super::roles::match_list;
use crate::config::document::Scope;
use crate::config::paths::FilterPlace;
use crate::config::problem::Problems;
use crate::config::raw::{RawCondition, RawHandler, RawTrigger, RawTriggers};
use crate::config::values::{bound, check_address, required, word};

#[derive(Clone, Copy)]
enum ConditionType {
    Create,
    AttributeChange,
    ManagerTransfer,
    LifecycleChange,
    NativeChange,
    Rule,
}

const TYPES: [(&str, ConditionType); 6] = [
    ("create", ConditionType::Create),
    ("attribute-change", ConditionType::AttributeChange),
    ("manager-transfer", ConditionType::ManagerTransfer),
    ("lifecycle-change", ConditionType::LifecycleChange),
    ("native-change", ConditionType::NativeChange),
    ("rule", ConditionType::Rule),
];

/// Types of IdentityIQ's triggers that there are none of here, as they are written
/// without case and hyphens, with why and with what does what they are for.
const ELSEWHERE: [(&str, &str, &str); 2] = [
    (
        "alert",
        "alerts are other products' events",
        "watch for what changes when there is one, such as `native-change`",
    ),
    (
        "rapidsetup",
        "its processes are types of their own",
        "a joiner is `create`, a mover `attribute-change`, a leaver `lifecycle-change`",
    ),
];

impl ConditionType {
    /// The keys that mean something beside `type`.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Create => &[],
            Self::ManagerTransfer => &["old", "new"],
            Self::AttributeChange => &["attribute", "old", "new"],
            Self::LifecycleChange => &["from", "to"],
            Self::NativeChange => &["application"],
            Self::Rule => &["rule"],
        }
    }
}

/// Checks `triggers.toml`. The triggers have no fingerprints yet.
pub(super) fn check(
    source: &Source<RawTriggers>,
    populations: &[Population],
    known: &Known,
    problems: &Problems,
) -> Vec<Trigger> {
    let scope = source.scope(problems);
    scope.check_version(source.raw.version, false);
    let mut triggers = Vec::new();
    let mut seen: BTreeMap<&str, Scope<'_>> = BTreeMap::new();
    for (index, raw) in source.raw.trigger.iter().enumerate() {
        let scope = scope.at("trigger").item(index);
        let Some(name) = required(&scope, "name", raw.name.as_deref()) else {
            continue;
        };
        check_name(&scope.at("name"), name);
        match seen.get(name) {
            Some(first) => {
                let first = first.whereabouts();
                let message = format!("there is a trigger `{name}` already, at {first}");
                scope.at("name").report(message);
            }
            None => {
                seen.insert(name, scope.clone());
            }
        }
        let place = scope.at("on");
        if raw.on.is_empty() {
            place.report("it watches for nothing, so it never fires");
        }
        let conditions = raw.on.iter().enumerate();
        let conditions = conditions
            .filter_map(|(index, raw)| condition(&place.item(index), raw, known))
            .collect();
        let filter = |key: &str, text: &Option<String>, place: FilterPlace| {
            known.filter(&scope.at(key), text.as_deref()?, place)
        };
        let population = raw.included_population.as_deref();
        let population =
            population.and_then(|text| known.population(&scope.at("included_population"), text));
        let population = population.and_then(|index| populations.get(index));
        let matched = raw.included_match.as_ref();
        let matched =
            matched.and_then(|terms| match_filter(&scope.at("included_match"), terms, known));
        report_several(&scope, raw);
        let trigger = Trigger {
            name: Name::new(name),
            conditions,
            included: filter("included", &raw.included, FilterPlace::Included)
                .or(matched)
                .or_else(|| population.map(|population| population.filter.clone())),
            included_rule: raw.included_rule.as_deref().and_then(|name| {
                known.rule(&scope.at("included_rule"), name, RuleUse::RoleAssignment)
            }),
            included_before: filter(
                "included_before",
                &raw.included_before,
                FilterPlace::IncludedBefore,
            ),
            handlers: {
                let handlers = raw.handlers.iter().enumerate();
                let place = scope.at("handlers");
                handlers
                    .filter_map(|(index, raw)| handler(&place.item(index), raw))
                    .collect()
            },
            threshold: raw
                .threshold
                .as_ref()
                .and_then(|value| bound(&scope.at("threshold"), value)),
            digest: 0,
        };
        if !raw.disabled {
            triggers.push(trigger);
        }
    }
    triggers
}

/// Reports everything but the first that says who is included. A rule goes along
/// with each of them.
fn report_several(scope: &Scope<'_>, raw: &RawTrigger) {
    let said = [
        ("included", raw.included.is_some()),
        ("included_match", raw.included_match.is_some()),
        ("included_population", raw.included_population.is_some()),
    ];
    let mut said = said.into_iter().filter(|(_, is_there)| *is_there);
    let Some((first, _)) = said.next() else {
        return;
    };
    for (key, _) in said {
        scope.at(key).report_with_hint(
            format!("`{first}` says who is included already"),
            "leave one of them out",
        );
    }
}

/// Makes a match list the filter that lets the same identities through.
fn match_filter(
    scope: &Scope<'_>,
    raw: &BTreeMap<String, toml::Value>,
    known: &Known,
) -> Option<Filter> {
    let terms = match_list(scope, raw, known)?;
    // What is wrong with an empty one is reported already.
    if terms.is_empty() || terms.iter().any(|(_, texts)| texts.is_empty()) {
        return None;
    }
    let term = |(attribute, texts): &(Name, Vec<String>)| {
        let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
        format!("{attribute}.in({{{}}})", texts.join(", "))
    };
    let terms: Vec<String> = terms.iter().map(term).collect();
    known.filter(scope, &terms.join(" && "), FilterPlace::Included)
}

/// Returns a text as it stands in a filter.
fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted += "\\n",
            '\r' => quoted += "\\r",
            '\t' => quoted += "\\t",
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

/// The types of handler, with the keys that each needs beside `type`.
const HANDLERS: [(&str, &[&str]); 3] = [
    ("work-item", &["owner", "description"]),
    ("workflow", &["name"]),
    ("webhook", &["url"]),
];

/// Checks what is to happen when a trigger has fired.
fn handler(scope: &Scope<'_>, raw: &RawHandler) -> Option<Handler> {
    let handler_type = required(scope, "type", raw.handler_type.as_deref())?;
    let keys = word(&scope.at("type"), handler_type, &HANDLERS)?;
    for (key, text) in [
        ("owner", &raw.owner),
        ("description", &raw.description),
        ("name", &raw.name),
        ("url", &raw.url),
    ] {
        if text.is_some() && !keys.contains(&key) {
            let message = format!("it means nothing for type `{handler_type}`");
            scope.at(key).report(message);
        }
    }
    let text =
        |key, text: &Option<String>| required(scope, key, text.as_deref()).map(ToOwned::to_owned);
    match handler_type {
        "work-item" => {
            let owner = text("owner", &raw.owner);
            let description = text("description", &raw.description);
            Some(Handler::WorkItem {
                owner: owner?,
                description: description?,
            })
        }
        "workflow" => Some(Handler::Workflow {
            name: text("name", &raw.name)?,
        }),
        _ => {
            let url = text("url", &raw.url)?;
            check_address(&scope.at("url"), &url);
            Some(Handler::Webhook { url })
        }
    }
}

/// Checks that the workflows exist that handlers launch.
pub(super) fn check_workflows<'n>(
    source: &Source<RawTriggers>,
    workflows: impl Iterator<Item = &'n str>,
    problems: &Problems,
) {
    let workflows: Vec<&str> = workflows.collect();
    let scope = source.scope(problems).at("trigger");
    for (index, trigger) in source.raw.trigger.iter().enumerate() {
        for (place, handler) in trigger.handlers.iter().enumerate() {
            let launched = handler.name.as_deref();
            let is_workflow = handler.handler_type.as_deref() == Some("workflow");
            let Some(name) = launched.filter(|name| is_workflow && !workflows.contains(name))
            else {
                continue;
            };
            let hint = match nearest(name, workflows.iter().copied()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "say what it consists of in workflows.toml".to_owned(),
            };
            let scope = scope.item(index).at("handlers").item(place).at("name");
            scope.report_with_hint(format!("there is no workflow `{name}`"), hint);
        }
    }
}

fn condition(scope: &Scope<'_>, raw: &RawCondition, known: &Known) -> Option<TriggerCondition> {
    let condition_type = required(scope, "type", raw.condition_type.as_deref())?;
    if let Some((_, why, hint)) = elsewhere(condition_type) {
        scope.at("type").report_with_hint(
            format!("there are no triggers of type `{condition_type}` here: {why}"),
            *hint,
        );
        return None;
    }
    let found = word(&scope.at("type"), condition_type, &TYPES)?;
    report_other_keys(scope, raw, condition_type, found);
    match found {
        ConditionType::Create => Some(TriggerCondition::Create),
        ConditionType::ManagerTransfer => {
            let (old, new) = changed_value(scope, raw, known);
            Some(TriggerCondition::ManagerTransfer {
                old: old?,
                new: new?,
            })
        }
        ConditionType::AttributeChange => attribute_change(scope, raw, known),
        ConditionType::LifecycleChange => {
            let state = |key: &str, text: &Option<String>| match text {
                Some(text) => known.state(&scope.at(key), text).map(Some),
                None => Some(None),
            };
            let (from, to) = (state("from", &raw.from), state("to", &raw.to));
            if raw.from.is_some() && raw.from == raw.to {
                scope
                    .at("to")
                    .report("that is no change, so it never fires");
            }
            Some(TriggerCondition::LifecycleChange {
                from: from?,
                to: to?,
            })
        }
        ConditionType::NativeChange => {
            let place = scope.at("application");
            if !known.detects_native_changes(raw.application.as_deref()) {
                scope.report_with_hint(
                    "it never fires: no native changes are recorded there",
                    "write `[native_changes]` in the application's file",
                );
            }
            let application = match &raw.application {
                Some(text) => Some(known.application(&place, text)?),
                None => None,
            };
            Some(TriggerCondition::NativeChange { application })
        }
        ConditionType::Rule => required(scope, "rule", raw.rule.as_deref())
            .and_then(|rule| known.rule(&scope.at("rule"), rule, RuleUse::IdentityTrigger))
            .map(TriggerCondition::Rule),
    }
}

/// Returns the type of IdentityIQ's that is meant, if there is none of it here.
fn elsewhere(condition_type: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    let plain = condition_type.replace(['-', '_'], "").to_lowercase();
    ELSEWHERE.iter().find(|(known, ..)| *known == plain)
}

fn attribute_change(
    scope: &Scope<'_>,
    raw: &RawCondition,
    known: &Known,
) -> Option<TriggerCondition> {
    let attribute = required(scope, "attribute", raw.attribute.as_deref())?;
    let place = scope.at("attribute");
    let better = match attribute {
        "manager" => Some("manager-transfer"),
        "lifecycleState" => Some("lifecycle-change"),
        _ => None,
    };
    if let Some(better) = better {
        place.report_with_hint(
            format!("`{attribute}` is no identity attribute"),
            format!("write `type = \"{better}\"`"),
        );
        return None;
    }
    let (name, _) = known.identity_attribute(&place, attribute, &["name", "inactive"])?;
    let (old, new) = changed_value(scope, raw, known);
    Some(TriggerCondition::AttributeChange {
        attribute: name,
        old: old?,
        new: new?,
    })
}

/// Reads what the old and the new value must be like; the outer `None` says that
/// it can't be read.
fn changed_value(
    scope: &Scope<'_>,
    raw: &RawCondition,
    known: &Known,
) -> (Option<Option<Filter>>, Option<Option<Filter>>) {
    let filter = |key: &str, text: &Option<String>| match text {
        Some(text) => known
            .filter(&scope.at(key), text, FilterPlace::ChangedValue)
            .map(Some),
        None => Some(None),
    };
    (filter("old", &raw.old), filter("new", &raw.new))
}

fn report_other_keys(
    scope: &Scope<'_>,
    raw: &RawCondition,
    condition_type: &str,
    found: ConditionType,
) {
    for (key, is_there) in [
        ("attribute", raw.attribute.is_some()),
        ("old", raw.old.is_some()),
        ("new", raw.new.is_some()),
        ("from", raw.from.is_some()),
        ("to", raw.to.is_some()),
        ("application", raw.application.is_some()),
        ("rule", raw.rule.is_some()),
    ] {
        if is_there && !found.keys().contains(&key) {
            scope
                .at(key)
                .report(format!("it means nothing for type `{condition_type}`"));
        }
    }
}

fn part(index: RuleIndex, rules: &[Rule]) -> String {
    match rules.get(index.0) {
        Some(rule) => {
            format!(
                "{:?}",
                (rule.name, &rule.sha256, &rule.grant, &rule.parameters)
            )
        }
        // Only when the rule is wrong, and then the model isn't used.
        None => String::new(),
    }
}

/// Gives each trigger its fingerprint: everything that can change when it
/// fires. A rule counts with what it is and may do, not with its place; its
/// limits don't count.
pub(super) fn fingerprint(triggers: &mut [Trigger], rules: &[Rule]) {
    let text = |filter: &Option<Filter>| filter.as_ref().map(ToString::to_string);
    for trigger in triggers {
        let mut parts = Vec::new();
        for condition in &trigger.conditions {
            parts.push(match condition {
                TriggerCondition::Rule(index) => part(*index, rules),
                TriggerCondition::AttributeChange {
                    attribute,
                    old,
                    new,
                } => {
                    format!("change {:?}", (attribute, text(old), text(new)))
                }
                TriggerCondition::ManagerTransfer { old, new } => {
                    format!("transfer {:?}", (text(old), text(new)))
                }
                other => format!("{other:?}"),
            });
        }
        trigger.digest = digest(&(
            trigger.name,
            parts,
            text(&trigger.included),
            text(&trigger.included_before),
            trigger.included_rule.map(|index| part(index, rules)),
        ));
    }
}
