//! `lifecycle.toml`: the states, and what decides between them.

use idr_core::definitions::{AutomaticRoles, Lifecycle, LifecycleState, RequestedRoles};
use idr_core::model::Name;

use super::Source;
use super::names::{Known, RuleUse, check_name};
use crate::config::problem::Problems;
use crate::config::raw::RawLifecycle;
use crate::config::values::word_or_default;

const AUTOMATIC_ROLES: [(&str, AutomaticRoles); 3] = [
    ("evaluate", AutomaticRoles::Evaluate),
    ("freeze", AutomaticRoles::Freeze),
    ("remove", AutomaticRoles::Remove),
];

const REQUESTED_ROLES: [(&str, RequestedRoles); 2] = [
    ("keep", RequestedRoles::Keep),
    ("remove", RequestedRoles::Remove),
];

/// Checks `lifecycle.toml`.
pub(super) fn check(
    source: &Source<RawLifecycle>,
    known: &Known,
    problems: &Problems,
) -> Lifecycle {
    let scope = source.scope(problems);
    let raw = &source.raw;
    scope.check_version(raw.version, false);
    let mut states = Vec::new();
    for (name, raw) in &raw.states {
        let scope = scope.at("states").at(name);
        check_name(&scope, name);
        let automatic_roles = raw.automatic_roles.as_deref();
        states.push(LifecycleState {
            name: Name::new(name),
            inactive: raw.inactive,
            automatic_roles: word_or_default(
                &scope.at("automatic_roles"),
                automatic_roles,
                &AUTOMATIC_ROLES,
            ),
            requested_roles: word_or_default(
                &scope.at("requested_roles"),
                raw.requested_roles.as_deref(),
                &REQUESTED_ROLES,
            ),
        });
    }
    let decided = raw.rule.is_some() || raw.default_state.is_some();
    if decided && raw.states.is_empty() {
        scope.at("states").report_with_hint(
            "no lifecycle state is defined",
            "write a table such as `[states.active]` for each",
        );
    } else if !decided && !raw.states.is_empty() {
        scope.at("rule").report_with_hint(
            "nothing decides between the lifecycle states",
            "name a `rule`, or a `default_state` that everybody is in",
        );
    }
    if raw.rule.is_some() && raw.default_state.is_some() {
        scope
            .at("default_state")
            .report("it has no effect, because a rule decides");
    }
    let rule = raw.rule.as_deref();
    let default_state = raw.default_state.as_deref();
    let default_state = default_state
        .filter(|_| rule.is_none() && !raw.states.is_empty())
        .and_then(|state| known.state(&scope.at("default_state"), state));
    if let (None, Some(default_state)) = (rule, default_state) {
        for state in raw.states.keys() {
            if state != default_state.as_str() {
                scope.at("states").at(state).report_with_hint(
                    format!("nobody is ever in it: everybody is in `{default_state}`"),
                    "name a `rule` that decides between the states, or leave it out",
                );
            }
        }
    }
    Lifecycle {
        states,
        rule: rule.and_then(|rule| known.rule(&scope.at("rule"), rule, RuleUse::LifecycleState)),
        default_state,
    }
}
