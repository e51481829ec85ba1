//! An opened tenant: its configuration, its store and its rules together.
//!
//! Every command that works on a tenant begins with [`OpenTenant::open`]. It
//! makes definitions and rules from configuration files for a refresh (it is a
//! [`Configurator`]), and it knows what time it is in the tenant.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use idr_core::definitions::Model;
use idr_core::model::UnixMillis;
use idr_core::rule::RuleEvaluator;
use jiff::Timestamp;
use thiserror::Error;

use crate::config::{self, Clock, ConfigError, Tenant};
use crate::refresh::{self, Configurator, Configured, Impact, RefreshError};
use crate::rules::{self, ComponentCache, RuleEngine};
use crate::store::sqlite::{SqliteOptions, SqliteStore};
use crate::store::{Files, RunLock, Store, StoreError};

/// A tenant with its store open.
pub struct OpenTenant {
    /// Its configuration, as the folder has it now.
    pub configuration: Tenant,
    /// Its store.
    pub store: SqliteStore,
    engine: OnceLock<RuleEngine>,
}

/// Whether a store is made where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It is made: for what writes.
    Create,
    /// It is an error: for what only reads.
    Refuse,
}

/// A tenant that can't be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Its configuration can't be used.
    #[error(transparent)]
    Configuration(#[from] ConfigError),
    /// Its store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A text that names no instant.
#[derive(Debug, Error)]
#[error("`{0}` is not an instant")]
pub struct InstantError(String);

impl InstantError {
    /// Returns what to write instead.
    pub fn hint(&self) -> String {
        "write 2026-03-31T17:00:00Z; or 2026-03-31T17:00 or 2026-03-31, in the tenant's time zone"
            .to_owned()
    }
}

impl OpenTenant {
    /// Opens the tenant in a folder.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when its configuration or its store can't be used.
    pub fn open(directory: &Path, absent: Absent) -> Result<Self, OpenError> {
        let configuration = Tenant::load(directory)?;
        let options = SqliteOptions {
            create: absent == Absent::Create,
            busy_timeout: Duration::from_millis(configuration.store.wait_ms),
            ..SqliteOptions::default()
        };
        let store = SqliteStore::open(&configuration.store_path(), &options)?;
        Ok(Self {
            configuration,
            store,
            engine: OnceLock::new(),
        })
    }

    /// Says whether the tenant's clock is simulated.
    pub fn is_simulated(&self) -> bool {
        self.configuration.clock == Clock::Simulated
    }

    /// Returns the time it is in the tenant: that of the machine, or with a
    /// simulated clock the last instant that was given (before there is one,
    /// that of the machine).
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read.
    pub fn now(&self) -> Result<UnixMillis, StoreError> {
        let last = if self.is_simulated() {
            self.store.tenant()?.last_as_of
        } else {
            None
        };
        Ok(last.unwrap_or_else(|| Timestamp::now().into()))
    }

    /// Reads an instant: RFC 3339 with an offset, or a date and a time, or a
    /// date (its beginning), in the tenant's time zone.
    ///
    /// # Errors
    ///
    /// [`InstantError`] when it is none of these.
    pub fn instant(&self, text: &str) -> Result<UnixMillis, InstantError> {
        let zone = &self.configuration.model.zone;
        config::parse_instant(text, zone).ok_or_else(|| InstantError(text.to_owned()))
    }

    /// Takes the lock that only one refresh, aggregation or edit of the tenant
    /// can have; it is let go when dropped.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] when somebody else has it past the configured wait.
    pub fn lock(&self) -> Result<RunLock, StoreError> {
        let wait = Duration::from_millis(self.configuration.store.wait_ms);
        RunLock::take(self.store.path(), wait)
    }

    /// Returns the configuration files, as a run adopts them.
    pub fn files(&self) -> Files {
        files_of(&self.configuration)
    }

    /// Adopts the configuration as the folder has it now, and returns its
    /// definitions and rules.
    ///
    /// # Errors
    ///
    /// [`RefreshError`] when the rules can't be loaded or the store fails.
    pub fn adopt(&self) -> Result<Configured, RefreshError> {
        let files = self.files();
        let configured = self.configured()?;
        refresh::adopt(&self.store, self, &configured, &files)?;
        Ok(configured)
    }

    /// Says what adopting the configuration as the folder has it now would mean.
    ///
    /// # Errors
    ///
    /// As [`OpenTenant::adopt`].
    pub fn impact(&self) -> Result<Impact, RefreshError> {
        refresh::impact(&self.store, self, &self.configured()?.model)
    }

    /// Returns definitions and rules as the folder has them now.
    ///
    /// # Errors
    ///
    /// [`RefreshError::Configuration`] when the rules can't be loaded.
    pub fn configured(&self) -> Result<Configured, RefreshError> {
        self.load_rules(&self.configuration)
            .map_err(RefreshError::Configuration)
    }

    /// Returns definitions and rules as the folder has them now, the rules with
    /// their components.
    ///
    /// # Errors
    ///
    /// [`RefreshError::Configuration`] when the rules can't be loaded.
    pub fn rule_host(&self) -> Result<(Arc<Model>, rules::RuleHost), RefreshError> {
        self.load_host(&self.configuration)
            .map_err(RefreshError::Configuration)
    }

    fn load_rules(&self, tenant: &Tenant) -> Result<Configured, String> {
        let (model, host) = self.load_host(tenant)?;
        Ok(Configured {
            model,
            rules: Arc::new(host),
        })
    }

    /// Loads the rules of a configuration; those that were once caught
    /// answering differently on used instances get fresh ones.
    fn load_host(&self, tenant: &Tenant) -> Result<(Arc<Model>, rules::RuleHost), String> {
        let model = tenant.planning_model().map_err(|error| spoken(&error))?;
        let bytes_of = |sha256: &str| tenant.component(sha256);
        let cache = ComponentCache::new(self.cache_folder());
        let engine = self.engine()?;
        let host = rules::RuleHost::load(engine, &tenant.name, &model, bytes_of, Some(&cache))
            .map_err(|errors| {
                let lines = errors.iter().map(|error| spoken(error));
                lines.collect::<Vec<_>>().join("\n")
            })?;
        let known = self.store.tenant().map_err(|error| spoken(&error))?;
        for sha256 in &known.isolated_rules {
            host.isolate(sha256);
        }
        Ok((model, host))
    }

    fn engine(&self) -> Result<&RuleEngine, String> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine);
        }
        let engine = RuleEngine::new().map_err(|error| spoken(&error))?;
        Ok(self.engine.get_or_init(|| engine))
    }

    /// Returns where compiled components are kept: beside the store, for
    /// nobody else to write.
    fn cache_folder(&self) -> PathBuf {
        self.store.path().with_file_name("compiled")
    }
}

impl Configurator for OpenTenant {
    fn configure(&self, files: &Files) -> Result<Configured, String> {
        let files: config::Files = files
            .iter()
            .map(|(path, content)| (path.clone(), content.clone()))
            .collect();
        if files == self.configuration.files {
            return self.load_rules(&self.configuration);
        }
        let tenant = Tenant::from_files(&self.configuration.directory, files)
            .map_err(|error| spoken(&error))?;
        self.load_rules(&tenant)
    }
}

impl refresh::RuleHost for rules::RuleHost {
    fn evaluator(&self) -> Box<dyn RuleEvaluator + Send> {
        Box::new(self.worker())
    }

    fn impure(&self) -> Vec<String> {
        self.isolated()
    }
}

/// Returns a configuration's files, as a run adopts them.
pub(crate) fn files_of(configuration: &Tenant) -> Files {
    let files = configuration.files.iter();
    files
        .map(|(path, content)| (path.to_owned(), content.to_vec()))
        .collect()
}

/// Returns an error with its causes, in one line.
pub(crate) fn spoken(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
