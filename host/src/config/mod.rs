//! A tenant's configuration: from the files in its folder to a checked
//! [`Tenant`], or to every problem in them at once.
//!
//! [`Tenant::load`] reads a folder; [`Tenant::from_files`] takes files that a
//! run has adopted. Every command uses the outcome; nothing else reads settings.

mod check;
mod document;
mod files;
mod outline;
mod paths;
mod problem;
mod raw;
mod secret;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use idr_core::definitions::{Model, Population, RuleIndex};
use idr_core::filter::Filter;
use idr_core::model::{AccountOperation, Name, UnixMillis};

use crate::aggregate::connector::Connector;
use crate::refresh::prune::PruneSettings;

pub(crate) use files::read_regular_file;
pub use files::{Files, sha256};
pub use paths::{FilterPlace, PathError, Readable};
use problem::Problems;
pub use problem::{ConfigError, Problem};
pub use secret::{ReferenceError, SecretError, SecretReference, SecretSettings};
pub(crate) use values::is_address;
pub use values::{group_filter, parse_date, parse_duration, parse_instant};

/// A tenant whose configuration has no problems.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// The tenant's folder: what paths in the configuration are relative to.
    pub directory: PathBuf,
    /// The tenant's name.
    pub name: String,
    /// Which time it lives in.
    pub clock: Clock,
    /// Where and how its state is stored.
    pub store: StoreSettings,
    /// Where its secret is, and which one it is.
    pub secret: Option<SecretSettings>,
    /// How its refreshes are done where nothing else is said.
    pub refresh: RefreshSettings,
    /// Which identities are pruned; none when absent.
    pub prune: Option<PruneSettings>,
    /// Its definitions, without the secret.
    pub model: Arc<Model>,
    /// How each application of the model is aggregated.
    pub connectors: BTreeMap<Name, Connector>,
    /// The files that all of this was made from, for a run to adopt.
    pub files: Files,
    components: Vec<String>,
    /// Its refresh tasks, in order of name.
    pub tasks: Vec<Task>,
    /// What workflows consist of that triggers launch.
    pub workflows: Vec<Workflow>,
    /// How effects are carried out.
    pub dispatch: DispatchSettings,
    /// Where the secret is that events sent to addresses are signed with.
    pub webhook_secret: Option<SecretReference>,
    /// What is right, but probably not meant.
    pub remarks: Vec<Problem>,
}

/// Which time a tenant lives in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// That of the machine.
    #[default]
    System,
    /// The last one that somebody named: for demonstrations and tests.
    Simulated,
}

/// A refresh that is done again and again (`tasks/NAME.toml`): whom it refreshes.
/// Without anything else, who is due.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// Everybody.
    pub all: bool,
    /// These, by name; everybody when empty.
    pub identities: Vec<String>,
    /// Those whose names this file lists, relative to the tenant's directory; it
    /// is read when the task starts.
    pub identities_from: Option<PathBuf>,
    /// Who fulfils it.
    pub filter: Option<Filter>,
    /// Who belongs to one of these, or to one of `groups`; everybody when both
    /// are empty.
    pub populations: Vec<Population>,
    /// Everybody with one value of an attribute.
    pub groups: Vec<Filter>,
    /// Who was last refreshed before this instant.
    pub refreshed_before: Option<UnixMillis>,
    /// Who was last refreshed at least so many milliseconds ago.
    pub not_refreshed_for_ms: Option<i64>,
    /// Who was last refreshed within so many milliseconds.
    pub refreshed_within_ms: Option<i64>,
    /// And who was modified within them.
    pub or_modified: bool,
    /// Who is inactive is left out, unless something is due about them.
    pub exclude_inactive: bool,
    /// Only who is due of those.
    pub due: bool,
    /// Their accounts are asked for again before, where applications can be asked.
    pub accounts: bool,
    /// Whom it refreshes stays due.
    pub keep_due: bool,
    /// The only policies that it judges; all of them when absent.
    pub policies: Option<Vec<Name>>,
    /// Once it is done, identities that nobody needs are pruned.
    pub prune: bool,
    /// How it is done.
    pub settings: RefreshSettings,
    /// The tasks that it consists of, in order; then nothing else of it counts
    /// but `stop_at_error`.
    pub tasks: Vec<String>,
    /// Whether the first of them that goes wrong is the last.
    pub stop_at_error: bool,
}

/// What is done, one after the other, when a trigger launches it
/// (`workflows.toml`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    /// Its name.
    pub name: String,
    /// Its steps, in order.
    pub steps: Vec<Step>,
}

/// A step of a workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Somebody gets something to do.
    WorkItem {
        /// Who: `manager`, `identity`, or the name of an identity.
        owner: String,
        /// What to do.
        description: String,
        /// Whether the next step waits until it is done.
        wait: bool,
    },
    /// The event is sent to an address.
    Webhook {
        /// The address.
        url: String,
    },
    /// Something is done with the identity's accounts in an application.
    Accounts {
        /// The application.
        application: Name,
        /// `enable`, `disable` or `delete`.
        operation: AccountOperation,
    },
}

/// How effects are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DispatchSettings {
    /// After so many attempts in vain an effect is given up.
    pub attempts: u32,
    /// How long after the first attempt the second comes; after that twice as
    /// long, and so on.
    pub retry_after_ms: i64,
    /// But never longer than this.
    pub retry_at_most_after_ms: i64,
    /// How long an address may take to answer.
    pub webhook_timeout_ms: i64,
}

impl Default for DispatchSettings {
    /// Ten attempts, after one minute, two, four and so on, at most six hours;
    /// addresses have 30 seconds.
    fn default() -> Self {
        Self {
            attempts: 10,
            retry_after_ms: 60_000,
            retry_at_most_after_ms: 6 * 3_600_000,
            webhook_timeout_ms: 30_000,
        }
    }
}

/// How a refresh is done, as far as it is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RefreshSettings {
    /// On how many threads it plans.
    pub threads: Option<u32>,
    /// How many identities are committed together.
    pub chunk_size: Option<u32>,
    /// It stops once so many identities have new errors.
    pub max_exceptions: Option<u64>,
}

impl RefreshSettings {
    /// A refresh has so many threads at most.
    pub const MOST_THREADS: u32 = 1_024;

    /// A chunk has so many identities at most.
    pub const MOST_IN_CHUNK: u32 = 100_000;

    /// Returns these, and the others where these say nothing.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            threads: self.threads.or(others.threads),
            chunk_size: self.chunk_size.or(others.chunk_size),
            max_exceptions: self.max_exceptions.or(others.max_exceptions),
        }
    }
}

/// Where and how a tenant's state is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// The embedded store's file, relative to the tenant's folder unless it is
    /// absolute.
    pub path: PathBuf,
    /// How long to wait for somebody else who is writing, in milliseconds.
    pub wait_ms: u64,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            path: PathBuf::from("state/idr.db"),
            wait_ms: 30_000,
        }
    }
}

impl Tenant {
    /// Reads and checks a tenant's folder.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: it isn't a tenant's folder, it can't be read, or what it
    /// says is wrong, with every problem.
    pub fn load(directory: &Path) -> Result<Self, ConfigError> {
        let files = Files::read(directory)?;
        let problems = Problems::default();
        for stray in files::strays(directory)? {
            problems.add(stray);
        }
        Self::checked(directory, files, problems)
    }

    /// Checks files that were read before. `directory` is only remembered.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] with every problem.
    pub fn from_files(directory: &Path, files: Files) -> Result<Self, ConfigError> {
        Self::checked(directory, files, Problems::default())
    }

    fn checked(
        directory: &Path,
        mut files: Files,
        problems: Problems,
    ) -> Result<Self, ConfigError> {
        let checked = check::check(&files, &problems);
        let (problems, remarks) = problems.into_sorted();
        if !problems.is_empty() {
            return Err(ConfigError::Invalid(problems));
        }
        files.retain_components(|path| checked.components.iter().any(|used| used == path));
        Ok(Self {
            directory: directory.to_owned(),
            name: checked.name,
            clock: checked.clock,
            store: checked.store,
            secret: checked.secret,
            refresh: checked.refresh,
            prune: checked.prune,
            model: checked.model,
            connectors: checked.connectors,
            files,
            components: checked.components,
            tasks: checked.tasks,
            workflows: checked.workflows,
            dispatch: checked.dispatch,
            webhook_secret: checked.webhook_secret,
            remarks,
        })
    }

    /// Returns the definitions as planning needs them: with the secret, where
    /// something is derived from it.
    ///
    /// # Errors
    ///
    /// [`SecretError`] when the secret can't be had.
    pub fn planning_model(&self) -> Result<Arc<Model>, SecretError> {
        let settings = self.secret.as_ref().filter(|_| self.model.needs_secret);
        let Some(settings) = settings else {
            return Ok(Arc::clone(&self.model));
        };
        let mut model = Model::clone(&self.model);
        model.secret = Some(settings.reference.read(&self.directory)?);
        model.secret_generation = settings.generation;
        Ok(Arc::new(model))
    }

    /// Returns the rule component with this sha256, which one of the model's
    /// rules names.
    pub fn component(&self, sha256: &str) -> Option<Arc<[u8]>> {
        let rules = self.model.rules.iter();
        let (_, path) = rules
            .zip(&self.components)
            .find(|(rule, _)| rule.sha256 == sha256)?;
        self.files.shared(path)
    }

    /// Returns the path of a rule's component, relative to the tenant's folder.
    pub fn component_path(&self, rule: RuleIndex) -> &str {
        &self.components[rule.0]
    }

    /// Returns the path of the embedded store's file.
    pub fn store_path(&self) -> PathBuf {
        self.directory.join(&self.store.path)
    }
}
