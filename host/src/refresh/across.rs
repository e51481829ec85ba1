//! What is found only over several identities: managers who manage each other
//! in a circle or have left, and waves that don't end.

use std::collections::{BTreeMap, BTreeSet};

use idr_core::model::finding::{
    ATTRIBUTE_PROMOTION, MANAGER, MANAGER_CYCLE, MANAGER_INACTIVE, is_across,
};
use idr_core::model::{Finding, IdentityRecord, Name, Severity, Uid, Versions};

use super::{CHUNK, Driver, MAX_WAVES, RefreshError};
use crate::store::{ApplyChunk, IdentityWrite, Managed, RunStatus};

impl Driver<'_> {
    /// Opens a finding for everybody who is their own manager's manager, at
    /// whatever distance, or whose manager is inactive though they are not, and
    /// closes those that are no longer true.
    ///
    /// Looked for only when a manager or a lifecycle state changed since the run
    /// began, or in a run before it that didn't get so far: otherwise they are
    /// those that are known.
    pub(super) fn report_managers(&mut self) -> Result<(), RefreshError> {
        let changes = &self.run.counters.changes;
        let changed = changes.contains_key("managers") || changes.contains_key("lifecycleStates");
        let mut earlier = self.store.runs(2)?.into_iter();
        let earlier = earlier.find(|run| run.id != self.run.id);
        if !changed && earlier.is_none_or(|run| run.status == RunStatus::Done) {
            return Ok(());
        }
        let managed = self.store.managers()?;
        let managers = managed.iter().map(|known| (known.uid, known.manager));
        let members = members_of_cycles(&managers.collect());
        let left_alone = |known: &&Managed| known.manager_inactive && !known.inactive;
        let left_alone = managed.iter().filter(left_alone).map(|known| known.uid);
        let left_alone: BTreeSet<Uid> = left_alone.collect();
        let known = self.store.findings(false, usize::MAX)?;
        let known = known
            .into_iter()
            .filter(|stored| is_across(&stored.finding));
        let mut concerned: BTreeSet<Uid> = known.filter_map(|stored| stored.uid).collect();
        concerned.extend(&members);
        concerned.extend(&left_alone);
        let uids: Vec<Uid> = concerned.into_iter().collect();
        for uids in uids.chunks(CHUNK) {
            let records = self.store.read_chunk(uids)?;
            self.replace_findings(records, 0, |record| {
                let mut findings = record.identity.findings.clone();
                findings.retain(|known| !is_across(known));
                if members.contains(&record.identity.uid) {
                    findings.push(about_the_manager(
                        MANAGER_CYCLE,
                        "going from manager to manager leads back to this identity",
                        "correct the manager in the authoritative application",
                    ));
                }
                if left_alone.contains(&record.identity.uid) {
                    findings.push(about_the_manager(
                        MANAGER_INACTIVE,
                        "the manager is inactive",
                        "name another manager in the authoritative application",
                    ));
                }
                findings.sort();
                findings
            })?;
        }
        Ok(())
    }

    /// Opens a finding for everybody who would be in one wave too many. They
    /// stay due, so the next run goes on.
    pub(super) fn report_endless_waves(&mut self) -> Result<(), RefreshError> {
        let mut after = None;
        loop {
            let uids = self.store.selected(self.run.id, after, CHUNK)?;
            let Some(last) = uids.last().copied() else {
                return Ok(());
            };
            let records = self.store.read_chunk(&uids)?;
            let names: Vec<_> = records
                .iter()
                .take(5)
                .map(|record| format!("`{}`", record.identity.name))
                .collect();
            let names = names.join(", ");
            self.replace_findings(records, 1, |record| {
                let mut findings = record.identity.findings.clone();
                findings.retain(|known| known.cause.as_str() != "endless-waves");
                findings.push(Finding {
                    severity: Severity::Error,
                    phase: ATTRIBUTE_PROMOTION,
                    subject: "manager".to_owned(),
                    cause: Name::new("endless-waves"),
                    message: format!(
                        "after {MAX_WAVES} waves values still change what others read; among them {names}"
                    ),
                    hint: Some("let no value depend on itself through managers".to_owned()),
                });
                findings.sort();
                findings
            })?;
            after = Some(last);
        }
    }

    /// Writes other findings to identities; `raise` is added to their input
    /// versions, so that they stay due.
    fn replace_findings(
        &mut self,
        records: Vec<IdentityRecord>,
        raise: i64,
        findings: impl Fn(&IdentityRecord) -> Vec<Finding>,
    ) -> Result<(), RefreshError> {
        let mut chunk = ApplyChunk {
            instant: Some(self.run.step.instant),
            ..Default::default()
        };
        let mut opened = 0;
        for record in records {
            let findings = findings(&record);
            let findings_changed = findings != record.identity.findings;
            if !findings_changed && raise == 0 {
                continue;
            }
            let known = &record.identity.findings;
            opened += findings
                .iter()
                .filter(|new| !known.iter().any(|old| old.is_same(new)))
                .count();
            let mut identity = record.identity;
            identity.findings = findings;
            chunk.writes.push(IdentityWrite {
                claims: Vec::new(),
                uid: identity.uid,
                identity: Some(identity),
                expected: record.versions,
                versions: Versions {
                    input: record.versions.input + raise,
                    ..record.versions
                },
                findings_changed,
                reads_changed: false,
                keys_changed: false,
            });
        }
        if !chunk.writes.is_empty() {
            let uids: Vec<Uid> = chunk.writes.iter().map(|write| write.uid).collect();
            self.in_hand.forget(&uids);
            self.run.counters.findings_opened += opened as u64;
            chunk.run = self.run.clone();
            self.store.apply(&chunk)?;
        }
        Ok(())
    }
}

fn about_the_manager(cause: &str, message: &str, hint: &str) -> Finding {
    Finding {
        severity: Severity::Warning,
        phase: MANAGER,
        subject: "manager".to_owned(),
        cause: Name::new(cause),
        message: message.to_owned(),
        hint: Some(hint.to_owned()),
    }
}

/// Returns everybody on a circle of managers.
fn members_of_cycles(managers: &BTreeMap<Uid, Uid>) -> BTreeSet<Uid> {
    let mut settled: BTreeSet<Uid> = BTreeSet::new();
    let mut members = BTreeSet::new();
    for &start in managers.keys() {
        let mut path = Vec::new();
        let mut current = start;
        while !settled.contains(&current) {
            if let Some(first) = path.iter().position(|known| *known == current) {
                // Reporting to oneself is how the top of an organisation is
                // often recorded.
                if path.len() - first > 1 {
                    members.extend(&path[first..]);
                }
                break;
            }
            path.push(current);
            match managers.get(&current) {
                Some(manager) => current = *manager,
                None => break,
            }
        }
        settled.extend(path);
    }
    members
}

#[cfg(test)]
mod tests {
    use super::members_of_cycles;
    use idr_core::model::Uid;

    #[test]
    fn circles_are_found_without_those_who_lead_into_them() {
        let pairs = [(1, 2), (2, 3), (3, 1), (4, 1), (5, 5), (6, 7)];
        let managers = pairs.map(|(uid, manager)| (Uid(uid), Uid(manager))).into();
        let members: Vec<i64> = members_of_cycles(&managers)
            .iter()
            .map(|uid| uid.0)
            .collect();
        assert_eq!(members, [1, 2, 3]);
    }
}
