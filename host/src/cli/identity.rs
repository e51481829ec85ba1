//! `identity`: list identities; show, edit, terminate, merge, split, explain one.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use clap::{Args, Subcommand};
use idr_core::definitions::{AttributeDefinition, EditMode};
use idr_core::filter::{Filter, Superset};
use idr_core::model::{
    ByHand, ManualEdit, Name, Provenance, StateOverride, UnixMillis, Value, ValueType,
};
use idr_core::plan::{PlanContext, Planner};
use idr_core::text::nearest;
use idr_core::view::{ReadError, Traced};
use serde::Serialize;

use super::event::events;
use super::open::{command_for, decidable, ends, open, record_named};
use super::person::PersonArgs;
use super::selection::checked_filter;
use super::{
    CommandError, GlobalOptions, Outcome, identity_history, identity_prune, merge, write_json,
};
use crate::refresh::Request;
use crate::refresh::selection::{Criterion, settled_view};
use crate::report::{
    FindingReport, IdentityReport, IdentityRow, MASK, StateOverrideReport, Table, is_sensitive,
    write_findings,
};
use crate::store::{EventQuery, RunSettings, RunStatus, Scope, Store};
use crate::tenant::OpenTenant;

const CHUNK: usize = 1_000;

/// So many events are shown with an identity.
const EVENTS_SHOWN: usize = 5;

/// List, show, edit, terminate, merge, split and explain identities
#[derive(Args, Debug)]
pub(super) struct IdentityArgs {
    #[command(subcommand)]
    command: IdentityCommand,
}

#[derive(Debug, Subcommand)]
enum IdentityCommand {
    List(ListArgs),
    Show(ShowArgs),
    Edit(EditArgs),
    State(StateArgs),
    Terminate(TerminateArgs),
    Merge(merge::MergeArgs),
    Split(merge::SplitArgs),
    Explain(ExplainArgs),
    History(identity_history::HistoryArgs),
    Prune(identity_prune::PruneArgs),
}

/// List identities, or those that a filter lets through
///
/// The filter is asked about identities as the last refresh left them, such as
/// 'department == "Sales" && inactive == false'.
#[derive(Args, Debug)]
struct ListArgs {
    /// Only those that this filter lets through
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,

    /// List so many at most
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

/// Show an identity: attributes and where they come from, accounts, roles,
/// entitlements with their reasons, findings, and the latest events
#[derive(Args, Debug)]
struct ShowArgs {
    /// The identity's name
    name: String,

    /// Show the values of sensitive attributes
    #[arg(long)]
    show_sensitive: bool,
}

/// Set an attribute by hand, empty it, or take an edit back
///
/// It takes effect with the next refresh. How long it stays is the attribute's
/// edit mode.
#[derive(Args, Debug)]
struct EditArgs {
    /// The identity's name
    name: String,

    /// The attribute, and its value: `department=Sales`
    #[arg(value_name = "ATTRIBUTE=VALUE")]
    attribute: String,

    /// The value, where it isn't behind the attribute, and further ones of an
    /// attribute of type many
    #[arg(conflicts_with_all = ["clear", "take_back"])]
    value: Vec<String>,

    /// Let the attribute have no value
    #[arg(long, conflicts_with = "take_back")]
    clear: bool,

    /// Let the sources decide again
    #[arg(long)]
    take_back: bool,

    #[command(flatten)]
    person: PersonArgs,
}

impl EditArgs {
    /// Returns the attribute and its values.
    fn assignment(&self) -> Result<(&str, Vec<String>), CommandError> {
        let no_value = self.clear || self.take_back;
        let (attribute, first) = match self.attribute.split_once('=') {
            Some((attribute, value)) => (attribute, Some(value.to_owned())),
            None => (self.attribute.as_str(), None),
        };
        let values: Vec<String> = first.into_iter().chain(self.value.clone()).collect();
        match (no_value, values.is_empty()) {
            (true, false) => {
                let message = "a value, and that there is none: one of them only";
                Err(CommandError::usage(message))
            }
            (false, true) => {
                let hint = format!("write `{attribute}=VALUE`, or `--clear`, or `--take-back`");
                Err(CommandError::usage("the value is missing").with_hint(hint))
            }
            _ => Ok((attribute, values)),
        }
    }
}

/// Terminate somebody now: lifecycle state, refresh and outbox at once
///
/// Sets the state of those who are gone, as `identity state` does, and refreshes
/// the identity; no threshold is in the way.
#[derive(Args, Debug)]
struct TerminateArgs {
    /// The identity's name
    name: String,

    /// The lifecycle state; the inactive one, where there is one only
    #[arg(long, value_name = "STATE")]
    state: Option<String>,

    #[command(flatten)]
    person: PersonArgs,
}

/// Set the lifecycle state by hand, or let the rule decide again
///
/// It outranks the rule for as long as it holds, and takes effect with the next
/// refresh.
#[derive(Args, Debug)]
struct StateArgs {
    /// The identity's name
    name: String,

    /// The state
    #[arg(required_unless_present = "take_back", conflicts_with = "take_back")]
    state: Option<String>,

    /// Until this instant, instead of until it is taken back
    #[arg(long, value_name = "INSTANT", conflicts_with = "take_back")]
    until: Option<String>,

    /// Let the rule decide again
    #[arg(long)]
    take_back: bool,

    #[command(flatten)]
    person: PersonArgs,
}

/// Explain how an identity comes to be as it is: everything that is read to
/// work it out now, in order, with the answers
#[derive(Args, Debug)]
struct ExplainArgs {
    /// The identity's name
    name: String,

    /// Show the values of sensitive attributes
    #[arg(long)]
    show_sensitive: bool,
}

/// Runs the command.
pub(super) fn run(
    args: &IdentityArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = open(options)?;
    match &args.command {
        IdentityCommand::List(args) => list(args, &tenant, options, out),
        IdentityCommand::Show(args) => show(args, &tenant, options, out),
        IdentityCommand::Edit(args) => edit(args, &tenant, options, out),
        IdentityCommand::State(args) => set_state(args, &tenant, options, out),
        IdentityCommand::Terminate(args) => terminate(args, &tenant, options, out),
        IdentityCommand::Merge(args) => merge::merge(args, &tenant, options, out),
        IdentityCommand::Split(args) => merge::split(args, &tenant, options, out),
        IdentityCommand::Explain(args) => explain(args, &tenant, options, out),
        IdentityCommand::History(args) => identity_history::run(args, &tenant, options, out),
        IdentityCommand::Prune(args) => identity_prune::run(args, &tenant, options, out),
    }
}

fn list(
    args: &ListArgs,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let filter = match &args.filter {
        Some(text) => Some(checked_filter(text, tenant)?),
        None => None,
    };
    let rows = rows(filter.as_ref(), args.limit.unwrap_or(usize::MAX), tenant)?;
    if options.json {
        write_json(out, &rows)?;
        return Ok(Outcome::Done);
    }
    if rows.is_empty() {
        writeln!(out, "nobody")?;
        return Ok(Outcome::Done);
    }
    let mut table = Table::new(&["name", "type", "lifecycle state", "roles", "findings"]);
    for row in &rows {
        let findings = match row.open_findings {
            0 => String::new(),
            number => number.to_string(),
        };
        table.row([
            row.name.clone(),
            row.identity_type.to_owned(),
            row.spoken_state(),
            row.assigned_roles.join(", "),
            findings,
        ]);
    }
    table.write(out)?;
    Ok(Outcome::Done)
}

/// Returns the first identities, in order of uid, that a filter lets through.
fn rows(
    filter: Option<&Filter>,
    limit: usize,
    tenant: &OpenTenant,
) -> Result<Vec<IdentityRow>, CommandError> {
    let superset = filter.map_or(Superset::All, Filter::superset);
    let snapshot = tenant.store.snapshot()?;
    let now = tenant.now()?;
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let uids = tenant.store.list(&superset, after, CHUNK)?;
        let Some(last) = uids.last().copied() else {
            return Ok(rows);
        };
        after = Some(last);
        for record in tenant.store.read_chunk(&uids)? {
            if rows.len() == limit {
                return Ok(rows);
            }
            let row = IdentityRow::of(&record, now);
            let Some(filter) = filter else {
                rows.push(row);
                continue;
            };
            let model = &tenant.configuration.model;
            let mut view = settled_view(record, model, &snapshot, now);
            let matches: Result<bool, ReadError> = filter.matches(&mut view);
            if matches.map_err(CommandError::failed)? {
                rows.push(row);
            }
        }
    }
}

/// An identity with what is known about it elsewhere.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    identity: IdentityReport,
    findings: Vec<FindingReport>,
}

fn show(
    args: &ShowArgs,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let record = record_named(tenant, &args.name)?;
    let uid = record.identity.uid;
    let snapshot = tenant.store.snapshot()?;
    let managed = tenant.store.managers()?;
    let reports = managed.iter().filter(|known| known.manager == uid).count() as u64;
    let identity = IdentityReport::of(
        &record,
        &tenant.configuration.model,
        snapshot.as_ref(),
        reports,
        tenant.now()?,
        args.show_sensitive,
    )?;
    let mut findings = FindingReport::open(&tenant.store)?;
    findings.retain(|finding| finding.uid == Some(uid.0));
    let shown = Shown { identity, findings };
    if options.json {
        write_json(out, &shown)?;
        return Ok(Outcome::Done);
    }
    shown.identity.write(out)?;
    if !shown.findings.is_empty() {
        writeln!(out, "  findings")?;
        write_findings(&shown.findings, None, &command_for(options), out)?;
    }
    let query = EventQuery {
        uid: Some(uid),
        trigger: None,
    };
    let latest = events(tenant, &query, EVENTS_SHOWN, args.show_sensitive)?;
    if !latest.is_empty() {
        writeln!(out, "  latest events")?;
    }
    for event in &latest {
        event.write(4, out)?;
    }
    Ok(Outcome::Done)
}

/// What an edit did.
#[derive(Serialize)]
struct Edited {
    name: String,
    attribute: &'static str,
    value: Option<serde_json::Value>,
    taken_back: bool,
}

fn edit(
    args: &EditArgs,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let (attribute, values) = args.assignment()?;
    let definition = editable(tenant, attribute)?;
    let _lock = tenant.lock()?;
    let identity = decidable(tenant, &args.name)?;
    let attribute = definition.name;
    let mut by_hand = identity.by_hand.clone();
    let edits = &mut by_hand.edits;
    let old = edits.iter().position(|edit| edit.attribute == attribute);
    let old = old.map(|place| edits.remove(place));
    let at = tenant.now()?;
    let mut value = None;
    if args.take_back {
        if old.is_none() {
            let message = format!("`{attribute}` of `{}` is not edited", args.name);
            return Err(CommandError::usage(message));
        }
    } else {
        value = if args.clear {
            None
        } else {
            parsed(definition, &values)?
        };
        // An edit ends when the sources say something else than now; what they
        // say now is hidden behind an earlier edit that is in effect.
        let state = identity.attribute(attribute);
        let feed_value = match (state, old) {
            (Some(state), Some(old)) if state.provenance == Provenance::Manual => old.feed_value,
            (Some(state), _) => state.value.clone(),
            (None, _) => None,
        };
        edits.push(ManualEdit {
            attribute,
            value: value.clone(),
            feed_value,
            actor: args.person.actor(),
            reason: args.person.reason.clone(),
            at,
        });
        edits.sort_by_key(|edit| edit.attribute);
    }
    let action = if args.take_back { "take-back" } else { "edit" };
    let subject = format!("{} {attribute}", args.name);
    let audit = args.person.audit(at, action, subject);
    tenant.store.edit_identity(identity.uid, &by_hand, &audit)?;
    if options.json {
        let edited = Edited {
            name: identity.name.clone(),
            attribute: attribute.as_str(),
            value: value.as_ref().map(crate::report::canonical::plain),
            taken_back: args.take_back,
        };
        write_json(out, &edited)?;
    } else if !options.quiet {
        let what = match &value {
            _ if args.take_back => "is left to its sources again".to_owned(),
            None => "has no value".to_owned(),
            Some(_) if definition.sensitive => "is set".to_owned(),
            Some(value) => format!("is `{value}`"),
        };
        writeln!(
            out,
            "`{attribute}` of `{}` {what} from the next refresh on: {} refresh --identity {}",
            args.name,
            command_for(options),
            args.name
        )?;
    }
    Ok(Outcome::Done)
}

/// Returns the definition of an attribute that people may edit.
fn editable<'a>(
    tenant: &'a OpenTenant,
    attribute: &str,
) -> Result<&'a AttributeDefinition, CommandError> {
    let definition = definition(tenant, attribute)?;
    if definition.edit_mode == EditMode::ReadOnly {
        let message = format!("`{attribute}` is read-only");
        return Err(CommandError::usage(message).with_hint(
            "set its `edit_mode` in identity.toml to `permanent` or `until-feed-changes`"
                .to_owned(),
        ));
    }
    Ok(definition)
}

fn definition<'a>(
    tenant: &'a OpenTenant,
    attribute: &str,
) -> Result<&'a AttributeDefinition, CommandError> {
    let attributes = &tenant.configuration.model.attributes;
    let known = attributes
        .iter()
        .find(|known| known.name.as_str() == attribute);
    known.ok_or_else(|| {
        let names = attributes.iter().map(|known| known.name.as_str());
        let hint = nearest(attribute, names).map(|name| format!("do you mean `{name}`?"));
        CommandError::usage(format!("there is no identity attribute `{attribute}`")).with_hint(hint)
    })
}

/// Reads what was typed as a value of the attribute.
fn parsed(
    definition: &AttributeDefinition,
    texts: &[String],
) -> Result<Option<Value>, CommandError> {
    let value = match (definition.value_type, texts) {
        (ValueType::Many, texts) => Value::many(texts).normalised(),
        (value_type, [text]) => value_type.parse(text).map_err(CommandError::usage)?,
        (value_type, _) => {
            let message = format!("`{}` has one {value_type} as its value", definition.name);
            return Err(CommandError::usage(message));
        }
    };
    value.map(Some).ok_or_else(|| {
        CommandError::usage("an attribute is never an empty text")
            .with_hint("use --clear to let it have no value".to_owned())
    })
}

/// What was done about a lifecycle state.
#[derive(Serialize)]
struct StateSet {
    name: String,
    /// The state; null when it was taken back.
    state: Option<String>,
    until: Option<String>,
}

/// Lets a person set the lifecycle state. What the rule gave before stays known,
/// whoever set it meanwhile.
pub(super) fn set_by_hand(
    by_hand: &mut ByHand,
    present: Option<Name>,
    (state, until): (Name, Option<UnixMillis>),
    person: &PersonArgs,
    at: UnixMillis,
) {
    let earlier = by_hand.state.take();
    by_hand.state = Some(StateOverride {
        state,
        until,
        before: earlier.map_or(present, |earlier| earlier.before),
        actor: person.actor(),
        reason: person.reason.clone(),
        at,
    });
}

/// Sets the state and refreshes at once; no threshold is in the way.
fn terminate(
    args: &TerminateArgs,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let _lock = tenant.lock()?;
    let identity = decidable(tenant, &args.name)?;
    let state = inactive_state(args.state.as_deref(), tenant)?;
    // What is held would be done along with it, and no threshold asked.
    if let Some(held) = tenant.store.runs(1)?.pop()
        && held.status == RunStatus::Held
    {
        let id = held.id.0;
        let message = format!("run {id} is held: decide about it first");
        let command = command_for(options);
        let hint = format!("{command} run show {id}, then run approve or run reject");
        return Err(CommandError::usage(message).with_hint(hint));
    }
    let at = tenant.now()?;
    let mut by_hand = identity.by_hand;
    let present = identity.lifecycle_state;
    set_by_hand(&mut by_hand, present, (state, None), &args.person, at);
    let audit = args.person.audit(at, "terminate", identity.name.clone());
    tenant.store.edit_identity(identity.uid, &by_hand, &audit)?;
    let request = Request {
        scope: Scope::Chosen,
        criteria: vec![Criterion::Listed(BTreeSet::from([identity.uid]))],
        as_of: at,
        simulated: tenant.is_simulated(),
        now: at,
        fire_initial: false,
        actor: args.person.actor(),
        settings: RunSettings::default(),
        approved: true,
    };
    let run = super::refresh::run_shown(&request, tenant, options)?;
    super::refresh::report(&run, tenant, options, out)
}

/// Returns the lifecycle state that was asked for, or that of those who are gone,
/// where there is one only.
pub(super) fn inactive_state(
    state: Option<&str>,
    tenant: &OpenTenant,
) -> Result<Name, CommandError> {
    if let Some(state) = state {
        return known_state(state, tenant);
    }
    let states = tenant.configuration.model.lifecycle.states.iter();
    let inactive: Vec<Name> = states
        .filter(|state| state.inactive)
        .map(|state| state.name)
        .collect();
    match inactive.as_slice() {
        [only] => Ok(*only),
        [] => {
            let message = "no lifecycle state is inactive, so nobody can be terminated";
            let hint = "define one in lifecycle.toml with `inactive = true`";
            Err(CommandError::usage(message).with_hint(hint.to_owned()))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
            let message = format!("{} are inactive", names.join(" and "));
            Err(CommandError::usage(message).with_hint("say which with --state".to_owned()))
        }
    }
}

fn set_state(
    args: &StateArgs,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let _lock = tenant.lock()?;
    let identity = decidable(tenant, &args.name)?;
    let at = tenant.now()?;
    let until = match &args.until {
        Some(text) => Some(ends(text, &identity, tenant)?),
        None => None,
    };
    if until.is_some_and(|until| until <= at) {
        return Err(CommandError::usage("`--until` has passed already"));
    }
    let mut by_hand = identity.by_hand;
    let state = match &args.state {
        Some(state) => Some(known_state(state, tenant)?),
        None if by_hand
            .state
            .as_ref()
            .is_none_or(|set| !set.is_in_force(at)) =>
        {
            let message = format!("nobody has set the state of `{}`", args.name);
            return Err(CommandError::usage(message));
        }
        None => None,
    };
    match state {
        Some(state) => {
            let present = identity.lifecycle_state;
            set_by_hand(&mut by_hand, present, (state, until), &args.person, at);
        }
        // It is over from now on; what the rule gave before stays known until
        // the rule answers again.
        None => {
            by_hand.state = by_hand.state.take().map(|earlier| StateOverride {
                until: Some(at),
                ..earlier
            });
        }
    }
    let action = if args.take_back {
        "take-back-state"
    } else {
        "set-state"
    };
    let word = args.state.as_deref().unwrap_or_default();
    let subject = format!("{} {word}", identity.name).trim_end().to_owned();
    let audit = args.person.audit(at, action, subject);
    tenant.store.edit_identity(identity.uid, &by_hand, &audit)?;
    if options.json {
        let set = StateSet {
            name: identity.name,
            state: args.state.clone(),
            until: until.map(|until| until.to_string()),
        };
        write_json(out, &set)?;
    } else if !options.quiet {
        let what = match state {
            Some(state) => format!("is `{state}`"),
            None => "is left to the rule again".to_owned(),
        };
        let until = until.map_or_else(String::new, |until| format!(" until {until}"));
        writeln!(
            out,
            "the state of `{0}` {what}{until} from the next refresh on: {1} refresh --identity {0}",
            args.name,
            command_for(options)
        )?;
    }
    Ok(Outcome::Done)
}

fn known_state(name: &str, tenant: &OpenTenant) -> Result<Name, CommandError> {
    let states = &tenant.configuration.model.lifecycle.states;
    let known = states.iter().find(|state| state.name.as_str() == name);
    known.map(|state| state.name).ok_or_else(|| {
        let names = states.iter().map(|state| state.name.as_str());
        let hint = match nearest(name, names.clone()) {
            Some(nearest) => format!("do you mean `{nearest}`?"),
            None => format!("the states are {}", names.collect::<Vec<_>>().join(", ")),
        };
        CommandError::usage(format!("there is no lifecycle state `{name}`")).with_hint(hint)
    })
}

/// What an explanation prints.
#[derive(Serialize)]
struct Explanation {
    name: String,
    at: String,
    /// The lifecycle state that a person has set, while that is in force.
    state_override: Option<StateOverrideReport>,
    /// What a refresh would change now; empty for somebody up to date.
    changes: Vec<String>,
    reads: Vec<Read>,
    findings: Vec<String>,
}

#[derive(Serialize)]
struct Read {
    what: String,
    answer: String,
}

fn explain(
    args: &ExplainArgs,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let record = record_named(tenant, &args.name)?;
    let configured = tenant.configured()?;
    let context = PlanContext {
        model: Arc::clone(&configured.model),
        snapshot: tenant.store.snapshot()?,
        as_of: tenant.now()?,
    };
    let mut evaluator = configured.rules.evaluator();
    let planned = Planner::new(evaluator.as_mut()).plan(&context, record, true)?;
    let changes = &planned.changes;
    let is_masked = |what: &str| !args.show_sensitive && is_sensitive(&context.model, what);
    let mut changed: Vec<String> = Vec::new();
    for (name, state) in &changes.attributes {
        let value = state.as_ref().and_then(|state| state.value.as_ref());
        let value = match value {
            None => "no value".to_owned(),
            Some(_) if is_masked(name) => MASK.to_owned(),
            Some(value) => value.to_string(),
        };
        changed.push(format!("{name}: {value}"));
    }
    if changes.manager.is_some() {
        changed.push("manager".to_owned());
    }
    if let Some(lifecycle) = changes.lifecycle {
        let state = lifecycle.state.map_or("none", Name::as_str);
        changed.push(format!("lifecycle state: {state}"));
    }
    if changes.assigned.is_some() {
        changed.push("assigned roles".to_owned());
    }
    if changes.detected.is_some() {
        changed.push("detected roles".to_owned());
    }
    let findings = changes.findings.iter().flatten();
    let explanation = Explanation {
        name: planned.record.identity.name.clone(),
        at: context.as_of.to_string(),
        state_override: StateOverrideReport::in_force(&planned.record.identity, context.as_of),
        changes: changed,
        reads: planned
            .trace
            .into_iter()
            .filter(|entry| !matches!(entry.kind, Traced::Step(_)))
            .map(|entry| Read {
                answer: if is_masked(&entry.what) {
                    MASK.to_owned()
                } else {
                    entry.answer
                },
                what: entry.what,
            })
            .collect(),
        findings: findings.map(|finding| finding.message.clone()).collect(),
    };
    if options.json {
        write_json(out, &explanation)?;
        return Ok(Outcome::Done);
    }
    writeln!(out, "{} at {}", explanation.name, explanation.at)?;
    if let Some(set) = &explanation.state_override {
        let until = set.until.as_deref().unwrap_or("it is taken back");
        let (state, actor) = (set.state, &set.actor);
        writeln!(out, "  state {state} set by {actor} until {until}")?;
    }
    writeln!(out, "  reads")?;
    let mut reads = Table::plain(4);
    for read in &explanation.reads {
        reads.row([read.what.clone(), read.answer.clone()]);
    }
    reads.write(out)?;
    if explanation.changes.is_empty() {
        writeln!(out, "  a refresh would change nothing")?;
    } else {
        writeln!(out, "  a refresh would change")?;
    }
    for change in &explanation.changes {
        writeln!(out, "    {change}")?;
    }
    for finding in &explanation.findings {
        writeln!(out, "  finding: {finding}")?;
    }
    Ok(Outcome::Done)
}
