//! Pruning: identities that have had no account for so long, and that nobody needs.
//!
//! Run by `idr identity prune`, and after a run whose task says so. What it finds
//! is worked out from what is stored now, so asking twice gives the same. Their numbers
//! are never given again, and unique values that were theirs stay taken.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use idr_core::definitions::{Model, Threshold};
use idr_core::filter::Filter;
use idr_core::model::{EffectKind, Handler, IdentityRecord, IdentityType, Link, Uid, UnixMillis};

use super::RefreshError;
use super::selection::settled_view;
use crate::store::{AuditEntry, LastTimes, Prune, Store, WorkItemQuery, each_identity};

/// Which identities a tenant prunes.
#[derive(Clone, Debug, PartialEq)]
pub struct PruneSettings {
    /// Those that have had no account for so long, in milliseconds.
    pub without_accounts_ms: i64,
    /// But none of these.
    pub protect: Option<Filter>,
    /// None at all when they would be more than this; a percentage is of all
    /// identities.
    pub most: Option<Threshold>,
}

/// An identity that has had no account for long enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accountless {
    /// Who.
    pub uid: Uid,
    /// The name.
    pub name: String,
    /// Since when it has none, or was last changed since then.
    pub since: UnixMillis,
    /// Why it is kept all the same.
    pub kept: Option<String>,
}

/// What pruning comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruning {
    /// Everybody without an account for long enough, in order of uid.
    pub accountless: Vec<Accountless>,
    /// How many of them were removed.
    pub pruned: u64,
    /// Why none was, where they are too many.
    pub held: Option<String>,
}

/// Says who is to be pruned as of an instant; nothing is written.
///
/// # Errors
///
/// [`RefreshError`] when the store can't be read, or the filter can't be evaluated.
pub fn accountless(
    store: &dyn Store,
    model: &Arc<Model>,
    settings: &PruneSettings,
    as_of: UnixMillis,
) -> Result<Pruning, RefreshError> {
    let found = find(store, model, settings, as_of)?;
    let held = too_many(store, settings, &found)?;
    Ok(Pruning {
        accountless: found.into_iter().map(|(found, _)| found).collect(),
        pruned: 0,
        held,
    })
}

/// Prunes as of an instant, unless there are too many to prune.
///
/// # Errors
///
/// As [`accountless`], and when the store can't be written; whoever was removed
/// stays removed.
pub fn prune(
    store: &dyn Store,
    model: &Arc<Model>,
    settings: &PruneSettings,
    as_of: UnixMillis,
    actor: &str,
) -> Result<Pruning, RefreshError> {
    let found = find(store, model, settings, as_of)?;
    if let Some(held) = too_many(store, settings, &found)? {
        return Ok(Pruning {
            accountless: found.into_iter().map(|(found, _)| found).collect(),
            pruned: 0,
            held: Some(held),
        });
    }
    let wanted = found.iter().filter(|(found, _)| found.kept.is_none());
    let prunes = wanted.map(|(found, record)| Prune {
        uid: found.uid,
        expected: record.versions,
        audit: AuditEntry {
            at: as_of,
            actor: actor.to_owned(),
            action: "prune".to_owned(),
            subject: found.name.clone(),
            reason: format!(
                "uid {}: without an account since {}",
                found.uid, found.since
            ),
        },
    });
    let prunes: Vec<Prune> = prunes.collect();
    let mut pruned = 0;
    for prunes in prunes.chunks(super::CHUNK) {
        pruned += store.prune(prunes, as_of)?;
    }
    Ok(Pruning {
        accountless: found.into_iter().map(|(found, _)| found).collect(),
        pruned,
        held: None,
    })
}

fn find(
    store: &dyn Store,
    model: &Arc<Model>,
    settings: &PruneSettings,
    as_of: UnixMillis,
) -> Result<Vec<(Accountless, IdentityRecord)>, RefreshError> {
    let needed = Needed::of(store)?;
    let snapshot = store.snapshot()?;
    let mut found: Vec<(Accountless, IdentityRecord)> = Vec::new();
    // By name: about whom they have decided what.
    let mut deciders: BTreeMap<String, String> = BTreeMap::new();
    each_identity(store, |record| {
        let identity = &record.identity;
        for (actor, about) in identity.by_hand.deciders(as_of) {
            if actor != identity.name && !deciders.contains_key(actor) {
                deciders.insert(actor.to_owned(), format!("{about} of {}", identity.name));
            }
        }
        // Nobody expects a workgroup to have accounts.
        if identity.identity_type == IdentityType::Workgroup {
            return Ok(());
        }
        let Some(since) = without_accounts_since(&record, model, as_of) else {
            return Ok(());
        };
        let times = store.last_times(&[identity.uid])?;
        let LastTimes { modified, .. } = times.into_iter().next().unwrap_or_default();
        // Of whom it isn't known when something last happened, too little is known.
        let Some(modified) = modified else {
            return Ok(());
        };
        let since = since.max(modified);
        if since.plus_ms(settings.without_accounts_ms) > as_of {
            return Ok(());
        }
        let mut kept = needed.reason(&record, model);
        if kept.is_none()
            && let Some(filter) = &settings.protect
        {
            let mut view = settled_view(record.clone(), model, &snapshot, as_of);
            let is_protected = filter.matches(&mut view);
            let is_protected = is_protected.map_err(|source| RefreshError::Criterion {
                criterion: "prune.protect",
                source,
            })?;
            kept = is_protected.then(|| "idr.toml protects it".to_owned());
        }
        let accountless = Accountless {
            uid: identity.uid,
            name: identity.name.clone(),
            since,
            kept,
        };
        found.push((accountless, record));
        Ok::<_, RefreshError>(())
    })?;
    for (accountless, _) in &mut found {
        let decided = deciders
            .get(&accountless.name)
            .filter(|_| accountless.kept.is_none());
        if let Some(about) = decided {
            accountless.kept = Some(format!("what it has decided holds: {about}"));
        }
    }
    Ok(found)
}

/// Returns since when an identity has no account that counts; none when it has one.
fn without_accounts_since(
    record: &IdentityRecord,
    model: &Model,
    as_of: UnixMillis,
) -> Option<UnixMillis> {
    let mut since = UnixMillis(i64::MIN);
    for account in &record.accounts {
        let application = model.application(account.key.application);
        let grace_ms = application.map_or(0, |known| known.vanish_grace_ms);
        let vanished = account.vanishes_at(grace_ms)?;
        if vanished > as_of {
            return None;
        }
        since = since.max(vanished);
    }
    Some(since)
}

/// What keeps identities that have no account.
struct Needed {
    managers: BTreeSet<Uid>,
    /// Whom open effects and work items are about.
    awaited: BTreeSet<Uid>,
    /// Who is to do something, by name, as open effects and work items say it.
    asked: BTreeMap<String, String>,
}

impl Needed {
    fn of(store: &dyn Store) -> Result<Self, RefreshError> {
        let managers = store.managers()?.into_iter().map(|known| known.manager);
        let mut needed = Self {
            managers: managers.collect(),
            awaited: BTreeSet::new(),
            asked: BTreeMap::new(),
        };
        // Those that wait, that are under way and that are tried again.
        let mut after = 0;
        loop {
            let effects = store.open_effects(after, super::CHUNK)?;
            let Some(last) = effects.last() else { break };
            after = last.number;
            for stored in effects {
                needed.awaited.insert(stored.effect.uid);
                let asked = match stored.effect.what {
                    EffectKind::WorkItem(item) => item.owner.map(|owner| (owner, item.description)),
                    EffectKind::Handler {
                        handler: Handler::WorkItem { owner, description },
                        ..
                    } => Some((owner, description)),
                    EffectKind::Account(_) | EffectKind::Handler { .. } => None,
                };
                needed.asked.extend(asked);
            }
        }
        let open = WorkItemQuery {
            open: true,
            ..WorkItemQuery::default()
        };
        for stored in store.work_items(&open, usize::MAX)? {
            needed.awaited.insert(stored.item.uid);
            if let Some(owner) = stored.item.owner {
                needed.asked.insert(owner, stored.item.description);
            }
        }
        Ok(needed)
    }

    /// Says why an identity is kept.
    fn reason(&self, record: &IdentityRecord, model: &Model) -> Option<String> {
        let identity = &record.identity;
        match identity.identity_type {
            IdentityType::Person | IdentityType::Contractor => {}
            kept @ (IdentityType::Service | IdentityType::Bot | IdentityType::Workgroup) => {
                return Some(format!("it is a {}", kept.as_str()));
            }
        }
        if self.managers.contains(&identity.uid) {
            return Some("it is somebody's manager".to_owned());
        }
        if let Some(owned) = model.owners.owned_by(&identity.name).first() {
            return Some(format!("it owns {owned}"));
        }
        if let Some(description) = self.asked.get(&identity.name) {
            return Some(format!("a work item waits for it: {description}"));
        }
        if self.awaited.contains(&identity.uid) || !identity.work_items.is_empty() {
            return Some("something about it waits to be done".to_owned());
        }
        let mut accounts = record.accounts.iter();
        if accounts.any(|account| account.link == Link::Manual) {
            return Some("a person has linked an account to it".to_owned());
        }
        if record.versions.inputs_changed() || record.versions.events_pending() {
            return Some("it is due: a refresh comes first".to_owned());
        }
        None
    }
}

fn too_many(
    store: &dyn Store,
    settings: &PruneSettings,
    found: &[(Accountless, IdentityRecord)],
) -> Result<Option<String>, RefreshError> {
    let Some(most) = settings.most else {
        return Ok(None);
    };
    let wanted = found.iter().filter(|(found, _)| found.kept.is_none());
    let wanted = wanted.count() as u64;
    let most = most.allowed(store.population()?.identities);
    let message = format!("{wanted} identities to prune are more than {most}");
    Ok((wanted > most).then_some(message))
}
