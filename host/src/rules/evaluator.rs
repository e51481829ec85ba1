//! The rules of one tenant, and a worker that answers planning's questions with them.
//!
//! The verdict is that of a fresh instance. Instances are used again because a
//! fresh one costs ten times a call, but an error on a used instance is asked
//! again on a fresh one before it counts, and so is a sample of good answers.
//! A component that is caught answering differently runs every evaluation on a
//! fresh instance from then on. Whoever would be told the same as somebody before
//! is given that answer, see `reuse`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use idr_core::definitions::{Grant, Isolation, Model, RuleIndex, RuleLimits};
use idr_core::meter;
use idr_core::model::{Name, Value};
use idr_core::rule::{
    AccountNeed, AccountSelection, Breach, ComposedAccount, Creation, Eligibility, Lookup, Mapping,
    Promotion, Proposal, RuleEvaluator, RuleFailure, Target, ValueChange,
};
use idr_core::view::{ReadError, TrackedView};
use xxhash_rust::xxh3::xxh3_64;

use super::cache::ComponentCache;
use super::call::{Call, Log, LogLevel, Trace};
use super::cases::RecordedCase;
use super::component::RuleComponent;
use super::engine::{MOST_MEMORY_BYTES, RuleEngine};
use super::error::{LoadError, MASKED, RuleError, RuleLoadError, Trouble};
use super::instance::RuleInstance;
use super::kind::{Answer, Question, RuleKind};
use super::reuse::{Answers, Remembers};
use super::uses::uses_of;

/// How often an instance is used before a new one takes its place.
const MOST_CALLS: u32 = 1_024;

/// One in so many good answers of used instances is checked on a fresh one.
const SAMPLE: u64 = 256;

/// How often an evaluation waits for room for an instance, and how long.
const MOST_ATTEMPTS: u32 = 100;
const WAIT_FOR_ROOM: Duration = Duration::from_millis(10);

/// How much more time an evaluation gets when its time was up.
const MORE_TIME: u64 = 10;

/// The rules of one tenant, loaded: shared by all workers of a run.
pub struct RuleHost {
    tenant: Arc<str>,
    rules: Arc<[LoadedRule]>,
    components: BTreeMap<String, Arc<SharedComponent>>,
}

struct LoadedRule {
    name: Name,
    shared: Arc<SharedComponent>,
    limits: RuleLimits,
    isolation: Isolation,
    /// Whether it may read what nobody is to be shown; then its words aren't either.
    reads_sensitive: bool,
    /// How many lines it has logged since it was loaded.
    logged: AtomicUsize,
}

struct SharedComponent {
    component: RuleComponent,
    /// Every evaluation needs an instance of its own.
    isolated: AtomicBool,
}

impl RuleHost {
    /// Loads the components of all rules of a model, each once.
    ///
    /// - `tenant`: the tenant's name, for errors.
    /// - `bytes_of`: returns the component with a sha256; whoever reads the
    ///   tenant's directory has compared it with the pinned one.
    /// - `cache`: where compiled components are kept.
    ///
    /// # Errors
    ///
    /// One [`RuleLoadError`] for every rule that can't be used, or is used as
    /// something that its component doesn't export.
    pub fn load(
        engine: &RuleEngine,
        tenant: &str,
        model: &Model,
        bytes_of: impl Fn(&str) -> Option<Arc<[u8]>>,
        cache: Option<&ComponentCache>,
    ) -> Result<Self, Vec<RuleLoadError>> {
        let mut host = Self {
            tenant: tenant.into(),
            rules: Arc::default(),
            components: BTreeMap::new(),
        };
        let mut rules = Vec::new();
        let mut errors = Vec::new();
        for (index, rule) in model.rules.iter().enumerate() {
            let loaded = host.component(engine, &rule.sha256, &bytes_of, cache);
            let checked = loaded.and_then(|shared| {
                for rule_use in uses_of(model, RuleIndex(index)) {
                    shared.component.prepared(rule_use.kind)?;
                }
                Ok(shared)
            });
            match checked {
                Ok(shared) => {
                    rules.push(LoadedRule {
                        name: rule.name,
                        shared,
                        limits: within_bounds(rule.limits),
                        isolation: rule.isolation,
                        logged: AtomicUsize::new(0),
                        reads_sensitive: reads_sensitive(&rule.grant, model),
                    });
                }
                Err(source) => errors.push(RuleLoadError {
                    rule: rule.name,
                    source,
                }),
            }
        }
        host.rules = rules.into();
        if errors.is_empty() {
            Ok(host)
        } else {
            Err(errors)
        }
    }

    fn component(
        &mut self,
        engine: &RuleEngine,
        sha256: &str,
        bytes_of: &impl Fn(&str) -> Option<Arc<[u8]>>,
        cache: Option<&ComponentCache>,
    ) -> Result<Arc<SharedComponent>, LoadError> {
        if let Some(known) = self.components.get(sha256) {
            return Ok(Arc::clone(known));
        }
        let bytes = bytes_of(sha256).ok_or_else(|| LoadError::Missing(sha256.to_owned()))?;
        let component = RuleComponent::load_as(engine, sha256.to_owned(), &bytes, cache)?;
        let shared = Arc::new(SharedComponent {
            component,
            isolated: AtomicBool::new(false),
        });
        self.components
            .insert(sha256.to_owned(), Arc::clone(&shared));
        Ok(shared)
    }

    /// Runs a component's evaluations each on a fresh instance from now on,
    /// because an earlier run found that its answers depend on what ran before.
    pub fn isolate(&self, sha256: &str) {
        if let Some(shared) = self.components.get(sha256) {
            shared.isolated.store(true, Ordering::Relaxed);
        }
    }

    /// Returns the digests of the components that run isolated: those told to
    /// and those found out since. Whoever was evaluated by one that is new
    /// among them should be refreshed again.
    pub fn isolated(&self) -> Vec<String> {
        let isolated = |shared: &SharedComponent| shared.isolated.load(Ordering::Relaxed);
        let found = self
            .components
            .iter()
            .filter(|(_, shared)| isolated(shared));
        found.map(|(sha256, _)| sha256.clone()).collect()
    }

    /// Returns the component of a rule.
    pub fn component_of(&self, rule: RuleIndex) -> &RuleComponent {
        &self.rules[rule.0].shared.component
    }

    /// Returns a worker that asks fresh instances and takes down every
    /// evaluation, see [`RuleWorker::take_evaluations`].
    pub fn recording_worker(&self) -> RuleWorker {
        RuleWorker {
            recorded: Some(Vec::new()),
            ..self.worker()
        }
    }

    /// Returns a worker, which keeps instances of its own.
    pub fn worker(&self) -> RuleWorker {
        let slots = self.rules.iter().map(|_| Slots::default()).collect();
        RuleWorker {
            tenant: Arc::clone(&self.tenant),
            rules: Arc::clone(&self.rules),
            slots,
            candidates: Vec::new(),
            recorded: None,
        }
    }
}

fn reads_sensitive(grant: &Grant, model: &Model) -> bool {
    let of_identities = |name: Name| {
        let place = model.attribute_index(name);
        place.is_some_and(|place| model.attributes[place].sensitive)
    };
    let of_accounts = |application: Name, name: Name| {
        let application = model.application(application);
        let attribute = application.and_then(|known| known.attribute(name));
        attribute.is_some_and(|known| known.sensitive)
    };
    grant.reads_any(of_identities, of_accounts)
}

/// Returns the limits as far as the engine can grant them.
fn within_bounds(limits: RuleLimits) -> RuleLimits {
    RuleLimits {
        memory_bytes: limits.memory_bytes.min(MOST_MEMORY_BYTES),
        ..limits
    }
}

/// Answers planning's questions on one thread.
///
/// The view comes with the rule's grant in force: planning sees to that.
/// Keeps one instance per rule and kind, each in a wasmtime store of its own,
/// because a trap spoils the whole store.
pub struct RuleWorker {
    tenant: Arc<str>,
    rules: Arc<[LoadedRule]>,
    slots: Vec<Slots>,
    /// Lists of roles that were asked about, as names and as the texts that
    /// rules are passed: planning asks about the same few again and again.
    candidates: Vec<(Vec<Name>, Arc<[String]>)>,
    /// The evaluations so far, where they are wanted.
    recorded: Option<Vec<Evaluation>>,
}

/// One evaluation that was taken down.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The rule that was asked.
    pub rule: RuleIndex,
    /// What it was asked.
    pub question: String,
    /// What it called, in order.
    pub calls: Vec<Call>,
    /// Its answer, or what went wrong.
    pub answer: Result<Answer, Trouble>,
    /// The same as a case.
    pub case: RecordedCase,
}

/// What there is of one rule, by kind.
type Slots = [Slot; RuleKind::ALL.len()];

/// What a worker keeps of a rule that is asked as one kind.
#[derive(Default)]
struct Slot {
    instance: Option<RuleInstance>,
    answers: Answers,
    /// Whether the answers are those of fresh instances only.
    isolated: bool,
}

impl RuleWorker {
    fn evaluate(
        &mut self,
        rule: RuleIndex,
        question: Question<'_>,
        view: &mut TrackedView,
    ) -> Result<Answer, Box<RuleError>> {
        let _stage = meter::stage(meter::Stage::Rules);
        meter::count(meter::Work::RuleCalls, 1);
        let mut outcome = self.attempt(rule, question, view);
        for _ in 0..MOST_ATTEMPTS {
            if !matches!(outcome, Err(Trouble::NoRoom)) {
                break;
            }
            // Others wait for room as well: give back what this worker has.
            for slot in self.slots.iter_mut().flatten() {
                slot.instance = None;
            }
            std::thread::sleep(WAIT_FOR_ROOM);
            outcome = self.attempt(rule, question, view);
        }
        let loaded = &self.rules[rule.0];
        let outcome = match loaded.reads_sensitive {
            true => outcome.map(Answer::masked).map_err(Trouble::masked),
            false => outcome,
        };
        outcome.map_err(|trouble| {
            Box::new(RuleError {
                tenant: self.tenant.to_string(),
                about: about(view),
                rule: loaded.name.to_string(),
                question: question.to_string(),
                trouble,
            })
        })
    }

    /// Asks once, whether there is room for an instance or not.
    fn attempt(
        &mut self,
        rule: RuleIndex,
        question: Question<'_>,
        view: &mut TrackedView,
    ) -> Result<Answer, Trouble> {
        let slot = &mut self.slots[rule.0][question.kind() as usize];
        let evaluator = Evaluator {
            tenant: &self.tenant,
            loaded: &self.rules[rule.0],
            rule,
            question,
        };
        match &mut self.recorded {
            None => evaluator.ask(slot, view),
            Some(recorded) => evaluator.record(recorded, view),
        }
    }

    /// Takes the evaluations that were taken down so far.
    pub fn take_evaluations(&mut self) -> Vec<Evaluation> {
        self.recorded
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    fn texts_of(&mut self, candidates: &[Name]) -> Arc<[String]> {
        if let Some((_, texts)) = self
            .candidates
            .iter()
            .find(|(names, _)| names == candidates)
        {
            return Arc::clone(texts);
        }
        let texts: Arc<[String]> = candidates.iter().map(|name| name.to_string()).collect();
        self.candidates
            .push((candidates.to_vec(), Arc::clone(&texts)));
        texts
    }
}

/// Says whom or what a rule is asked about.
fn about(view: &TrackedView) -> String {
    match view.account() {
        Ok(account) => format!(
            "account `{}` of `{}`",
            account.key.native_identity, account.key.application
        ),
        Err(_) => format!("identity `{}`", view.record().identity.name),
    }
}

/// One question to one rule.
struct Evaluator<'a> {
    tenant: &'a str,
    loaded: &'a LoadedRule,
    rule: RuleIndex,
    question: Question<'a>,
}

impl Evaluator<'_> {
    /// Returns the fresh instance's verdict, mostly without a fresh instance, and
    /// often without any.
    fn ask(&self, slot: &mut Slot, view: &mut TrackedView) -> Result<Answer, Trouble> {
        if self.is_isolated() != slot.isolated {
            slot.isolated = self.is_isolated();
            slot.answers = Answers::default();
        }
        let is_sampled = self.is_sampled(view);
        if !is_sampled
            && let Some((answer, log)) = slot.answers.find(self.rule, self.question, view)?
        {
            self.emit(log, view);
            return Ok(answer.clone());
        }
        let limits = &self.loaded.limits;
        let used = slot
            .instance
            .take()
            .filter(|instance| !slot.isolated && instance.is_reusable(MOST_CALLS, limits));
        let Some(mut instance) = used else {
            return self.ask_fresh(slot, view);
        };

        let start = view.mark();
        let trace = slot.answers.trace(self.question);
        let evaluation = instance.ask(self.rule, self.question, limits, view, trace);
        let (used_answer, log) = (evaluation.answer, evaluation.log);
        let learnt = match &used_answer {
            Ok(answer) => {
                let trace = evaluation.trace;
                slot.answers.learn(self.question, trace, answer, &log)
            }
            Err(_) => Ok(()),
        };
        match used_answer {
            Ok(answer) if !is_sampled && learnt.is_ok() => {
                self.emit(&log, view);
                slot.instance = Some(instance);
                Ok(answer)
            }
            // The store can't be read: the run ends, whatever a rule says.
            Err(trouble @ Trouble::Read(ReadError::Snapshot(_))) => Err(trouble),
            used_answer => {
                let used_notes = view.noted_since(&start);
                view.rewind(&start);
                let fresh_answer = self.ask_fresh(slot, view);
                let differs = match (&used_answer, &fresh_answer) {
                    (Ok(used), Ok(fresh)) => {
                        used != fresh || used_notes != view.noted_since(&start)
                    }
                    (Err(used), Err(fresh)) => used.cause() != fresh.cause(),
                    (Ok(_), Err(_)) | (Err(_), Ok(_)) => true,
                };
                let by_limit = [used_answer.as_ref().err(), fresh_answer.as_ref().err()]
                    .into_iter()
                    .flatten()
                    .any(Trouble::depends_on_use);
                if (differs || learnt.is_err()) && !by_limit {
                    self.isolate();
                    slot.instance = None;
                }
                fresh_answer
            }
        }
    }

    fn ask_fresh(&self, slot: &mut Slot, view: &mut TrackedView) -> Result<Answer, Trouble> {
        let prepared = self.loaded.shared.component.prepared(self.question.kind());
        let prepared = prepared.map_err(|error| Trouble::CannotStart(error.to_string()))?;
        let own = self.loaded.limits;
        let mut limits = own;
        let start = view.mark();
        let mut instance = RuleInstance::start(prepared, &limits)?;
        let mut ask = |instance: &mut RuleInstance, limits: &RuleLimits, view: &mut TrackedView| {
            let trace = slot.answers.trace(self.question);
            instance.ask(self.rule, self.question, limits, view, trace)
        };
        let mut evaluation = ask(&mut instance, &limits, view);
        if matches!(evaluation.answer, Err(Trouble::OutOfTime { .. })) {
            // Perhaps the machine was busy. Time is never a verdict.
            view.rewind(&start);
            limits.time_ms = limits.time_ms.saturating_mul(MORE_TIME);
            instance = RuleInstance::start(prepared, &limits)?;
            evaluation = ask(&mut instance, &limits, view);
            if let Err(Trouble::OutOfTime { limit_ms, .. }) = &mut evaluation.answer {
                *limit_ms = own.time_ms;
            }
        }
        self.emit(&evaluation.log, view);
        let (trace, log) = (evaluation.trace, &evaluation.log);
        if let Ok(answer) = &evaluation.answer
            && let Err(Remembers) = slot.answers.learn(self.question, trace, answer, log)
        {
            // What contradicts a fresh instance was said by a used one.
            self.isolate();
        }
        if !self.is_isolated() {
            slot.instance = Some(instance);
        }
        evaluation.answer
    }

    /// Asks a fresh instance and takes down what it read. What had to wait for
    /// something that wasn't settled yet is asked again and doesn't count.
    fn record(
        &self,
        recorded: &mut Vec<Evaluation>,
        view: &mut TrackedView,
    ) -> Result<Answer, Trouble> {
        let (rule, limits) = (self.rule, &self.loaded.limits);
        let prepared = self.loaded.shared.component.prepared(self.question.kind());
        let prepared = prepared.map_err(|error| Trouble::CannotStart(error.to_string()))?;
        let mut instance = RuleInstance::start(prepared, limits)?;
        let evaluation = instance.ask(rule, self.question, limits, view, Some(Trace::for_people()));
        let answer = evaluation.answer;
        let waits = matches!(
            answer,
            Err(Trouble::Read(
                ReadError::Unsettled(_) | ReadError::Snapshot(_)
            ))
        );
        if !waits {
            let calls = evaluation.trace.map_or(Vec::new(), Trace::into_calls);
            recorded.push(Evaluation {
                rule,
                question: self.question.to_string(),
                case: RecordedCase::of(rule, self.question, &calls, &answer, view),
                calls,
                answer: answer.clone(),
            });
        }
        answer
    }

    fn is_isolated(&self) -> bool {
        self.loaded.isolation == Isolation::Call
            || self.loaded.shared.isolated.load(Ordering::Relaxed)
    }

    fn isolate(&self) {
        let sha256 = self.loaded.shared.component.sha256();
        if !self.loaded.shared.isolated.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "rule `{}` ({sha256}) answered differently on a used instance: from now on each \
                 of its evaluations has an instance of its own",
                self.loaded.name
            );
        }
    }

    /// Picks the same identities and accounts on every machine, and others at another instant.
    fn is_sampled(&self, view: &TrackedView) -> bool {
        let whom = match view.account() {
            Ok(account) => xxh3_64(account.key.native_identity.as_bytes()),
            Err(_) => view.record().identity.uid.0 as u64,
        };
        let mut key = [0; 24];
        key[..8].copy_from_slice(&whom.to_le_bytes());
        key[8..16].copy_from_slice(&view.as_of().0.to_le_bytes());
        key[16..].copy_from_slice(&(self.rule.0 as u64).to_le_bytes());
        xxh3_64(&key).is_multiple_of(SAMPLE)
    }

    /// Passes on what the rule logged, as far as its limits go.
    fn emit(&self, log: &Log, view: &TrackedView) {
        let rule = self.loaded.name;
        for line in &log.lines {
            let most = self.loaded.limits.log_lines_per_run;
            match self.loaded.logged.fetch_add(1, Ordering::Relaxed) {
                logged if logged < most => {}
                logged => {
                    if logged == most {
                        self.warn_of_log(view, logged + 1, "`log_lines_per_run`", most);
                    }
                    return;
                }
            }
            let message = match self.loaded.reads_sensitive {
                true => MASKED,
                false => line.message.as_str(),
            };
            match line.level {
                LogLevel::Info => tracing::info!(target: "idr::rule", "rule `{rule}`: {message}"),
                LogLevel::Warn => tracing::warn!(target: "idr::rule", "rule `{rule}`: {message}"),
            }
        }
        if log.dropped > 0 {
            let most = self.loaded.limits.log_lines;
            self.warn_of_log(view, most + log.dropped, "`log_lines`", most);
        }
    }

    /// Says that a rule logs more than is kept.
    fn warn_of_log(&self, view: &TrackedView, logged: usize, limit: &str, most: usize) {
        tracing::warn!(
            target: "idr::rule",
            "rule `{}` ({}) has logged {logged} lines, more than its limit of {most} ({limit}): the \
             rest is dropped (tenant `{}`, {})",
            self.loaded.name,
            self.question,
            self.tenant,
            about(view)
        );
    }
}

impl RuleEvaluator for RuleWorker {
    fn correlate_account(
        &mut self,
        rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Option<Lookup>, RuleFailure> {
        match self.evaluate(rule, Question::CorrelateAccount, view)? {
            Answer::Lookup(lookup) => Ok(lookup),
            other => unreachable!("a correlation rule answered {other:?}"),
        }
    }

    fn create_identity(
        &mut self,
        rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Creation, RuleFailure> {
        match self.evaluate(rule, Question::CreateIdentity, view)? {
            Answer::Creation(creation) => Ok(creation),
            other => unreachable!("a creation rule answered {other:?}"),
        }
    }

    fn correlate_manager(
        &mut self,
        rule: RuleIndex,
        named: &Value,
        view: &mut TrackedView,
    ) -> Result<Option<Lookup>, RuleFailure> {
        match self.evaluate(rule, Question::CorrelateManager(named), view)? {
            Answer::Lookup(lookup) => Ok(lookup),
            other => unreachable!("a manager correlation rule answered {other:?}"),
        }
    }

    fn before_refresh(
        &mut self,
        rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure> {
        match self.evaluate(rule, Question::BeforeRefresh, view)? {
            Answer::Proposals(proposals) => Ok(proposals),
            other => unreachable!("a before-refresh rule answered {other:?}"),
        }
    }

    fn after_refresh(
        &mut self,
        rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure> {
        match self.evaluate(rule, Question::AfterRefresh, view)? {
            Answer::Proposals(proposals) => Ok(proposals),
            other => unreachable!("an after-refresh rule answered {other:?}"),
        }
    }

    fn value_change(
        &mut self,
        rule: RuleIndex,
        change: ValueChange<'_>,
        view: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure> {
        match self.evaluate(rule, Question::ValueChange(change), view)? {
            Answer::Proposals(proposals) => Ok(proposals),
            other => unreachable!("a value-change rule answered {other:?}"),
        }
    }

    fn promote(
        &mut self,
        rule: RuleIndex,
        attribute: Name,
        view: &mut TrackedView,
    ) -> Result<Promotion, RuleFailure> {
        match self.evaluate(rule, Question::Promote(attribute.as_str()), view)? {
            Answer::Promotion(promotion) => Ok(promotion),
            other => unreachable!("a promotion rule answered {other:?}"),
        }
    }

    fn lifecycle_state(
        &mut self,
        rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<String, RuleFailure> {
        match self.evaluate(rule, Question::State, view)? {
            Answer::State(state) => Ok(state),
            other => unreachable!("a lifecycle rule answered {other:?}"),
        }
    }

    fn assign(
        &mut self,
        rule: RuleIndex,
        candidates: &[Name],
        view: &mut TrackedView,
    ) -> Result<Vec<Eligibility>, RuleFailure> {
        let texts = self.texts_of(candidates);
        match self.evaluate(rule, Question::Assign(&texts), view)? {
            Answer::Eligibilities(answers) => Ok(answers),
            other => unreachable!("an assignment rule answered {other:?}"),
        }
    }

    fn fires(
        &mut self,
        rule: RuleIndex,
        trigger: Name,
        view: &mut TrackedView,
    ) -> Result<bool, RuleFailure> {
        match self.evaluate(rule, Question::Fires(trigger.as_str()), view)? {
            Answer::Fires(fires) => Ok(fires),
            other => unreachable!("a trigger rule answered {other:?}"),
        }
    }

    fn compose_accounts(
        &mut self,
        rule: RuleIndex,
        application: Name,
        view: &mut TrackedView,
    ) -> Result<Vec<ComposedAccount>, RuleFailure> {
        match self.evaluate(rule, Question::Compose(application.as_str()), view)? {
            Answer::Composed(accounts) => Ok(accounts),
            other => unreachable!("a logical-account rule answered {other:?}"),
        }
    }

    fn judge(
        &mut self,
        rule: RuleIndex,
        policy: Name,
        view: &mut TrackedView,
    ) -> Result<Vec<Breach>, RuleFailure> {
        match self.evaluate(rule, Question::Judge(policy.as_str()), view)? {
            Answer::Breaches(breaches) => Ok(breaches),
            other => unreachable!("a policy rule answered {other:?}"),
        }
    }

    fn select_account(
        &mut self,
        rule: RuleIndex,
        need: AccountNeed<'_>,
        view: &mut TrackedView,
    ) -> Result<AccountSelection, RuleFailure> {
        match self.evaluate(rule, Question::SelectAccount(need), view)? {
            Answer::Selection(selection) => Ok(selection),
            other => unreachable!("an account-selection rule answered {other:?}"),
        }
    }

    fn map_target(
        &mut self,
        rule: RuleIndex,
        target: Target<'_>,
        view: &mut TrackedView,
    ) -> Result<Mapping, RuleFailure> {
        match self.evaluate(rule, Question::MapTarget(target), view)? {
            Answer::Mapping(mapping) => Ok(mapping),
            other => unreachable!("a target-mapping rule answered {other:?}"),
        }
    }
}
