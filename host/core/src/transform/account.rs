//! Attributes of the identity's accounts, with a choice between several accounts.

use std::cmp::Ordering;

use super::Evaluation;
use crate::filter::Filter;
use crate::model::{Name, Value};
use crate::view::ReadError;

/// An attribute of the identity's accounts in an application.
#[derive(Clone, Debug)]
pub struct AccountRead {
    /// The application.
    pub application: Name,
    /// The account attribute.
    pub attribute: Name,
    /// The account attribute that orders several accounts; without one they are
    /// in order of native identity. Accounts without it come last.
    pub sort_by: Option<Name>,
    /// Whether the order is the other way round.
    pub descending: bool,
    /// Whether only the first account counts, even where its field is blank.
    pub first_only: bool,
    /// Only accounts that all of these let through.
    pub filters: Vec<Filter>,
}

impl Evaluation<'_> {
    pub(super) fn account(
        &mut self,
        wanted: &AccountRead,
    ) -> Result<Option<Value>, super::TransformFailure> {
        let value = self.first_account_value(wanted)?;
        self.view.note(
            || format!("{} {}", wanted.application, wanted.attribute),
            || {
                let spoken = value.as_ref().map(ToString::to_string);
                spoken.unwrap_or_else(|| "no value".to_owned())
            },
        );
        Ok(value)
    }

    fn first_account_value(&mut self, wanted: &AccountRead) -> Result<Option<Value>, ReadError> {
        let mut accounts = self.view.usable_accounts(wanted.application);
        if accounts.is_empty() {
            self.account_was_missing = true;
            return Ok(None);
        }
        for filter in &wanted.filters {
            let mut chosen = Vec::new();
            for index in accounts {
                if self.view.account_matches(index, filter)? {
                    chosen.push(index);
                }
            }
            accounts = chosen;
        }
        let known = &self.view.record().accounts;
        if let Some(sort_by) = wanted.sort_by {
            accounts.sort_by(|left, right| {
                let (left, right) = (&known[*left], &known[*right]);
                match (left.attribute(sort_by), right.attribute(sort_by)) {
                    (Some(left), Some(right)) if wanted.descending => right.cmp(left),
                    (Some(left), Some(right)) => left.cmp(right),
                    (left, right) => match (left.is_some(), right.is_some()) {
                        (true, false) => Ordering::Less,
                        (false, true) => Ordering::Greater,
                        _ => Ordering::Equal,
                    },
                }
            });
        } else if wanted.descending {
            accounts.reverse();
        }
        let take = if wanted.first_only { 1 } else { accounts.len() };
        for &index in accounts.iter().take(take) {
            self.view.note_account_read(index, wanted.attribute);
        }
        let known = &self.view.record().accounts;
        let mut values = accounts.iter().take(take);
        let value = values.find_map(|index| known[*index].attribute(wanted.attribute).cloned());
        self.field_was_blank |= value.is_none();
        Ok(value)
    }
}
