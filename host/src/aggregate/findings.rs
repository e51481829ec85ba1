//! The open findings about an application, kept in step while its accounts
//! change: those about its feed, and those about single accounts.

use std::collections::BTreeMap;

use idr_core::model::finding::{AGGREGATION, CORRELATION};
use idr_core::model::{Account, Finding, Name, Severity, UnixMillis};

use super::error::AggregateError;
use crate::store::Store;

/// So many findings of a kind are noted one by one; `idr account list` shows
/// every account.
pub(super) const LIMIT: usize = 1_000;

/// The open findings about one application.
pub(super) struct ApplicationFindings {
    application: Name,
    /// About the feed, sorted.
    feed: Vec<Finding>,
    /// About single accounts, by native identity.
    accounts: BTreeMap<String, Finding>,
    /// That there are more.
    further: Option<Finding>,
    changed: bool,
}

impl ApplicationFindings {
    /// Reads them.
    pub(super) fn read(store: &dyn Store, application: Name) -> Result<Self, AggregateError> {
        let mut found = Self {
            application,
            feed: Vec::new(),
            accounts: BTreeMap::new(),
            further: None,
            changed: false,
        };
        for stored in store.findings(false, usize::MAX)? {
            if stored.uid.is_some() || stored.name != application.as_str() {
                continue;
            }
            let finding = stored.finding;
            if finding.phase == AGGREGATION {
                found.feed.push(finding);
            } else if finding.cause.as_str() == FURTHER {
                found.further = Some(finding);
            } else {
                found.accounts.insert(finding.subject.clone(), finding);
            }
        }
        found.feed.sort();
        Ok(found)
    }

    /// Returns how many are open.
    pub(super) fn count(&self) -> u64 {
        (self.feed.len() + self.accounts.len() + usize::from(self.further.is_some())) as u64
    }

    /// Replaces those about the feed.
    pub(super) fn set_feed(&mut self, mut findings: Vec<Finding>) {
        findings.sort();
        self.changed |= findings != self.feed;
        self.feed = findings;
    }

    /// Closes the one that says that the aggregation is held.
    pub(super) fn close_held(&mut self) {
        let before = self.feed.len();
        self.feed.retain(|known| known.cause.as_str() != HELD);
        self.changed |= self.feed.len() != before;
    }

    /// Replaces the one about an account.
    pub(super) fn set_account(&mut self, native_identity: &str, finding: Option<Finding>) {
        match finding {
            Some(finding) => {
                let known = self.accounts.get(native_identity);
                if known == Some(&finding) {
                    return;
                }
                if known.is_none() && self.accounts.len() >= LIMIT {
                    self.changed |= self.further.is_none();
                    self.further = Some(further());
                    return;
                }
                self.accounts.insert(native_identity.to_owned(), finding);
                self.changed = true;
            }
            None => {
                self.changed |= self.accounts.remove(native_identity).is_some();
                if self.accounts.is_empty() {
                    self.changed |= self.further.take().is_some();
                }
            }
        }
    }

    /// Stores them, if they differ from what is stored.
    pub(super) fn write(
        &mut self,
        store: &dyn Store,
        at: UnixMillis,
    ) -> Result<(), AggregateError> {
        if !self.changed {
            return Ok(());
        }
        let all: Vec<Finding> = self
            .feed
            .iter()
            .chain(self.accounts.values())
            .chain(&self.further)
            .cloned()
            .collect();
        store.set_application_findings(self.application, &all, at)?;
        self.changed = false;
        Ok(())
    }
}

const FURTHER: &str = "further-accounts";
const HELD: &str = "aggregation-held";

fn further() -> Finding {
    Finding {
        severity: Severity::Warning,
        phase: CORRELATION,
        subject: "accounts".to_owned(),
        cause: Name::new(FURTHER),
        message: "further accounts have no identity".to_owned(),
        hint: Some("`idr account list --uncorrelated` and `--ambiguous` show them".to_owned()),
    }
}

/// Returns the finding about a held aggregation.
pub(super) fn held(id: i64, reasons: &[String]) -> Finding {
    Finding {
        severity: Severity::Error,
        phase: AGGREGATION,
        subject: "guard".to_owned(),
        cause: Name::new(HELD),
        message: format!("aggregation {id} is held: {}", reasons.join("; ")),
        hint: Some(format!(
            "look at it with `idr aggregation show {id}`, then `accept` or `reject` it"
        )),
    }
}

/// Returns the finding about broken records that aren't listed one by one.
pub(super) fn further_records(count: u64) -> Finding {
    Finding {
        severity: Severity::Error,
        phase: AGGREGATION,
        subject: "further lines".to_owned(),
        cause: Name::new("further-broken-records"),
        message: format!("{count} further records are broken"),
        hint: None,
    }
}

/// Returns the finding about a file that ends within a record.
pub(super) fn cut_off() -> Finding {
    Finding {
        severity: Severity::Error,
        phase: AGGREGATION,
        subject: "file".to_owned(),
        cause: Name::new("cut-off"),
        message: "the file ends within a record; accounts that it doesn't list stay".to_owned(),
        hint: Some("aggregate the whole file".to_owned()),
    }
}

/// Returns the finding about vanished accounts that could be among the broken records.
pub(super) fn kept(count: u64, examples: &[String]) -> Finding {
    Finding {
        severity: Severity::AccessAtRisk,
        phase: AGGREGATION,
        subject: "file".to_owned(),
        cause: Name::new("kept-accounts"),
        message: format!(
            "{count} accounts aren't listed, but could be among the broken records; they stay: {}",
            examples.join(", ")
        ),
        hint: Some("mend the broken records, and aggregate again".to_owned()),
    }
}

/// Returns the finding about an account that matches several identities.
pub(super) fn ambiguous(account: &Account, attribute: Name, count: usize) -> Finding {
    Finding {
        severity: Severity::Warning,
        phase: CORRELATION,
        subject: account.key.native_identity.clone(),
        cause: Name::new("ambiguous"),
        message: format!("{count} identities match by `{attribute}`; the account is kept apart"),
        hint: Some(link_hint(account)),
    }
}

/// Returns the finding about an account whose identity can't be created, as
/// somebody else has the name.
pub(super) fn name_taken(account: &Account, name: &str) -> Finding {
    Finding {
        severity: Severity::Error,
        phase: CORRELATION,
        subject: account.key.native_identity.clone(),
        cause: Name::new("name-taken"),
        message: format!("the identity `{name}` exists, but doesn't match this account"),
        hint: Some(link_hint(account)),
    }
}

fn link_hint(account: &Account) -> String {
    format!(
        "if it is somebody's: `idr account link {} {} IDENTITY --reason WHY`",
        account.key.application, account.key.native_identity
    )
}
