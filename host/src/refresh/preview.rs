//! What a refresh would do, without doing it: `idr refresh --dry-run` and tests.
//!
//! The first wave of a run at `as_of`, planned with the same planner and put to
//! the same gate. Nothing is stored: no run, no configuration, no spool.

use std::sync::Arc;

use idr_core::definitions::Model;
use idr_core::filter::Superset;
use idr_core::model::{IdentityType, Uid};
use idr_core::plan::Planner;
use rayon::prelude::*;

use super::apply::count;
use super::gate::{Kind, Tally};
use super::planning::plan_one;
use super::selection::choose;
use super::{
    CHUNK, Configurator, Driver, RefreshError, Request, Step, adopt, check_instant, configure,
};
use crate::store::{Counters, Raise, Run, RunStatus, Scope, Store, StoreError};

/// Plans what [`super::run`] would do in its first wave at `as_of`.
///
/// Returns a run without a number that was never stored; its status is held
/// when a threshold would hold it. Passed wake-ups are not replayed at their
/// own instants, and who reads what the wave would change isn't planned.
///
/// # Errors
///
/// As [`super::run`]; [`RefreshError::Configuration`] as well when the
/// configuration looks identities up by attributes that aren't indexed yet.
pub fn preview(
    store: &dyn Store,
    configurator: &dyn Configurator,
    files: &crate::store::Files,
    request: &Request,
) -> Result<Run, RefreshError> {
    let tenant = store.tenant()?;
    check_instant(request, tenant.last_as_of)?;
    let configured = configure(configurator, files)?;
    if configured.model.lookup_attributes() != tenant.lookup_attributes {
        let message = "it looks identities up by other attributes than the configuration in use: \
                       that takes a refresh, a dry run can't show it";
        return Err(RefreshError::Configuration(message.to_owned()));
    }
    let raised = adopt::impact(store, configurator, &configured.model)?.raise;
    let uids = selection(store, &configured.model, request, raised)?;
    let run = Run {
        as_of: request.as_of,
        started_at: request.now,
        scope: request.scope.clone(),
        configuration: adopt::files_digest(files),
        silent: !tenant.baselines_set && !request.fire_initial,
        step: Step {
            instant: request.as_of,
            wave: 1,
            ..Step::default()
        },
        ..Run::default()
    };
    let mut driver = Driver::new(store, configured, run, &|_, _, _| {});
    let chunks: Vec<Result<(u64, Counters, Tally), RefreshError>> = uids
        .par_chunks(CHUNK)
        .map(|uids| driver.preview_chunk(uids))
        .collect();
    let mut tally = Tally::default();
    let mut total = Counters::default();
    for chunk in chunks {
        let (planned, mut counters, counted) = chunk?;
        tally.add(&counted);
        total.selected += planned;
        total.changed += counters.changed;
        for (_, kind) in Kind::ALL {
            *kind.counter(&mut total) += *kind.counter(&mut counters);
        }
        total.findings_opened += counters.findings_opened;
        for (name, number) in counters.changes {
            total.count(&name, number);
        }
    }
    let verdict = driver.gate(&tally)?;
    driver.run.held_kinds = verdict.kinds;
    driver.run.held = verdict.run;
    if driver.run.held.is_some() {
        driver.run.status = RunStatus::Held;
    }
    total.refreshed = total.selected;
    total.waves = u64::from(total.selected > 0);
    total.elapsed_ms = driver.elapsed_ms();
    driver.run.counters = total;
    Ok(driver.run)
}

impl Driver<'_> {
    fn preview_chunk(&self, uids: &[Uid]) -> Result<(u64, Counters, Tally), RefreshError> {
        let context = self.context()?;
        let records = self.store.read_chunk(uids)?;
        self.evaluators.with(|evaluator| {
            let mut planner = Planner::new(evaluator);
            planner.judge_only(self.run.settings.policies.as_deref());
            let (mut planned, mut counters, mut tally) = Default::default();
            for record in records {
                if record.identity.identity_type == IdentityType::Workgroup {
                    continue;
                }
                planned += 1;
                let (plan, before) = plan_one(&mut planner, &context, self.run.silent, record)?;
                if let Some(plan) = plan {
                    count(&mut counters, &plan.changes, &before.identity);
                    self.count_violations(&mut counters, &plan.changes, &before.identity);
                    Tally::note(&mut tally, &plan.changes, &before.identity);
                }
            }
            Ok((planned, counters, tally))
        })
    }
}

/// Returns whom a run would select first, with those whom the configuration
/// would make due when it was adopted.
fn selection(
    store: &dyn Store,
    model: &Arc<Model>,
    request: &Request,
    raised: Raise,
) -> Result<Vec<Uid>, RefreshError> {
    let mut uids = match (&request.scope, raised) {
        (Scope::Chosen, raised) => {
            let choice = choose(
                store,
                model,
                &request.criteria,
                request.as_of,
                &raised,
                false,
            )?;
            return Ok(choice.uids);
        }
        (Scope::All, _) | (Scope::Due, Raise::Everybody) => return Ok(everybody(store)?),
        (Scope::Due, Raise::Nobody) => Vec::new(),
        (Scope::Due, Raise::Identities(uids)) => uids,
    };
    let mut after = None;
    loop {
        let chunk = store.due(request.as_of, after, CHUNK)?;
        let Some(last) = chunk.last() else { break };
        after = Some(last.uid);
        uids.extend(chunk.iter().map(|due| due.uid));
    }
    uids.sort();
    uids.dedup();
    Ok(uids)
}

fn everybody(store: &dyn Store) -> Result<Vec<Uid>, StoreError> {
    let mut uids = Vec::new();
    loop {
        let chunk = store.list(&Superset::All, uids.last().copied(), CHUNK)?;
        if chunk.is_empty() {
            return Ok(uids);
        }
        uids.extend(chunk);
    }
}
