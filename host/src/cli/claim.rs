//! `claim`: unique values and whose they are.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use idr_core::definitions::Model;
use idr_core::model::{Claim, Holder, Identity, Name, Value};
use idr_core::text::nearest;
use serde::Serialize;

use super::open::{identity_named, lines_of, open};
use super::person::PersonArgs;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::report::{MASK, Table, counted};
use crate::store::{ClaimEdit, ClaimQuery, Store, StoreError, StoredClaim};
use crate::tenant::OpenTenant;

/// Show unique values and whose they are, reserve some, or let some be given again
#[derive(Args, Debug)]
pub(super) struct ClaimArgs {
    #[command(subcommand)]
    command: ClaimCommand,
}

#[derive(Debug, Subcommand)]
enum ClaimCommand {
    List(ListArgs),
    /// Keep values from being given to anybody
    Reserve(EditArgs),
    /// Let values that are taken or reserved be given again
    ///
    /// Not one that is still somebody's: change that first.
    Release(EditArgs),
}

/// List values that are taken or reserved, in order
///
/// What somebody once had stays theirs.
#[derive(Args, Debug)]
struct ListArgs {
    /// Only those of this namespace
    #[arg(long)]
    namespace: Option<String>,

    /// Only those of this identity
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,

    /// Show values of sensitive attributes
    #[arg(long)]
    show_sensitive: bool,

    /// List so many at most
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

#[derive(Args, Debug)]
struct EditArgs {
    /// The namespace: an attribute that says `unique = true`, or what `unique` names
    namespace: String,

    /// The values
    #[arg(required_unless_present = "from")]
    values: Vec<String>,

    /// A file with a value per line; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "values")]
    from: Option<PathBuf>,

    #[command(flatten)]
    person: PersonArgs,
}

/// A unique value and whose it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClaimReport {
    namespace: String,
    value: String,
    /// Null when it is reserved.
    identity: Option<String>,
}

impl ClaimReport {
    fn of(stored: StoredClaim) -> Self {
        Self {
            namespace: stored.claim.namespace.to_string(),
            value: stored.claim.value,
            identity: (stored.holder != Holder::Reserved).then_some(stored.name),
        }
    }
}

/// What was done.
#[derive(Serialize)]
struct Edited<'a> {
    namespace: &'a str,
    /// `reserved` or `released`.
    what: &'static str,
    /// The values, case-folded.
    values: Vec<String>,
}

/// Runs the command.
pub(super) fn run(
    args: &ClaimArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = open(options)?;
    match &args.command {
        ClaimCommand::List(args) => list(args, &tenant, options, out),
        ClaimCommand::Reserve(args) => {
            let _lock = tenant.lock()?;
            known_namespace(&args.namespace, &tenant)?;
            let edit = ClaimEdit::Reserve(wanted(args)?);
            carry_out(args, &edit, ["reserve", "reserved"], &tenant, options, out)
        }
        ClaimCommand::Release(args) => {
            let _lock = tenant.lock()?;
            let claims = wanted(args)?;
            for claim in &claims {
                check_given_up(claim, &tenant)?;
            }
            let edit = ClaimEdit::Release(claims);
            carry_out(args, &edit, ["release", "released"], &tenant, options, out)
        }
    }
}

/// Does what a person has decided about values.
fn carry_out(
    args: &EditArgs,
    edit: &ClaimEdit,
    [action, what]: [&'static str; 2],
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let claims = match edit {
        ClaimEdit::Reserve(claims) | ClaimEdit::Release(claims) => claims.as_slice(),
        ClaimEdit::Give { .. } => &[],
    };
    let sensitive = is_sensitive(&tenant.configuration.model, Name::new(&args.namespace));
    let subject = match claims {
        [one] if !sensitive => format!("{} {}", args.namespace, one.value),
        _ => format!("{}: {} values", args.namespace, claims.len()),
    };
    let audit = args.person.audit(tenant.now()?, action, subject);
    let edited = tenant.store.edit_claims(edit, &audit);
    edited.map_err(|error| match error {
        StoreError::Conflict(message) => CommandError::usage(message),
        error => error.into(),
    })?;
    if options.json {
        let values = claims.iter().map(|claim| claim.value.clone()).collect();
        let namespace = &args.namespace;
        write_json(
            out,
            &Edited {
                namespace,
                what,
                values,
            },
        )?;
    } else if !options.quiet {
        let number = counted(claims.len() as u64, "value", "values");
        writeln!(out, "{number} of `{}` {what}", args.namespace)?;
    }
    Ok(Outcome::Done)
}

fn list(
    args: &ListArgs,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let query = ClaimQuery {
        namespace: args.namespace.as_deref().map(Name::new),
        uid: match &args.identity {
            Some(name) => Some(identity_named(tenant, name)?),
            None => None,
        },
    };
    let limit = args.limit.unwrap_or(usize::MAX);
    let claims = tenant.store.claims(&query, None, limit)?;
    let model = &tenant.configuration.model;
    let reports = claims.into_iter().map(|mut stored| {
        if !args.show_sensitive && is_sensitive(model, stored.claim.namespace) {
            stored.claim.value = MASK.to_owned();
        }
        ClaimReport::of(stored)
    });
    let reports: Vec<_> = reports.collect();
    if options.json {
        write_json(out, &reports)?;
        return Ok(Outcome::Done);
    }
    if reports.is_empty() {
        writeln!(out, "no values are taken")?;
        return Ok(Outcome::Done);
    }
    let mut table = Table::new(&["namespace", "value", "identity"]);
    for report in reports {
        let identity = report.identity.unwrap_or_else(|| "(reserved)".to_owned());
        table.row([report.namespace, report.value, identity]);
    }
    table.write(out)?;
    Ok(Outcome::Done)
}

/// Returns the values that are meant, each once.
fn wanted(args: &EditArgs) -> Result<Vec<Claim>, CommandError> {
    let namespace = Name::new(&args.namespace);
    let values = match &args.from {
        Some(file) => {
            let lines = lines_of(file)?;
            lines.into_iter().map(|(_, line)| line).collect()
        }
        None => args.values.clone(),
    };
    let mut claims: Vec<Claim> = values
        .iter()
        .map(|value| Claim::on(namespace, value.trim()))
        .collect();
    if claims.iter().any(|claim| claim.value.is_empty()) {
        return Err(CommandError::usage("an empty text is no value"));
    }
    claims.sort();
    claims.dedup();
    Ok(claims)
}

/// Says whether values of a namespace are masked.
fn is_sensitive(model: &Model, namespace: Name) -> bool {
    let mut attributes = model.attributes.iter();
    attributes.any(|definition| definition.unique == Some(namespace) && definition.sensitive)
}

fn known_namespace(namespace: &str, tenant: &OpenTenant) -> Result<(), CommandError> {
    let known = tenant.configuration.model.namespaces();
    if known.iter().any(|name| name.as_str() == namespace) {
        return Ok(());
    }
    let names = known.iter().map(|name| name.as_str());
    let hint = match nearest(namespace, names.clone()) {
        Some(nearest) => format!("do you mean `{nearest}`?"),
        None if known.is_empty() => {
            "write `unique = true` for an attribute in identity.toml".to_owned()
        }
        None => format!(
            "the namespaces are {}",
            names.collect::<Vec<_>>().join(", ")
        ),
    };
    let message = format!("no attribute is unique within `{namespace}`");
    Err(CommandError::usage(message).with_hint(hint))
}

/// Refuses to release what is still the value of somebody.
fn check_given_up(claim: &Claim, tenant: &OpenTenant) -> Result<(), CommandError> {
    let snapshot = tenant.store.snapshot()?;
    let holder = snapshot.holder(claim).map_err(CommandError::failed)?;
    let Some(Holder::Identity(uid)) = holder else {
        return Ok(());
    };
    let Some(record) = tenant.store.read_chunk(&[uid])?.pop() else {
        return Ok(());
    };
    let identity = &record.identity;
    let attributes = &tenant.configuration.model.attributes;
    let mut still = attributes.iter().filter(|definition| {
        definition.unique == Some(claim.namespace) && has(identity, definition.name, claim)
    });
    match still.next() {
        None => Ok(()),
        Some(definition) => {
            let name = &identity.name;
            let message = format!("`{}` is the `{}` of `{name}`", claim.value, definition.name);
            let hint = "let it have another value first, by its source or with `idr identity edit`";
            Err(CommandError::usage(message).with_hint(hint.to_owned()))
        }
    }
}

fn has(identity: &Identity, attribute: Name, claim: &Claim) -> bool {
    match identity.value(attribute) {
        Some(Value::Text(text)) => Claim::on(claim.namespace, text) == *claim,
        _ => false,
    }
}
