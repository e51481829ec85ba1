//! Aggregation: reading an application's accounts into the store, as plan,
//! gate and apply.
//!
//! *Plan*: the file is read and compared with what is known; what would have
//! to be done goes to the aggregation's stage in the store. *Gate*: the guard
//! counts the damage, and holds the aggregation until a person decides. *Apply*:
//! the stage is carried out chunk by chunk, each in one transaction with the
//! cursor; what was killed in between is finished by the next aggregation.
//!
//! | file | what it does |
//! |---|---|
//! | [`connector`] | settings of a feed, from the configuration |
//! | `file` | which file is read |
//! | `feed` | records, wherever they come from |
//! | `lines`, `split`, `delimited` | those of a file, typed by the schema; `problem`, `broken`: broken ones |
//! | `listing` | those of an application that is read directly |
//! | `known`, `stage` | compares them with what is known |
//! | `guard` | counts the damage |
//! | `own` | what idr itself has done with accounts is no native change |
//! | `read_back` | takes over one account that its connector has read |
//! | `again` | asks for the accounts of a refresh again |
//! | `apply` | carries out the stage: accounts, identities, native changes |
//! | `correlation` | whose an account is |
//! | `waiting` | accounts without an identity, tried again |
//! | `link` | what people link and unlink |
//! | `findings` | the open findings about an application |

mod again;
mod apply;
mod broken;
mod compare;
pub mod connector;
mod correlation;
pub mod counters;
mod delimited;
mod error;
mod feed;
mod file;
mod findings;
mod guard;
mod known;
mod lines;
mod link;
mod listing;
mod own;
mod place;
mod problem;
mod read_back;
mod split;
mod stage;
mod waiting;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use idr_core::definitions::{Application, Model};
use idr_core::model::{Name, NativeOperation, UnixMillis};
use idr_core::rule::RuleHost;

pub use again::{ReadAgain, read_again};
pub use error::AggregateError;
pub use link::{NewOwner, give, link, unlink};
pub use place::line_of;
pub use read_back::ReadBack;
pub use waiting::{correlate_again, correlate_waiting};

use self::connector::Connector;
use self::delimited::DelimitedReader;
use self::feed::Feed;
use self::findings::{ApplicationFindings, held};
use self::listing::Listing;
use self::stage::{Staged, Staging};
use crate::connect;
use crate::store::{AggregateBatch, Aggregation, AggregationStatus, AuditEntry, Store};

/// How many accounts are read at a time.
const CHUNK: usize = 1_000;

/// How many accounts are staged, or applied, in one transaction: in feeds that aren't
/// in order of native identity each is on a page of its own, and with more of them
/// fewer pages are written.
const TRANSACTION: usize = 8_000;

/// How many examples are shown of anything.
const EXAMPLES: usize = 3;

/// What aggregations of a tenant's application go by.
#[derive(Clone, Copy)]
pub struct AggregateContext<'a> {
    /// The tenant's data. It has adopted the configuration that `model` is made from.
    pub store: &'a dyn Store,
    /// The tenant's definitions.
    pub model: &'a Arc<Model>,
    /// The rules that they refer to.
    pub rules: &'a dyn RuleHost,
    /// The application, one of the model's.
    pub application: &'a Application,
    /// How many accounts are applied in one transaction; results don't depend
    /// on it. See [`AggregateContext::new`].
    pub accounts_per_transaction: usize,
}

impl<'a> AggregateContext<'a> {
    /// Returns a context with transactions of the usual size.
    pub fn new(
        store: &'a dyn Store,
        model: &'a Arc<Model>,
        rules: &'a dyn RuleHost,
        application: &'a Application,
    ) -> Self {
        Self {
            store,
            model,
            rules,
            application,
            accounts_per_transaction: TRANSACTION,
        }
    }
}

/// What to aggregate, and for when.
#[derive(Clone, Debug)]
pub struct AggregateOptions<'a> {
    /// How the file is read, and how much damage is let through.
    pub connector: &'a Connector,
    /// The tenant's directory, to which the configured path is relative.
    pub directory: &'a Path,
    /// The file to read instead of the configured one.
    pub file: Option<PathBuf>,
    /// The file lists changes only; what it doesn't list stays.
    pub delta: bool,
    /// The instant that the file speaks of. Without it, it is `now`, or the
    /// last instant given where the clock is simulated.
    pub as_of: Option<UnixMillis>,
    /// Aggregate although `as_of` lies before the tenant's last.
    pub force: bool,
    /// Now, by the clock.
    pub now: UnixMillis,
    /// Whether the tenant's clock is simulated: only then may `as_of` lie in
    /// the future.
    pub simulated_clock: bool,
}

/// How far an aggregation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes of the file are read, of so many.
    Read(u64, u64),
    /// So many changes are applied, of so many.
    Applied(u64, u64),
}

/// What came of an aggregation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AggregationReport {
    /// It, as it is stored: done or held.
    pub aggregation: Aggregation,
    /// An earlier one of the application that was found unfinished, and was finished first.
    pub finished: Option<Aggregation>,
    /// How many findings about the application are open.
    pub open_findings: u64,
}

/// Aggregates an application's file: reads it, compares it with what is known,
/// and applies the difference, unless the guard holds it for a person.
///
/// An aggregation of the application that was killed while it was applied is
/// finished first; one that was killed while it was staged is forgotten. One
/// that is held is rejected once the new one has been read, which is newer.
///
/// # Errors
///
/// [`AggregateError`]; nothing of this aggregation is applied then, unless it
/// is a [`AggregateError::Store`] or [`AggregateError::Snapshot`]: what was
/// applied before stays, and the next aggregation finishes it.
pub fn aggregate(
    context: &AggregateContext<'_>,
    options: &AggregateOptions<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<AggregationReport, AggregateError> {
    let AggregateContext {
        store, application, ..
    } = *context;
    check_adopted(context)?;
    let finished = resume(context, progress)?;
    let as_of = instant(options, store.tenant()?.last_as_of)?;
    let (source, mut feed) = open_feed(application, options)?;

    let earlier = earlier(context)?;
    let mut aggregation = Aggregation {
        application: application.name.to_string(),
        file: source,
        delta: options.delta,
        as_of,
        entitlements: application.entitlements().collect(),
        ..Aggregation::default()
    };
    match with_status(&earlier, AggregationStatus::Staging).next() {
        // Nothing of it was applied: its number is free.
        Some(forgotten) => {
            aggregation.id = forgotten.id;
            store.clear_stage(forgotten.id)?;
            store.update_aggregation(&aggregation)?;
        }
        None => aggregation.id = store.begin_aggregation(&aggregation)?,
    }

    let staging = Staging {
        store,
        application,
        aggregation: aggregation.id,
        as_of,
        delta: options.delta,
        chunk: context.accounts_per_transaction,
    };
    let Staged {
        counters,
        mut findings,
        damage,
    } = staging.read(feed.as_mut(), progress)?;
    aggregation.counters = counters;
    note_newest_identity(context, &mut aggregation)?;
    aggregation.held = damage.reasons(&options.connector.guard, store)?;
    aggregation.status = AggregationStatus::Applying;
    if !aggregation.held.is_empty() {
        aggregation.status = AggregationStatus::Held;
        findings.push(held(aggregation.id, &aggregation.held));
    }
    let mut known = ApplicationFindings::read(store, application.name)?;
    known.set_feed(findings);
    known.write(store, as_of)?;
    store.update_aggregation(&aggregation)?;
    for overtaken in with_status(&earlier, AggregationStatus::Held) {
        let mut overtaken = overtaken.clone();
        overtaken.status = AggregationStatus::Rejected;
        let by = format!("overtaken by aggregation {}", aggregation.id);
        overtaken.held.push(by);
        store.update_aggregation(&overtaken)?;
        store.clear_stage(overtaken.id)?;
    }
    let mut open_findings = known.count();
    if aggregation.status == AggregationStatus::Applying {
        (aggregation, open_findings) = finish(context, aggregation, progress)?;
    }
    Ok(AggregationReport {
        aggregation,
        finished,
        open_findings,
    })
}

/// Opens what is aggregated, and returns what it is called.
fn open_feed<'a>(
    application: &'a Application,
    options: &AggregateOptions<'_>,
) -> Result<(String, Box<dyn Feed + 'a>), AggregateError> {
    let settings = options.connector;
    if let Some(connector) = connect::open(application, settings, options.directory)? {
        let name = application.name.to_string();
        if options.file.is_some() {
            return Err(AggregateError::NotAFile { application: name });
        }
        if options.delta {
            return Err(AggregateError::NoDelta { application: name });
        }
        return Ok((
            "the application".to_owned(),
            Box::new(Listing::new(connector, application)),
        ));
    }
    let path = match (&options.file, &settings.file.path) {
        (Some(file), _) => file.clone(),
        (None, Some(configured)) => file::find(options.directory, configured)?,
        (None, None) => {
            return Err(AggregateError::NoFile {
                application: application.name.to_string(),
            });
        }
    };
    let reader = DelimitedReader::open(&path, application, &settings.file)?;
    Ok((path.display().to_string(), Box::new(reader)))
}

/// Finishes the aggregation of an application that was killed while it was
/// applied, if there is one.
///
/// # Errors
///
/// [`AggregateError`] when the store can't be used; it can be resumed again.
pub fn resume(
    context: &AggregateContext<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Option<Aggregation>, AggregateError> {
    check_adopted(context)?;
    let earlier = earlier(context)?;
    let Some(unfinished) = with_status(&earlier, AggregationStatus::Applying).next() else {
        return Ok(None);
    };
    let (done, _) = finish(context, unfinished.clone(), progress)?;
    Ok(Some(done))
}

/// Applies a held aggregation: a person has looked at it.
///
/// # Errors
///
/// [`AggregateError::Undecidable`] when it isn't held.
pub fn accept(
    context: &AggregateContext<'_>,
    id: i64,
    audit: AuditEntry,
    progress: &mut dyn FnMut(Progress),
) -> Result<AggregationReport, AggregateError> {
    check_adopted(context)?;
    let AggregateContext {
        store, application, ..
    } = *context;
    let applying = AggregationStatus::Applying;
    let aggregation = decide(store, application.name, id, applying, audit)?;
    let (aggregation, open_findings) = finish(context, aggregation, progress)?;
    Ok(AggregationReport {
        aggregation,
        finished: None,
        open_findings,
    })
}

/// Drops a held aggregation: nothing of it is applied.
///
/// # Errors
///
/// [`AggregateError::Undecidable`] when it isn't held.
pub fn reject(
    store: &dyn Store,
    application: Name,
    id: i64,
    audit: AuditEntry,
) -> Result<AggregationReport, AggregateError> {
    let aggregation = decide(store, application, id, AggregationStatus::Rejected, audit)?;
    store.clear_stage(id)?;
    let known = ApplicationFindings::read(store, application)?;
    Ok(AggregationReport {
        aggregation,
        finished: None,
        open_findings: known.count(),
    })
}

/// Returns an aggregation.
///
/// # Errors
///
/// [`AggregateError::Unknown`] when there is none with this number.
pub fn aggregation(store: &dyn Store, id: i64) -> Result<Aggregation, AggregateError> {
    store.aggregation(id)?.ok_or(AggregateError::Unknown(id))
}

/// Closes the finding that says that an aggregation is held, then notes the
/// decision.
fn decide(
    store: &dyn Store,
    application: Name,
    id: i64,
    decision: AggregationStatus,
    audit: AuditEntry,
) -> Result<Aggregation, AggregateError> {
    let mut aggregation = aggregation(store, id)?;
    if aggregation.status != AggregationStatus::Held {
        let status = aggregation.status.as_str();
        return Err(AggregateError::Undecidable { id, status });
    }
    let mut known = ApplicationFindings::read(store, application)?;
    known.close_held();
    known.write(store, audit.at)?;
    aggregation.status = decision;
    store.aggregate(&AggregateBatch {
        aggregation: Some(aggregation.clone()),
        audit: Some(audit),
        ..AggregateBatch::default()
    })?;
    Ok(aggregation)
}

fn finish(
    context: &AggregateContext<'_>,
    aggregation: Aggregation,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Aggregation, u64), AggregateError> {
    apply::finish(context, aggregation, progress)
}

/// Correlation looks identities up in an index that is built when a
/// configuration is adopted.
fn check_adopted(context: &AggregateContext<'_>) -> Result<(), AggregateError> {
    let indexed = context.store.tenant()?.lookup_attributes;
    if indexed == context.model.lookup_attributes() {
        Ok(())
    } else {
        Err(AggregateError::NotAdopted)
    }
}

/// Returns the aggregations of the application so far, the latest first.
fn earlier(context: &AggregateContext<'_>) -> Result<Vec<Aggregation>, AggregateError> {
    let mut all = context.store.aggregations(usize::MAX)?;
    all.retain(|known| known.application == context.application.name.as_str());
    Ok(all)
}

fn with_status(
    aggregations: &[Aggregation],
    status: AggregationStatus,
) -> impl Iterator<Item = &Aggregation> {
    aggregations
        .iter()
        .filter(move |known| known.status == status)
}

/// Settles the instant that an aggregation speaks of.
fn instant(
    options: &AggregateOptions<'_>,
    last: Option<UnixMillis>,
) -> Result<UnixMillis, AggregateError> {
    let now = options.now;
    let Some(as_of) = options.as_of else {
        let last = last.unwrap_or(now);
        return Ok(if options.simulated_clock {
            last
        } else {
            now.max(last)
        });
    };
    if as_of > now && !options.simulated_clock {
        return Err(AggregateError::Future { as_of, now });
    }
    match last {
        Some(last) if as_of < last && !options.force => {
            Err(AggregateError::Backwards { as_of, last })
        }
        _ => Ok(as_of),
    }
}

fn note_newest_identity(
    context: &AggregateContext<'_>,
    aggregation: &mut Aggregation,
) -> Result<(), AggregateError> {
    let detection = context.application.native_changes.as_ref();
    if detection.is_some_and(|known| known.operations.contains(&NativeOperation::Create)) {
        let newest = apply::newest_identity(context.store)?.unsigned_abs();
        let counters = &mut aggregation.counters;
        counters::add(counters, counters::NEWEST_IDENTITY, newest);
    }
    Ok(())
}
