//! `populations.toml`: named filters.

use idr_core::definitions::Population;
use idr_core::model::Name;

use super::Source;
use super::names::{Known, check_name};
use crate::config::paths::FilterPlace;
use crate::config::problem::Problems;
use crate::config::raw::RawPopulations;
use crate::config::values::required;

/// Checks `populations.toml`.
pub(super) fn check(
    source: &Source<RawPopulations>,
    known: &Known,
    problems: &Problems,
) -> Vec<Population> {
    let scope = source.scope(problems);
    scope.check_version(source.raw.version, false);
    let mut populations = Vec::new();
    for (name, raw) in &source.raw.populations {
        let scope = scope.at("populations").at(name);
        check_name(&scope, name);
        let filter = required(&scope, "filter", raw.filter.as_deref())
            .and_then(|text| known.filter(&scope.at("filter"), text, FilterPlace::Selector));
        if let Some(filter) = filter {
            populations.push(Population {
                name: Name::new(name),
                filter,
            });
        }
    }
    populations
}
