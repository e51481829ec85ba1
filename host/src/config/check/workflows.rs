//! `workflows.toml`: what is done, one after the other, when a trigger launches it.

use std::collections::BTreeMap;

use idr_core::model::{AccountOperation, Name};

use super::Source;
use super::lifecycle::check_capability;
use super::names::{Known, check_name};
use crate::aggregate::connector::Connector;
use crate::config::document::Scope;
use crate::config::problem::Problems;
use crate::config::raw::{RawStep, RawWorkflow, RawWorkflows};
use crate::config::values::{check_address, required, word};
use crate::config::{Step, Workflow};

/// The types of step, with the keys that each may have beside `type`.
const STEPS: [(&str, &[&str]); 3] = [
    ("work-item", &["owner", "description", "wait"]),
    ("webhook", &["url"]),
    ("accounts", &["application", "do"]),
];

/// What a step may do with accounts.
const OPERATIONS: [(&str, AccountOperation); 3] = [
    ("enable", AccountOperation::Enable),
    ("disable", AccountOperation::Disable),
    ("delete", AccountOperation::Delete),
];

/// Checks all workflows.
pub(super) fn check(
    source: &Source<RawWorkflows>,
    connectors: &BTreeMap<Name, Connector>,
    known: &Known,
    problems: &Problems,
) -> Vec<Workflow> {
    let scope = source.scope(problems);
    scope.check_version(source.raw.version, false);
    let scope = scope.at("workflow");
    let mut workflows: Vec<Workflow> = Vec::new();
    for (index, raw) in source.raw.workflow.iter().enumerate() {
        let scope = scope.item(index);
        let Some(workflow) = workflow(&scope, raw, connectors, known) else {
            continue;
        };
        if workflows.iter().any(|known| known.name == workflow.name) {
            let message = format!("there is a workflow `{}` already", workflow.name);
            scope.at("name").report(message);
            continue;
        }
        workflows.push(workflow);
    }
    workflows
}

/// Returns the applications with whose accounts a workflow does something.
pub(super) fn applications(workflow: &Workflow) -> impl Iterator<Item = Name> {
    workflow.steps.iter().filter_map(|step| match step {
        Step::Accounts { application, .. } => Some(*application),
        Step::WorkItem { .. } | Step::Webhook { .. } => None,
    })
}

fn workflow(
    scope: &Scope<'_>,
    raw: &RawWorkflow,
    connectors: &BTreeMap<Name, Connector>,
    known: &Known,
) -> Option<Workflow> {
    let name = required(scope, "name", raw.name.as_deref());
    let name = name.filter(|name| check_name(&scope.at("name"), name));
    let place = scope.at("steps");
    if raw.steps.is_empty() {
        place.report_with_hint(
            "it has no steps",
            "write a list such as `steps = [{ type = \"work-item\", … }]`",
        );
    }
    let steps = raw.steps.iter().enumerate();
    let steps = steps.filter_map(|(index, raw)| step(&place.item(index), raw, connectors, known));
    let steps = steps.collect();
    Some(Workflow {
        name: name?.to_owned(),
        steps,
    })
}

fn step(
    scope: &Scope<'_>,
    raw: &RawStep,
    connectors: &BTreeMap<Name, Connector>,
    known: &Known,
) -> Option<Step> {
    let step_type = required(scope, "type", raw.step_type.as_deref())?;
    let keys = word(&scope.at("type"), step_type, &STEPS)?;
    for (key, is_there) in [
        ("owner", raw.owner.is_some()),
        ("description", raw.description.is_some()),
        ("wait", raw.wait.is_some()),
        ("url", raw.url.is_some()),
        ("application", raw.application.is_some()),
        ("do", raw.operation.is_some()),
    ] {
        if is_there && !keys.contains(&key) {
            let message = format!("it means nothing for type `{step_type}`");
            scope.at(key).report(message);
        }
    }
    match step_type {
        "work-item" => {
            let owner = required(scope, "owner", raw.owner.as_deref());
            let description = required(scope, "description", raw.description.as_deref());
            Some(Step::WorkItem {
                owner: owner?.to_owned(),
                description: description?.to_owned(),
                wait: raw.wait.unwrap_or(true),
            })
        }
        "webhook" => {
            let url = required(scope, "url", raw.url.as_deref())?;
            check_address(&scope.at("url"), url);
            Some(Step::Webhook {
                url: url.to_owned(),
            })
        }
        _ => {
            let application = required(scope, "application", raw.application.as_deref());
            let operation = required(scope, "do", raw.operation.as_deref())
                .and_then(|text| word(&scope.at("do"), text, &OPERATIONS));
            let application = known.application(&scope.at("application"), application?)?;
            let operation = operation?;
            if known.is_logical(application.as_str()) {
                scope.at("application").report_with_hint(
                    format!("`{application}` is logical: its accounts are made of others"),
                    "name the applications of its tiers, in a step each",
                );
                return None;
            }
            check_capability(&scope.at("do"), application, operation, connectors);
            Some(Step::Accounts {
                application,
                operation,
            })
        }
    }
}
