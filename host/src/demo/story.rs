//! The report on a demonstration: one to two screens.

use std::collections::BTreeMap;
use std::io::{self, Write};

use idr_core::model::{EventChange, UnixMillis, Value};
use jiff::tz::TimeZoneDatabase;

use super::Demonstration;
use super::month::{DAYS, Scene, date_of};
use crate::report::{FindingReport, Table, changes_in_words, counted, grouped, shortened};
use crate::store::{Run, StoredEvent};

/// No line is much longer than this.
const WIDTH: usize = 100;

impl Demonstration {
    /// Writes the report. `program` is how whoever reads it calls the program.
    ///
    /// # Errors
    ///
    /// As writing to `out`.
    pub fn write(&self, program: &str, out: &mut dyn Write) -> io::Result<()> {
        self.write_beginning(out)?;
        self.write_scenes(out)?;
        self.write_totals(out)?;
        self.write_findings(out)?;
        self.write_commands(program, out)
    }

    fn write_beginning(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "A made-up organisation of {}, in {}",
            counted(self.identities, "person", "people"),
            self.directory.display()
        )?;
        let mut table = Table::plain(2).right(&[1]);
        for (application, accounts) in &self.accounts {
            table.row([application.as_str(), &grouped(*accounts), "accounts"]);
        }
        table.write(out)?;
        writeln!(
            out,
            "The first refresh notes how things are, and fires no events"
        )?;
        let run = &self.first.counters;
        let (waves, seconds) = (
            counted(run.waves, "wave", "waves"),
            run.elapsed_ms as f64 / 1e3,
        );
        let rate = grouped(run.refreshed * 1_000 / run.elapsed_ms.max(1));
        writeln!(out, "  {waves}, {seconds:.1} s, {rate} identities a second")
    }

    fn write_scenes(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "\nA month passes: every morning until {} feeds are aggregated, and who is due is refreshed",
            date_of(DAYS).strftime("%-d %B %Y")
        )?;
        for (scene, outcome) in &self.scenes {
            writeln!(out, "  {}", scene.what)?;
            write_events(scene, &outcome.events, out)?;
            if outcome.events.is_empty() {
                let accounts = outcome.accounts.iter();
                let accounts: Vec<String> = accounts
                    .map(|key| format!("{} {}", key.application, key.native_identity))
                    .collect();
                writeln!(out, "    {}", accounts.join(", "))?;
            }
        }
        Ok(())
    }

    fn write_totals(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut events: BTreeMap<&str, u64> = BTreeMap::new();
        let mut changes: BTreeMap<&str, u64> = BTreeMap::new();
        for run in &self.later {
            for (trigger, count) in &run.counters.events {
                *events.entry(trigger).or_default() += count;
            }
            for (what, count) in &run.counters.changes {
                *changes.entry(what).or_default() += count;
            }
        }
        let sum = |count: fn(&Run) -> u64| self.later.iter().map(count).sum::<u64>();
        writeln!(
            out,
            "\nIn {}",
            counted(self.later.len() as u64, "refresh", "refreshes")
        )?;
        writeln!(
            out,
            "  due      {} in all; everybody else was skipped",
            counted(sum(|run| run.counters.selected), "identity", "identities")
        )?;
        writeln!(
            out,
            "  took     {:.1} s together",
            sum(|run| run.counters.elapsed_ms) as f64 / 1e3
        )?;
        let list = |counts: &BTreeMap<&str, u64>, name: fn(&str) -> String| {
            let counts = counts.iter();
            let listed = counts.map(|(what, count)| format!("{} {}", grouped(*count), name(what)));
            listed.collect::<Vec<_>>().join(", ")
        };
        wrapped("changed  ", &list(&changes, changes_in_words), out)?;
        wrapped("events   ", &list(&events, str::to_owned), out)
    }

    fn write_findings(&self, out: &mut dyn Write) -> io::Result<()> {
        let count = self.findings.len() as u64;
        writeln!(
            out,
            "\n{} open: each froze only what depended on it",
            counted(count, "finding is", "findings are")
        )?;
        for finding in &self.findings {
            write_finding(finding, out)?;
        }
        Ok(())
    }

    fn write_commands(&self, program: &str, out: &mut dyn Write) -> io::Result<()> {
        let tenant = self.directory.display();
        writeln!(out, "\nTry next")?;
        writeln!(
            out,
            "  {program} --tenant {tenant} identity show {}",
            self.example
        )?;
        writeln!(out, "  {program} --tenant {tenant} finding list")?;
        writeln!(out, "  {program} --tenant {tenant} due --within 7d")
    }
}

fn write_events(scene: &Scene, events: &[StoredEvent], out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::plain(4);
    for stored in events {
        let event = &stored.event;
        let trigger = event.trigger.as_str();
        table.row([
            local_time(event.effective_at, scene.zone),
            trigger.to_owned(),
            shown_changes(trigger, &event.changes),
        ]);
    }
    table.write(out)
}

/// Returns what the clock shows where somebody works: `Fri 20 Mar 17:00 EDT`.
fn local_time(instant: UnixMillis, zone: &str) -> String {
    let timestamp = instant.timestamp();
    match TimeZoneDatabase::bundled().get(zone) {
        Ok(zone) => timestamp
            .to_zoned(zone)
            .strftime("%a %e %b %H:%M %Z")
            .to_string(),
        Err(_) => instant.to_string(),
    }
}

/// Returns of an event's changes those that its trigger watches for.
fn shown_changes(trigger: &str, changes: &[EventChange]) -> String {
    let watched: &[&str] = match trigger {
        "joiner" | "leaver" | "rehire" => &["lifecycleState"],
        "mover" => &["department", "location", "employmentType", "company"],
        "manager-transfer" => &["manager"],
        "renamed" => &["displayName"],
        "privileged-access" => &["account"],
        _ => &[],
    };
    let shown = changes.iter().filter(|change| {
        let name = change.what.split(' ').next().unwrap_or_default();
        watched.contains(&name)
    });
    let text = |value: &Option<Value>| match value {
        Some(value) => value.to_string(),
        None => "none".to_owned(),
    };
    let shown: Vec<String> = shown
        .map(|change| match &change.old {
            None if change.what.starts_with("account") => {
                format!("{}: {}", change.what, text(&change.new))
            }
            old => format!("{}: {} -> {}", change.what, text(old), text(&change.new)),
        })
        .collect();
    shown.join(", ")
}

fn write_finding(finding: &FindingReport, out: &mut dyn Write) -> io::Result<()> {
    // What is wrong with a feed says where in it.
    let subject = match finding.uid {
        Some(_) => String::new(),
        None => format!(", {}", finding.subject),
    };
    let head = format!("  {:<14}  {}{subject}: ", finding.severity, finding.name);
    let message = shortened(&finding.message, 2 * WIDTH);
    writeln!(out, "{head}{message}")?;
    match &finding.hint {
        Some(hint) => writeln!(out, "{:18}hint: {hint}", ""),
        None => Ok(()),
    }
}

/// Writes a list, with lines that go on below its beginning.
fn wrapped(head: &str, list: &str, out: &mut dyn Write) -> io::Result<()> {
    let margin = " ".repeat(2 + head.len());
    let mut line = format!("  {head}");
    for part in list.split_inclusive(", ") {
        if line.len() + part.len() > WIDTH {
            writeln!(out, "{}", line.trim_end())?;
            line.clone_from(&margin);
        }
        line += part;
    }
    writeln!(out, "{}", line.trim_end())
}
