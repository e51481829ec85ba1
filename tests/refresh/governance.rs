//! What half of the random tenants forbid and score, and what people decide about it.
//!
//! All of it is drawn apart, so that the other half stays what it was.

use std::collections::BTreeMap;

use idr_core::definitions::{
    CertificationRisk, EntitlementRisk, Model, Policies, Policy, PolicyAction, PolicyEntitlement,
    PolicyKind, Risk, Roles,
};
use idr_core::filter::Filter;
use idr_core::model::{Name, PolicyVerdict, Severity};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::histories::{Operation, PEOPLE};
use crate::world::Tenant;

/// The policies, of which some are in use.
pub const POLICIES: [&str; 6] = ["access", "accounts", "groups", "people", "risk", "roles"];

/// What is forbidden and scored.
#[derive(Clone, Copy, Debug)]
pub struct Governance {
    in_use: [bool; POLICIES.len()],
    holds: bool,
    keeps: bool,
    /// Whom `roles` doesn't concern.
    excluded: usize,
    roles: usize,
    filter: usize,
    least: u32,
    scores: bool,
    certifies: bool,
}

const FILTERS: [&str; 4] = [
    "department == \"v1\" && assignedRoles.notNull()",
    "detectedRoles == \"it\" || inactive == true",
    "manager.department == \"v2\"",
    "links.groups == \"g0\" && !(location == \"v1\")",
];

/// The roles that can't go together.
const SEPARATED: [(&[&str], &[&str]); 4] = [
    (&["business-0"], &["business-1", "by hand"]),
    (&["by-rule-1", "granted"], &["by-rule-2", "it"]),
    (&["it"], &["business-1"]),
    (&["by hand", "business-2"], &["it", "granted"]),
];

impl Governance {
    pub fn random(random: &mut ChaCha8Rng) -> Self {
        let mut coin = || random.random_range(0..3) > 0;
        let in_use = POLICIES.map(|_| coin());
        let (holds, keeps, scores, certifies) = (coin(), !coin(), coin(), !coin());
        Self {
            in_use,
            holds,
            keeps,
            scores,
            certifies,
            excluded: random.random_range(0..FILTERS.len() + 4),
            roles: random.random_range(0..SEPARATED.len()),
            filter: random.random_range(0..FILTERS.len()),
            least: random.random_range(1..60),
        }
    }

    /// Adds what there is to a tenant's definitions.
    pub fn furnish(&self, model: &mut Model) {
        let filter = |text: &str| Filter::parse(text).expect("a filter of this file");
        let names = |names: &[&str]| {
            let mut names: Vec<Name> = names.iter().map(|name| Name::new(name)).collect();
            names.sort();
            names
        };
        let group = |value: &str| PolicyEntitlement {
            application: Name::new("ad"),
            attribute: Name::new("groups"),
            value: value.to_owned(),
        };
        let (left, right) = SEPARATED[self.roles];
        let kinds = [
            PolicyKind::Filter(filter("links.groups.containsAll({\"g1\", \"g2\"})")),
            PolicyKind::Accounts {
                application: Name::new("ad"),
                filter: self.holds.then(|| filter("title == \"v1\"")),
                most: u32::from(!self.holds),
            },
            PolicyKind::Entitlements {
                left: vec![group("g0")],
                right: vec![group("g1"), group("g2")],
            },
            PolicyKind::Filter(filter(FILTERS[self.filter])),
            PolicyKind::Risk(self.least),
            PolicyKind::Roles {
                left: names(left),
                right: names(right),
            },
        ];
        let policies = POLICIES.into_iter().zip(kinds).zip(self.in_use);
        let policies = policies.filter(|(_, in_use)| *in_use);
        let policies = policies.map(|((name, kind), _)| Policy {
            name: Name::new(name),
            description: None,
            // Without one, whoever owns what is held is asked, or the manager.
            owner: (!self.keeps).then(|| "p1".to_owned()),
            severity: Severity::Warning,
            weight: 10,
            action: match kind {
                PolicyKind::Roles { .. } | PolicyKind::Entitlements { .. } if self.holds => {
                    PolicyAction::Hold
                }
                _ => PolicyAction::Report,
            },
            kind,
            excluded: match name {
                "roles" => FILTERS.get(self.excluded).map(|text| filter(text)),
                _ => None,
            }
            .into_iter()
            .collect(),
        });
        model.policies = Policies::new(policies.collect(), self.keeps);
        if !self.scores {
            return;
        }
        let mut roles = model.roles.to_vec();
        for (role, weight) in roles.iter_mut().zip([7, 0, 20].into_iter().cycle()) {
            role.risk_weight = weight;
        }
        model.roles = Roles::new(roles, &model.populations);
        model.risk = Some(Risk {
            maximum: 100,
            entitlements: EntitlementRisk {
                default: 3,
                attributes: BTreeMap::new(),
                values: BTreeMap::from([(
                    (Name::new("ad"), Name::new("groups")),
                    BTreeMap::from([("g2".to_owned(), 30)]),
                )]),
            },
            certification: self.certifies.then(|| CertificationRisk {
                attribute: Name::new("start"),
                offset_ms: 12 * 3_600_000,
                range_ms: 60 * 3_600_000,
            }),
            ..Risk::default()
        });
    }
}

/// Lets people decide about violations, and refreshes judge some policies only.
pub fn govern(tenant: &mut Tenant, operations: &mut Vec<Operation>, random: &mut ChaCha8Rng) {
    let governance = Governance::random(random);
    tenant.governance = Some(governance);
    let mut edited = governance;
    for operation in operations.iter_mut() {
        if let Operation::Configure(tenant) = operation {
            if random.random_range(0..6) == 0 {
                edited = Governance::random(random);
            }
            tenant.governance = Some(edited);
        }
    }
    for _ in 0..random.random_range(0..8) {
        let place = random.random_range(0..=operations.len());
        let verdict = PolicyVerdict::ALL[random.random_range(0..2)].1;
        let until = random.random_range(-20..120);
        let decision = (random.random_range(0..5) > 0).then_some((verdict, until));
        let operation = Operation::DecidePolicy {
            person: random.random_range(0..PEOPLE),
            policy: POLICIES[random.random_range(0..POLICIES.len())],
            decision,
        };
        operations.insert(place, operation);
    }
    for _ in 0..random.random_range(0..3) {
        let place = random.random_range(0..=operations.len());
        let judged = POLICIES.into_iter();
        let judged = judged.filter(|_| random.random_range(0..3) == 0).collect();
        operations.insert(place, Operation::RefreshJudging { judged });
    }
}
