//! Who does something by hand, and why: for the audit.

use std::fs;
use std::os::unix::fs::MetadataExt;

use clap::Args;
use idr_core::model::UnixMillis;

use crate::store::AuditEntry;

/// The options of every command by which a person decides something.
#[derive(Args, Clone, Debug)]
pub(super) struct PersonArgs {
    /// Why, for the audit
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(super) reason: String,

    /// Who decides, if not the user of the operating system
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
}

impl PersonArgs {
    /// Returns who decides.
    pub(super) fn actor(&self) -> String {
        actor(self.actor.as_deref())
    }

    /// Returns the audit entry on what is done.
    pub(super) fn audit(&self, at: UnixMillis, action: &str, subject: String) -> AuditEntry {
        AuditEntry {
            at,
            actor: self.actor(),
            action: action.to_owned(),
            subject,
            reason: self.reason.clone(),
        }
    }
}

/// Returns who does something: whom `--actor` names, or else the user of the
/// operating system.
pub(super) fn actor(named: Option<&str>) -> String {
    named.map_or_else(operating_system_user, str::to_owned)
}

/// Returns the name of the user that the program runs as. The environment isn't
/// asked: it says what its owner likes.
fn operating_system_user() -> String {
    let Ok(process) = fs::metadata("/proc/self") else {
        return "unknown".to_owned();
    };
    let uid = process.uid().to_string();
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let known = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    });
    known.unwrap_or_else(|| format!("uid {uid}"))
}
