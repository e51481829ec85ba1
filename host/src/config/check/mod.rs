//! From what the files say to a [`Model`]: every definition is checked against
//! all others, and every problem is reported.
//!
//! A module per kind of definition. Each reads its raw form and answers the
//! part of the model, leaving out what is wrong: the model is used only when
//! nothing was.

mod applications;
mod catalogue;
mod database;
mod identity;
mod lifecycle;
mod logical;
mod names;
mod owners;
mod policies;
mod populations;
mod provisioning;
mod risk;
mod role_types;
mod roles;
mod rules;
mod sensitivity;
mod settings;
mod tasks;
mod transforms;
mod triggers;
mod workflows;

use std::collections::BTreeMap;
use std::sync::Arc;

use idr_core::definitions::Model;
use idr_core::model::Name;
use serde::de::DeserializeOwned;

use super::document::{Document, Scope, read};
use super::files::{self, Files};
use super::problem::Problems;
use super::raw::{
    RawApplication, RawEntitlements, RawIdentity, RawLifecycle, RawPolicies, RawPopulations,
    RawRisk, RawRoles, RawRules, RawSettings, RawTask, RawTriggers, RawWorkflows,
};
use super::secret::{SecretReference, SecretSettings};
use super::{Clock, DispatchSettings, RefreshSettings, StoreSettings, Task, Workflow};
use crate::aggregate::connector::Connector;
use crate::refresh::prune::PruneSettings;
use names::Known;
#[cfg(test)]
pub(super) use transforms::OPERATIONS;

/// A file with what it says.
struct Source<R> {
    raw: R,
    document: Document,
}

impl<R: DeserializeOwned + Default> Source<R> {
    fn read(file: &str, content: &[u8], problems: &Problems) -> Self {
        let (raw, document) = read(file, content, problems);
        Self { raw, document }
    }

    /// Reads a file that may be absent: then it says nothing.
    fn read_if_there(files: &Files, file: &str, problems: &Problems) -> Self {
        Self::read(file, files.get(file).unwrap_or_default(), problems)
    }

    fn scope<'a>(&'a self, problems: &'a Problems) -> Scope<'a> {
        self.document.scope(problems)
    }
}

/// All files of a tenant.
struct Sources {
    settings: Source<RawSettings>,
    /// By the application's name.
    applications: BTreeMap<String, Source<RawApplication>>,
    identity: Source<RawIdentity>,
    lifecycle: Source<RawLifecycle>,
    roles: Vec<Source<RawRoles>>,
    entitlements: Source<RawEntitlements>,
    triggers: Source<RawTriggers>,
    workflows: Source<RawWorkflows>,
    populations: Source<RawPopulations>,
    policies: Source<RawPolicies>,
    risk: Source<RawRisk>,
    rules: Source<RawRules>,
    /// By the task's name.
    tasks: BTreeMap<String, Source<RawTask>>,
}

impl Sources {
    fn read(files: &Files, problems: &Problems) -> Self {
        Self {
            settings: Source::read_if_there(files, files::SETTINGS, problems),
            applications: by_name(files, files::APPLICATIONS, "an application", problems),
            identity: Source::read_if_there(files, files::IDENTITY, problems),
            lifecycle: Source::read_if_there(files, files::LIFECYCLE, problems),
            roles: files
                .below(files::ROLES, ".toml")
                .map(|(path, content)| Source::read(path, content, problems))
                .collect(),
            entitlements: Source::read_if_there(files, files::ENTITLEMENTS, problems),
            triggers: Source::read_if_there(files, files::TRIGGERS, problems),
            workflows: Source::read_if_there(files, files::WORKFLOWS, problems),
            populations: Source::read_if_there(files, files::POPULATIONS, problems),
            policies: Source::read_if_there(files, files::POLICIES, problems),
            risk: Source::read_if_there(files, files::RISK, problems),
            rules: Source::read_if_there(files, files::RULES, problems),
            tasks: by_name(files, files::TASKS, "a task", problems),
        }
    }
}

/// Reads the files of a folder in which each has the name of what it defines.
fn by_name<R: DeserializeOwned + Default>(
    files: &Files,
    folder: &str,
    what: &str,
    problems: &Problems,
) -> BTreeMap<String, Source<R>> {
    let mut sources: BTreeMap<String, Source<R>> = BTreeMap::new();
    for (path, content) in files.below(folder, ".toml") {
        let name = path.rsplit('/').next().unwrap_or(path);
        let name = name.strip_suffix(".toml").unwrap_or(name);
        if let Some(first) = sources.get(name) {
            let message = format!("`{}` has the same name", first.document.file());
            let hint = format!("{what} has the name of its file: call one of them differently");
            problems.add_to_file(path, message, Some(hint));
            continue;
        }
        sources.insert(name.to_owned(), Source::read(path, content, problems));
    }
    sources
}

/// What the files come to; to be used only when there are no problems.
pub(super) struct Checked {
    pub(super) name: String,
    pub(super) clock: Clock,
    pub(super) store: StoreSettings,
    pub(super) secret: Option<SecretSettings>,
    pub(super) refresh: RefreshSettings,
    pub(super) prune: Option<PruneSettings>,
    pub(super) model: Arc<Model>,
    pub(super) connectors: BTreeMap<Name, Connector>,
    /// The component's path for each of the model's rules.
    pub(super) components: Vec<String>,
    pub(super) tasks: Vec<Task>,
    pub(super) workflows: Vec<Workflow>,
    pub(super) dispatch: DispatchSettings,
    pub(super) webhook_secret: Option<SecretReference>,
}

/// Checks all files of a tenant.
pub(super) fn check(files: &Files, problems: &Problems) -> Checked {
    let sources = Sources::read(files, problems);
    let known = Known::of(&sources);
    let settings = settings::check(&sources.settings, &known, problems);
    let (mut applications, connectors) =
        applications::check(&sources.applications, &known, problems);
    let mut identity = identity::check(&sources.identity, &known, problems);
    provisioning::applications(
        &sources.applications,
        &sources.identity,
        &known,
        problems,
        &mut applications,
    );
    provisioning::check_connectors(&sources.applications, &applications, &connectors, problems);
    provisioning::targets(
        &sources.identity,
        &applications,
        &known,
        problems,
        &mut identity.attributes,
    );
    let lifecycle = lifecycle::check(&sources.lifecycle, &known, problems);
    let populations = populations::check(&sources.populations, &known, problems);
    let has_risk = files.get(files::RISK).is_some();
    let has = (has_risk, settings.work_item_fallback.is_some());
    let policies = policies::check(&sources.policies, &populations, has, &known, problems);
    let risk = risk::check(&sources.risk, has_risk, &known, problems);
    let tasks = tasks::check(
        &sources.tasks,
        &populations,
        &known,
        &settings.zone,
        &policies,
        &connectors,
        problems,
    );
    role_types::check(&sources.roles, problems);
    let roles = roles::check(
        &sources.roles,
        &populations,
        &applications,
        &known,
        problems,
    );
    let catalogue = catalogue::check(&sources.entitlements, &known, problems);
    let mut triggers = triggers::check(&sources.triggers, &populations, &known, problems);
    let workflows = workflows::check(&sources.workflows, &connectors, &known, problems);
    let launched = workflows.iter().map(|workflow| workflow.name.as_str());
    triggers::check_workflows(&sources.triggers, launched, problems);
    lifecycle::check_connectors(&sources.lifecycle, &lifecycle, &connectors, problems);
    let changed = applications.iter().filter(|known| known.is_provisioned());
    let changed = changed.map(|known| known.name);
    let changed = changed.chain(lifecycle::applications(&lifecycle));
    let changed = changed.chain(workflows.iter().flat_map(workflows::applications));
    let changed = changed.filter(|_| settings.work_item_fallback.is_none());
    owners::remark_on_nobody(&sources, &changed.collect(), &connectors, problems);
    // Last: by now every use of a rule is known.
    let (rules, components) = rules::check(&sources.rules, files, &settings, &known, problems);
    triggers::fingerprint(&mut triggers, &rules);
    sensitivity::carry(&mut applications, &identity.attributes, &rules);
    let owned = catalogue::owned(&catalogue, &applications);
    let fallback = settings.work_item_fallback.clone();
    let owners = owners::check(&sources, owned, fallback, problems);
    let model = Model {
        zone: settings.zone,
        end_of_day: settings.end_of_day,
        history: settings.history,
        applications,
        attributes: identity.attributes,
        before_refresh: identity.before_refresh,
        after_refresh: identity.after_refresh,
        manager: identity.manager,
        lifecycle,
        roles,
        owners,
        catalogue,
        provisioning: settings.provisioning,
        work_item_fallback: settings.work_item_fallback,
        triggers,
        policies,
        risk,
        populations,
        rules,
        thresholds: settings.thresholds,
        needs_secret: known.needs_secret(),
        secret: None,
        secret_generation: 0,
    };
    Checked {
        name: settings.name,
        clock: settings.clock,
        store: settings.store,
        secret: settings.secret,
        refresh: settings.refresh,
        prune: settings.prune,
        model: Arc::new(model),
        connectors,
        components,
        tasks,
        workflows,
        dispatch: settings.dispatch,
        webhook_secret: settings.webhook_secret,
    }
}
