//! `risk`: whose access is risky, and which groups'.

use std::collections::BTreeMap;
use std::io::Write;

use clap::{Args, Subcommand};
use idr_core::definitions::{Band, Risk};
use idr_core::filter::Filter;
use idr_core::model::{IdentityType, Name};
use idr_core::text::nearest;
use serde::Serialize;

use super::open::open;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::refresh::selection::settled_view;
use crate::report::{ScorecardReport, Table};
use crate::store::{Store, StoreError, each_identity};
use crate::tenant::OpenTenant;

/// Show how risky access is: of identities and of groups
#[derive(Args, Debug)]
pub(super) struct RiskArgs {
    #[command(subcommand)]
    command: RiskCommand,
}

#[derive(Debug, Subcommand)]
enum RiskCommand {
    /// List identities with their scorecards, the riskiest first
    List(ListArgs),
    /// Show the scores of groups: of everybody with one value of an attribute, or of
    /// populations
    Groups(GroupsArgs),
}

#[derive(Args, Debug)]
struct ListArgs {
    /// Only those in this band
    #[arg(long, value_name = "BAND", value_parser = ["low", "medium", "high"])]
    band: Option<String>,

    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct GroupsArgs {
    /// A group for each value of this identity attribute, and one for who has none
    attribute: Option<String>,

    /// A group for each population
    #[arg(long)]
    populations: bool,
}

/// Runs the command.
pub(super) fn run(
    args: &RiskArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = open(options)?;
    let Some(risk) = &tenant.configuration.model.risk else {
        let message = "this tenant scores no risk".to_owned();
        let hint = "write risk.toml; an empty one scores by the usual weights".to_owned();
        return Err(CommandError::usage(message).with_hint(hint));
    };
    match &args.command {
        RiskCommand::List(args) => list(args, risk, &tenant, options, out),
        RiskCommand::Groups(args) => groups(args, risk, &tenant, options, out),
    }
}

/// An identity and its scorecard.
#[derive(Serialize)]
struct RiskRow {
    name: String,
    #[serde(flatten)]
    card: ScorecardReport,
}

fn list(
    args: &ListArgs,
    risk: &Risk,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let mut rows: Vec<RiskRow> = Vec::new();
    each_identity(&tenant.store, |record| {
        let identity = &record.identity;
        let Some(card) = &identity.scorecard else {
            return Ok(());
        };
        let card = ScorecardReport::of(card, Some(risk));
        if args
            .band
            .as_deref()
            .is_none_or(|band| card.band == Some(band))
        {
            rows.push(RiskRow {
                name: identity.name.clone(),
                card,
            });
        }
        Ok::<_, StoreError>(())
    })?;
    rows.sort_by(|one, other| {
        let by_score = other.card.composite.cmp(&one.card.composite);
        by_score.then_with(|| one.name.cmp(&other.name))
    });
    let more = rows.len().saturating_sub(args.limit);
    rows.truncate(args.limit);
    if options.json {
        write_json(out, &rows)?;
        return Ok(Outcome::Done);
    }
    if rows.is_empty() {
        writeln!(out, "nobody")?;
        return Ok(Outcome::Done);
    }
    let headings = [
        "name",
        "score",
        "band",
        "roles",
        "entitlements",
        "policies",
        "certification",
    ];
    let mut table = Table::new(&headings).right(&[1, 3, 4, 5, 6]);
    for RiskRow { name, card } in &rows {
        table.row([
            name.clone(),
            card.composite.to_string(),
            card.band.unwrap_or_default().to_owned(),
            card.roles.compensated.to_string(),
            card.entitlements.compensated.to_string(),
            card.policies.compensated.to_string(),
            card.certification.to_string(),
        ]);
    }
    table.write(out)?;
    if more > 0 {
        writeln!(out, "and {more} more: see --limit")?;
    }
    Ok(Outcome::Done)
}

/// The scores of a group.
#[derive(Serialize)]
struct GroupRow {
    /// The value of the attribute, or the population; none for who has no value.
    group: Option<String>,
    /// How many are in it and scored.
    identities: u64,
    /// The average composite score, rounded.
    average: u64,
    /// The highest composite score.
    highest: u32,
    low: u64,
    medium: u64,
    high: u64,
}

/// Adds up the scores of a group.
#[derive(Default)]
struct Sum {
    total: u64,
    highest: u32,
    bands: [u64; 3],
}

impl Sum {
    fn add(&mut self, composite: u32, band: Band) {
        self.total += u64::from(composite);
        self.highest = self.highest.max(composite);
        self.bands[band as usize] += 1;
    }

    fn row(&self, group: Option<String>) -> GroupRow {
        let [low, medium, high] = self.bands;
        let identities = low + medium + high;
        GroupRow {
            group,
            identities,
            average: (2 * self.total + identities) / (2 * identities).max(1),
            highest: self.highest,
            low,
            medium,
            high,
        }
    }
}

fn groups(
    args: &GroupsArgs,
    risk: &Risk,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let model = &tenant.configuration.model;
    let attribute = match &args.attribute {
        Some(text) => Some(attribute_named(text, tenant)?),
        None => None,
    };
    let populations: Vec<(&str, &Filter)> = match args.populations {
        true => {
            let populations = model.populations.iter();
            let named = populations.map(|known| (known.name.as_str(), &known.filter));
            named.collect()
        }
        false => Vec::new(),
    };
    let at = tenant.now()?;
    let snapshot = tenant.store.snapshot()?;
    let mut sums: BTreeMap<Option<String>, Sum> = BTreeMap::new();
    each_identity(&tenant.store, |record| {
        let identity = &record.identity;
        let Some(card) = identity.scorecard else {
            return Ok(());
        };
        if identity.identity_type == IdentityType::Workgroup {
            return Ok(());
        }
        let mut groups: Vec<Option<String>> = Vec::new();
        if let Some(attribute) = attribute {
            match identity.readable(attribute) {
                Some(value) => value.each_text(|text| groups.push(Some(text.to_owned()))),
                None => groups.push(None),
            }
        }
        for (name, filter) in &populations {
            let mut view = settled_view(record.clone(), model, &snapshot, at);
            let belongs = filter.matches(&mut view);
            if belongs.map_err(|error| CommandError::failed(error.to_string()))? {
                groups.push(Some((*name).to_owned()));
            }
        }
        for group in groups {
            let sum = sums.entry(group).or_default();
            sum.add(card.composite, risk.band(&card));
        }
        Ok::<_, CommandError>(())
    })?;
    let rows: Vec<GroupRow> = sums
        .iter()
        .map(|(group, sum)| sum.row(group.clone()))
        .collect();
    if options.json {
        write_json(out, &rows)?;
        return Ok(Outcome::Done);
    }
    if rows.is_empty() {
        writeln!(out, "no groups")?;
        return Ok(Outcome::Done);
    }
    let headings = [
        "group",
        "identities",
        "average",
        "highest",
        "low",
        "medium",
        "high",
    ];
    let mut table = Table::new(&headings).right(&[1, 2, 3, 4, 5, 6]);
    for row in &rows {
        table.row([
            row.group.clone().unwrap_or_else(|| "(none)".to_owned()),
            row.identities.to_string(),
            row.average.to_string(),
            row.highest.to_string(),
            row.low.to_string(),
            row.medium.to_string(),
            row.high.to_string(),
        ]);
    }
    table.write(out)?;
    Ok(Outcome::Done)
}

fn attribute_named(text: &str, tenant: &OpenTenant) -> Result<Name, CommandError> {
    let model = &tenant.configuration.model;
    let others = ["lifecycleState", "inactive"];
    let names = || {
        let attributes = model.attributes.iter().map(|known| known.name.as_str());
        attributes.chain(others)
    };
    if names().any(|name| name == text) {
        return Ok(Name::new(text));
    }
    let hint = nearest(text, names()).map(|name| format!("do you mean `{name}`?"));
    Err(CommandError::usage(format!("there is no identity attribute `{text}`")).with_hint(hint))
}
