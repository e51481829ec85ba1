//! A small tenant: `hr` creates identities, `crm` and `ad` find theirs.

use std::path::PathBuf;
use std::sync::Arc;

use idr::aggregate::connector::{Connector, Guard, StatusColumn};
use idr::aggregate::{
    AggregateContext, AggregateError, AggregateOptions, AggregationReport, aggregate,
    correlate_again, correlate_waiting, counters,
};
use idr::store::memory::MemoryStore;
use idr::store::{Adoption, ApplyChunk, AuditEntry, Creation, IdentityWrite, Run, Store};
use idr_core::definitions::{
    AccountAttribute, Application, CorrelationMatch, CorrelationStep, IdentityCreation, Model,
    Threshold,
};
use idr_core::filter::Superset;
use idr_core::model::{
    Account, AccountKey, AttributeState, IdentityRecord, IdentityType, Name, Provenance, Uid,
    UnixMillis, Value, ValueType, Versions,
};
use idr_core::rule::RuleHost;
use tempfile::TempDir;

use crate::scripted::Scripted;

pub const DAY_MS: i64 = 86_400_000;

/// Returns a moment that many days after the beginning of time.
pub fn day(number: i64) -> UnixMillis {
    UnixMillis(number * DAY_MS)
}

pub struct Tenant {
    pub store: MemoryStore,
    pub model: Arc<Model>,
    pub rules: Box<dyn RuleHost>,
    pub connector: Connector,
    pub accounts_per_transaction: usize,
    folder: TempDir,
}

fn application(name: &str, correlation: &[(&str, &str)]) -> Application {
    let attribute = |name: &str, value_type| AccountAttribute {
        name: Name::new(name),
        value_type,
        entitlement: name == "groups",
        sensitive: false,
    };
    Application {
        name: Name::new(name),
        schema: vec![
            attribute("department", ValueType::Text),
            attribute("email", ValueType::Text),
            attribute("groups", ValueType::Many),
            attribute("user", ValueType::Text),
        ],
        correlation: correlation
            .iter()
            .map(|(account_attribute, identity_attribute)| {
                CorrelationStep::Match(CorrelationMatch {
                    account_attribute: Name::new(account_attribute),
                    identity_attribute: Name::new(identity_attribute),
                })
            })
            .collect(),
        creates: None,
        vanish_grace_ms: 0,
        native_changes: None,
        native_entitlements: Default::default(),
        logical: None,
        provisioning: Default::default(),
    }
}

/// Returns how `application` creates identities, with the lowest rank first.
pub fn creating(rank: u32) -> IdentityCreation {
    IdentityCreation {
        rank,
        name_attribute: Name::new("user"),
        identity_type: IdentityType::Person,
        rule: None,
    }
}

impl Tenant {
    pub fn new() -> Self {
        let mut hr = application("hr", &[("user", "name"), ("email", "email")]);
        hr.creates = Some(creating(1));
        let applications = vec![
            application("ad", &[("email", "email"), ("user", "name")]),
            application("crm", &[("email", "email")]),
            hr,
        ];
        let model = Model {
            applications,
            ..Model::default()
        };
        let mut connector = Connector {
            guard: no_guard(),
            ..Connector::default()
        };
        connector.file.multi_valued = vec![(Name::new("groups"), "|".to_owned())];
        connector.file.status = Some(StatusColumn {
            column: "status".to_owned(),
            enabled: Vec::new(),
            disabled: vec!["off".to_owned()],
            locked: Vec::new(),
        });
        let tenant = Self {
            store: MemoryStore::default(),
            model: Arc::new(model),
            rules: Box::new(Scripted),
            connector,
            accounts_per_transaction: 1_000,
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
        };
        tenant.adopt();
        tenant
    }

    pub fn adopt(&self) {
        let adoption = Adoption {
            lookup_attributes: self.model.lookup_attributes(),
            ..Adoption::default()
        };
        self.store.adopt(&adoption).expect("memory never fails");
    }

    pub fn application(&mut self, name: &str) -> &mut Application {
        let found = Arc::make_mut(&mut self.model)
            .applications
            .iter_mut()
            .find(|known| known.name.as_str() == name);
        found.expect("the application is defined")
    }

    pub fn context<'a>(&'a self, store: &'a dyn Store, application: &str) -> AggregateContext<'a> {
        let application = self
            .model
            .application(Name::new(application))
            .expect("the application is defined");
        AggregateContext {
            accounts_per_transaction: self.accounts_per_transaction,
            ..AggregateContext::new(store, &self.model, self.rules.as_ref(), application)
        }
    }

    /// Tries accounts without an identity again; returns how many found theirs.
    pub fn correlate_waiting(&self, on: i64) -> u64 {
        let mut rules = self.rules.evaluator();
        let linked = correlate_waiting(&self.store, &self.model, rules.as_mut(), day(on));
        linked.expect("memory never fails")
    }

    /// Tries all accounts of an application without an identity again.
    pub fn correlate_again(&self, application: &str, on: i64) -> u64 {
        let mut rules = self.rules.evaluator();
        let applications = [Name::new(application)];
        let (store, model) = (&self.store, &self.model);
        let linked = correlate_again(store, model, rules.as_mut(), &applications, day(on));
        linked.expect("memory never fails")
    }

    pub fn options(&self) -> AggregateOptions<'_> {
        AggregateOptions {
            connector: &self.connector,
            directory: self.folder.path(),
            file: Some(self.feed()),
            delta: false,
            as_of: None,
            force: false,
            now: day(0),
            simulated_clock: true,
        }
    }

    pub fn feed(&self) -> PathBuf {
        self.folder.path().join("feed.csv")
    }

    /// Writes a feed: rows of `id,user,email,department,groups,status`.
    pub fn write(&self, rows: &str) {
        let rows: Vec<&str> = rows
            .lines()
            .map(str::trim)
            .filter(|row| !row.is_empty())
            .collect();
        let text = format!(
            "id,user,email,department,groups,status\n{}\n",
            rows.join("\n")
        );
        self.write_bytes(text.as_bytes());
    }

    pub fn write_bytes(&self, content: &[u8]) {
        std::fs::write(self.feed(), content).expect("the folder can be written to");
    }

    /// Aggregates the feed that was written last.
    pub fn try_aggregate(
        &self,
        store: &dyn Store,
        application: &str,
        options: &AggregateOptions<'_>,
    ) -> Result<AggregationReport, AggregateError> {
        aggregate(&self.context(store, application), options, &mut |_| {})
    }

    /// Aggregates rows on a day, and returns what was counted.
    pub fn full(&self, application: &str, on: i64, rows: &str) -> String {
        self.write(rows);
        let options = AggregateOptions {
            as_of: Some(day(on)),
            ..self.options()
        };
        self.aggregated(application, &options)
    }

    /// Aggregates changed rows on a day, and returns what was counted.
    pub fn delta(&self, application: &str, on: i64, rows: &str) -> String {
        self.write(rows);
        let options = AggregateOptions {
            as_of: Some(day(on)),
            delta: true,
            ..self.options()
        };
        self.aggregated(application, &options)
    }

    pub fn aggregated(&self, application: &str, options: &AggregateOptions<'_>) -> String {
        match self.try_aggregate(&self.store, application, options) {
            Ok(report) => show(&report),
            Err(error) => format!("error: {error}"),
        }
    }

    /// Returns the accounts, one a line.
    pub fn accounts(&self) -> String {
        accounts(&self.store)
    }

    /// Returns the open findings about applications, one a line.
    pub fn findings(&self) -> String {
        let findings = self
            .store
            .findings(false, 1_000)
            .expect("memory never fails");
        let shown = findings.iter().map(|known| {
            let finding = &known.finding;
            format!(
                "{} {}: {}: {}\n",
                known.name, finding.subject, finding.cause, finding.message
            )
        });
        shown.collect()
    }

    /// Gives an identity an attribute, as a refresh would.
    pub fn set(&self, identity: &str, attribute: &str, value: &str) {
        let uid = self.uid(identity);
        let mut record = self
            .store
            .read_chunk(&[uid])
            .expect("memory never fails")
            .remove(0);
        let state = AttributeState {
            value: Some(Value::text(value)),
            provenance: Provenance::Source(0),
        };
        let attribute = Name::new(attribute);
        record
            .identity
            .attributes
            .retain(|(name, _)| *name != attribute);
        record.identity.attributes.push((attribute, state));
        record.identity.attributes.sort_by_key(|(name, _)| *name);
        let write = IdentityWrite {
            uid,
            expected: record.versions,
            versions: record.versions,
            identity: Some(record.identity),
            findings_changed: false,
            reads_changed: false,
            keys_changed: true,
            claims: Vec::new(),
        };
        let chunk = ApplyChunk {
            run: Run::default(),
            writes: vec![write],
            ..ApplyChunk::default()
        };
        let stale = self.store.apply(&chunk).expect("memory never fails");
        assert!(stale.is_empty());
    }

    /// Creates an identity without accounts.
    pub fn create(&self, name: &str) -> Uid {
        let batch = idr::store::AggregateBatch {
            creations: vec![Creation {
                name: name.to_owned(),
                identity_type: IdentityType::Person,
            }],
            ..idr::store::AggregateBatch::default()
        };
        self.store.aggregate(&batch).expect("the name is free")[0]
    }

    /// Returns everybody with what kind of identity they are, one a line.
    pub fn types(&self) -> String {
        let records = self.store.read_chunk(&everybody(&self.store));
        let records = records.expect("memory never fails").into_iter();
        let shown = records.map(|IdentityRecord { identity, .. }| {
            format!("{} {}\n", identity.name, identity.identity_type.as_str())
        });
        shown.collect()
    }

    pub fn uid(&self, identity: &str) -> Uid {
        let found = self.store.named(identity).expect("memory never fails");
        found.expect("the identity exists")
    }

    /// Returns the versions of all identities.
    pub fn versions(&self) -> Vec<Versions> {
        let everybody = everybody(&self.store);
        let records = self
            .store
            .read_chunk(&everybody)
            .expect("memory never fails");
        records.into_iter().map(|record| record.versions).collect()
    }
}

pub fn everybody(store: &dyn Store) -> Vec<Uid> {
    store
        .list(&Superset::All, None, usize::MAX)
        .expect("the store can be read")
}

pub fn no_guard() -> Guard {
    Guard {
        vanished: None,
        new: None,
        rekeyed: None,
        emptied: None,
    }
}

pub fn percent(number: u32) -> Option<Threshold> {
    Some(Threshold::BasisPoints(number * 100))
}

pub fn audit(action: &str) -> AuditEntry {
    AuditEntry {
        at: day(0),
        actor: "olga".to_owned(),
        action: action.to_owned(),
        subject: "something".to_owned(),
        reason: "because".to_owned(),
    }
}

pub fn key(application: &str, native_identity: &str) -> AccountKey {
    AccountKey {
        application: Name::new(application),
        native_identity: native_identity.to_owned(),
    }
}

/// Returns what was counted, apart from zeros, and why it is held.
pub fn show(report: &AggregationReport) -> String {
    let aggregation = &report.aggregation;
    let mut shown = format!("{} {}:", aggregation.id, aggregation.status.as_str());
    for name in counters::REPORTED {
        if let Some(count) = aggregation.counters.get(name).filter(|count| **count > 0) {
            shown += &format!(" {name}={count}");
        }
    }
    for reason in &aggregation.held {
        shown += &format!("\n{reason}");
    }
    shown
}

/// Returns the accounts, one a line.
pub fn accounts(store: &dyn Store) -> String {
    let accounts = store
        .list_accounts(None, None, usize::MAX)
        .expect("the store can be read");
    let name_of = |uid: Uid| {
        let records = store.read_chunk(&[uid]).expect("the store can be read");
        records[0].identity.name.clone()
    };
    accounts
        .iter()
        .map(|account| show_account(account, &name_of))
        .collect()
}

fn show_account(account: &Account, name_of: &dyn Fn(Uid) -> String) -> String {
    let key = &account.key;
    let mut shown = format!(
        "{} {} {}",
        key.application,
        key.native_identity,
        account.status.as_str()
    );
    for (name, value) in &account.attributes {
        shown += &format!(" {name}={value}");
    }
    if let Some(since) = account.missing_since {
        shown += &format!(" missing since day {}", since.0 / DAY_MS);
    }
    let owner = account.owner.map_or("nobody".to_owned(), name_of);
    format!("{shown}: {owner} ({})\n", account.link.as_str())
}
