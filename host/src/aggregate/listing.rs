//! The accounts of an application that is read directly, page by page.

use idr_core::definitions::Application;

use super::error::AggregateError;
use super::feed::{Content, Feed, Listed, PAGE, Page, Record, count_having};
use super::problem::{BrokenRecord, Problem, RECORD};
use crate::connect::{self, Connector};
use crate::store::Fingerprinter;

/// Reads an application's accounts through its connector.
pub(super) struct Listing<'a> {
    connector: Box<dyn Connector>,
    application: &'a Application,
    /// The native identity of the last one of a page.
    after: Option<String>,
    ended: bool,
    count: u64,
    fingerprinter: Fingerprinter,
}

impl<'a> Listing<'a> {
    pub(super) fn new(connector: Box<dyn Connector>, application: &'a Application) -> Self {
        Self {
            connector,
            application,
            after: None,
            ended: false,
            count: 0,
            fingerprinter: Fingerprinter::default(),
        }
    }

    /// Asks for the next page, which must get further than the one before.
    fn turn(&mut self) -> Result<Vec<connect::Listed>, AggregateError> {
        let page = self.connector.page(self.after.as_deref(), PAGE)?;
        let last = page.iter().rev().find_map(native_identity);
        self.ended = last.is_none() || last == self.after;
        self.after = last;
        Ok(page)
    }

    fn record(&mut self, listed: connect::Listed, page: &mut Page) -> Record {
        self.count += 1;
        match listed {
            Ok(account) => {
                count_having(&mut page.having, self.application, &account);
                Record::Listed(Listed {
                    line: self.count,
                    native_identity: page.keep(&account.key.native_identity),
                    fingerprint: self.fingerprinter.account(&account),
                    content: Content::Account(account),
                })
            }
            Err(broken) => Record::Broken(BrokenRecord {
                unit: RECORD,
                line: self.count,
                native_identity: broken.native_identity,
                presumed: None,
                text: String::new(),
                problem: Problem::from(broken.what),
            }),
        }
    }
}

fn native_identity(listed: &connect::Listed) -> Option<String> {
    match listed {
        Ok(account) => Some(account.key.native_identity.clone()),
        Err(broken) => broken.native_identity.clone(),
    }
}

impl Feed for Listing<'_> {
    fn next(&mut self) -> Result<Option<Page>, AggregateError> {
        let listed = match self.ended {
            true => Vec::new(),
            false => self.turn()?,
        };
        let mut page = Page {
            having: vec![0; self.application.schema.len()],
            ..Page::default()
        };
        for listed in listed {
            let record = self.record(listed, &mut page);
            page.records.push(record);
        }
        page.progress = (self.count, self.count);
        Ok((!page.records.is_empty()).then_some(page))
    }

    fn unit(&self) -> &'static str {
        RECORD
    }
}
