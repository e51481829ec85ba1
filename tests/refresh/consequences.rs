//! What follows from who somebody is, in half of the random tenants: accounts that are
//! made of others, a policy by rule, changes that were sent and never shown, thresholds
//! of what is done with accounts, and identities that are pruned.
//!
//! All of it is drawn apart, so that the other half stays what it was.

use idr_core::definitions::{
    AccountAttribute, Application, ApplicationProvisioning, AttributeDefinition, Bound,
    Composition, EditMode, LogicalApplication, LogicalAttribute, Model, NativeEntitlements,
    OnEmpty, OnNoAccount, OnTrip, Origin, Policies, Policy, PolicyAction, PolicyKind, Profile,
    ProfileSet, Role, RoleType, Roles, RuleIndex, Selector, Source, StateAction, Threshold, Tier,
};
use idr_core::filter::Filter;
use idr_core::model::{AccountOperation, Name, PolicyVerdict, Severity, ValueType};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::histories::{Operation, PEOPLE};
use crate::world::{COMPOSING, JUDGING, Tenant, business};

/// The policy that a rule judges.
pub const SCRIPTED: &str = "scripted";

/// What follows in a tenant.
#[derive(Clone, Copy, Debug)]
pub struct Consequences {
    composed: Option<Composed>,
    /// Whether a rule judges what somebody has and is to have.
    judged: bool,
    confirm_within_ms: Option<i64>,
    creations: Option<Bound>,
    deletions: Option<Bound>,
    removals: Option<Bound>,
}

/// What accounts in `crm` are made of.
#[derive(Clone, Copy, Debug)]
struct Composed {
    by_rule: bool,
    /// Whether the account in the directory must be in a group.
    grouped: bool,
    /// Whether somebody's row in HR must be of the same place.
    matched: bool,
    /// Whom a role is for that asks for access there.
    filter: usize,
}

/// Whom that role is for.
const FILTERS: [&str; 4] = [
    "links.application.name == \"crm\"",
    "links.application.name == \"crm\" && location == \"v1\"",
    "department == \"v2\" || seat == \"v1\"",
    "links.level == \"v2\" || manager.seat.notNull()",
];

impl Composed {
    fn random(random: &mut ChaCha8Rng) -> Self {
        let mut coin = || random.random_range(0..2) == 0;
        Self {
            by_rule: coin(),
            grouped: coin(),
            matched: coin(),
            filter: random.random_range(0..FILTERS.len()),
        }
    }

    fn application(self) -> Application {
        let name = Name::new;
        let tier = |application: &str| Tier {
            application: name(application),
            filter: None,
            matched: None,
        };
        let tiers = vec![
            Tier {
                filter: self.grouped.then(|| filter("groups.containsAll({\"g0\"})")),
                ..tier("ad")
            },
            Tier {
                matched: self.matched.then(|| (name("location"), name("title"))),
                ..tier("hr")
            },
        ];
        let from = |attribute: &str, application: &str, of: &str| LogicalAttribute {
            name: name(attribute),
            application: name(application),
            attribute: name(of),
        };
        let schema = [
            ("groups", ValueType::Many),
            ("level", ValueType::Text),
            ("place", ValueType::Text),
        ];
        Application {
            name: name("crm"),
            schema: schema
                .map(|(text, value_type)| AccountAttribute {
                    name: name(text),
                    value_type,
                    entitlement: text == "groups",
                    sensitive: false,
                })
                .to_vec(),
            correlation: Vec::new(),
            creates: None,
            vanish_grace_ms: 0,
            native_changes: None,
            native_entitlements: NativeEntitlements::default(),
            logical: Some(LogicalApplication {
                primary: name("ad"),
                composition: match self.by_rule {
                    true => Composition::Rule(RuleIndex(COMPOSING)),
                    false => Composition::Tiers(tiers),
                },
                attributes: vec![
                    from("groups", "ad", "groups"),
                    from("place", "hr", "location"),
                ],
            }),
            provisioning: ApplicationProvisioning::default(),
        }
    }

    fn roles(self) -> [Role; 2] {
        let asks = |application: &str, groups: &[&str]| Profile {
            application: Name::new(application),
            entitlements: vec![(
                Name::new("groups"),
                groups.iter().map(|group| (*group).to_owned()).collect(),
            )],
            filter: None,
        };
        let of_tier: &[&str] = match self.grouped && !self.by_rule {
            true => &["g0", "g1"],
            false => &["g1"],
        };
        [
            Role {
                requires: vec![Name::new("crm it")],
                ..business("composed", Selector::Filter(filter(FILTERS[self.filter])))
            },
            Role {
                role_type: RoleType::it(),
                selector: None,
                detection: vec![ProfileSet {
                    any: false,
                    profiles: vec![asks("crm", &["g1"])],
                }],
                parts: vec![asks("ad", of_tier)],
                ..business("crm it", Selector::MatchList(Vec::new()))
            },
        ]
    }

    fn furnish(self, model: &mut Model) {
        let crm = self.application();
        let place = model
            .applications
            .iter()
            .position(|known| known.name > crm.name);
        let place = place.unwrap_or(model.applications.len());
        model.applications.insert(place, crm);
        let from = |attribute: &str| Source {
            origin: Origin::Account {
                application: Name::new("crm"),
                attribute: Name::new(attribute),
            },
            on_empty: OnEmpty::Next,
            on_no_account: OnNoAccount::Clear,
        };
        model.attributes.push(AttributeDefinition {
            name: Name::new("seat"),
            value_type: ValueType::Text,
            sources: vec![from("level"), from("place")],
            proposals: false,
            unique: None,
            on_change: None,
            edit_mode: EditMode::ReadOnly,
            sensitive: false,
            targets: Vec::new(),
        });
        model.attributes.sort_by_key(|known| known.name);
        let mut roles = model.roles.to_vec();
        roles.extend(self.roles());
        model.roles = Roles::new(roles, &model.populations);
        let mut states = model.lifecycle.states.iter_mut();
        let gone = states.find(|state| state.name.as_str() == "gone");
        gone.expect("there is one").accounts.push(StateAction {
            application: Name::new("crm"),
            operation: AccountOperation::Disable,
            to: None,
            after_ms: 5 * 3_600_000,
        });
    }
}

fn filter(text: &str) -> Filter {
    Filter::parse(text).expect("a filter of this file")
}

impl Consequences {
    fn random(random: &mut ChaCha8Rng) -> Self {
        let composed = (random.random_range(0..4) > 0).then(|| Composed::random(random));
        let judged = random.random_range(0..2) == 0;
        let within = [None, Some(0), Some(5), Some(30)][random.random_range(0..4)];
        // There are few of these, so that none may be.
        let mut bound = || {
            let bound = Bound {
                limit: Threshold::Count(0),
                window_ms: [None, Some(36 * 3_600_000)][random.random_range(0..2)],
                on_trip: OnTrip::HoldKind,
            };
            (random.random_range(0..3) > 0).then_some(bound)
        };
        Self {
            composed,
            judged,
            confirm_within_ms: within.map(|hours: i64| hours * 3_600_000),
            creations: bound(),
            deletions: bound(),
            removals: bound(),
        }
    }

    /// Adds what there is to a tenant's definitions, behind everything else.
    pub fn furnish(self, model: &mut Model) {
        if let Some(composed) = self.composed {
            composed.furnish(model);
        }
        if self.judged {
            let mut policies = model.policies.to_vec();
            policies.push(Policy {
                name: Name::new(SCRIPTED),
                description: None,
                owner: Some("p2".to_owned()),
                severity: Severity::Warning,
                weight: 10,
                action: PolicyAction::Report,
                kind: PolicyKind::Rule(RuleIndex(JUDGING)),
                excluded: Vec::new(),
            });
            model.policies = Policies::new(policies, model.policies.keep_previous());
        }
        model.provisioning.confirm_within_ms = self.confirm_within_ms;
        // Drawn with something else, so that what a seed meant before stays what it is.
        model.work_item_fallback = self.judged.then(|| "p4".to_owned());
        model.thresholds.account_creations = self.creations;
        model.thresholds.account_deletions = self.deletions;
        model.thresholds.entitlement_removals = self.removals;
    }
}

/// Lets a tenant have what follows, changes be sent that nobody carries out, people
/// decide about what the rule says, and identities be pruned.
pub fn follow(tenant: &mut Tenant, operations: &mut Vec<Operation>, random: &mut ChaCha8Rng) {
    let mut consequences = Consequences::random(random);
    tenant.consequences = Some(consequences);
    for operation in operations.iter_mut() {
        if let Operation::Configure(edited) = operation {
            if random.random_range(0..4) == 0 {
                consequences = Consequences::random(random);
            }
            edited.consequences = Some(consequences);
        }
    }
    let mut place = 0;
    while place < operations.len() {
        let refreshed = matches!(operations[place], Operation::Refresh { meanwhile: None });
        if refreshed && random.random_range(0..2) == 0 {
            let sent = Operation::Send {
                first: random.random_range(0..3),
                in_vain: random.random_range(0..2) == 0,
            };
            operations.insert(place + 1, sent);
        }
        place += 1;
    }
    for _ in 0..random.random_range(0..4) {
        let place = random.random_range(0..=operations.len());
        let verdict = PolicyVerdict::ALL[random.random_range(0..2)].1;
        let until = random.random_range(-20..120);
        let operation = Operation::DecidePolicy {
            person: random.random_range(0..PEOPLE),
            policy: SCRIPTED,
            decision: (random.random_range(0..5) > 0).then_some((verdict, until)),
        };
        operations.insert(place, operation);
    }
    for _ in 0..random.random_range(0..3) {
        let mut place = random.random_range(0..=operations.len());
        let gone = [
            Operation::HrListed {
                person: random.random_range(0..PEOPLE),
                listed: false,
            },
            Operation::Refresh { meanwhile: None },
            Operation::Pass(random.random_range(0..60) * 3_600_000),
            Operation::Refresh { meanwhile: None },
            Operation::Prune {
                hours: random.random_range(0..24),
            },
        ];
        for operation in gone {
            operations.insert(place, operation);
            place = random.random_range(place + 1..=operations.len().min(place + 3));
        }
    }
}
