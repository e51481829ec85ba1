//! Policy violations, decisions about them, and scorecards, for people and as JSON.

use idr_core::definitions::Risk;
use idr_core::model::{PolicyDecision, Score, Scorecard, Violation};
use serde::Serialize;

/// A policy that an identity violates, or did.
#[derive(Clone, Debug, Serialize)]
pub struct ViolationReport {
    /// The policy.
    pub policy: &'static str,
    /// `open`, `mitigated`, `expired`, `denied`, or `over`.
    pub status: &'static str,
    /// What violates it: `actual`, `desired` or `both`.
    pub basis: &'static str,
    /// What stands on the left, or is in the way.
    pub left: Vec<String>,
    /// What stands on the right.
    pub right: Vec<String>,
    /// What is kept out of provisioning because of it.
    pub held: Vec<String>,
    /// Since when.
    pub since: String,
    /// When it was over.
    pub ended: Option<String>,
}

impl ViolationReport {
    /// Returns the report on a violation.
    pub fn of(violation: &Violation) -> Self {
        Self {
            policy: violation.policy.as_str(),
            status: match violation.ended {
                Some(_) => "over",
                None => violation.status.as_str(),
            },
            basis: violation.basis.as_str(),
            left: violation.left.clone(),
            right: violation.right.clone(),
            held: violation.held.clone(),
            since: violation.since.to_string(),
            ended: violation.ended.map(|ended| ended.to_string()),
        }
    }

    /// Returns policy, status, what collides, and since when.
    pub fn row(&self) -> [String; 4] {
        let basis = match self.basis {
            "both" => String::new(),
            basis => format!(" ({basis})"),
        };
        let until = self.ended.as_ref();
        let until = until.map_or_else(String::new, |ended| format!(" until {ended}"));
        [
            self.policy.to_owned(),
            format!("{}{basis}", self.status),
            self.sides(),
            format!("since {}{until}", self.since),
        ]
    }

    fn sides(&self) -> String {
        let (left, right) = (self.left.join(", "), self.right.join(", "));
        let sides = match right.as_str() {
            "" => left,
            right => format!("{left} / {right}"),
        };
        match self.held.as_slice() {
            [] => sides,
            held => format!("{sides}; holds {}", held.join(", ")),
        }
    }
}

/// What a person has decided about a policy violation.
#[derive(Clone, Debug, Serialize)]
pub struct PolicyDecisionReport {
    /// The policy.
    pub policy: &'static str,
    /// `allowed` or `denied`.
    pub verdict: &'static str,
    /// When an allowance ends.
    pub until: Option<String>,
    /// Who decided it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: String,
}

impl PolicyDecisionReport {
    /// Returns the report on a decision.
    pub fn of(decision: &PolicyDecision) -> Self {
        Self {
            policy: decision.policy.as_str(),
            verdict: decision.verdict.as_str(),
            until: decision.until.map(|until| until.to_string()),
            actor: decision.actor.clone(),
            reason: decision.reason.clone(),
            at: decision.at.to_string(),
        }
    }
}

/// How risky an identity's access is, in points.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ScorecardReport {
    /// All components together.
    pub composite: u32,
    /// `low`, `medium` or `high`; none where nothing is scored any more.
    pub band: Option<&'static str>,
    /// Assigned and detected roles.
    pub roles: ScoreReport,
    /// Entitlements that are in no detected role.
    pub entitlements: ScoreReport,
    /// Policy violations.
    pub policies: ScoreReport,
    /// How long ago access was certified.
    pub certification: u32,
}

/// One component of a scorecard.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ScoreReport {
    /// As the weights say.
    pub raw: u32,
    /// After what people have decided about it.
    pub compensated: u32,
}

impl ScorecardReport {
    /// Returns the report on a scorecard.
    pub fn of(card: &Scorecard, risk: Option<&Risk>) -> Self {
        let score = |score: Score| ScoreReport {
            raw: score.raw,
            compensated: score.compensated,
        };
        Self {
            composite: card.composite,
            band: risk.map(|risk| risk.band(card).as_str()),
            roles: score(card.roles),
            entitlements: score(card.entitlements),
            policies: score(card.policies),
            certification: card.certification,
        }
    }

    /// Returns it in words.
    pub fn spoken(&self) -> String {
        let score = |score: ScoreReport| match score.raw == score.compensated {
            true => score.raw.to_string(),
            false => format!("{} (raw {})", score.compensated, score.raw),
        };
        let certification = match self.certification {
            0 => String::new(),
            certification => format!(", certification {certification}"),
        };
        format!(
            "{} {}: roles {}, entitlements {}, policies {}{certification}",
            self.composite,
            self.band.unwrap_or("no longer scored"),
            score(self.roles),
            score(self.entitlements),
            score(self.policies),
        )
    }
}
