//! The tenant of `tests/tenants/cert`, copied and driven through the library.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use idr::aggregate::{AggregateContext, AggregateOptions, aggregate};
use idr::refresh::{self, Request};
use idr::report::canonical;
use idr::store::{
    AggregationStatus, Counters, EventQuery, Run, RunSettings, RunStatus, Scope, Store, StoredEvent,
};
use idr::tenant::{Absent, OpenTenant};
use idr_core::filter::Superset;
use idr_core::model::{Name, Uid, UnixMillis};

use crate::common::{TestHost, repository};
use crate::data::Month;
use crate::oracle::{Events, People, Person};

/// Returns the folder of the tenant.
pub(crate) fn folder() -> PathBuf {
    repository().join("tests/tenants/cert")
}

/// A copy of the tenant with its store, somewhere else.
pub(crate) struct CertTenant {
    pub(crate) host: TestHost,
    tenant: OpenTenant,
    seen_events: HashSet<String>,
}

impl CertTenant {
    /// Copies the tenant and makes its store.
    pub(crate) fn new() -> Self {
        Self::at(TestHost::copy_of(&folder()), Absent::Create)
    }

    /// Opens a copy that the program has made a store in.
    pub(crate) fn at(host: TestHost, absent: Absent) -> Self {
        let tenant = OpenTenant::open(&host.path(""), absent);
        let tenant = tenant.unwrap_or_else(|error| panic!("the tenant can't be opened: {error}"));
        Self {
            host,
            tenant,
            seen_events: HashSet::new(),
        }
    }

    /// Aggregates a month; nothing may be held or complained of.
    pub(crate) fn aggregate(&self, month: &Month, as_of: UnixMillis) -> BTreeMap<String, u64> {
        let configured = self.tenant.adopt().expect("the configuration is right");
        let rules = configured.rules.as_ref();
        let model = &self.tenant.configuration.model;
        let hr = Name::new("hr");
        let options = AggregateOptions {
            connector: &self.tenant.configuration.connectors[&hr],
            directory: Path::new(""),
            file: Some(month.file.clone()),
            delta: false,
            as_of: Some(as_of),
            force: false,
            now: as_of,
            simulated_clock: true,
        };
        let application = model.application(hr).expect("the tenant has it");
        let context = AggregateContext::new(&self.tenant.store, model, rules, application);
        let report = aggregate(&context, &options, &mut |_| {});
        let report = report.unwrap_or_else(|error| panic!("{}: {error}", month.name));
        let held = &report.aggregation.held;
        assert_eq!(
            report.aggregation.status,
            AggregationStatus::Done,
            "{held:?}"
        );
        assert_eq!(report.open_findings, 0, "{}", month.name);
        report.aggregation.counters
    }

    /// Refreshes; nothing may be held.
    pub(crate) fn refresh(&self, as_of: UnixMillis, scope: Scope) -> Run {
        let request = Request {
            scope,
            criteria: Vec::new(),
            as_of,
            simulated: true,
            now: as_of,
            fire_initial: false,
            actor: "somebody".to_owned(),
            approved: false,
            settings: RunSettings::default(),
        };
        let files = self.tenant.files();
        let run = refresh::run(
            &self.tenant.store,
            &self.tenant,
            &files,
            &request,
            &|_, _, _| {},
        );
        let run = run.expect("the refresh can be done");
        assert_eq!(run.status, RunStatus::Done, "{:?}", run.held);
        run
    }

    /// Returns everybody as they are stored.
    pub(crate) fn people(&self) -> People {
        let store = &self.tenant.store;
        let everybody = store.list(&Superset::All, None, usize::MAX);
        let records = store.read_chunk(&everybody.expect("the store can be read"));
        let records = records.expect("the store can be read");
        let names: HashMap<Uid, &String> = records
            .iter()
            .map(|record| (record.identity.uid, &record.identity.name))
            .collect();
        let people = records.iter().map(|record| {
            let identity = &record.identity;
            let values = identity.attributes.iter().filter_map(|(name, state)| {
                let value = state.value.as_ref()?;
                Some((name.to_string(), value.to_string()))
            });
            let roles = identity.assigned.iter().map(|known| known.role.to_string());
            let findings = identity
                .findings
                .iter()
                .map(|known| known.cause.to_string());
            let state = identity.lifecycle_state;
            let person = Person {
                attributes: values.collect(),
                manager: identity.manager.map(|uid| names[&uid].clone()),
                state: state.map_or("none", |state| state.as_str()).to_owned(),
                inactive: identity.inactive,
                roles: roles.collect(),
                findings: findings.collect(),
            };
            (identity.name.clone(), person)
        });
        people.collect()
    }

    /// Returns the events that are new since this was last asked; all must
    /// have happened at `as_of`.
    pub(crate) fn new_events(&mut self, as_of: UnixMillis) -> Events {
        let events = self.tenant.store.events(&EventQuery::default(), usize::MAX);
        let mut events: Vec<StoredEvent> = events.expect("the store can be read");
        events.retain(|stored| !self.seen_events.contains(&stored.id));
        let new: Events = events
            .iter()
            .map(|stored| (stored.event.trigger.to_string(), stored.name.clone()))
            .collect();
        assert_eq!(new.len(), events.len(), "nobody has the same event twice");
        for stored in events {
            assert_eq!(stored.event.effective_at, as_of, "{stored:?}");
            self.seen_events.insert(stored.id);
        }
        new
    }

    /// Takes events before an instant as seen.
    pub(crate) fn forget_events_before(&mut self, instant: UnixMillis) {
        let events = self.tenant.store.events(&EventQuery::default(), usize::MAX);
        let events = events.expect("the store can be read").into_iter();
        let earlier = events.filter(|stored| stored.event.effective_at < instant);
        self.seen_events.extend(earlier.map(|stored| stored.id));
    }

    /// Returns the canonical export.
    pub(crate) fn export(&self) -> String {
        let mut text = Vec::new();
        let model = &self.tenant.configuration.model;
        canonical::export(&self.tenant.store, model, &mut text).expect("the state can be exported");
        String::from_utf8(text).expect("the export is text")
    }
}

/// Compares what is with what should be, and shows the first few differences.
pub(crate) fn compare(what: &str, seen: &People, expected: &People) {
    let everybody: BTreeSet<&String> = seen.keys().chain(expected.keys()).collect();
    let differs = |id: &&&String| seen.get(**id) != expected.get(**id);
    let differing: Vec<String> = everybody
        .iter()
        .filter(differs)
        .map(|id| {
            let (seen, expected) = (seen.get(*id), expected.get(*id));
            format!("{id}\n  is        {seen:?}\n  should be {expected:?}")
        })
        .collect();
    assert!(
        differing.is_empty(),
        "{what}: {} people are not as they should be, among them\n{}",
        differing.len(),
        differing[..differing.len().min(5)].join("\n")
    );
}

/// Compares events, and shows the first few differences.
pub(crate) fn compare_events(what: &str, seen: &Events, expected: &Events) {
    let missing: Vec<_> = expected.difference(seen).take(5).collect();
    let surplus: Vec<_> = seen.difference(expected).take(5).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "{what}: these events are missing: {missing:?}; these should not be there: {surplus:?}"
    );
}

/// Asserts that a run found nothing to do.
pub(crate) fn assert_idle(what: &str, counters: &Counters) {
    assert_eq!(counters.selected, 0, "{what}");
    assert_eq!(counters.refreshed, 0, "{what}");
    assert_eq!(counters.changed, 0, "{what}");
    assert_eq!(counters.findings_opened, 0, "{what}");
    assert!(counters.events.is_empty(), "{what}: {counters:?}");
}
