//! What the tenant's rules are asked about an identity now, without anything
//! being written: for recorded cases, and for what rules have been seen to read.

use std::sync::Arc;

use idr_core::definitions::{CorrelationStep, Model, RuleIndex};
use idr_core::model::{Account, IdentityRecord, IdentityType};
use idr_core::plan::{PlanContext, Planner};
use idr_core::rule::RuleEvaluator;
use idr_core::view::TrackedView;

use crate::cli::CommandError;
use crate::rules::{Evaluation, RuleHost, RuleWorker};
use crate::store::Store;
use crate::tenant::OpenTenant;

/// A tenant whose rules take down what they are asked.
pub(super) struct Rehearsal {
    pub(super) context: PlanContext,
    pub(super) host: RuleHost,
    worker: RuleWorker,
}

impl Rehearsal {
    /// Returns one for the tenant as it is now.
    pub(super) fn of(tenant: &OpenTenant) -> Result<Self, CommandError> {
        let (model, host) = tenant.rule_host()?;
        let context = PlanContext {
            model,
            snapshot: tenant.store.snapshot()?,
            as_of: tenant.now()?,
        };
        Ok(Self {
            context,
            worker: host.recording_worker(),
            host,
        })
    }

    pub(super) fn model(&self) -> &Arc<Model> {
        &self.context.model
    }

    /// Returns every evaluation that aggregating the identity's accounts as they
    /// are and refreshing it would take, in this order.
    pub(super) fn evaluations(
        &mut self,
        record: IdentityRecord,
    ) -> Result<Vec<Evaluation>, CommandError> {
        for account in &record.accounts {
            self.ask_about(account);
        }
        // Nobody asks about workgroups.
        if record.identity.identity_type != IdentityType::Workgroup {
            let mut planner = Planner::new(&mut self.worker);
            let planned = planner.plan(&self.context, record, false)?;
            let mut record = planned.record;
            record.identity.apply(planned.changes);
            planner.plan_events(&self.context, record, self.context.as_of, false)?;
        }
        Ok(self.worker.take_evaluations())
    }

    /// Asks the rules about a single account. Their answers are taken down.
    fn ask_about(&mut self, account: &Account) {
        let model = Arc::clone(&self.context.model);
        let Some(application) = model.application(account.key.application) else {
            return;
        };
        let view = |rule: RuleIndex| {
            let mut view = TrackedView::of_account(Arc::clone(&model), account.clone());
            view.read_as(Some(rule));
            view
        };
        for step in &application.correlation {
            if let CorrelationStep::Rule(rule) = step {
                let _ = self.worker.correlate_account(*rule, &mut view(*rule));
            }
        }
        let creation = application.creates.as_ref();
        if let Some(rule) = creation.and_then(|creation| creation.rule) {
            let _ = self.worker.create_identity(rule, &mut view(rule));
        }
    }
}

/// Returns the rule with this name.
pub(super) fn rule_named(model: &Model, name: &str) -> Result<RuleIndex, CommandError> {
    let place = model
        .rules
        .iter()
        .position(|rule| rule.name.as_str() == name);
    place.map(RuleIndex).ok_or_else(|| {
        CommandError::usage(format!("there is no rule `{name}`"))
            .with_hint("`idr rule list` lists them".to_owned())
    })
}
