//! The accounts of an application that is read directly, page by page.

use std::collections::VecDeque;

use super::error::AggregateError;
use super::feed::{Feed, Record};
use super::problem::{BrokenRecord, Problem, RECORD};
use crate::connect::{Connector, Listed};

/// Accounts that are asked for at a time.
const PAGE: usize = 1_000;

/// Reads an application's accounts through its connector.
pub(super) struct Listing {
    connector: Box<dyn Connector>,
    page: VecDeque<Listed>,
    /// The native identity of the last one of a page.
    after: Option<String>,
    ended: bool,
    count: u64,
}

impl Listing {
    pub(super) fn new(connector: Box<dyn Connector>) -> Self {
        Self {
            connector,
            page: VecDeque::new(),
            after: None,
            ended: false,
            count: 0,
        }
    }

    /// Asks for the next page, which must get further than the one before.
    fn turn(&mut self) -> Result<(), AggregateError> {
        let page = self.connector.page(self.after.as_deref(), PAGE)?;
        let last = page.iter().rev().find_map(native_identity);
        self.ended = last.is_none() || last == self.after;
        self.after = last;
        self.page = page.into();
        Ok(())
    }
}

fn native_identity(listed: &Listed) -> Option<String> {
    match listed {
        Ok(account) => Some(account.key.native_identity.clone()),
        Err(broken) => broken.native_identity.clone(),
    }
}

impl Feed for Listing {
    fn next(&mut self) -> Result<Option<Record>, AggregateError> {
        if self.page.is_empty() && !self.ended {
            self.turn()?;
        }
        let Some(listed) = self.page.pop_front() else {
            return Ok(None);
        };
        self.count += 1;
        Ok(Some(match listed {
            Ok(account) => Record::Account(self.count, account),
            Err(broken) => Record::Broken(BrokenRecord {
                unit: RECORD,
                line: self.count,
                native_identity: broken.native_identity,
                presumed: None,
                text: String::new(),
                problem: Problem::from(broken.what),
            }),
        }))
    }

    fn unit(&self) -> &'static str {
        RECORD
    }

    fn progress(&self) -> (u64, u64) {
        (self.count, self.count)
    }
}
