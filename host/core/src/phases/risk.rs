//! The risk scorecard: how risky an identity's access is.
//!
//! Reads the settled roles, the entitlements that are in none of them, the
//! policy violations, and when access was certified. Risk policies are judged
//! by it, and filters of triggers and selections may read it.

use super::roles::SettledRoles;
use super::{Interrupt, entitlements, read_failure, store_failure};
use crate::definitions::{CertificationRisk, Model, PolicyKind, Risk};
use crate::model::finding::RISK;
use crate::model::{
    EntitlementVerdict, Finding, Name, Score, Scorecard, Severity, UnixMillis, Value, Violation,
    ViolationStatus,
};
use crate::plan::Draft;
use crate::planted::{self, Bug};
use crate::view::{SnapshotError, TrackedView};

/// Points that add up, and what is made of them: in points, and in hundredths.
#[derive(Clone, Copy, Default)]
struct Sum {
    raw: u64,
    compensated: u64,
}

impl Sum {
    fn add(&mut self, points: u32, factor: u32) {
        self.raw += u64::from(points);
        self.compensated += u64::from(points) * u64::from(factor);
    }

    fn score(self, maximum: u32) -> Score {
        let compensated = rounded(self.compensated, 100).min(u64::from(maximum));
        Score {
            raw: u32::try_from(self.raw).unwrap_or(u32::MAX),
            compensated: u32::try_from(compensated).unwrap_or(maximum),
        }
    }
}

/// Divides; halves are rounded up.
fn rounded(dividend: u64, divisor: u64) -> u64 {
    (2 * dividend + divisor) / (2 * divisor)
}

/// Works out the scorecard of an identity; none where the tenant scores nothing.
pub(crate) fn plan(
    view: &mut TrackedView,
    settled: &SettledRoles,
    violations: &[Violation],
    draft: &mut Draft,
) -> Result<Option<Scorecard>, SnapshotError> {
    let model = view.model().clone();
    let Some(risk) = &model.risk else {
        return Ok(None);
    };
    let mut card = Scorecard {
        roles: roles(&model, risk, settled),
        entitlements: additional_entitlements(view, &model, risk, settled),
        policies: policies(&model, risk, violations),
        ..Scorecard::default()
    };
    let mut parts = vec![
        (risk.weights.roles, card.roles.compensated),
        (risk.weights.entitlements, card.entitlements.compensated),
        (risk.weights.policies, card.policies.compensated),
    ];
    if let Some(certification) = &risk.certification {
        let certified = certified_at(view, certification.attribute, draft);
        let score = match certified.map_err(store_failure)? {
            Some(at) => certification_score(view, certification, risk.maximum, at),
            None => risk.maximum,
        };
        card.certification = score;
        parts.push((risk.weights.certification, score));
    }
    card.composite = composite(&parts, risk.maximum);
    Ok(Some(card))
}

/// Returns the components by their weights: the mean, as high as the maximum.
fn composite(parts: &[(u32, u32)], maximum: u32) -> u32 {
    let weights: u64 = parts.iter().map(|(weight, _)| u64::from(*weight)).sum();
    let points = |(weight, score): &(u32, u32)| u64::from(*weight) * u64::from(*score);
    let points: u64 = parts.iter().map(points).sum();
    match weights {
        0 => 0,
        weights => u32::try_from(rounded(points, weights)).unwrap_or(maximum),
    }
}

/// Scores the roles: each once, whether it is assigned, detected or both.
fn roles(model: &Model, risk: &Risk, settled: &SettledRoles) -> Score {
    let assigned = settled.assigned.iter().map(|known| known.role);
    let detected = settled.detected.iter().map(|known| known.role);
    let mut names: Vec<Name> = assigned.chain(detected).collect();
    names.sort_unstable();
    names.dedup();
    let mut sum = Sum::default();
    for role in names.into_iter().filter_map(|name| model.role(name)) {
        sum.add(role.risk_weight, risk.factors.uncertified);
    }
    sum.score(risk.maximum)
}

/// Scores the entitlements that are in no detected role.
fn additional_entitlements(
    view: &mut TrackedView,
    model: &Model,
    risk: &Risk,
    settled: &SettledRoles,
) -> Score {
    let present = view.present_accounts();
    let record = view.record();
    let decisions = &record.identity.by_hand.entitlements;
    let mut sum = Sum::default();
    for additional in entitlements::additional(model, record, &present, &settled.detected) {
        let (account, attribute) = (additional.account, additional.attribute);
        let weight_of = risk.entitlements.of(account.key.application, attribute);
        for value in additional.values {
            let note = account.native_entitlement(attribute, &value);
            let decision = note.and_then(|note| {
                let mut decisions = decisions.iter();
                decisions.find(|known| known.account == account.key && known.about == *note)
            });
            let factor = match decision.map(|decision| decision.verdict) {
                Some(EntitlementVerdict::Accepted) => risk.factors.certified,
                Some(EntitlementVerdict::Restored) => risk.factors.remediated,
                None => risk.factors.uncertified,
            };
            sum.add(weight_of(&value), factor);
        }
    }
    sum.score(risk.maximum)
}

/// Scores the violations. Those of risk policies would count what they are about
/// a second time.
fn policies(model: &Model, risk: &Risk, violations: &[Violation]) -> Score {
    let mut sum = Sum::default();
    for violation in violations.iter().filter(|known| known.ended.is_none()) {
        let Some(policy) = model.policies.get(violation.policy) else {
            continue;
        };
        if matches!(policy.kind, PolicyKind::Risk(_)) {
            continue;
        }
        let factor = match violation.status {
            ViolationStatus::Open => 100,
            ViolationStatus::Mitigated => risk.factors.mitigated,
            ViolationStatus::Expired => risk.factors.expired,
            ViolationStatus::Denied => risk.factors.remediated,
        };
        sum.add(policy.weight, factor);
    }
    sum.score(risk.maximum)
}

/// Returns when access was certified; never where nothing says so.
fn certified_at(
    view: &mut TrackedView,
    attribute: Name,
    draft: &mut Draft,
) -> Result<Option<UnixMillis>, Interrupt> {
    let value = match view.attribute(&attribute) {
        Ok(value) => value,
        Err(error) => {
            let error = read_failure(error)?;
            draft.findings.push(Finding {
                severity: Severity::Error,
                phase: RISK,
                subject: attribute.to_string(),
                cause: Name::new(error.cause()),
                message: format!("{error}; its access counts as never certified"),
                hint: error.hint(),
            });
            return Ok(None);
        }
    };
    match value {
        Some(Value::Instant(at)) => Ok(Some(at)),
        Some(Value::Date(day)) => match view.instant_at(day, jiff::civil::Time::midnight(), "") {
            Ok(at) => Ok(Some(at)),
            Err(error) => read_failure(error).map(|_| None),
        },
        _ => Ok(None),
    }
}

/// Returns how many tenths of the maximum have come, and wakes at the next.
fn certification_score(
    view: &mut TrackedView,
    certification: &CertificationRisk,
    maximum: u32,
    at: UnixMillis,
) -> u32 {
    let begin = at.plus_ms(certification.offset_ms);
    let step = |tenth: u32| begin.plus_ms(certification.range_ms / 10 * i64::from(tenth));
    let passed = (1..=10).take_while(|tenth| {
        let at = step(*tenth);
        match planted::is(Bug::ForgetCertification) {
            true => at <= view.as_of(),
            false => view.reached(at),
        }
    });
    let tenths = u64::try_from(passed.count()).unwrap_or_default();
    let score = rounded(u64::from(maximum) * tenths, 10);
    u32::try_from(score).unwrap_or(maximum)
}

#[cfg(test)]
mod tests {
    use super::{Sum, composite, rounded};

    #[test]
    fn a_composite_score_is_the_mean_by_weights() {
        // 25 × 100 + 25 × 200 + 25 × 600 = 22,500; of 75 that is 300.
        assert_eq!(composite(&[(25, 100), (25, 200), (25, 600)], 1_000), 300);
        // 25 × 100 + 25 × 200 + 25 × 600 + 25 × 1,000 = 47,500; of 100 that is 475.
        let four = [(25, 100), (25, 200), (25, 600), (25, 1_000)];
        assert_eq!(composite(&four, 1_000), 475);
        // 50 × 10 + 25 × 1 = 525; of 75 that is 7.
        assert_eq!(composite(&[(50, 10), (25, 1)], 1_000), 7);
        assert_eq!(composite(&[(0, 10)], 1_000), 0);
    }

    #[test]
    fn no_component_scores_more_than_the_maximum() {
        let mut sum = Sum::default();
        // 700 as they are, and 300 half as much again: 700 + 450 = 1,150.
        sum.add(700, 100);
        sum.add(300, 150);
        let score = sum.score(1_000);
        assert_eq!((score.raw, score.compensated), (1_000, 1_000));
        assert_eq!(sum.score(2_000).compensated, 1_150);
    }

    #[test]
    fn halves_are_rounded_up() {
        assert_eq!([49, 50, 149, 150].map(|n| rounded(n, 100)), [0, 1, 1, 2]);
    }
}
