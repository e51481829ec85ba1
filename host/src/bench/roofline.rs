//! What the machine does when nothing else is to be done: no refresh is faster.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use idr_core::definitions::{Model, RuleIndex};
use idr_core::model::{Identity, IdentityRecord, Name, UnixMillis, Value};
use idr_core::rule::RuleEvaluator;
use idr_core::view::{Node, Slot, Snapshot, TrackedView};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::BenchError;
use crate::store::Store;
use crate::tenant::{Absent, OpenTenant};

/// How fast the parts of a refresh are alone, on one thread.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Roofline {
    /// Identities of the tenant.
    pub identities: u64,
    /// Documents of an identity and its accounts.
    pub documents_per_identity: f64,
    /// Their bytes.
    pub bytes_per_identity: f64,
    /// Microseconds for each identity: reading its rows and those of its accounts.
    pub read_us: f64,
    /// Microseconds: decoding them.
    pub decode_us: f64,
    /// Microseconds: the lifecycle rule in native code, on what was decoded; where the
    /// tenant has the rule that reads four attributes.
    pub native_rule_us: Option<f64>,
    /// Microseconds: the same rule as the component that it is, tracked and limited.
    pub rule_us: Option<f64>,
    /// Microseconds: writing its document, and committing.
    pub write_us: f64,
}

/// Measures on the tenant in a folder, in this process.
///
/// # Errors
///
/// [`BenchError`]; a native rule that doesn't say what the component has said is one.
pub fn roofline(directory: &Path) -> Result<Roofline, BenchError> {
    let tenant = OpenTenant::open(directory, Absent::Refuse)?;
    let _lock = tenant.lock()?;
    // The first time fetches what the second finds in memory, as a refresh does.
    tenant.store.alone(&mut |_| {})?;
    let mut rule = BothRules::of(&tenant)?;
    let alone = tenant.store.alone(&mut |identities| {
        if let Some(rule) = &mut rule {
            rule.ask(identities);
        }
    })?;
    let each = alone.identities.max(1) as f64;
    let us = |of: Duration| of.as_secs_f64() * 1e6 / each;
    if let Some(name) = rule.as_ref().and_then(|rule| rule.differs.clone()) {
        return Err(BenchError::RulesDiffer(name));
    }
    Ok(Roofline {
        identities: alone.identities,
        documents_per_identity: alone.documents as f64 / each,
        bytes_per_identity: alone.bytes as f64 / each,
        read_us: us(alone.read),
        decode_us: us(alone.decode),
        native_rule_us: rule.as_ref().map(|rule| us(rule.native)),
        rule_us: rule.as_ref().map(|rule| us(rule.component)),
        write_us: us(alone.write),
    })
}

/// What the rule reads, in order of name.
const NAMES: [&str; 4] = ["employeeType", "endDate", "startDate", "status"];

/// The lifecycle rule of `rules-examples/rust/four-reads`, in native code.
struct FourReads {
    names: [Name; 4],
    today: Date,
}

impl FourReads {
    fn state(&self, identity: &Identity) -> &'static str {
        let [employee_type, end, start, status] = self.names.map(|name| {
            let attributes = &identity.attributes;
            let place = attributes.binary_search_by_key(&name, |(known, _)| *known);
            place
                .ok()
                .and_then(|place| attributes[place].1.value.as_ref())
        });
        let day = |value: Option<&Value>| match value {
            Some(Value::Date(day)) => Some(*day),
            _ => None,
        };
        let is = |value: Option<&Value>, text| value.and_then(Value::as_text) == Some(text);
        if day(start).is_some_and(|start| start > self.today) {
            "prehire"
        } else if day(end).is_some_and(|end| end < self.today) {
            match is(employee_type, "contractor") {
                true => "ended",
                false => "inactive",
            }
        } else if is(status, "leave") {
            "leave"
        } else {
            "active"
        }
    }
}

/// The rule in native code and as a component, and how long each took.
struct BothRules {
    four_reads: FourReads,
    model: Arc<Model>,
    index: RuleIndex,
    evaluator: Box<dyn RuleEvaluator>,
    snapshot: Arc<dyn Snapshot>,
    as_of: UnixMillis,
    native: Duration,
    component: Duration,
    /// Somebody of whom both don't say the same.
    differs: Option<String>,
}

impl BothRules {
    /// Returns the lifecycle rule of a tenant, if it reads what the native one does.
    fn of(tenant: &OpenTenant) -> Result<Option<Self>, BenchError> {
        let names = NAMES.map(Name::new);
        let configured = tenant
            .adopt()
            .map_err(|error| BenchError::Refresh(Box::new(error)))?;
        let model = &configured.model;
        let reads = |index: RuleIndex| {
            let mut granted = model.rules[index.0].grant.attributes.clone();
            granted.sort();
            granted == names
        };
        let Some(index) = model.lifecycle.rule.filter(|index| reads(*index)) else {
            return Ok(None);
        };
        let as_of = tenant.now()?;
        Ok(Some(Self {
            four_reads: FourReads {
                names,
                today: model.zone.zoned_at(as_of).date(),
            },
            model: Arc::clone(model),
            index,
            evaluator: configured.rules.evaluator(),
            snapshot: tenant.store.snapshot()?,
            as_of,
            native: Duration::ZERO,
            component: Duration::ZERO,
            differs: None,
        }))
    }

    fn ask(&mut self, identities: &[Identity]) {
        let began = Instant::now();
        let native: Vec<&str> = identities
            .iter()
            .map(|identity| self.four_reads.state(identity))
            .collect();
        self.native += began.elapsed();
        for (identity, native) in identities.iter().zip(native) {
            let mut view = self.view(identity);
            let began = Instant::now();
            let answer = self.evaluator.lifecycle_state(self.index, &mut view);
            self.component += began.elapsed();
            if answer.ok().as_deref() != Some(native) {
                self.differs = Some(identity.name.clone());
            }
        }
    }

    /// Returns a view of somebody whose attributes are settled.
    fn view(&self, identity: &Identity) -> TrackedView {
        let record = IdentityRecord {
            identity: identity.clone(),
            ..IdentityRecord::default()
        };
        let (model, snapshot) = (Arc::clone(&self.model), Arc::clone(&self.snapshot));
        let mut view = TrackedView::new(model, snapshot, self.as_of, record);
        for name in self.four_reads.names {
            view.settle(Node::Attribute(name), Slot::Recorded);
        }
        view.read_as(Some(self.index));
        view
    }
}
