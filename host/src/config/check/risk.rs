//! `risk.toml`: how risky access is.

use idr_core::definitions::{CertificationRisk, Risk};
use idr_core::model::{Value, ValueType};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::Source;
use super::names::Known;
use super::policies;
use crate::config::document::Scope;
use crate::config::problem::Problems;
use crate::config::raw::{RawCertification, RawRisk, RawRiskEntitlement};
use crate::config::values::{duration_ms, required, typed, within};

/// No number of points is above this.
const MOST: u64 = 1_000_000;

/// Access counts as certified for so long where nothing is said.
const OFFSET: &str = "90d";

/// After so long more the score is at its maximum.
const RANGE: &str = "365d";

/// Checks `risk.toml`; nothing is scored without it.
pub(super) fn check(
    source: &Source<RawRisk>,
    is_there: bool,
    known: &Known,
    problems: &Problems,
) -> Option<Risk> {
    let scope = source.scope(problems);
    let raw = &source.raw;
    scope.check_version(raw.version, false);
    let mut risk = Risk::default();
    let maximum = raw.maximum;
    let maximum = maximum.and_then(|number| within(&scope.at("maximum"), number, 1, MOST));
    if let Some(maximum) = maximum.and_then(|maximum| u32::try_from(maximum).ok()) {
        risk.maximum = maximum;
    }
    let part = |group: &str, key: &str, raw: Option<i64>, to: &mut u32| {
        let place = scope.at(group).at(key);
        let read = raw.and_then(|number| within(&place, number, 0, MOST));
        if let Some(number) = read.and_then(|number| u32::try_from(number).ok()) {
            *to = number;
        }
    };
    let (weights, raws) = (&mut risk.weights, &raw.weights);
    part("weights", "roles", raws.roles, &mut weights.roles);
    part(
        "weights",
        "entitlements",
        raws.entitlements,
        &mut weights.entitlements,
    );
    part("weights", "policies", raws.policies, &mut weights.policies);
    part(
        "weights",
        "certification",
        raws.certification,
        &mut weights.certification,
    );
    part(
        "entitlements",
        "default",
        raw.entitlements.default,
        &mut risk.entitlements.default,
    );
    part("bands", "medium", raw.bands.medium, &mut risk.bands[0]);
    part("bands", "high", raw.bands.high, &mut risk.bands[1]);
    if risk.bands[0] > risk.bands[1] {
        let [medium, high] = risk.bands;
        let message = format!("high risk begins at {high}, below medium at {medium}");
        scope.at("bands").at("high").report(message);
    }
    let (factors, raws) = (&mut risk.factors, &raw.factors);
    for (key, raw, to) in [
        ("mitigated", &raws.mitigated, &mut factors.mitigated),
        ("expired", &raws.expired, &mut factors.expired),
        ("remediated", &raws.remediated, &mut factors.remediated),
        ("certified", &raws.certified, &mut factors.certified),
        ("uncertified", &raws.uncertified, &mut factors.uncertified),
    ] {
        let place = scope.at("factors").at(key);
        if let Some(hundredths) = raw.as_ref().and_then(|raw| hundredths(&place, raw)) {
            *to = hundredths;
        }
    }
    for (index, raw) in raw.entitlement.iter().enumerate() {
        entitlement(&scope.at("entitlement").item(index), raw, &mut risk, known);
    }
    let certification = raw.certification.as_ref();
    risk.certification =
        certification.and_then(|raw| self::certification(&scope.at("certification"), raw, known));
    let weights = risk.weights;
    let certification = match raw.certification.is_some() {
        true => weights.certification,
        false => 0,
    };
    if weights.roles + weights.entitlements + weights.policies + certification == 0 {
        scope.at("weights").report_with_hint(
            "no component counts, so every score is 0",
            "give one of them a weight",
        );
    }
    is_there.then_some(risk)
}

/// Reads a factor such as 1.5.
fn hundredths(scope: &Scope<'_>, raw: &toml::Value) -> Option<u32> {
    let number = match typed(scope, raw)? {
        Value::Integer(integer) => Decimal::from(integer),
        Value::Decimal(decimal) => decimal,
        _ => Decimal::NEGATIVE_ONE,
    };
    let hundredths = number * Decimal::ONE_HUNDRED;
    let is_factor = hundredths.is_integer() && (0..=1_000).contains(&hundredths.to_i64()?);
    if !is_factor {
        scope.report_with_hint(
            format!("`{raw}` is no factor"),
            "write a number from 0 to 10 with two decimals at most, such as 1.5",
        );
        return None;
    }
    hundredths.to_u32()
}

fn entitlement(scope: &Scope<'_>, raw: &RawRiskEntitlement, risk: &mut Risk, known: &Known) {
    let weight = match raw.weight {
        Some(weight) => within(&scope.at("weight"), weight, 0, MOST),
        None => {
            scope.at("weight").report("it is missing");
            None
        }
    };
    let weight = weight.and_then(|weight| u32::try_from(weight).ok());
    let (application, attribute) = (raw.application.as_deref(), raw.attribute.as_deref());
    let at = policies::entitlement(scope, application, attribute, known);
    let (Some(at), Some(weight)) = (at, weight) else {
        return;
    };
    let weights = &mut risk.entitlements;
    let earlier = match &raw.value {
        Some(value) => {
            let values = weights.values.entry(at).or_default();
            values.insert(value.clone(), weight)
        }
        None => weights.attributes.insert(at, weight),
    };
    if earlier.is_some() {
        scope.report_with_hint("it has a weight already", "leave one of them out");
    }
}

fn certification(
    scope: &Scope<'_>,
    raw: &RawCertification,
    known: &Known,
) -> Option<CertificationRisk> {
    let text = required(scope, "attribute", raw.attribute.as_deref())?;
    let place = scope.at("attribute");
    let (attribute, value_type) = known.identity_attribute(&place, text, &[])?;
    if !matches!(value_type, ValueType::Date | ValueType::Instant) {
        place.report_with_hint(
            format!("`{text}` is neither a date nor an instant"),
            "write `type = \"date\"` for it in identity.toml",
        );
    }
    let duration = |key: &str, raw: &Option<String>, default: &str| {
        duration_ms(&scope.at(key), raw.as_deref().unwrap_or(default))
    };
    let offset_ms = duration("offset", &raw.offset, OFFSET);
    let range_ms = duration("range", &raw.range, RANGE);
    if range_ms.is_some_and(|range_ms| range_ms < 10) {
        let place = scope.at("range");
        place.report_with_hint("it is too short for ten steps", "write such as 365d");
    }
    Some(CertificationRisk {
        attribute,
        offset_ms: offset_ms?,
        range_ms: range_ms?,
    })
}
