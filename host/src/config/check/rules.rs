//! `rules/rules.toml`: uses of rule components, and what they may read and use.

use std::collections::BTreeMap;

use idr_core::definitions::{Grant, Isolation, RESERVED, Rule, RuleIndex, RuleLimits};
use idr_core::model::Name;
use idr_core::text::nearest;

use super::Source;
use super::names::{Known, RuleUse, check_name};
use super::settings::Settings;
use crate::config::document::Scope;
use crate::config::files::{Files, RULE_FOLDER, sha256};
use crate::config::problem::Problems;
use crate::config::raw::{RawLimits, RawReads, RawRule, RawRules};
use crate::config::values::{required, typed, within, word_or_default};
use crate::trust::{SIGNATURE_ENDING, TrustError, TrustedKey};

const ISOLATIONS: [(&str, Isolation); 2] = [("reuse", Isolation::Reuse), ("call", Isolation::Call)];

/// Checks `rules/rules.toml`; answers the rules with their components' paths.
pub(super) fn check(
    source: &Source<RawRules>,
    files: &Files,
    settings: &Settings,
    known: &Known,
    problems: &Problems,
) -> (Vec<Rule>, Vec<String>) {
    let scope = source.scope(problems);
    scope.check_version(source.raw.version, false);
    let mut rules = Vec::new();
    let mut components = Vec::new();
    for (place, (name, raw)) in source.raw.rules.iter().enumerate() {
        let scope = scope.at("rules").at(name);
        check_name(&scope, name);
        let (path, digest) = component(&scope, raw, files, &settings.trusted_keys);
        report_unreadable(&scope, raw, &known.rule_uses(RuleIndex(place)));
        rules.push(Rule {
            name: Name::new(name),
            sha256: digest,
            grant: grant(&scope.at("reads"), &raw.reads, known),
            parameters: parameters(&scope.at("parameters"), &raw.parameters),
            limits: limits(&scope.at("limits"), &raw.limits, settings.limits),
            isolation: word_or_default(
                &scope.at("isolation"),
                raw.isolation.as_deref(),
                &ISOLATIONS,
            ),
        });
        components.push(path);
    }
    (rules, components)
}

/// Finds the component, compares its digest and looks who vouches for it;
/// answers its path and digest.
fn component(
    scope: &Scope<'_>,
    raw: &RawRule,
    files: &Files,
    trusted_keys: &[TrustedKey],
) -> (String, String) {
    let Some(component) = required(scope, "component", raw.component.as_deref()) else {
        return Default::default();
    };
    let path = format!("{RULE_FOLDER}/{component}");
    let Some(content) = files.get(&path).filter(|_| path.ends_with(".wasm")) else {
        let there = || files.below(RULE_FOLDER, ".wasm").map(|(path, _)| path);
        let hint = match nearest(&path, there()) {
            Some(nearest) => {
                let nearest = nearest.strip_prefix("rules/").unwrap_or(&nearest);
                format!("write `{nearest}`")
            }
            None => "put the component, a `.wasm` file, into the folder `rules`".to_owned(),
        };
        let message = format!("there is no component `{component}` in rules/");
        scope.at("component").report_with_hint(message, hint);
        return Default::default();
    };
    let digest = sha256(content);
    let hint = format!("when this is the component you mean, write `sha256 = \"{digest}\"`");
    match raw.sha256.as_deref() {
        None => scope
            .at("sha256")
            .report_with_hint("the component is not pinned", hint),
        Some(pinned) if !pinned.eq_ignore_ascii_case(&digest) => {
            scope.at("sha256").report_with_hint(
                format!("`{component}` has sha256 {digest}, but {pinned} is pinned"),
                hint,
            );
        }
        Some(_) => {}
    }
    if !trusted_keys.is_empty() {
        report_untrusted(scope, &path, content, files, trusted_keys);
    }
    (path, digest)
}

/// Reports a component that no trusted key has signed.
fn report_untrusted(
    scope: &Scope<'_>,
    path: &str,
    content: &[u8],
    files: &Files,
    trusted_keys: &[TrustedKey],
) {
    let scope = scope.at("component");
    let signature_path = format!("{path}{SIGNATURE_ENDING}");
    let hint = format!("let whoever releases rules run `idr rule sign {path} --key file:KEY`");
    let Some(signature) = files.get(&signature_path) else {
        let message = format!("nobody has signed it: there is no `{signature_path}`");
        return scope.report_with_hint(message, hint);
    };
    let verdicts = trusted_keys
        .iter()
        .map(|key| key.vouches_for(content, signature));
    match verdicts.collect::<Result<Vec<bool>, TrustError>>() {
        Err(error) => {
            scope.report_with_hint(format!("`{signature_path}`: {error}"), hint);
        }
        Ok(verdicts) if !verdicts.contains(&true) => {
            let message = format!(
                "`{signature_path}` is no signature of this component by a key of `trust.keys`"
            );
            scope.report_with_hint(message, hint);
        }
        Ok(_) => {}
    }
}

/// Reports what is granted to a rule that can never read it.
fn report_unreadable(scope: &Scope<'_>, raw: &RawRule, uses: &[RuleUse]) {
    let reads_access = |use_of: &RuleUse| {
        matches!(
            use_of,
            RuleUse::RoleAssignment
                | RuleUse::IdentityTrigger
                | RuleUse::ValueChange
                | RuleUse::AfterRefresh
                | RuleUse::AccountSelection
                | RuleUse::TargetMapping
        )
    };
    if !raw.reads.entitlements.is_empty() && !uses.is_empty() && !uses.iter().any(reads_access) {
        scope.at("reads").at("entitlements").report_with_hint(
            "attributes and lifecycle states are settled before entitlements can be read",
            "leave it out; read the account's attribute (`accounts`) instead",
        );
    }
    let is_about_an_account = |use_of: &RuleUse| {
        matches!(
            use_of,
            RuleUse::AccountCorrelation
                | RuleUse::IdentityCreation
                | RuleUse::ManagerCorrelation
                | RuleUse::LogicalAccount
        )
    };
    if !uses.is_empty() && uses.iter().all(is_about_an_account) {
        for (key, granted) in [
            ("attributes", &raw.reads.attributes),
            ("manager", &raw.reads.manager),
        ] {
            if !granted.is_empty() {
                scope.at("reads").at(key).report_with_hint(
                    "the rule is asked about accounts before anything is known of the identity",
                    "leave it out; `accounts` grants the account's attributes",
                );
            }
        }
    }
    let looks_up = |use_of: &RuleUse| {
        matches!(
            use_of,
            RuleUse::AccountCorrelation | RuleUse::ManagerCorrelation
        )
    };
    if !raw.reads.lookups.is_empty() && !uses.is_empty() && !uses.iter().any(looks_up) {
        scope
            .at("reads")
            .at("lookups")
            .report_with_hint("only correlation rules look people up", "leave it out");
    }
}

fn grant(scope: &Scope<'_>, raw: &RawReads, known: &Known) -> Grant {
    let attributes = |key: &str, names: &[String]| -> Vec<Name> {
        let place = scope.at(key);
        let mut granted: Vec<Name> = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let place = place.item(index);
            if key == "manager" && name == "manager" {
                place.report("the manager's manager can't be read");
            } else if let Some((name, _)) = known.identity_attribute(&place, name, &RESERVED) {
                granted.push(name);
            }
        }
        granted.sort();
        granted.dedup();
        granted
    };
    let mut accounts = Vec::new();
    for (application, names) in &raw.accounts {
        let place = scope.at("accounts").at(application);
        let names = names.iter().enumerate().filter_map(|(index, name)| {
            let attribute = known.account_attribute(&place.item(index), application, name);
            attribute.map(|attribute| attribute.name)
        });
        let names = names.collect();
        accounts.extend(
            known
                .application(&place, application)
                .map(|name| (name, names)),
        );
    }
    let mut entitlements = Vec::new();
    for (application, names) in &raw.entitlements {
        let place = scope.at("entitlements").at(application);
        let names = names
            .iter()
            .enumerate()
            .filter_map(|(index, name)| known.entitlement(&place.item(index), application, name));
        let names = names.collect();
        entitlements.extend(
            known
                .application(&place, application)
                .map(|name| (name, names)),
        );
    }
    let mut lookups = Vec::new();
    for (index, name) in raw.lookups.iter().enumerate() {
        let place = scope.at("lookups").item(index);
        let found = known.identity_attribute(&place, name, &["name"]);
        lookups.extend(found.map(|(name, _)| name));
    }
    lookups.sort();
    lookups.dedup();
    Grant {
        attributes: attributes("attributes", &raw.attributes),
        manager_attributes: attributes("manager", &raw.manager),
        accounts,
        entitlements,
        lookups,
        everything: false,
    }
}

fn parameters(
    scope: &Scope<'_>,
    raw: &BTreeMap<String, toml::Value>,
) -> Vec<(Name, idr_core::model::Value)> {
    let mut parameters = Vec::new();
    for (name, value) in raw {
        let scope = scope.at(name);
        check_name(&scope, name);
        parameters.extend(typed(&scope, value).map(|value| (Name::new(name), value)));
    }
    parameters
}

/// Reads limits; those that aren't set are the defaults.
pub(super) fn limits(scope: &Scope<'_>, raw: &RawLimits, defaults: RuleLimits) -> RuleLimits {
    let number = |key: &str, number: Option<i64>, least: u64, most: u64, default: u64| {
        number
            .and_then(|number| within(&scope.at(key), number, least, most))
            .unwrap_or(default)
    };
    let size = |key: &str, bytes: Option<i64>, least: u64, most: u64, default: usize| {
        let bytes = number(key, bytes, least, most, default as u64);
        usize::try_from(bytes).unwrap_or(usize::MAX)
    };
    RuleLimits {
        fuel: number("fuel", raw.fuel, 1, 1 << 50, defaults.fuel),
        time_ms: number("time_ms", raw.time_ms, 1, 600_000, defaults.time_ms),
        memory_bytes: size(
            "memory_bytes",
            raw.memory_bytes,
            64 << 10,
            1 << 30,
            defaults.memory_bytes,
        ),
        transfer_bytes: size(
            "transfer_bytes",
            raw.transfer_bytes,
            1 << 10,
            1 << 30,
            defaults.transfer_bytes,
        ),
        output_bytes: size(
            "output_bytes",
            raw.output_bytes,
            1 << 10,
            1 << 30,
            defaults.output_bytes,
        ),
        log_lines: size("log_lines", raw.log_lines, 0, 100_000, defaults.log_lines),
        log_lines_per_run: size(
            "log_lines_per_run",
            raw.log_lines_per_run,
            0,
            10_000_000,
            defaults.log_lines_per_run,
        ),
    }
}
