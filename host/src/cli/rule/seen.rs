//! What a rule of a tenant has been seen to read, beside what it may read.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use idr_core::definitions::{Rule, RuleIndex};
use idr_core::filter::Superset;
use idr_core::model::{Name, Uid};
use idr_core::view::ReadError;
use serde::Serialize;

use super::rehearsal::Rehearsal;
use crate::cli::CommandError;
use crate::report::{Table, counted, grouped};
use crate::rules::{Evaluation, Read, Trouble};
use crate::store::Store;
use crate::tenant::OpenTenant;

/// How many identities are read at once.
const CHUNK: usize = 100;

/// How many uids are listed at once.
const LISTED: usize = 10_000;

/// What was seen of a rule.
#[derive(Serialize)]
pub(super) struct SeenRule {
    name: String,
    parameters: BTreeMap<String, String>,
    /// The instant that it was asked for.
    as_of: String,
    /// How many identities there are, and of how many it was looked at what is
    /// asked about them.
    identities: u64,
    looked_at: u64,
    evaluations: u64,
    /// What was read, and by how many evaluations.
    reads: BTreeMap<String, u64>,
    /// What it may read, and no evaluation did.
    granted_but_never_read: Vec<String>,
    /// Reads that were refused, in words, and of how many evaluations.
    refused: BTreeMap<String, u64>,
}

impl SeenRule {
    /// Looks at what the tenant would ask the rule now about so many identities.
    pub(super) fn of(
        rule: RuleIndex,
        sample: usize,
        tenant: &OpenTenant,
        rehearsal: &mut Rehearsal,
    ) -> Result<Self, CommandError> {
        let everybody = everybody(&tenant.store)?;
        let chosen = spread(&everybody, sample);
        let definition = rehearsal.model().rule(rule).clone();
        let mut seen = Self {
            name: definition.name.to_string(),
            parameters: definition
                .parameters
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
            as_of: rehearsal.context.as_of.to_string(),
            identities: everybody.len() as u64,
            looked_at: chosen.len() as u64,
            evaluations: 0,
            reads: BTreeMap::new(),
            granted_but_never_read: Vec::new(),
            refused: BTreeMap::new(),
        };
        for chunk in chosen.chunks(CHUNK) {
            for record in tenant.store.read_chunk(chunk)? {
                let evaluations = rehearsal.evaluations(record)?;
                for evaluation in evaluations.iter().filter(|each| each.rule == rule) {
                    seen.note(evaluation);
                }
            }
        }
        if seen.evaluations > 0 {
            let never = |grant: &String| !seen.reads.contains_key(grant);
            seen.granted_but_never_read = granted(&definition).into_iter().filter(never).collect();
        }
        Ok(seen)
    }

    fn note(&mut self, evaluation: &Evaluation) {
        self.evaluations += 1;
        let reads = evaluation
            .calls
            .iter()
            .filter_map(|call| call.read.as_ref());
        let reads: BTreeSet<String> = reads.flat_map(grants_used).collect();
        for read in reads {
            *self.reads.entry(read).or_default() += 1;
        }
        if let Err(Trouble::Read(
            error @ (ReadError::NotGranted { .. } | ReadError::Unknown { .. }),
        )) = &evaluation.answer
        {
            *self.refused.entry(error.to_string()).or_default() += 1;
        }
    }

    /// Returns what whoever grants may want to change.
    pub(super) fn advice(&self) -> Vec<String> {
        let refused = self.refused.iter().map(|(read, times)| {
            let evaluations = counted(*times, "evaluation", "evaluations");
            format!("refused in {evaluations}: {read}")
        });
        let unused = self.granted_but_never_read.iter().map(|grant| {
            format!("granted but never read: {grant}; take it back, or look at more people with --sample")
        });
        refused.chain(unused).collect()
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::plain(0);
        table.row(["rule     ", &self.name]);
        for (name, value) in &self.parameters {
            table.row(["parameter", &format!("{name} = {value}")]);
        }
        let asked = counted(self.evaluations, "evaluation", "evaluations");
        let seen = format!(
            "{asked} for {} of {} at {}",
            grouped(self.looked_at),
            counted(self.identities, "identity", "identities"),
            self.as_of
        );
        table.row(["seen", &seen]);
        for (read, times) in &self.reads {
            table.row([
                "reads",
                &format!("{read} ({})", counted(*times, "time", "times")),
            ]);
        }
        table.write(out)
    }
}

fn everybody(store: &dyn Store) -> Result<Vec<Uid>, CommandError> {
    let mut uids = Vec::new();
    loop {
        let chunk = store.list(&Superset::All, uids.last().copied(), LISTED)?;
        if chunk.is_empty() {
            return Ok(uids);
        }
        uids.extend(chunk);
    }
}

/// Returns so many of them, evenly spread.
fn spread(everybody: &[Uid], sample: usize) -> Vec<Uid> {
    let sample = sample.min(everybody.len());
    let place = |number: usize| everybody[number * everybody.len() / sample];
    (0..sample).map(place).collect()
}

/// Returns a read as the grants that allow it.
fn grants_used(read: &Read) -> Vec<String> {
    match read {
        Read::Attribute(name) | Read::BaselineAttribute(name) => vec![attribute(name)],
        Read::ManagerAttribute(name) => vec![of_manager(name)],
        Read::Accounts(application) | Read::FirstAccount(application) => {
            vec![accounts(application)]
        }
        Read::AccountAttribute {
            application, name, ..
        }
        | Read::OwnAttribute { application, name } => {
            vec![accounts(application), of_account(application, name)]
        }
        Read::Holds {
            application,
            attribute,
            ..
        }
        | Read::Held {
            application,
            attribute,
        }
        | Read::AccessHolds {
            application,
            attribute,
            ..
        }
        | Read::AccessHeld {
            application,
            attribute,
        } => vec![entitlements(application, attribute)],
        Read::Parameter(name) => vec![parameter(name)],
        Read::Application => vec!["application of the account".to_owned()],
        Read::NativeIdentity => vec!["native identity of the account".to_owned()],
        Read::Status => vec!["status of the account".to_owned()],
        Read::HasAssigned(_) | Read::HadAssigned(_) => vec!["assigned roles".to_owned()],
        Read::HasDetected(_) => vec!["detected roles".to_owned()],
        Read::AccessHasRole(_) | Read::AccessRoles => vec!["roles that are judged".to_owned()],
        Read::AccessIsDesired => vec!["whether what is called for is judged".to_owned()],
        Read::BaselineExists => vec!["whether there is a baseline".to_owned()],
    }
}

/// Returns what a rule may read and has been set.
fn granted(rule: &Rule) -> Vec<String> {
    let grant = &rule.grant;
    let own = grant.attributes.iter().map(|name| attribute(name));
    let manager = grant.manager_attributes.iter().map(|name| of_manager(name));
    let of_accounts = grant.accounts.iter().flat_map(|(application, names)| {
        let attributes = names.iter().map(|name| of_account(application, name));
        [accounts(application)].into_iter().chain(attributes)
    });
    let held = grant.entitlements.iter().flat_map(|(application, names)| {
        let attributes = names.iter();
        attributes.map(|name| entitlements(application, name))
    });
    let parameters = rule
        .parameters
        .iter()
        .map(|(name, _): &(Name, _)| parameter(name));
    own.chain(manager)
        .chain(of_accounts)
        .chain(held)
        .chain(parameters)
        .collect()
}

fn attribute(name: &str) -> String {
    format!("attribute {name}")
}

fn of_manager(name: &str) -> String {
    format!("attribute {name} of the manager")
}

fn accounts(application: &str) -> String {
    format!("accounts in {application}")
}

fn of_account(application: &str, name: &str) -> String {
    format!("attribute {name} of accounts in {application}")
}

fn entitlements(application: &str, attribute: &str) -> String {
    format!("entitlements {attribute} in {application}")
}

fn parameter(name: &str) -> String {
    format!("parameter {name}")
}

#[cfg(test)]
mod tests {
    use super::{Uid, spread};

    #[test]
    fn a_sample_is_spread_evenly_and_never_larger_than_everybody() {
        let everybody: Vec<Uid> = (1..=10).map(Uid).collect();
        assert_eq!(spread(&everybody, 5), [1, 3, 5, 7, 9].map(Uid));
        assert_eq!(spread(&everybody, 3), [1, 4, 7].map(Uid));
        assert_eq!(spread(&everybody, 100), everybody);
        assert_eq!(spread(&everybody, 0), []);
        assert_eq!(spread(&[], 7), []);
    }
}
