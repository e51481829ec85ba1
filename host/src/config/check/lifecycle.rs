//! `lifecycle.toml`: the states, and what decides between them.

use idr_core::definitions::{
    AutomaticRoles, Lifecycle, LifecycleState, RequestedRoles, StateAction,
};
use idr_core::model::{AccountOperation, Name};

use std::collections::BTreeMap;

use super::Source;
use super::names::{Known, RuleUse, check_name};
use crate::aggregate::connector::Connector;
use crate::config::document::Scope;
use crate::config::problem::Problems;
use crate::config::raw::{RawLifecycle, RawStateAction};
use crate::config::values::{duration_ms, required, word, word_or_default};
use crate::connect::Capability;

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
            roles: granted(&scope.at("roles"), &raw.roles, known),
            accounts: actions(&scope.at("accounts"), &raw.accounts, known),
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
                scope.at("states").at(state).remark(
                    format!("nobody is in it but by hand: everybody is in `{default_state}`"),
                    "name a `rule` that decides between the states",
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

/// Checks what a state does with accounts.
fn actions(scope: &Scope<'_>, raw: &[RawStateAction], known: &Known) -> Vec<StateAction> {
    let mut actions: Vec<StateAction> = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        let scope = scope.item(index);
        let Some(action) = action(&scope, raw, known) else {
            continue;
        };
        let clashes = |known: &StateAction| {
            known.application == action.application
                && (known.operation == action.operation
                    || matches!(
                        (known.operation, action.operation),
                        (AccountOperation::Enable, AccountOperation::Disable)
                            | (AccountOperation::Disable, AccountOperation::Enable)
                    ))
        };
        if let Some(other) = actions.iter().find(|known| clashes(known)) {
            let (one, other) = (action.operation.as_str(), other.operation.as_str());
            scope.at("do").report_with_hint(
                format!(
                    "`{one}` and `{other}` of accounts in `{}` don't go together",
                    action.application
                ),
                "leave one of them out",
            );
        }
        actions.push(action);
    }
    actions
}

/// Checks that connectors can do what states do with accounts.
pub(super) fn check_connectors(
    source: &Source<RawLifecycle>,
    lifecycle: &Lifecycle,
    connectors: &BTreeMap<Name, Connector>,
    problems: &Problems,
) {
    let scope = source.scope(problems).at("states");
    for state in &lifecycle.states {
        let Some(raw) = source.raw.states.get(state.name.as_str()) else {
            continue;
        };
        for (index, raw) in raw.accounts.iter().enumerate() {
            let mut actions = state.accounts.iter();
            let action = actions.find(|action| {
                raw.application.as_deref() == Some(action.application.as_str())
                    && raw.operation.as_deref() == Some(action.operation.as_str())
            });
            let Some(action) = action else { continue };
            let scope = scope.at(&state.name).at("accounts").item(index).at("do");
            check_capability(&scope, action.application, action.operation, connectors);
        }
    }
}

/// Returns the applications with whose accounts lifecycle states do something.
pub(super) fn applications(lifecycle: &Lifecycle) -> impl Iterator<Item = Name> {
    let actions = lifecycle.states.iter().flat_map(|state| &state.accounts);
    actions.map(|action| action.application)
}

/// Reports an operation that an application's connector can't carry out. Where
/// people do it there is nothing that they can't.
pub(super) fn check_capability(
    scope: &Scope<'_>,
    application: Name,
    operation: AccountOperation,
    connectors: &BTreeMap<Name, Connector>,
) {
    let connector = connectors.get(&application);
    let Some(database) = connector.and_then(|connector| {
        let can = connector.is_manual() || connector.can(Capability::Operation(operation));
        (!can).then_some(connector.database.as_ref()).flatten()
    }) else {
        return;
    };
    let word = operation.as_str();
    let hint = match database.read_only {
        true => "leave out `read_only = true` in its connector".to_owned(),
        false => format!("list the word for it in `{word}d` of its connector's `status`"),
    };
    scope.report_with_hint(
        format!("the connector of application `{application}` can't {word} accounts"),
        hint,
    );
}

fn action(scope: &Scope<'_>, raw: &RawStateAction, known: &Known) -> Option<StateAction> {
    let application = required(scope, "application", raw.application.as_deref());
    let operation = required(scope, "do", raw.operation.as_deref())
        .and_then(|text| word(&scope.at("do"), text, &AccountOperation::OF_STATES));
    let after_ms = match &raw.after {
        Some(text) => duration_ms(&scope.at("after"), text),
        None => Some(0),
    };
    let application = known.application(&scope.at("application"), application?)?;
    let operation = operation?;
    match (&raw.to, operation) {
        (None, AccountOperation::Move) => scope.at("to").report_with_hint(
            "it is missing",
            "write the end of the native identity that they are to have, such as \"OU=Leavers,DC=acme\"",
        ),
        (Some(to), AccountOperation::Move) if to.is_empty() => {
            scope.at("to").report("it is empty, and every native identity ends so");
        }
        (Some(_), other) if other != AccountOperation::Move => {
            let message = format!("it means nothing for `{}`", other.as_str());
            scope.at("to").report(message);
        }
        _ => {}
    }
    Some(StateAction {
        application,
        operation,
        to: raw.to.clone(),
        after_ms: after_ms?,
    })
}

/// Checks the roles that everybody in a state has.
fn granted(scope: &Scope<'_>, raw: &[String], known: &Known) -> Vec<Name> {
    let mut roles = Vec::new();
    for (index, text) in raw.iter().enumerate() {
        let scope = scope.item(index);
        let Some((name, role_type)) = known.role(&scope, text) else {
            continue;
        };
        if role_type.is_some_and(|known| !known.selector && !known.manual) {
            scope.report_with_hint(
                format!("`{name}` can't be assigned"),
                "name a business role that requires it",
            );
        }
        roles.push(name);
    }
    roles.sort();
    roles.dedup();
    roles
}
