//! How risky access is: what a tenant says in `risk.toml`.

use std::collections::BTreeMap;

use crate::model::{Name, Scorecard};

/// How identities' risk is scored.
#[derive(Clone, Debug)]
pub struct Risk {
    /// No score is above this.
    pub maximum: u32,
    /// How much each component counts in the composite score.
    pub weights: RiskWeights,
    /// What decisions of people do to scores.
    pub factors: RiskFactors,
    /// From which composite score on the risk is medium, and from which high.
    pub bands: [u32; 2],
    /// What entitlements add.
    pub entitlements: EntitlementRisk,
    /// When access counts as certified, where the tenant says so.
    pub certification: Option<CertificationRisk>,
}

/// How much each component counts, relative to the others.
#[derive(Clone, Copy, Debug)]
pub struct RiskWeights {
    /// Roles.
    pub roles: u32,
    /// Additional entitlements.
    pub entitlements: u32,
    /// Policy violations.
    pub policies: u32,
    /// How long ago access was certified; it counts only where the tenant says when.
    pub certification: u32,
}

/// What decisions of people do to scores, in hundredths.
#[derive(Clone, Copy, Debug)]
pub struct RiskFactors {
    /// A violation that is allowed for now.
    pub mitigated: u32,
    /// A violation that was allowed and isn't any more.
    pub expired: u32,
    /// What is to go and is still there: a violation that was denied, an
    /// entitlement that is to be as it was before.
    pub remediated: u32,
    /// An entitlement that a person has accepted.
    pub certified: u32,
    /// Roles, and entitlements that nobody has decided about.
    pub uncertified: u32,
}

/// What entitlements that are in no detected role add, in points.
#[derive(Clone, Debug)]
pub struct EntitlementRisk {
    /// One about which nothing else is said.
    pub default: u32,
    /// Every value of an attribute about which nothing else is said.
    pub attributes: BTreeMap<(Name, Name), u32>,
    /// Single values.
    pub values: BTreeMap<(Name, Name), BTreeMap<String, u32>>,
}

impl EntitlementRisk {
    /// Returns what values of an attribute add, each.
    pub fn of(&self, application: Name, attribute: Name) -> impl Fn(&str) -> u32 {
        let at = (application, attribute);
        let single = self.values.get(&at);
        let other = self.attributes.get(&at).copied().unwrap_or(self.default);
        move |value| {
            let weight = single.and_then(|values| values.get(value));
            weight.copied().unwrap_or(other)
        }
    }
}

/// How the score grows with the time since access was certified: in ten steps
/// over `range_ms`, after `offset_ms`.
#[derive(Clone, Copy, Debug)]
pub struct CertificationRisk {
    /// The identity attribute (a date or a moment) that says when.
    pub attribute: Name,
    /// For so long the score is 0, in milliseconds.
    pub offset_ms: i64,
    /// After so long more it is at its maximum, in milliseconds.
    pub range_ms: i64,
}

/// How high the risk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Band {
    /// Below the first bound.
    Low,
    /// From the first bound on.
    Medium,
    /// From the second bound on.
    High,
}

impl Band {
    /// Every case with the word used in reports.
    pub const ALL: [(&'static str, Self); 3] = [
        ("low", Self::Low),
        ("medium", Self::Medium),
        ("high", Self::High),
    ];

    /// Returns the word used in reports.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, band)| *band == self);
        found.expect("every case is listed").0
    }
}

impl Risk {
    /// Returns the band of a scorecard.
    pub fn band(&self, scorecard: &Scorecard) -> Band {
        let [medium, high] = self.bands;
        match scorecard.composite {
            composite if composite >= high => Band::High,
            composite if composite >= medium => Band::Medium,
            _ => Band::Low,
        }
    }
}

/// As documented for IdentityIQ: scores up to 1,000 in three bands, four components of
/// equal weight.
impl Default for Risk {
    fn default() -> Self {
        Self {
            maximum: 1_000,
            weights: RiskWeights {
                roles: 25,
                entitlements: 25,
                policies: 25,
                certification: 25,
            },
            factors: RiskFactors {
                mitigated: 50,
                expired: 150,
                remediated: 200,
                certified: 0,
                uncertified: 100,
            },
            bands: [334, 668],
            entitlements: EntitlementRisk {
                default: 1,
                attributes: BTreeMap::new(),
                values: BTreeMap::new(),
            },
            certification: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Band, Risk};
    use crate::model::Scorecard;

    #[test]
    fn without_a_word_of_the_tenant_there_are_three_bands_up_to_a_thousand() {
        let risk = Risk::default();
        let band = |composite| {
            risk.band(&Scorecard {
                composite,
                ..Scorecard::default()
            })
        };
        let bands = [0, 333, 334, 667, 668, 1_000].map(band);
        use Band::{High, Low, Medium};
        assert_eq!(bands, [Low, Low, Medium, Medium, High, High]);
        assert_eq!(risk.maximum, 1_000);
    }
}
