//! What was measured, beside what was measured before or of another program.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::CommandError;
use crate::bench::Measurement;
use crate::report::{Table, grouped};

/// What `--json` printed earlier, as far as it is compared.
#[derive(Debug, Deserialize)]
pub(super) struct Earlier {
    profile: Option<String>,
    identities: u64,
    cases: Vec<EarlierCase>,
}

#[derive(Debug, Deserialize)]
struct EarlierCase {
    name: String,
    identities_per_second: f64,
    cpu_us_per_identity: f64,
    peak_mb: f64,
}

/// A case in relation to what it is compared with: 2 is twice as much.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Ratio {
    name: String,
    /// Identities in a second before.
    before: f64,
    identities_per_second: f64,
    cpu_us_per_identity: f64,
    peak_mb: f64,
}

impl Earlier {
    /// Reads the file that an earlier `idr bench refresh --json` wrote.
    pub(super) fn read(path: &Path) -> Result<Self, CommandError> {
        let text = fs::read(path).map_err(|error| {
            CommandError::usage(format!("`{}` can't be read: {error}", path.display()))
        })?;
        serde_json::from_slice(&text).map_err(|error| {
            let message = format!(
                "`{}` isn't what `idr bench refresh --json` prints: {error}",
                path.display()
            );
            CommandError::usage(message)
        })
    }

    /// Says in what it was measured with something else, if in anything.
    pub(super) fn differs(&self, profile: Option<&str>, identities: u64) -> Option<String> {
        let profiles = (self.profile.as_deref(), profile);
        let is_same = profiles.0 == profiles.1 && self.identities == identities;
        (!is_same).then(|| {
            let known = profiles.0.unwrap_or("another tenant");
            format!("before: {known}, {} identities", grouped(self.identities))
        })
    }

    /// Returns the ratios of the cases that were measured both times.
    pub(super) fn ratios(&self, cases: &[Measurement]) -> Vec<Ratio> {
        let known = |case: &Measurement| {
            let before = self.cases.iter().find(|before| before.name == case.name)?;
            Some(Ratio {
                name: case.name.clone(),
                before: before.identities_per_second,
                identities_per_second: case.identities_per_second / before.identities_per_second,
                cpu_us_per_identity: case.cpu_us_per_identity / before.cpu_us_per_identity,
                peak_mb: case.peak_mb / before.peak_mb,
            })
        };
        cases.iter().filter_map(known).collect()
    }
}

/// Returns the ratios of two programs that were measured in turns: each the median of
/// those of the pairs, so that what slows the machine down for a while counts for both.
pub(super) fn of_pairs(pairs: &[(Measurement, Measurement)]) -> Option<Ratio> {
    let (_, other) = pairs.first()?;
    let middle = |of: fn(&Measurement) -> f64| {
        median(
            pairs
                .iter()
                .map(|(this, other)| of(this) / of(other))
                .collect(),
        )
    };
    Some(Ratio {
        name: other.name.clone(),
        before: median(
            pairs
                .iter()
                .map(|(_, other)| other.identities_per_second)
                .collect(),
        ),
        identities_per_second: middle(|case| case.identities_per_second),
        cpu_us_per_identity: middle(|case| case.cpu_us_per_identity),
        peak_mb: middle(|case| case.peak_mb),
    })
}

/// Returns the middle one, or the mean of the two in the middle.
fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    let middle = of.len() / 2;
    match of.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => of[middle],
        _ => f64::midpoint(of[middle - 1], of[middle]),
    }
}

/// Prints ratios as a table.
pub(super) fn write_ratios(ratios: &[Ratio], out: &mut dyn Write) -> io::Result<()> {
    let headings = ["case", "identities/s before", "identities/s", "CPU", "peak"];
    let mut table = Table::new(&headings).right(&[1, 2, 3, 4]);
    for ratio in ratios {
        table.row([
            ratio.name.clone(),
            grouped(ratio.before as u64),
            format!("x {:.2}", ratio.identities_per_second),
            format!("x {:.2}", ratio.cpu_us_per_identity),
            format!("x {:.2}", ratio.peak_mb),
        ]);
    }
    table.write(out)
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(Vec::new()).is_nan());
    }
}
