//! Adopting a configuration: what a change of definitions makes due.

use std::collections::BTreeMap;
use std::sync::Arc;

use idr_core::definitions::{
    AttributeDefinition, Model, Role, Selector, Trigger, TriggerCondition, digest,
};
use idr_core::model::{Claim, Name, Uid, UnixMillis};
use idr_core::phases::roles;
use idr_core::phases::unique::held_claim;
use idr_core::planted::{self, Bug};
use idr_core::view::TrackedView;
use sha2::{Digest, Sha256};

use super::{Configurator, Configured, RefreshError};
use crate::aggregate::correlate_again;
use crate::store::{Adoption, Files, Raise, Store, StoreError, TenantState, each_identity};

/// The tenant's secret among its definitions: its fingerprint.
const SECRET: &str = "secret";

/// How often people have said that it is another.
const SECRET_GENERATION: &str = "secret generation";

/// What adopting a configuration would mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impact {
    /// The definitions that differ from those adopted last (`role NAME`, …).
    pub changed: Vec<String>,
    /// Whom they make due.
    pub raise: Raise,
}

/// Adopts a configuration, unless it is the one adopted last, and returns its digest.
///
/// Where the correlation of an application has changed, its accounts without
/// an owner look for theirs by the new one.
///
/// # Errors
///
/// [`RefreshError`] when the store fails.
pub fn adopt(
    store: &dyn Store,
    configurator: &dyn Configurator,
    configured: &Configured,
    files: &Files,
) -> Result<String, RefreshError> {
    let model = &configured.model;
    let configuration = files_digest(files);
    let tenant = store.tenant()?;
    let definitions = definitions(model);
    if tenant.configuration.as_ref() == Some(&configuration) && tenant.definitions == definitions {
        return Ok(configuration);
    }
    let impact = impact(store, configurator, model)?;
    let mut adoption = Adoption {
        configuration: configuration.clone(),
        files: files.clone(),
        definitions: definitions.clone(),
        lookup_attributes: model.lookup_attributes(),
        claims: newly_unique(store, &tenant, model, &impact.changed)?,
        raise: impact.raise,
    };
    let recorrelated = recorrelated(&tenant, model, &impact.changed);
    if !recorrelated.is_empty() {
        // Their digests stay the old ones until it is done: when this ends in
        // between, the next adoption does it again.
        for application in &recorrelated {
            let key = correlation_key(*application);
            match tenant.definitions.get(&key) {
                Some(old) => adoption.definitions.insert(key, *old),
                None => adoption.definitions.remove(&key),
            };
        }
        store.adopt(&adoption)?;
        let as_of = tenant.last_as_of.unwrap_or_default();
        let mut rules = configured.rules.evaluator();
        correlate_again(store, model, rules.as_mut(), &recorrelated, as_of)
            .map_err(RefreshError::Correlation)?;
        adoption.definitions = definitions;
        adoption.claims = Vec::new();
        adoption.raise = Raise::Nobody;
    }
    store.adopt(&adoption)?;
    Ok(configuration)
}

/// Returns the applications whose correlation differs from the one adopted last.
fn recorrelated(tenant: &TenantState, model: &Model, changed: &[String]) -> Vec<Name> {
    let applications = model.applications.iter().map(|known| known.name);
    applications
        .filter(|name| tenant.configuration.is_some() && changed.contains(&correlation_key(*name)))
        .collect()
}

fn correlation_key(application: Name) -> String {
    format!("correlation {application}")
}

fn unique_key(attribute: &AttributeDefinition) -> Option<String> {
    let namespace = attribute.unique?;
    Some(format!("unique {} in {namespace}", attribute.name))
}

/// Returns what identities have, in order, of attributes that are to be unique from
/// now on: it is theirs before anything is given to somebody new.
fn newly_unique(
    store: &dyn Store,
    tenant: &TenantState,
    model: &Model,
    changed: &[String],
) -> Result<Vec<(Claim, Uid)>, RefreshError> {
    let is_new = |known: &&AttributeDefinition| {
        let key = unique_key(known);
        tenant.configuration.is_some() && key.is_some_and(|key| changed.contains(&key))
    };
    let attributes: Vec<_> = model.attributes.iter().filter(is_new).collect();
    let mut claims = Vec::new();
    if attributes.is_empty() {
        return Ok(claims);
    }
    each_identity(store, |record| {
        for known in &attributes {
            let claim = known
                .unique
                .and_then(|namespace| held_claim(&record, known.name, namespace));
            claims.extend(claim.map(|claim| (claim, record.identity.uid)));
        }
        Ok::<_, RefreshError>(())
    })?;
    Ok(claims)
}

/// Works out what adopting a model would mean, without doing it.
///
/// # Errors
///
/// [`RefreshError`] when the store fails, or the tenant's secret is another one.
pub fn impact(
    store: &dyn Store,
    configurator: &dyn Configurator,
    model: &Arc<Model>,
) -> Result<Impact, RefreshError> {
    let tenant = store.tenant()?;
    check_secret(&tenant, model)?;
    let new = definitions(model);
    let mut changed: Vec<String> = tenant
        .definitions
        .iter()
        .filter(|(key, digest)| new.get(*key) != Some(digest))
        .map(|(key, _)| key.clone())
        .collect();
    changed.extend(
        new.keys()
            .filter(|key| !tenant.definitions.contains_key(*key))
            .cloned(),
    );
    changed.sort();
    let raise = raise(store, configurator, &tenant, model, &changed)?;
    Ok(Impact { changed, raise })
}

fn raise(
    store: &dyn Store,
    configurator: &dyn Configurator,
    tenant: &TenantState,
    model: &Arc<Model>,
    changed: &[String],
) -> Result<Raise, RefreshError> {
    // Without anything adopted there is nobody who was refreshed by something else.
    let Some(adopted) = &tenant.configuration else {
        return Ok(Raise::Nobody);
    };
    let (mut roles, mut owners) = (Vec::new(), Vec::new());
    for key in changed {
        match key.split_once(' ') {
            Some(("role", name)) => roles.push(name),
            Some(("owner", name)) => owners.extend(store.named(name)?),
            // Whoever gets an account by it becomes due then.
            Some(("correlation", _)) => {}
            // The attribute itself has changed as well, which concerns everybody.
            Some(("unique", _)) => {}
            Some(("trigger", name)) if is_harmless(tenant, model, name) => {}
            // A definition of a kind that isn't told apart concerns everybody.
            _ => return Ok(Raise::Everybody),
        }
    }
    if roles.is_empty() {
        return Ok(match owners.is_empty() {
            true => Raise::Nobody,
            false => Raise::Identities(owners),
        });
    }
    let Some(files) = store.configuration(adopted)? else {
        return Ok(Raise::Everybody);
    };
    let Ok(old) = configurator.configure(&files) else {
        return Ok(Raise::Everybody);
    };
    let mut raise = concerned(store, &old.model, model, &roles)?;
    if let Raise::Identities(uids) = &mut raise {
        uids.extend(owners);
        uids.sort();
        uids.dedup();
    }
    Ok(raise)
}

/// Says whether a changed trigger concerns nobody: it is new, and needs no
/// memory of how things were when it came.
fn is_harmless(tenant: &TenantState, model: &Model, name: &str) -> bool {
    let asks_a_rule = |trigger: &Trigger| {
        trigger
            .conditions
            .iter()
            .any(|known| matches!(known, TriggerCondition::Rule(_)))
            || trigger.included_rule.is_some()
    };
    let is_new = !tenant.definitions.contains_key(&format!("trigger {name}"));
    let trigger = model
        .triggers
        .iter()
        .find(|trigger| trigger.name.as_str() == name);
    is_new && trigger.is_some_and(|trigger| !asks_a_rule(trigger))
}

/// Where more roles than this have changed, asking everybody about each of them
/// would take longer than refreshing everybody.
const MOST_ASKED: usize = 64;

/// Finds whom changed roles concern: who matches the old or the new selector,
/// or holds the role.
fn concerned(
    store: &dyn Store,
    old: &Arc<Model>,
    new: &Arc<Model>,
    names: &[&str],
) -> Result<Raise, RefreshError> {
    if names.len() > MOST_ASKED {
        return Ok(Raise::Everybody);
    }
    let mut definitions: Vec<(&Arc<Model>, Vec<&Role>)> = Vec::new();
    for model in [old, new] {
        if std::ptr::eq(model, old) && planted::is(Bug::ForgetOldFilter) {
            continue;
        }
        let is_changed = |role: &&Role| names.contains(&role.name.as_str());
        let changed: Vec<&Role> = model.roles.iter().filter(is_changed).collect();
        let is_told =
            |role: &&Role| reads_settled_values_only(model, role) && role.detection.is_empty();
        if !changed.iter().all(is_told) {
            return Ok(Raise::Everybody);
        }
        definitions.push((model, changed));
    }
    let snapshot = store.snapshot()?;
    let mut uids = Vec::new();
    each_identity(store, |record| {
        let concerns = definitions.iter().any(|(model, changed)| {
            let snapshot = Arc::clone(&snapshot);
            let instant = UnixMillis::default();
            let mut view = TrackedView::new(Arc::clone(model), snapshot, instant, record.clone());
            view.settle_from_record();
            // What can't be read is for the refresh to say.
            let mut may_concern =
                |role: &&Role| roles::may_concern(&mut view, model, role).unwrap_or(true);
            changed.iter().any(&mut may_concern)
        });
        if concerns {
            uids.push(record.identity.uid);
        }
        Ok::<_, RefreshError>(())
    })?;
    Ok(Raise::Identities(uids))
}

/// Says whether a role's selector reads nothing but the identity's own settled
/// values: then what is stored tells whom it concerns, until the identity
/// itself is planned again. What it reads of others, of accounts that may yet
/// vanish, or through a rule would have to be noted, by planning.
fn reads_settled_values_only(model: &Model, role: &Role) -> bool {
    let own = |name: &str| !matches!(name, "manager" | "links" | "accounts");
    let filter = match &role.selector {
        None => return true,
        Some(Selector::Rule(_)) => return false,
        Some(Selector::MatchList(terms)) => {
            return terms.iter().all(|(attribute, _)| own(attribute));
        }
        Some(Selector::Filter(filter)) => filter,
        Some(Selector::Population(index)) => &model.populations[*index].filter,
    };
    filter
        .paths()
        .iter()
        .all(|path| path.segments().first().is_some_and(|first| own(first)))
}

/// Checks that the tenant's secret is the one that values were derived from, or
/// that somebody has said that it is another.
pub(super) fn check_secret(tenant: &TenantState, model: &Model) -> Result<(), RefreshError> {
    let known = tenant.definitions.get(SECRET);
    let generation = tenant.definitions.get(SECRET_GENERATION);
    let (Some(known), Some(generation), Some(secret)) = (known, generation, &model.secret) else {
        return Ok(());
    };
    if secret.fingerprint() != *known && model.secret_generation <= *generation {
        return Err(RefreshError::SecretChanged);
    }
    Ok(())
}

/// Returns the digest of every definition, by kind and name.
fn definitions(model: &Model) -> BTreeMap<String, u64> {
    let mut digests = BTreeMap::from([("common".to_owned(), model.common_digest())]);
    for application in &model.applications {
        let key = correlation_key(application.name);
        digests.insert(key, model.correlation_digest(application));
    }
    for key in model.attributes.iter().filter_map(unique_key) {
        digests.insert(key, 0);
    }
    for role in &model.roles {
        digests.insert(format!("role {}", role.name), digest(role));
    }
    for (owner, owned) in model.owners.iter() {
        digests.insert(format!("owner {owner}"), digest(&owned));
    }
    // Fingerprints of single ones would not tell whom they concern.
    if !model.policies.is_empty() || model.policies.keep_previous() {
        let policies = (model.policies.keep_previous(), &model.policies[..]);
        let policies = match model.policies.ask_other_owners() {
            // Whom a violation asks changes with them.
            true => digest(&(policies, &model.owners, entitlement_owners(model))),
            false => digest(&policies),
        };
        digests.insert("policies".to_owned(), policies);
    }
    if let Some(risk) = &model.risk {
        digests.insert("risk".to_owned(), digest(risk));
    }
    for trigger in &model.triggers {
        digests.insert(format!("trigger {}", trigger.name), trigger.digest);
    }
    if let Some(secret) = &model.secret {
        digests.insert(SECRET.to_owned(), secret.fingerprint());
        digests.insert(SECRET_GENERATION.to_owned(), model.secret_generation);
    }
    digests
}

/// Returns which entitlements have which owners.
fn entitlement_owners(model: &Model) -> Vec<((Name, Name, &str), &str)> {
    let owned = model.catalogue.iter();
    let owned = owned.filter_map(|entry| Some((entry.key(), entry.owner.as_deref()?)));
    owned.collect()
}

/// Returns the digest of configuration files, in lower-case hexadecimal.
pub fn files_digest(files: &Files) -> String {
    let mut hasher = Sha256::new();
    for (path, content) in files {
        hasher.update((path.len() as u64).to_le_bytes());
        hasher.update(path);
        hasher.update((content.len() as u64).to_le_bytes());
        hasher.update(content);
    }
    hex::encode(hasher.finalize())
}

/// Records components whose reused instances answer differently from fresh
/// ones. Everybody may have been answered so, and becomes due.
pub(super) fn isolate(
    store: &dyn Store,
    tenant: &mut TenantState,
    components: &[String],
) -> Result<(), StoreError> {
    tenant.isolated_rules.extend_from_slice(components);
    tenant.isolated_rules.sort();
    if let Some(configuration) = &tenant.configuration {
        store.adopt(&Adoption {
            configuration: configuration.clone(),
            files: store.configuration(configuration)?.unwrap_or_default(),
            definitions: tenant.definitions.clone(),
            lookup_attributes: tenant.lookup_attributes.clone(),
            claims: Vec::new(),
            raise: Raise::Everybody,
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::files_digest;
    use crate::store::Files;

    #[test]
    fn the_digest_covers_paths_and_contents() {
        let digest = |path: &str, content: &str| {
            files_digest(&Files::from([(path.to_owned(), content.into())]))
        };
        let one = digest("a.toml", "x = 1");
        assert_eq!(one, digest("a.toml", "x = 1"));
        assert_ne!(one, digest("b.toml", "x = 1"));
        assert_ne!(one, digest("a.toml", "x = 2"));
    }
}
