//! `explain`: why something of an identity is as it is.

use std::io::Write;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use idr_core::definitions::{Model, Origin, Role, RuleIndex, Selector, TriggerCondition};
use idr_core::model::{
    AccountKey, Finding, IdentityRecord, Image, Name, Provenance, Uid, UnixMillis,
};
use idr_core::phases::entitlements::ledger;
use idr_core::plan::{PlanContext, Planner};
use idr_core::text::nearest;
use idr_core::view::{Node, Snapshot, Topic, TraceEntry, Traced};
use serde::Serialize;

use super::event::events;
use super::explain_entitlement::Reasons;
use super::open::{decidable_record, instant, open};
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::aggregate;
use crate::report::{
    EventReport, Explanation, LedgerReport, MASK, Sources, Subject, Table, is_sensitive, name_of,
    shown_entry,
};
use crate::store::{EventQuery, Store};
use crate::tenant::OpenTenant;

/// So many of the events that a trigger has fired are shown.
const EVENTS_SHOWN: usize = 3;

/// Say why something of an identity is as it is
///
/// Plans the identity again, as a refresh now would, and says which way that took:
/// which source or rule decided and which didn't, what was read and where that comes
/// from, which moments were asked for, when it last changed, and when it may change
/// next. Without a kind, everything in a line each. Nothing is written.
#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// The identity
    name: String,

    /// What kind of thing to explain
    #[arg(value_enum)]
    kind: Option<Kind>,

    /// Which one: an attribute, a role, the value of an entitlement, a trigger
    what: Option<String>,

    /// Of a role, only what keeps the identity from having it
    #[arg(long)]
    why_not: bool,

    /// Say what it was at this instant, and how long, as far as the history is kept
    #[arg(long, value_name = "INSTANT", conflicts_with = "why_not")]
    at: Option<String>,

    /// Show the values of sensitive attributes
    #[arg(long)]
    show_sensitive: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// An identity attribute
    Attribute,
    /// The manager
    Manager,
    /// The lifecycle state
    State,
    /// A role, assigned or detected
    Role,
    /// An entitlement that accounts hold or roles call for
    Entitlement,
    /// A trigger: whether it fires, and what it has fired
    Event,
}

impl Kind {
    /// Says what it needs the name of.
    fn needs(self) -> Option<&'static str> {
        match self {
            Self::Attribute => Some("an identity attribute"),
            Self::Role => Some("a role"),
            Self::Entitlement => Some("an entitlement's value"),
            Self::Event => Some("a trigger"),
            Self::Manager | Self::State => None,
        }
    }
}

/// Runs the command.
pub(super) fn run(
    args: &ExplainArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    check(args)?;
    let tenant = open(options)?;
    let record = decidable_record(&tenant, &args.name)?;
    if let Some(at) = &args.at {
        let at = instant(at, &tenant)?;
        return past(args, at, record.identity.uid, &tenant, options, out);
    }
    let configured = tenant.configured()?;
    let mut evaluator = configured.rules.evaluator();
    let context = PlanContext {
        model: Arc::clone(&configured.model),
        snapshot: tenant.store.snapshot()?,
        as_of: tenant.now()?,
    };
    let mut planner = Planner::new(evaluator.as_mut());
    let planned = planner.plan(&context, record, true)?;
    let mut refreshed = planned.record.clone();
    refreshed.identity.apply(planned.changes);
    let line_of = |key: &AccountKey, file: &str| line_of(&tenant, key, file);
    let about = About {
        args,
        tenant: &tenant,
        context: &context,
        sources: Sources {
            store: &tenant.store,
            model: &context.model,
            at: context.as_of,
            stored: &planned.record,
            refreshed: &refreshed,
            show_sensitive: args.show_sensitive,
            line_of: &line_of,
        },
        trace: &planned.trace,
    };
    let what = args.what.as_deref().unwrap_or_default();
    match args.kind {
        None => about.overview(options, out)?,
        Some(Kind::Attribute) => show(&about.attribute(what)?, options, out)?,
        Some(Kind::Manager) => show(&about.manager()?, options, out)?,
        Some(Kind::State) => show(&about.state()?, options, out)?,
        Some(Kind::Role) => {
            let role = role(&context.model, what)?;
            let trace = planner.explain_role(&context, refreshed.clone(), role)?;
            about.role(role, &trace, options, out)?;
        }
        Some(Kind::Entitlement) => about.entitlement(what, options, out)?,
        Some(Kind::Event) => {
            let trigger = trigger(&context.model, what)?;
            let judged = planner.explain_events(&context, refreshed.clone())?;
            let fires = judged.changes.events.iter();
            let fires = fires.filter(|event| event.trigger == trigger).count() > 0;
            about.event(trigger, fires, &judged.trace, options, out)?;
        }
    }
    Ok(Outcome::Done)
}

fn check(args: &ExplainArgs) -> Result<(), CommandError> {
    let needs = args.kind.and_then(Kind::needs);
    match (needs, &args.what) {
        (Some(needs), None) => {
            let message = format!("which one: this needs the name of {needs}");
            Err(CommandError::usage(message))
        }
        (None, Some(what)) => {
            let message = format!("`{what}`: there is only one of these");
            Err(CommandError::usage(message))
        }
        _ if args.why_not && args.kind != Some(Kind::Role) => {
            let message = "`--why-not` is about a role";
            let hint = format!("write idr explain {} role ROLE --why-not", args.name);
            Err(CommandError::usage(message).with_hint(hint))
        }
        _ => Ok(()),
    }
}

/// What something was at an instant.
#[derive(Serialize)]
struct Past {
    about: String,
    at: String,
    outcome: String,
    /// Since when it was so; at least since then when that is the first image.
    since: String,
    first: bool,
    /// Until when; none when it still is, as far as the history knows.
    until: Option<String>,
}

/// Returns something of an image, in words.
type OfImage<'a> = Box<dyn Fn(&Image) -> String + 'a>;

/// Says what something was at an instant, by the images that are kept.
fn past(
    args: &ExplainArgs,
    at: UnixMillis,
    uid: Uid,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let model = &tenant.configuration.model;
    let snapshot = tenant.store.snapshot()?;
    let what = args.what.as_deref().unwrap_or_default();
    let (about, value): (String, OfImage<'_>) = match args.kind {
        Some(Kind::Attribute) => {
            let names = model.attributes.iter().map(|known| known.name);
            let name = known("identity attribute", what, names)?;
            let masked = !args.show_sensitive && is_sensitive(model, &name);
            let value = move |image: &Image| {
                let found = image.attributes.iter().find(|(known, _)| *known == name);
                match found {
                    None => "no value".to_owned(),
                    // Two of them may differ all the same.
                    Some(_) if masked => MASK.to_owned(),
                    Some((_, value)) => value.to_string(),
                }
            };
            (format!("attribute {name}"), Box::new(value))
        }
        Some(Kind::Manager) => {
            let value = |image: &Image| match image.manager {
                None => "nobody".to_owned(),
                Some(uid) => {
                    let name = name_of(snapshot.as_ref(), uid);
                    name.unwrap_or_else(|_| format!("uid {uid}"))
                }
            };
            ("manager".to_owned(), Box::new(value))
        }
        Some(Kind::State) => {
            let value = |image: &Image| {
                let state = image.lifecycle_state.map_or("none", Name::as_str);
                let inactive = if image.inactive { ", inactive" } else { "" };
                format!("{state}{inactive}")
            };
            ("lifecycle state".to_owned(), Box::new(value))
        }
        Some(Kind::Role) => {
            // It may have been defined then and not be any more.
            let role = Name::new(what);
            let value = move |image: &Image| {
                let assigned = image.assigned.iter().find(|known| known.role == role);
                let is_detected = image.detected.iter().any(|known| known.role == role);
                match (assigned, is_detected) {
                    (None, false) => "neither assigned nor detected".to_owned(),
                    (None, true) => "detected".to_owned(),
                    (Some(known), false) => format!("assigned by {}", known.source.as_str()),
                    (Some(known), true) => {
                        format!("assigned by {} and detected", known.source.as_str())
                    }
                }
            };
            (format!("role {role}"), Box::new(value))
        }
        Some(Kind::Entitlement | Kind::Event) | None => {
            let message = "`--at` tells of an attribute, the manager, the state or a role";
            let hint = format!(
                "idr identity history {} --at tells of everything",
                args.name
            );
            return Err(CommandError::usage(message).with_hint(hint));
        }
    };
    let images = tenant.store.history(uid, None, usize::MAX)?;
    let Some(place) = images.iter().position(|stored| stored.at <= at) else {
        let message = format!("nothing is kept of what `{}` was at {at}", args.name);
        let hint = format!("see idr identity history {}", args.name);
        return Err(CommandError::usage(message).with_hint(hint));
    };
    let outcome = value(&images[place].image);
    let (mut first, mut last) = (place, place);
    while images
        .get(first + 1)
        .is_some_and(|earlier| value(&earlier.image) == outcome)
    {
        first += 1;
    }
    while last > 0 && value(&images[last - 1].image) == outcome {
        last -= 1;
    }
    let past = Past {
        about,
        at: at.to_string(),
        outcome,
        since: images[first].at.to_string(),
        first: first + 1 == images.len(),
        until: last.checked_sub(1).map(|next| images[next].at.to_string()),
    };
    if options.json {
        write_json(out, &past)?;
        return Ok(Outcome::Done);
    }
    writeln!(out, "{} at {}: {}", past.about, past.at, past.outcome)?;
    let since = if past.first {
        "so since at least"
    } else {
        "so since"
    };
    match &past.until {
        Some(until) => writeln!(out, "  {since} {} until {until}", past.since)?,
        None => writeln!(out, "  {since} {}, and still", past.since)?,
    }
    Ok(Outcome::Done)
}

fn show(
    explanation: &Explanation,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    match options.json {
        true => write_json(out, explanation),
        false => Ok(explanation.write(out)?),
    }
}

/// Returns the line of an account in a file that was aggregated; none when the file
/// is gone, is no feed of the application any more, or doesn't list it.
fn line_of(tenant: &OpenTenant, key: &AccountKey, file: &str) -> Option<u64> {
    let configuration = &tenant.configuration;
    let application = configuration.model.application(key.application)?;
    let connector = configuration.connectors.get(&key.application)?;
    let file = configuration.directory.join(file);
    let line = aggregate::line_of(&file, application, connector, &key.native_identity);
    line.ok().flatten()
}

fn known<'n>(
    what: &'static str,
    name: &str,
    mut names: impl Iterator<Item = Name> + Clone + 'n,
) -> Result<Name, CommandError> {
    if let Some(found) = names.clone().find(|known| known.as_str() == name) {
        return Ok(found);
    }
    let nearest = nearest(name, names.by_ref().map(Name::as_str));
    let hint = nearest.map(|nearest| format!("do you mean `{nearest}`?"));
    Err(CommandError::usage(format!("there is no {what} `{name}`")).with_hint(hint))
}

fn role(model: &Model, name: &str) -> Result<Name, CommandError> {
    known("role", name, model.roles.iter().map(|role| role.name))
}

fn trigger(model: &Model, name: &str) -> Result<Name, CommandError> {
    known(
        "trigger",
        name,
        model.triggers.iter().map(|known| known.name),
    )
}

/// One identity, planned, and what of it is explained.
struct About<'a> {
    args: &'a ExplainArgs,
    tenant: &'a OpenTenant,
    context: &'a PlanContext,
    sources: Sources<'a>,
    trace: &'a [TraceEntry],
}

/// A role with what decides about it.
#[derive(Serialize)]
struct RoleExplanation {
    #[serde(flatten)]
    explanation: Explanation,
    /// Whether it is assigned.
    assigned: bool,
    /// Whether it is detected.
    detected: bool,
}

/// A trigger with what it has fired.
#[derive(Serialize)]
struct EventExplanation {
    #[serde(flatten)]
    explanation: Explanation,
    /// The last events that it has fired.
    fired: Vec<EventReport>,
}

/// An entitlement on one account.
#[derive(Serialize)]
struct EntitlementExplanation {
    #[serde(flatten)]
    explanation: Explanation,
    /// How it stands in the ledger, once for each account.
    ledger: Vec<LedgerReport>,
}

/// A line of the overview.
#[derive(Serialize)]
struct Row {
    what: String,
    outcome: String,
    decided_by: String,
}

/// Everything in a line each.
#[derive(Serialize)]
struct Overview {
    name: String,
    at: String,
    rows: Vec<Row>,
    /// The next moment at which it must be refreshed although nothing was written.
    wake_at: Option<String>,
    /// What a refresh now would change.
    would_change: Vec<String>,
    findings: Vec<String>,
}

impl About<'_> {
    fn model(&self) -> &Model {
        &self.context.model
    }

    fn of(&self, topic: Topic) -> Vec<TraceEntry> {
        let own = self.trace.iter();
        own.filter(|entry| entry.about == Some(topic))
            .cloned()
            .collect()
    }

    fn value_of(&self, record: &IdentityRecord, attribute: Name) -> String {
        let value = record.identity.value(attribute);
        match value {
            None => "no value".to_owned(),
            Some(_) if !self.args.show_sensitive && is_sensitive(self.model(), &attribute) => {
                MASK.to_owned()
            }
            Some(value) => value.to_string(),
        }
    }

    fn attribute(&self, name: &str) -> Result<Explanation, CommandError> {
        let model = self.model();
        let names = model.attributes.iter().map(|known| known.name);
        let attribute = known("identity attribute", name, names)?;
        let index = model.attribute_index(attribute);
        let definition = &model.attributes[index.expect("it is defined")];
        let origins = definition.sources.iter().map(|source| &source.origin);
        let rules = origins.filter_map(|origin| match origin {
            Origin::Rule(rule) => Some(*rule),
            _ => None,
        });
        let rules: Vec<RuleIndex> = rules.collect();
        let subject = Subject {
            about: format!("attribute {attribute}"),
            value: &|record| self.value_of(record, attribute),
            is_found: &|finding| {
                let of_rule = rules
                    .iter()
                    .any(|rule| finding.subject == model.rule(*rule).name.as_str());
                finding.subject == attribute.as_str() || of_rule
            },
            is_changed: &|part| part == attribute.as_str(),
            rules: rules.clone(),
        };
        let trace = self.of(Topic::Node(Node::Attribute(attribute)));
        Ok(self.sources.explain(&subject, &trace)?)
    }

    fn manager_of(&self, record: &IdentityRecord) -> String {
        let snapshot: &dyn Snapshot = self.context.snapshot.as_ref();
        match record.identity.manager {
            None => "nobody".to_owned(),
            // What can't be read is said where it matters; here its number will do.
            Some(uid) => name_of(snapshot, uid).unwrap_or_else(|_| format!("uid {uid}")),
        }
    }

    fn manager(&self) -> Result<Explanation, CommandError> {
        let rule = self.model().manager.as_ref().and_then(|known| known.rule);
        let subject = Subject {
            about: "manager".to_owned(),
            value: &|record| self.manager_of(record),
            rules: rule.into_iter().collect(),
            is_found: &|finding| finding.phase == idr_core::model::finding::MANAGER,
            is_changed: &|part| part == "manager",
        };
        let trace = self.of(Topic::Node(Node::Manager));
        Ok(self.sources.explain(&subject, &trace)?)
    }

    fn state(&self) -> Result<Explanation, CommandError> {
        let subject = Subject {
            about: "lifecycle state".to_owned(),
            value: &|record| spoken_state(record),
            rules: self.model().lifecycle.rule.into_iter().collect(),
            is_found: &|finding| finding.phase == idr_core::model::finding::LIFECYCLE_STATE,
            is_changed: &|part| part.starts_with("lifecycle state "),
        };
        let trace = self.of(Topic::Node(Node::LifecycleState));
        Ok(self.sources.explain(&subject, &trace)?)
    }

    fn role(
        &self,
        role: Name,
        trace: &[TraceEntry],
        options: &GlobalOptions,
        out: &mut dyn Write,
    ) -> Result<(), CommandError> {
        let definition = self.model().role(role).expect("it was found by its name");
        let selector = match &definition.selector {
            Some(Selector::Rule(rule)) => Some(*rule),
            _ => None,
        };
        let subject = Subject {
            about: format!("role {role}"),
            value: &|record| spoken_role(record, role),
            rules: selector.into_iter().collect(),
            is_found: &|finding: &Finding| finding.subject == role.as_str(),
            is_changed: &|part| {
                let role = role.as_str();
                let told = part.trim_start_matches(['+', '-']);
                told == format!("role {role}")
                    || told == format!("detected role {role}")
                    || told == role
            },
        };
        let trace: Vec<TraceEntry> = match self.args.why_not {
            true => {
                let against = trace.iter().filter(|entry| match entry.kind {
                    Traced::Step(_) => !is_for(&entry.answer),
                    Traced::Read(_) | Traced::Time(_) => true,
                });
                against.cloned().collect()
            }
            false => [trace.to_vec(), self.read_of_accounts(definition)].concat(),
        };
        let identity = &self.sources.refreshed.identity;
        let report = RoleExplanation {
            explanation: self.sources.explain(&subject, &trace)?,
            assigned: identity.has_assigned(role),
            detected: identity.has_detected(role),
        };
        if options.json {
            return write_json(out, &report);
        }
        Ok(report.explanation.write(out)?)
    }

    /// Returns what was read of the accounts on which a role is detected.
    fn read_of_accounts(&self, role: &Role) -> Vec<TraceEntry> {
        let record = self.sources.refreshed;
        let detected = record.identity.detected.iter();
        let accounts = detected
            .filter(|known| known.role == role.name)
            .flat_map(|known| &known.accounts);
        let mut reads: Vec<TraceEntry> = Vec::new();
        for key in accounts {
            let account = record.accounts.iter().find(|known| known.key == *key);
            let profiles = role.profiles();
            let attributes = profiles
                .filter(|profile| profile.application == key.application)
                .flat_map(|profile| &profile.entitlements)
                .map(|(attribute, _)| *attribute);
            for attribute in attributes {
                let value = account.and_then(|known| known.attribute(attribute));
                let what = format!("{} {attribute}", key.application);
                let kind = Traced::Read(Some(key.clone()));
                let is_known = |known: &TraceEntry| known.kind == kind && known.what == what;
                if !reads.iter().any(is_known) {
                    reads.push(TraceEntry {
                        about: None,
                        kind,
                        what,
                        answer: value.map_or_else(String::new, ToString::to_string),
                    });
                }
            }
        }
        reads
    }

    fn entitlement(
        &self,
        value: &str,
        options: &GlobalOptions,
        out: &mut dyn Write,
    ) -> Result<(), CommandError> {
        let model = self.model();
        let entries = ledger(self.sources.refreshed, model, self.context.as_of);
        let meant: Vec<_> = entries
            .iter()
            .filter(|entry| entry.entitlement.value == value)
            .collect();
        let reasons = Reasons {
            store: self.sources.store,
            model,
            at: self.context.as_of,
            refreshed: self.sources.refreshed,
        };
        let why_not = match meant.is_empty() {
            true => reasons.why_not(value)?,
            false => Vec::new(),
        };
        if meant.is_empty() && why_not.is_empty() {
            let name = &self.args.name;
            let message = format!("`{name}` neither holds nor should hold `{value}`");
            let values = entries.iter().map(|entry| entry.entitlement.value.as_str());
            let hint = match nearest(value, values) {
                Some(nearest) => format!("do you mean `{nearest}`?"),
                None => format!("idr identity show {name} lists what there is"),
            };
            return Err(CommandError::usage(message).with_hint(hint));
        }
        let standing = |record: &IdentityRecord| {
            let entries = ledger(record, model, self.context.as_of);
            let own = entries
                .iter()
                .filter(|entry| entry.entitlement.value == value);
            let own = own.map(|entry| {
                let [account, _, why] = shown_entry(entry, model, self.args.show_sensitive);
                format!("{account}: {why}")
            });
            let own: Vec<_> = own.collect();
            match own.is_empty() {
                true => "neither held nor called for".to_owned(),
                false => own.join("; "),
            }
        };
        let told_of = reasons.told_of(value, &meant);
        let subject = Subject {
            about: format!("entitlement {value}"),
            value: &standing,
            rules: Vec::new(),
            is_found: &|finding| finding.subject.contains(value),
            // By a role that asks for it, or by what was called for because of that.
            is_changed: &|part| {
                let told = part.trim_start_matches(['+', '-']);
                told_of.iter().any(|known| known == told)
            },
        };
        let reads = meant.iter().filter(|entry| entry.connected).map(|entry| {
            let entitlement = &entry.entitlement;
            TraceEntry {
                about: None,
                kind: Traced::Read(Some(entitlement.account.clone())),
                what: format!(
                    "{} {}",
                    entitlement.account.application, entitlement.attribute
                ),
                answer: value.to_owned(),
            }
        });
        let mut trace: Vec<TraceEntry> = reads.collect();
        trace.extend(why_not);
        for entry in &meant {
            let depth = usize::from(meant.len() > 1);
            if depth > 0 {
                let AccountKey {
                    application,
                    native_identity,
                } = &entry.entitlement.account;
                let what = format!("{application} {native_identity}");
                trace.push(step(what, entry.status.as_str()));
            }
            trace.extend(reasons.steps(entry, depth)?);
        }
        let report = EntitlementExplanation {
            explanation: self.sources.explain(&subject, &trace)?,
            ledger: meant.into_iter().map(LedgerReport::of).collect(),
        };
        if options.json {
            return write_json(out, &report);
        }
        Ok(report.explanation.write(out)?)
    }

    fn event(
        &self,
        trigger: Name,
        fires: bool,
        trace: &[TraceEntry],
        options: &GlobalOptions,
        out: &mut dyn Write,
    ) -> Result<(), CommandError> {
        let definitions = &self.model().triggers;
        let definition = definitions.iter().find(|known| known.name == trigger);
        let definition = definition.expect("it was found by its name");
        let asked = definition
            .conditions
            .iter()
            .filter_map(|condition| match condition {
                TriggerCondition::Rule(rule) => Some(*rule),
                _ => None,
            });
        let subject = Subject {
            about: format!("trigger {trigger}"),
            value: &|_| match fires {
                true => "would fire".to_owned(),
                false => "would not fire".to_owned(),
            },
            rules: asked.chain(definition.included_rule).collect(),
            is_found: &|finding| finding.subject == trigger.as_str(),
            is_changed: &|_| false,
        };
        let own = trace.iter();
        let own = own.filter(|entry| entry.about == Some(Topic::Trigger(trigger)));
        let own: Vec<TraceEntry> = own.cloned().collect();
        let query = EventQuery {
            uid: Some(self.sources.stored.identity.uid),
            trigger: Some(trigger),
        };
        let shown = self.args.show_sensitive;
        let mut report = EventExplanation {
            explanation: self.sources.explain(&subject, &own)?,
            fired: events(self.tenant, &query, EVENTS_SHOWN, shown)?,
        };
        // Events have a list of their own, which says more than the audit.
        report.explanation.last_changed = None;
        if options.json {
            return write_json(out, &report);
        }
        report.explanation.write_without_changes(out)?;
        match report.fired.is_empty() {
            true => writeln!(out, "  it has never fired for {}", self.args.name)?,
            false => writeln!(out, "  fired last")?,
        }
        for event in &report.fired {
            event.write(4, out)?;
        }
        Ok(())
    }

    fn overview(&self, options: &GlobalOptions, out: &mut dyn Write) -> Result<(), CommandError> {
        let (model, refreshed) = (self.model(), self.sources.refreshed);
        let mut rows = Vec::new();
        let mut would_change = Vec::new();
        let mut add = |what: String, of: &dyn Fn(&IdentityRecord) -> String, by: String| {
            let outcome = of(refreshed);
            let stored = of(self.sources.stored);
            if stored != outcome {
                would_change.push(format!("{what}: {stored} to {outcome}"));
            }
            rows.push(Row {
                what,
                outcome,
                decided_by: by,
            });
        };
        for definition in &model.attributes {
            let name = definition.name;
            let by = self.decided(Topic::Node(Node::Attribute(name)));
            let by = match refreshed
                .identity
                .attribute(name)
                .map(|known| known.provenance)
            {
                Some(Provenance::Kept(since)) => format!("kept since {since}"),
                _ => by,
            };
            add(name.to_string(), &|record| self.value_of(record, name), by);
        }
        if model.manager.is_some() {
            let by = self.decided(Topic::Node(Node::Manager));
            add("manager".to_owned(), &|record| self.manager_of(record), by);
        }
        let by = self.decided(Topic::Node(Node::LifecycleState));
        add("lifecycle state".to_owned(), &spoken_state, by);
        let roles = |record: &IdentityRecord| {
            let held = record.identity.assigned.iter();
            let held = held.map(|known| format!("{} ({})", known.role, known.source.as_str()));
            let detected = record.identity.detected.iter();
            let detected = detected.map(|known| format!("{} (detected)", known.role));
            let all: Vec<String> = held.chain(detected).collect();
            all.join(", ")
        };
        add("roles".to_owned(), &roles, String::new());
        let findings = refreshed.identity.findings.iter();
        let overview = Overview {
            name: self.args.name.clone(),
            at: self.context.as_of.to_string(),
            rows,
            wake_at: refreshed.identity.wake.at().map(|at| at.to_string()),
            would_change,
            findings: findings.map(|known| known.message.clone()).collect(),
        };
        if options.json {
            return write_json(out, &overview);
        }
        overview.write(out)
    }

    /// Returns what decided about something: the step that counts.
    fn decided(&self, topic: Topic) -> String {
        let trace = self.of(topic);
        let steps = trace.iter().rev();
        let mut steps = steps.filter(|entry| matches!(entry.kind, Traced::Step(_)));
        let counts = |entry: &&TraceEntry| DECIDES.iter().any(|word| entry.answer.contains(word));
        steps
            .find(counts)
            .map_or_else(String::new, |entry| entry.what.clone())
    }
}

/// Words of steps that decide.
const DECIDES: [&str; 4] = ["counts", "clears", "answers", "is in force"];

fn step(what: String, way: &str) -> TraceEntry {
    TraceEntry {
        about: None,
        kind: Traced::Step(0),
        what,
        answer: way.to_owned(),
    }
}

/// Says whether a step speaks for a role, so that it doesn't keep anybody from it.
fn is_for(answer: &str) -> bool {
    let speaks_for = [
        "holds",
        "lets selectors give roles",
        "has come into use",
        "says yes",
        "is in force",
        "gives it",
        "requires it",
    ];
    speaks_for.contains(&answer) || answer.starts_with("satisfied by")
}

fn spoken_state(record: &IdentityRecord) -> String {
    let identity = &record.identity;
    let state = identity.lifecycle_state.map_or("none", Name::as_str);
    let inactive = if identity.inactive { ", inactive" } else { "" };
    let since = |at: UnixMillis| format!(" since {at}");
    let since = identity.lifecycle_since.map_or_else(String::new, since);
    format!("{state}{inactive}{since}")
}

fn spoken_role(record: &IdentityRecord, role: Name) -> String {
    let mut said = Vec::new();
    let assigned = record.identity.assigned.iter();
    for known in assigned.filter(|known| known.role == role) {
        let source = known.source.as_str();
        said.push(format!("assigned by {source} since {}", known.since));
    }
    let detected = record.identity.detected.iter();
    for known in detected.filter(|known| known.role == role) {
        let accounts = known.accounts.iter();
        let accounts = accounts.map(|key| format!("{} {}", key.application, key.native_identity));
        let accounts: Vec<String> = accounts.collect();
        said.push(format!("detected on {}", accounts.join(" and ")));
    }
    match said.is_empty() {
        true => "neither assigned nor detected".to_owned(),
        false => said.join("; "),
    }
}

impl Overview {
    fn write(&self, out: &mut dyn Write) -> Result<(), CommandError> {
        writeln!(out, "{} at {}", self.name, self.at)?;
        let mut table = Table::plain(2);
        for row in &self.rows {
            table.row([row.what.as_str(), &row.outcome, &row.decided_by]);
        }
        table.write(out)?;
        match &self.wake_at {
            Some(at) => writeln!(out, "  may change by itself at {at}")?,
            None => writeln!(out, "  changes only when something that was read changes")?,
        }
        if self.would_change.is_empty() {
            writeln!(out, "  a refresh now would change nothing of this")?;
        } else {
            writeln!(out, "  a refresh now would change")?;
        }
        for change in &self.would_change {
            writeln!(out, "    {change}")?;
        }
        for finding in &self.findings {
            writeln!(out, "  finding: {finding}")?;
        }
        Ok(())
    }
}
