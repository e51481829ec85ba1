//! Choosing whom a refresh is asked to refresh, by criteria that all must hold.
//!
//! `idr refresh --filter …` and its like turn what they are given into
//! [`Criterion`]s; a run chooses once its configuration is adopted, and looks at
//! identities as the last refresh left them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;
use std::sync::Arc;

use idr_core::definitions::{Model, Population};
use idr_core::filter::{Filter, Superset};
use idr_core::model::{IdentityRecord, IdentityType, Uid, UnixMillis};
use idr_core::view::{ReadError, Snapshot, TrackedView};
use rayon::prelude::*;

use super::{CHUNK, RefreshError};
use crate::store::{LastTimes, Raise, Store};

/// One condition on whom to refresh. Workgroups never fulfil any.
#[derive(Clone, Debug)]
pub enum Criterion {
    /// Who is listed, by name.
    Listed(BTreeSet<Uid>),
    /// Who fulfils a filter (`filter` in IdentityIQ).
    Filter(Filter),
    /// Who belongs to at least one of these populations and groups (`filterGroups`).
    Populations {
        /// The populations.
        populations: Vec<Population>,
        /// Groups: everybody with one value of an attribute.
        groups: Vec<Filter>,
    },
    /// Who was last refreshed before this instant, or never (`thresholdDate`).
    RefreshedBefore(UnixMillis),
    /// Who was last refreshed at least so many milliseconds ago, or never
    /// (`excludeWindow`).
    NotRefreshedFor(i64),
    /// Who was last refreshed within so many milliseconds (`includeWindow`).
    RefreshedWithin {
        /// The window.
        milliseconds: i64,
        /// Who was modified within it fulfils it as well (`includeWindowModified`).
        or_modified: bool,
    },
    /// Who isn't inactive, or is but is due (`excludeInactive`): a leaver's
    /// access still ends in time.
    NotInactive,
    /// Who is due (`filterNeedsRefresh`).
    Due,
}

impl Criterion {
    /// Returns the word for it on the command line and in reports.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Listed(_) => "identity",
            Self::Filter(_) => "filter",
            Self::Populations {
                populations,
                groups,
            } => match (populations.is_empty(), groups.is_empty()) {
                (_, true) => "population",
                (true, false) => "group",
                (false, false) => "population or group",
            },
            Self::RefreshedBefore(_) => "refreshed-before",
            Self::NotRefreshedFor(_) => "not-refreshed-for",
            Self::RefreshedWithin {
                or_modified: false, ..
            } => "refreshed-within",
            Self::RefreshedWithin {
                or_modified: true, ..
            } => "refreshed-within, or-modified",
            Self::NotInactive => "exclude-inactive",
            Self::Due => "due",
        }
    }

    /// Says whether it chooses who was refreshed lately.
    pub fn is_window(&self) -> bool {
        matches!(self, Self::RefreshedWithin { .. })
    }

    /// Says whether it holds by when somebody was last refreshed and modified;
    /// none when it asks for something else.
    fn holds_at(&self, times: &LastTimes, as_of: UnixMillis) -> Option<bool> {
        let (refreshed, ago) = (times.refreshed, |window: &i64| as_of.plus_ms(-window));
        Some(match self {
            Self::RefreshedBefore(date) => refreshed.is_none_or(|at| at < *date),
            Self::NotRefreshedFor(window) => refreshed.is_none_or(|at| at <= ago(window)),
            Self::RefreshedWithin {
                milliseconds,
                or_modified,
            } => {
                let modified = times.modified.filter(|_| *or_modified);
                let within = |at: UnixMillis| at >= ago(milliseconds);
                refreshed.is_some_and(within) || modified.is_some_and(within)
            }
            Self::Listed(_)
            | Self::Filter(_)
            | Self::Populations { .. }
            | Self::NotInactive
            | Self::Due => return None,
        })
    }

    /// Says whether it asks when somebody was last refreshed or modified.
    fn asks_times(&self) -> bool {
        let never = LastTimes::default();
        self.holds_at(&never, UnixMillis::default()).is_some()
    }

    /// Returns who may fulfil it, for the store to read no more than needed.
    fn superset(&self) -> Superset {
        match self {
            Self::Filter(filter) => filter.superset(),
            Self::Populations {
                populations,
                groups,
            } => {
                let filters = either(populations, groups);
                let mut supersets: Vec<_> = filters.map(Filter::superset).collect();
                match supersets.len() {
                    0 | 1 => supersets.pop().unwrap_or(Superset::All),
                    _ => Superset::Or(supersets),
                }
            }
            Self::Listed(_)
            | Self::RefreshedBefore(_)
            | Self::NotRefreshedFor(_)
            | Self::RefreshedWithin { .. }
            | Self::NotInactive
            | Self::Due => Superset::All,
        }
    }

    fn holds(&self, view: &mut TrackedView, seen: &Seen) -> Result<bool, ReadError> {
        match self {
            Self::Listed(uids) => Ok(uids.contains(&seen.uid)),
            Self::Filter(filter) => filter.matches(view),
            Self::Populations {
                populations,
                groups,
            } => {
                for filter in either(populations, groups) {
                    if filter.matches(view)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::RefreshedBefore(_) | Self::NotRefreshedFor(_) | Self::RefreshedWithin { .. } => {
                Ok(self.holds_at(&seen.times, seen.as_of) == Some(true))
            }
            Self::NotInactive => Ok(!seen.inactive || seen.due),
            Self::Due => Ok(seen.due),
        }
    }
}

fn either<'a>(
    populations: &'a [Population],
    groups: &'a [Filter],
) -> impl Iterator<Item = &'a Filter> {
    let populations = populations.iter().map(|population| &population.filter);
    populations.chain(groups)
}

/// What criteria look at beside the view.
struct Seen {
    uid: Uid,
    inactive: bool,
    due: bool,
    times: LastTimes,
    as_of: UnixMillis,
}

/// Who fulfils some criteria.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Who fulfils all of them, in order.
    pub uids: Vec<Uid>,
    /// How many identities were looked at.
    pub of: u64,
    /// How many of those fulfil each criterion, in their order: by itself, and
    /// with all before it.
    pub counts: Vec<CriterionCount>,
}

/// How many identities fulfil a criterion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CriterionCount {
    /// By itself.
    pub alone: u64,
    /// With all criteria before it.
    pub with_earlier: u64,
}

impl AddAssign for CriterionCount {
    fn add_assign(&mut self, other: Self) {
        self.alone += other.alone;
        self.with_earlier += other.with_earlier;
    }
}

/// Returns who fulfils every criterion at `as_of`.
///
/// `raised` are due as well, whatever the store says: a configuration that isn't
/// adopted yet makes them so. With `explain`, everybody is looked at and every count is exact; without,
/// only whom the criteria can mean, so that `alone` says little.
///
/// # Errors
///
/// [`RefreshError`] when the store can't be read.
pub fn choose(
    store: &dyn Store,
    model: &Arc<Model>,
    criteria: &[Criterion],
    as_of: UnixMillis,
    raised: &Raise,
    explain: bool,
) -> Result<Choice, RefreshError> {
    let snapshot = store.snapshot()?;
    let mut choice = Choice {
        counts: vec![CriterionCount::default(); criteria.len()],
        ..Choice::default()
    };
    let asks_times = criteria.iter().any(Criterion::asks_times);
    let look = |uids: &[Uid]| -> Result<Choice, RefreshError> {
        let mut found = Choice {
            counts: vec![CriterionCount::default(); criteria.len()],
            ..Choice::default()
        };
        let mut uids = uids.to_vec();
        let mut times = BTreeMap::new();
        if asks_times {
            times = uids.iter().copied().zip(store.last_times(&uids)?).collect();
        }
        if !explain {
            // Whom times rule out isn't read.
            uids.retain(|uid| {
                let times = times.get(uid).copied().unwrap_or_default();
                let mut held = criteria.iter().map(|known| known.holds_at(&times, as_of));
                held.all(|holds| holds != Some(false))
            });
        }
        for record in store.read_chunk(&uids)? {
            if record.identity.identity_type != IdentityType::Workgroup {
                let uid = record.identity.uid;
                let due = record.versions.inputs_changed()
                    || record.identity.wake.at().is_some_and(|wake| wake <= as_of)
                    || record.identity.retries.at().is_some_and(|at| at <= as_of)
                    || match raised {
                        Raise::Nobody => false,
                        Raise::Everybody => true,
                        Raise::Identities(uids) => uids.contains(&uid),
                    };
                let seen = Seen {
                    uid,
                    inactive: record.identity.inactive,
                    due,
                    times: times.get(&uid).copied().unwrap_or_default(),
                    as_of,
                };
                let view = settled_view(record, model, &snapshot, as_of);
                judge(view, &seen, criteria, &mut found)?;
            }
        }
        Ok(found)
    };
    let listed = criteria.iter().find_map(|criterion| match criterion {
        Criterion::Listed(uids) if !explain => Some(uids.iter().copied().collect::<Vec<_>>()),
        _ => None,
    });
    let superset = match explain {
        true => Superset::All,
        false => superset(criteria),
    };
    let group = CHUNK * rayon::current_num_threads();
    let mut remaining = listed;
    let mut after = None;
    loop {
        let uids = match &mut remaining {
            Some(listed) => listed.drain(..group.min(listed.len())).collect(),
            None => store.list(&superset, after, group)?,
        };
        let Some(last) = uids.last().copied() else {
            return Ok(choice);
        };
        after = Some(last);
        let found: Vec<_> = uids.par_chunks(CHUNK).map(look).collect();
        for found in found {
            let found = found?;
            choice.uids.extend(found.uids);
            choice.of += found.of;
            for (total, count) in choice.counts.iter_mut().zip(found.counts) {
                *total += count;
            }
        }
    }
}

fn superset(criteria: &[Criterion]) -> Superset {
    let narrow: Vec<_> = criteria
        .iter()
        .map(Criterion::superset)
        .filter(|superset| *superset != Superset::All)
        .collect();
    match narrow.len() {
        0 => Superset::All,
        1 => narrow.into_iter().next().unwrap_or(Superset::All),
        _ => Superset::And(narrow),
    }
}

fn judge(
    mut view: TrackedView,
    seen: &Seen,
    criteria: &[Criterion],
    found: &mut Choice,
) -> Result<(), RefreshError> {
    let mut all = true;
    for (criterion, count) in criteria.iter().zip(&mut found.counts) {
        let holds = match criterion.holds(&mut view, seen) {
            Ok(holds) => holds,
            Err(ReadError::Snapshot(error)) => return Err(error.into()),
            Err(source) => {
                return Err(RefreshError::Criterion {
                    criterion: criterion.as_str(),
                    source,
                });
            }
        };
        all &= holds;
        count.alone += u64::from(holds);
        count.with_earlier += u64::from(all);
    }
    found.of += 1;
    if all {
        found.uids.push(seen.uid);
    }
    Ok(())
}

/// Returns a view of an identity as the last refresh left it, for a filter to read.
pub fn settled_view(
    record: IdentityRecord,
    model: &Arc<Model>,
    snapshot: &Arc<dyn Snapshot>,
    as_of: UnixMillis,
) -> TrackedView {
    let mut view = TrackedView::new(Arc::clone(model), Arc::clone(snapshot), as_of, record);
    view.settle_from_record();
    view.open_entitlements();
    view.show_baseline(Some(Arc::default()));
    view
}
