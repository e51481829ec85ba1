//! What the texts of reports share: columns, numbers, times.

use std::io::{self, Write};

use anstyle::Style;
use idr_core::model::UnixMillis;
use idr_core::time::Zone;

/// One entry of a [`Table`].
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// Lets it be shown in a style; the default one shows plain text.
    #[must_use]
    pub fn styled(mut self, style: Style) -> Self {
        self.style = style;
        self
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self {
            text: without_orders(text.into()),
            style: Style::new(),
        }
    }
}

/// Spells out what a terminal would take for an order: values come from feeds.
fn without_orders(text: String) -> String {
    let is_order = |character: char| character.is_control() && character != '\n';
    if !text.contains(is_order) {
        return text;
    }
    let mut shown = String::new();
    for character in text.chars() {
        if is_order(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Rows of text whose columns line up.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Vec<Cell>>,
    right: Vec<usize>,
    indentation: usize,
}

impl Table {
    /// Returns a table with these headings.
    pub fn new(headings: &[&str]) -> Self {
        Self {
            rows: vec![headings.iter().map(|&heading| heading.into()).collect()],
            ..Self::default()
        }
    }

    /// Returns a table without headings, each line set in by so many spaces.
    pub fn plain(indentation: usize) -> Self {
        Self {
            indentation,
            ..Self::default()
        }
    }

    /// Lets these columns (counted from 0) end together instead of begin.
    #[must_use]
    pub fn right(mut self, columns: &[usize]) -> Self {
        self.right = columns.to_vec();
        self
    }

    /// Sets each line in by so many spaces.
    #[must_use]
    pub fn set_in(mut self, indentation: usize) -> Self {
        self.indentation = indentation;
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<Cell>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Writes the table; no line ends in spaces.
    ///
    /// # Errors
    ///
    /// As writing to `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells
                .map(|cell| cell.text.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = " ".repeat(self.indentation);
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                if column > 0 {
                    line += "  ";
                }
                let padding = " ".repeat(width - cell.text.chars().count());
                let (before, after) = match self.right.contains(&column) {
                    true => (padding, String::new()),
                    false => (String::new(), padding),
                };
                let Cell { text, style } = cell;
                line += &format!("{before}{style}{text}{style:#}{after}");
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Returns a number with its thousands apart: `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns `1 identity` or `2,000 identities`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    let what = if number == 1 { one } else { many };
    format!("{} {what}", grouped(number))
}

/// Returns an instant in UTC, and what the clock says then in the zone when
/// that is another: `2026-03-31T15:00:00Z (17:00:00 in Europe/Berlin)`.
pub fn local(instant: UnixMillis, zone: &Zone) -> String {
    let (here, utc) = (zone.clock_at(instant), Zone::default().clock_at(instant));
    if here == utc {
        return instant.to_string();
    }
    let clock = if here.date() == utc.date() {
        here.time().to_string()
    } else {
        format!("{} {}", here.date(), here.time())
    };
    format!("{instant} ({clock} in {})", zone.name())
}

/// Returns a text of at most so many characters, with `…` where it was cut.
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use idr_core::model::UnixMillis;
    use idr_core::time::Zone;

    use super::{Table, grouped, local, shortened};

    #[test]
    fn thousands_are_kept_apart() {
        let numbers = [0, 999, 1_000, 12_345, 1_234_567].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn times_are_shown_in_the_zone_as_well() {
        let at: UnixMillis = "2026-03-31T15:00:00Z".parse().expect("an instant");
        let berlin = Zone::named("Europe/Berlin").expect("a zone");
        let auckland = Zone::named("Pacific/Auckland").expect("a zone");
        insta::assert_snapshot!(local(at, &Zone::default()), @"2026-03-31T15:00:00Z");
        insta::assert_snapshot!(local(at, &berlin), @"2026-03-31T15:00:00Z (17:00:00 in Europe/Berlin)");
        insta::assert_snapshot!(local(at, &auckland), @"2026-03-31T15:00:00Z (2026-04-01 04:00:00 in Pacific/Auckland)");
    }

    #[test]
    fn columns_line_up_and_lines_end_without_spaces() {
        let mut table = Table::new(&["name", "number", "note"]).right(&[1]);
        table.row(["Zoë", "7", ""]);
        table.row(["Al", "1,000", "late"]);
        let mut out = Vec::new();
        table.write(&mut out).expect("memory can be written to");
        insta::assert_snapshot!(String::from_utf8_lossy(&out), @r"
        name  number  note
        Zoë        7
        Al     1,000  late
        ");
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(shortened("exactly", 7), "exactly");
        assert_eq!(shortened("too long", 5), "too…");
    }
}
