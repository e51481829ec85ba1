//! Whom a held run is about: who would leave, and who would lose roles.

use std::collections::BTreeMap;
use std::io::{self, Write};

use idr_core::model::AccountOperation;
use serde::Serialize;

use super::text::{Table, counted, grouped};
use crate::store::{RunId, Store, StoreError};

const CHUNK: usize = 1_000;

/// So many of each are named for people.
const EXAMPLES: usize = 10;

/// What a held run's spool would do, as far as thresholds count it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HeldReport {
    /// Identities in which something would change.
    pub changes: u64,
    /// Who would turn inactive.
    pub leavers: Vec<String>,
    /// Who would lose assigned roles.
    pub role_removals: Vec<RoleLoss>,
    /// Whose state newly calls for an account to be disabled.
    pub account_disables: Vec<String>,
    /// Whose state newly calls for an account to be deleted.
    pub account_deletions: Vec<String>,
    /// For whom an account is newly to be created.
    pub account_creations: Vec<String>,
    /// From whom an entitlement is newly to be taken away.
    pub entitlement_removals: Vec<String>,
}

/// An identity that would lose assigned roles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleLoss {
    /// Who.
    pub name: String,
    /// The roles.
    pub roles: Vec<String>,
}

impl HeldReport {
    /// Reads the spool of a held run.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read.
    pub fn of(run: RunId, store: &dyn Store) -> Result<Self, StoreError> {
        let mut report = Self::default();
        let mut after = None;
        loop {
            let plans = store.spooled(run, after, CHUNK)?;
            let Some(last) = plans.last() else {
                return Ok(report);
            };
            after = Some(last.uid);
            let uids: Vec<_> = plans.iter().map(|plan| plan.uid).collect();
            let mut records = store.read_chunk(&uids)?.into_iter().peekable();
            for plan in plans {
                let Some(record) = records.next_if(|known| known.identity.uid == plan.uid) else {
                    continue;
                };
                let before = record.identity;
                report.changes += u64::from(!plan.changes.is_empty());
                if plan.changes.is_leaver(&before) {
                    report.leavers.push(before.name.clone());
                }
                for (names, operation) in [
                    (&mut report.account_disables, AccountOperation::Disable),
                    (&mut report.account_deletions, AccountOperation::Delete),
                    (&mut report.account_creations, AccountOperation::Create),
                ] {
                    if plan.changes.calls_for(&before, operation) {
                        names.push(before.name.clone());
                    }
                }
                if plan.changes.removes_entitlement(&before) {
                    report.entitlement_removals.push(before.name.clone());
                }
                let Some(assigned) = &plan.changes.assigned else {
                    continue;
                };
                let lost = before
                    .assigned
                    .iter()
                    .filter(|old| !assigned.iter().any(|new| new.role == old.role));
                let roles: Vec<String> = lost.map(|old| old.role.to_string()).collect();
                if !roles.is_empty() {
                    let name = before.name;
                    report.role_removals.push(RoleLoss { name, roles });
                }
            }
        }
    }

    /// Writes the report for people.
    ///
    /// # Errors
    ///
    /// As writing to `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "  held back: changes to {}",
            counted(self.changes, "identity", "identities")
        )?;
        writeln!(out, "  would leave: {}", grouped(self.leavers.len() as u64))?;
        for name in self.leavers.iter().take(EXAMPLES) {
            writeln!(out, "    {name}")?;
        }
        write_rest(self.leavers.len(), out)?;
        let losing = self.role_removals.len();
        writeln!(out, "  would lose roles: {}", grouped(losing as u64))?;
        let mut by_role: BTreeMap<&str, u64> = BTreeMap::new();
        for role in self.role_removals.iter().flat_map(|loss| &loss.roles) {
            *by_role.entry(role).or_default() += 1;
        }
        let mut roles = Table::plain(4).right(&[0]);
        for (role, number) in &by_role {
            roles.row([grouped(*number).as_str(), role]);
        }
        roles.write(out)?;
        let mut examples = Table::plain(4);
        for loss in self.role_removals.iter().take(EXAMPLES) {
            examples.row([loss.name.clone(), loss.roles.join(", ")]);
        }
        examples.write(out)?;
        write_rest(losing, out)?;
        for (what, names) in [
            ("accounts to be disabled", &self.account_disables),
            ("accounts to be deleted", &self.account_deletions),
            ("accounts to be created", &self.account_creations),
            ("would lose entitlements", &self.entitlement_removals),
        ] {
            if names.is_empty() {
                continue;
            }
            let number = grouped(names.len() as u64);
            writeln!(out, "  {what}: {number}")?;
            for name in names.iter().take(EXAMPLES) {
                writeln!(out, "    {name}")?;
            }
            write_rest(names.len(), out)?;
        }
        Ok(())
    }
}

fn write_rest(number: usize, out: &mut dyn Write) -> io::Result<()> {
    match number.saturating_sub(EXAMPLES) {
        0 => Ok(()),
        more => writeln!(
            out,
            "    and {} more (all with --json)",
            grouped(more as u64)
        ),
    }
}
