//! Random tenants and histories, small enough to hit every corner often.
//!
//! A tenant's rules are little programs that read what rules may read and
//! answer from few values, so that values, look-ups and roles meet all the time.
//! They run natively, or by the example component `all-kinds`, which is told
//! the same programs and must answer the same.

use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use idr::refresh::{Configurator, Configured, RuleHost};
use idr::rules::{self, ComponentCache, Question, RuleEngine, RuleError, Trouble, digest_of};
use idr::store::Files;
use idr_core::definitions::{
    AccountAttribute, Application, AttributeDefinition, AutomaticRoles, Catalogue,
    CorrelationMatch, CorrelationStep, Detection, EditMode, Grant, History, IdentityCreation,
    Isolation, Lifecycle, LifecycleState, ManagerCorrelation, Model, NativeChangeDetection,
    NativeEntitlements, NativeResponse, OnEmpty, OnNoAccount, Origin, Owners, Profile, ProfileSet,
    RequestedRoles, Role, RoleType, Rule, RuleIndex, RuleLimits, Selector, Source, StateAction,
    Trigger, TriggerCondition, digest,
};
use idr_core::filter::Filter;
use idr_core::model::{
    AccountOperation, AccountStatus, Handler, IdentityType, Name, NativeOperation, UnixMillis,
    Value, ValueType,
};
use idr_core::rule::{
    AccountNeed, AccountSelection, Breach, BreachGrant, ComposedAccount, Creation, Eligibility,
    Lookup, Mapping, Promotion, Proposal, RuleEvaluator, RuleFailure, Target, ValueChange,
};
use idr_core::time::Zone;
use idr_core::transform::account::AccountRead;
use idr_core::transform::derived::{Derived, Secret};
use idr_core::transform::moment::{Compare, DateMath, Expression, Operator, Side};
use idr_core::transform::template::{Part, Template};
use idr_core::transform::text::TextOperation;
use idr_core::transform::usernames::{Pattern, UsernameGenerator};
use idr_core::transform::{Referenced, Transform};
use idr_core::view::TrackedView;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::consequences::Consequences;
use crate::governance::Governance;
use crate::provisioned::Provisioned;
use crate::variety::Variety;

/// What a random rule reads, in order; its answer is made of what it read.
#[derive(Clone, Copy, Debug)]
pub enum Read {
    Attribute(&'static str),
    ManagerAttribute(&'static str),
    Account(&'static str, &'static str),
    EndIsOver,
    StartAtFive,
    Holds(&'static str),
    HadDepartment,
    /// An attribute of the account that the rule is asked about.
    Own(&'static str),
    Status,
    /// An attribute of the accounts that logical ones are made of.
    Tier(&'static str),
    /// Whether what is judged has a role, or a group.
    Has(&'static str),
    Can(&'static str),
    Desired,
}

impl Read {
    /// What the component `all-kinds` calls it.
    fn parameter(self) -> String {
        match self {
            Self::Attribute(name) => format!("attribute {name}"),
            Self::ManagerAttribute(name) => format!("manager-attribute {name}"),
            Self::Account(application, name) => format!("account {application} {name}"),
            Self::EndIsOver => "over end".to_owned(),
            Self::StartAtFive => "reached start 5".to_owned(),
            Self::Holds(group) => format!("holds ad groups {group}"),
            Self::HadDepartment => "baseline department".to_owned(),
            Self::Own(name) => format!("own {name}"),
            Self::Status => "status".to_owned(),
            Self::Tier(name) => format!("tier ad {name}"),
            Self::Has(role) => format!("has {role}"),
            Self::Can(group) => format!("can ad groups {group}"),
            Self::Desired => "desired".to_owned(),
        }
    }
}

/// A random tenant: everything that a configuration file would say, as numbers.
#[derive(Clone, Debug)]
pub struct Tenant {
    pub promotions: Vec<Vec<Read>>,
    pub state_reads: Vec<Read>,
    pub assignment: Vec<Read>,
    pub trigger: Vec<Read>,
    /// Whether a rule says whom an account names as the manager, and what it reads.
    pub names_managers: bool,
    pub manager: Vec<Read>,
    /// Whether a rule says whose an account is, and what it reads.
    pub correlates: bool,
    pub correlation: Vec<Read>,
    /// Whether a rule proposes values of attributes, and what it reads.
    pub proposes: bool,
    pub before: Vec<Read>,
    /// Whether a rule proposes values for the next refresh, and what it reads.
    pub follows: bool,
    pub after: Vec<Read>,
    /// The attributes about whose changes a rule is asked, and what it reads.
    pub listens: Vec<&'static str>,
    pub change: Vec<Read>,
    pub native: Native,
    pub role_filters: Vec<usize>,
    pub hidden_roles: usize,
    pub edit_mode: usize,
    pub grace_ms: i64,
    pub freeze: usize,
    pub access: Access,
    pub start: UnixMillis,
    pub transforms: [usize; 2],
    /// Names that are given once each, if there are any.
    pub logins: Option<Logins>,
    pub variety: Option<Variety>,
    pub provisioned: Option<Provisioned>,
    /// What is forbidden and scored.
    pub governance: Option<Governance>,
    /// What follows from who somebody is.
    pub consequences: Option<Consequences>,
    /// What is kept of what people were.
    pub history: History,
    pub serial: u64,
}

/// How names are given that are unique.
#[derive(Clone, Copy, Debug)]
pub struct Logins {
    /// Who has a name in an account keeps it.
    existing: bool,
    /// Whoever has other values gets another name.
    renew: bool,
    /// Names have numbers, so that there is always one more.
    counted: bool,
}

/// What else there is to roles.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// The first role by filter is in use between these hours after the start.
    in_use: (Option<i64>, Option<i64>),
    /// The last role by filter is out of use.
    disabled: bool,
    /// One of the profiles of the IT role is enough.
    pub any: bool,
    /// The IT role is detected only where it is called for.
    if_assigned: bool,
    /// The role by hand permits the IT role, else the second role by filter
    /// requires it.
    pub permits: bool,
    /// The state that grants a role.
    grants: usize,
    /// How long after leaving accounts are moved and deleted, in hours.
    after: [i64; 2],
}

impl Access {
    fn random(random: &mut ChaCha8Rng) -> Self {
        let hours = |random: &mut ChaCha8Rng| {
            (random.random_range(0..2) == 0).then(|| random.random_range(-20..120))
        };
        Self {
            in_use: (hours(random), hours(random)),
            disabled: random.random_range(0..3) == 0,
            any: random.random_range(0..2) == 0,
            if_assigned: random.random_range(0..2) == 0,
            permits: random.random_range(0..2) == 0,
            grants: random.random_range(0..3),
            after: [random.random_range(0..30), random.random_range(0..90)],
        }
    }

    /// What a state does with accounts.
    fn actions(self, state: &str) -> Vec<StateAction> {
        let action = |operation, to: Option<&str>, hours| StateAction {
            application: Name::new("ad"),
            operation,
            to: to.map(str::to_owned),
            after_ms: hours * 3_600_000,
        };
        match state {
            "gone" => vec![
                action(AccountOperation::Disable, None, 0),
                action(AccountOperation::Move, Some("2"), self.after[0]),
                action(AccountOperation::Delete, None, self.after[1]),
            ],
            "active" => vec![action(AccountOperation::Enable, None, 0)],
            _ => Vec::new(),
        }
    }
}

/// What becomes of native gains and losses in the directory, and who owns what.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native {
    /// What is done about gains and losses.
    pub entitlements: NativeEntitlements,
    /// The numbers of the people who own the directory and a role.
    pub owners: [usize; 2],
    /// How long an account may be missing from the directory.
    pub grace_ms: i64,
    /// From when until when the IT role is in use, in hours after the start.
    pub it_in_use: (Option<i64>, Option<i64>),
}

impl Native {
    pub fn random(random: &mut ChaCha8Rng) -> Self {
        let mut response = || NativeResponse::ALL[random.random_range(0..3)].1;
        let entitlements = NativeEntitlements {
            gain: response(),
            loss: response(),
        };
        let mut hours = || (random.random_range(0..4) == 0).then(|| random.random_range(-20..120));
        let it_in_use = (hours(), hours());
        Self {
            entitlements,
            owners: [(); 2].map(|()| random.random_range(0..6)),
            grace_ms: [0, 36 * 3_600_000][random.random_range(0..2)],
            it_in_use,
        }
    }
}

/// The places of the rules: three promote attributes, then these.
pub const STATE: usize = 3;
pub const ASSIGNMENT: usize = 4;
pub const TRIGGER: usize = 5;
const MANAGER: usize = 6;
const CORRELATION: usize = 7;
pub const BEFORE: usize = 8;
pub const AFTER: usize = 9;
pub const CHANGE: usize = 10;
pub const SELECTION: usize = 11;
pub const MAPPING: usize = 12;
pub const COMPOSING: usize = 13;
pub const JUDGING: usize = 14;

fn rule_name(index: usize) -> Name {
    Name::new(&format!("rule-{index}"))
}

/// The component that runs every program, and its digest.
static ALL_KINDS: LazyLock<(Arc<[u8]>, String)> = LazyLock::new(|| {
    let path = "../rules-examples/rust/all-kinds/all-kinds.wasm";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let bytes = std::fs::read(path).expect("the component is committed");
    let sha256 = digest_of(&bytes);
    (bytes.into(), sha256)
});

static ENGINE: LazyLock<RuleEngine> =
    LazyLock::new(|| RuleEngine::new().expect("this machine runs WebAssembly"));

/// Every configuration that is adopted loads the component again.
const COMPILED: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled");

const FILTERS: [&str; 6] = [
    "department == \"v1\"",
    "department == \"v2\" || location == \"v1\"",
    "manager.department == \"v1\"",
    "inactive == false && grade.notNull()",
    "title.startsWith(\"v\") && !(team == \"v0\")",
    "lifecycleState == \"active\" && links.application.name == \"ad\"",
];

/// Attributes about whose changes a rule may be asked; it may bring some about.
const LISTENED: [&str; 5] = ["department", "end", "grade", "location", "team"];

const SETTLED: [Read; 7] = [
    Read::Attribute("department"),
    Read::Attribute("location"),
    Read::Attribute("grade"),
    Read::Attribute("lifecycleState"),
    Read::ManagerAttribute("department"),
    Read::ManagerAttribute("inactive"),
    Read::EndIsOver,
];

/// What a rule reads that chooses an account for a role.
const SELECTING: [Read; 1] = [Read::Attribute("department")];

/// What the rule for accounts' titles reads.
const MAPPED: [Read; 2] = [Read::Attribute("department"), Read::Attribute("location")];

/// What the rule reads that makes accounts of others.
const COMPOSED: [Read; 2] = [Read::Tier("title"), Read::Tier("groups")];

/// What the rule reads that judges what somebody has.
const JUDGED: [Read; 4] = [
    Read::Has("granted"),
    Read::Can("g1"),
    Read::Attribute("department"),
    Read::Desired,
];

fn reads(random: &mut ChaCha8Rng, from: &[Read], most: usize) -> Vec<Read> {
    let count = random.random_range(1..=most);
    (0..count)
        .map(|_| from[random.random_range(0..from.len())])
        .collect()
}

impl Tenant {
    pub fn random(random: &mut ChaCha8Rng) -> Self {
        let promoting = [
            Read::Attribute("department"),
            Read::Attribute("location"),
            Read::Attribute("grade"),
            Read::Attribute("team"),
            Read::Attribute("code"),
            Read::Attribute("label"),
            Read::ManagerAttribute("code"),
            Read::Attribute("manager"),
            Read::Attribute("lifecycleState"),
            Read::ManagerAttribute("department"),
            Read::ManagerAttribute("team"),
            Read::Account("hr", "department"),
            Read::Account("hr", "location"),
            Read::Account("ad", "title"),
            Read::EndIsOver,
            Read::StartAtFive,
        ];
        let state = [
            Read::EndIsOver,
            Read::StartAtFive,
            Read::Attribute("grade"),
            Read::Attribute("team"),
        ];
        let assigning: Vec<Read> = SETTLED.into_iter().chain([Read::Holds("g1")]).collect();
        let triggering: Vec<Read> = SETTLED
            .into_iter()
            .chain([Read::Holds("g1"), Read::HadDepartment])
            .collect();
        Self {
            promotions: (0..3).map(|_| reads(random, &promoting, 3)).collect(),
            state_reads: reads(random, &state, 2),
            assignment: reads(random, &assigning, 2),
            trigger: reads(random, &triggering, 2),
            names_managers: false,
            manager: vec![Read::Own("department")],
            correlates: false,
            correlation: vec![Read::Own("person")],
            proposes: false,
            before: vec![Read::Attribute("department")],
            follows: false,
            after: vec![Read::Attribute("department")],
            listens: Vec::new(),
            change: vec![Read::Attribute("department")],
            native: Native::default(),
            role_filters: (0..3)
                .map(|_| random.random_range(0..FILTERS.len()))
                .collect(),
            hidden_roles: 0,
            edit_mode: random.random_range(0..2),
            grace_ms: [0, 36 * 3_600_000][random.random_range(0..2)],
            freeze: random.random_range(0..3),
            // Drawn apart, so that what a seed meant before stays what it is.
            access: Access::random(&mut random.clone()),
            start: UnixMillis::default(),
            transforms: {
                let mut apart = random.clone();
                [(); 2].map(|()| apart.random_range(0..TRANSFORMS))
            },
            logins: None,
            variety: None,
            provisioned: None,
            governance: None,
            consequences: None,
            history: History::default(),
            serial: 0,
        }
    }

    /// Draws what came later, apart from what seeds meant before.
    pub fn more(mut self, random: &mut ChaCha8Rng) -> Self {
        self.names_managers = random.random_range(0..3) > 0;
        self.correlates = random.random_range(0..3) > 0;
        self.manager = reads(random, &[Read::Own("department"), Read::Own("location")], 2);
        self.correlation = reads(
            random,
            &[Read::Own("person"), Read::Own("title"), Read::Status],
            2,
        );
        self.proposes = random.random_range(0..3) > 0;
        let before = [
            Read::Attribute("department"),
            Read::Attribute("grade"),
            // What it may propose itself: a cycle.
            Read::Attribute("location"),
            Read::Attribute("lifecycleState"),
            Read::ManagerAttribute("department"),
            Read::Account("hr", "location"),
            Read::EndIsOver,
        ];
        self.before = reads(random, &before, 2);
        self.follows = random.random_range(0..2) == 0;
        let after = [
            Read::Attribute("department"),
            Read::Attribute("grade"),
            // What it may bring about itself: perhaps it never settles.
            Read::Attribute("team"),
            Read::Attribute("lifecycleState"),
            Read::ManagerAttribute("department"),
            Read::Holds("g1"),
            Read::EndIsOver,
        ];
        self.after = reads(random, &after, 2);
        // Drawn apart, so that what a seed meant before stays what it is.
        let mut apart = random.clone();
        self.listens = LISTENED
            .into_iter()
            .filter(|_| apart.random_range(0..3) == 0)
            .collect();
        self.change = reads(&mut apart, &after, 2);
        self
    }

    /// Takes over from another what [`Tenant::more`] draws.
    pub fn with_what_came_later(self, other: &Self) -> Self {
        Self {
            names_managers: other.names_managers,
            correlates: other.correlates,
            manager: other.manager.clone(),
            correlation: other.correlation.clone(),
            proposes: other.proposes,
            before: other.before.clone(),
            follows: other.follows,
            after: other.after.clone(),
            native: other.native,
            listens: other.listens.clone(),
            change: other.change.clone(),
            ..self
        }
    }

    /// Draws how unique names are given.
    pub fn with_logins(mut self, random: &mut ChaCha8Rng) -> Self {
        self.logins = (random.random_range(0..3) > 0).then(|| Logins {
            existing: random.random_range(0..2) == 0,
            renew: random.random_range(0..2) == 0,
            counted: random.random_range(0..3) > 0,
        });
        self
    }

    /// Lets a rule say whose an account is, before the configured matches.
    fn by_rule(&self, matches: [CorrelationStep; 1]) -> Vec<CorrelationStep> {
        let rule = self
            .correlates
            .then_some(CorrelationStep::Rule(RuleIndex(CORRELATION)));
        rule.into_iter().chain(matches).collect()
    }

    /// Changes one definition, as somebody who edits a file would.
    pub fn edit(&mut self, random: &mut ChaCha8Rng) {
        self.serial += 1;
        match random.random_range(0..7) {
            6 => self.transforms = Self::random(random).transforms,
            0 | 1 => {
                let role = random.random_range(0..self.role_filters.len());
                self.role_filters[role] = random.random_range(0..FILTERS.len());
            }
            2 => {
                self.access = Access::random(&mut random.clone());
                self.hidden_roles = random.random_range(0..=self.role_filters.len());
            }
            3 => self.assignment = Self::random(random).assignment,
            4 => self.trigger = Self::random(random).trigger,
            _ => self.promotions = Self::random(random).promotions,
        }
    }

    pub fn files(&self) -> Files {
        Files::from([("tenant".to_owned(), format!("{self:?}").into_bytes())])
    }

    pub fn model(&self) -> Model {
        let name = Name::new;
        let account = |attribute: &str, value_type, entitlement| AccountAttribute {
            name: name(attribute),
            value_type,
            entitlement,
            sensitive: false,
        };
        let sorted = |mut schema: Vec<AccountAttribute>| {
            schema.sort_by_key(|known| known.name);
            schema
        };
        let hr = Application {
            name: name("hr"),
            schema: sorted(vec![
                account("id", ValueType::Text, false),
                account("department", ValueType::Text, false),
                account("location", ValueType::Text, false),
                account("boss", ValueType::Text, false),
                account("zone", ValueType::Text, false),
                account("start", ValueType::Date, false),
                account("end", ValueType::Date, false),
            ]),
            correlation: vec![CorrelationStep::Match(CorrelationMatch {
                account_attribute: name("id"),
                identity_attribute: name("name"),
            })],
            creates: Some(IdentityCreation {
                rule: None,
                rank: 1,
                name_attribute: name("id"),
                identity_type: IdentityType::Person,
            }),
            vanish_grace_ms: self.grace_ms,
            native_changes: None,
            native_entitlements: NativeEntitlements::default(),
            provisioning: Default::default(),
            logical: None,
        };
        let ad = Application {
            name: name("ad"),
            schema: sorted(vec![
                account("person", ValueType::Text, false),
                account("title", ValueType::Text, false),
                account("groups", ValueType::Many, true),
            ]),
            correlation: self.by_rule([CorrelationStep::Match(CorrelationMatch {
                account_attribute: name("person"),
                identity_attribute: name("title"),
            })]),
            creates: None,
            vanish_grace_ms: self.native.grace_ms,
            native_changes: Some(NativeChangeDetection {
                operations: NativeOperation::ALL
                    .map(|(_, operation)| operation)
                    .to_vec(),
                attributes: Vec::new(),
            }),
            native_entitlements: self.native.entitlements,
            provisioning: Default::default(),
            logical: None,
        };
        let source = |origin| Source {
            origin,
            on_empty: OnEmpty::Next,
            on_no_account: OnNoAccount::Next,
        };
        let from = |application: &str, attribute: &str| {
            source(Origin::Account {
                application: name(application),
                attribute: name(attribute),
            })
        };
        let attribute = |text: &str, value_type, sources| AttributeDefinition {
            name: name(text),
            value_type,
            sources,
            proposals: matches!(text, "location" | "team"),
            unique: None,
            on_change: self.listens.contains(&text).then_some(RuleIndex(CHANGE)),
            edit_mode: EditMode::ReadOnly,
            sensitive: false,
            targets: Vec::new(),
        };
        let mut attributes = vec![
            attribute(
                "department",
                ValueType::Text,
                vec![from("hr", "department")],
            ),
            attribute(
                "location",
                ValueType::Text,
                vec![from("hr", "location"), from("ad", "title")],
            ),
            attribute(
                "grade",
                ValueType::Text,
                vec![source(Origin::Rule(RuleIndex(0)))],
            ),
            attribute(
                "team",
                ValueType::Text,
                vec![source(Origin::Rule(RuleIndex(1)))],
            ),
            attribute(
                "title",
                ValueType::Text,
                vec![source(Origin::Rule(RuleIndex(2)))],
            ),
            attribute(
                "code",
                ValueType::Text,
                vec![source(transform(self.transforms[0], "label"))],
            ),
            attribute(
                "label",
                ValueType::Text,
                vec![
                    source(transform(self.transforms[1], "code")),
                    source(Origin::Static(Value::text("v3"))),
                ],
            ),
            attribute("start", ValueType::Date, vec![from("hr", "start")]),
            attribute("end", ValueType::Date, vec![from("hr", "end")]),
            attribute("zone", ValueType::Text, vec![from("hr", "zone")]),
        ];
        attributes[0].edit_mode = [EditMode::Permanent, EditMode::UntilFeedChanges][self.edit_mode];
        if let Some(logins) = self.logins {
            let given = source(Origin::Usernames(Arc::new(logins.generator())));
            let existing = logins.existing.then(|| from("ad", "title"));
            let sources = existing.into_iter().chain([given]).collect();
            let mut login = attribute("login", ValueType::Text, sources);
            login.unique = Some(name(LOGINS));
            let of = |transform| vec![source(Origin::Transform(Arc::new(transform)))];
            let address = vec![Transform::Attribute(name("login")), fixed("@x")];
            let of_login = of(Transform::Concat(address));
            let mut address = attribute("address", ValueType::Text, of_login);
            address.unique = Some(name("addresses"));
            let boss = Transform::AttributeOf(Referenced::Manager, name("login"));
            let mut badge = attribute("badge", ValueType::Text, vec![from("ad", "title")]);
            badge.unique = Some(name("badges"));
            attributes.extend([
                badge,
                login,
                address,
                attribute("boss login", ValueType::Text, of(boss)),
            ]);
        }
        attributes.sort_by_key(|known| known.name);
        let rules = (0..=JUDGING).map(|index| self.rule(index)).collect();
        let mut model = Model {
            provisioning: Default::default(),
            zone: Zone::named("Europe/Berlin").expect("bundled"),
            end_of_day: None,
            history: self.history,
            applications: vec![ad, hr],
            attributes,
            before_refresh: self.proposes.then_some(RuleIndex(BEFORE)),
            after_refresh: self.follows.then_some(RuleIndex(AFTER)),
            manager: Some(ManagerCorrelation {
                sources: vec![(name("hr"), name("boss"))],
                rule: self.names_managers.then_some(RuleIndex(MANAGER)),
                identity_attribute: Some(name("location")),
            }),
            lifecycle: Lifecycle {
                states: [
                    ("active", false, AutomaticRoles::Evaluate),
                    ("gone", true, AutomaticRoles::Remove),
                    (
                        "leave",
                        false,
                        [AutomaticRoles::Freeze, AutomaticRoles::Evaluate][self.freeze % 2],
                    ),
                ]
                .map(|(text, inactive, automatic_roles)| LifecycleState {
                    name: name(text),
                    inactive,
                    automatic_roles,
                    requested_roles: match (inactive, self.freeze) {
                        (true, 2) => RequestedRoles::Remove,
                        _ => RequestedRoles::Keep,
                    },
                    roles: match ["active", "gone", "leave"][self.access.grants] == text {
                        true => vec![name("granted")],
                        false => Vec::new(),
                    },
                    accounts: self.access.actions(text),
                })
                .to_vec(),
                rule: Some(RuleIndex(STATE)),
                default_state: None,
            },
            roles: self.roles().into(),
            owners: Owners::new([
                (
                    format!("p{}", self.native.owners[0]),
                    "application `ad`".to_owned(),
                ),
                (
                    format!("p{}", self.native.owners[1]),
                    "role `it`".to_owned(),
                ),
            ]),
            catalogue: Catalogue::default(),
            triggers: self.triggers(),
            policies: Default::default(),
            risk: None,
            populations: Vec::new(),
            rules,
            thresholds: Default::default(),
            work_item_fallback: None,
            needs_secret: true,
            secret: Secret::new(b"a secret of the tests".to_vec()),
            secret_generation: 1,
        };
        if let Some(provisioned) = self.provisioned {
            provisioned.furnish(&mut model);
        }
        if let Some(variety) = self.variety {
            variety.furnish(&mut model, RuleIndex(ASSIGNMENT), digest(&self.assignment));
        }
        if let Some(governance) = self.governance {
            governance.furnish(&mut model);
        }
        if let Some(consequences) = self.consequences {
            consequences.furnish(&mut model);
        }
        model
    }

    fn rule(&self, index: usize) -> Rule {
        let reads = self.script(index).iter().map(|read| read.parameter());
        let mut parameters = vec![
            (Name::new("reads"), Value::many(reads)),
            (Name::new("seed"), Value::Integer(index as i64)),
        ];
        if index == STATE {
            parameters.insert(0, (Name::new("gone-without"), Value::text("hr")));
        }
        if index == COMPOSING {
            parameters.push((Name::new("tiers"), Value::text("ad")));
        }
        if index == JUDGING {
            parameters.insert(0, (Name::new("held"), Value::text("ad groups")));
        }
        Rule {
            name: rule_name(index),
            sha256: ALL_KINDS.1.clone(),
            grant: Grant {
                everything: true,
                lookups: ["location", "title"].map(Name::new).to_vec(),
                ..Grant::default()
            },
            parameters,
            limits: RuleLimits::default(),
            isolation: Isolation::Reuse,
        }
    }

    fn script(&self, index: usize) -> &[Read] {
        match index {
            0..STATE => &self.promotions[index],
            STATE => &self.state_reads,
            ASSIGNMENT => &self.assignment,
            MANAGER => &self.manager,
            CORRELATION => &self.correlation,
            BEFORE => &self.before,
            AFTER => &self.after,
            CHANGE => &self.change,
            SELECTION => &SELECTING,
            MAPPING => &MAPPED,
            COMPOSING => &COMPOSED,
            JUDGING => &JUDGED,
            _ => &self.trigger,
        }
    }

    fn roles(&self) -> Vec<Role> {
        let hours = |hours: i64| self.start.plus_ms(hours * 3_600_000);
        let it = vec![Name::new("it")];
        let mut roles: Vec<Role> = self
            .role_filters
            .iter()
            .enumerate()
            .skip(self.hidden_roles)
            .map(|(index, filter)| {
                let filter = Filter::parse(FILTERS[*filter]).expect("a filter of this file");
                let mut role = business(&format!("business-{index}"), Selector::Filter(filter));
                match index {
                    0 => {
                        role.active_from = self.access.in_use.0.map(hours);
                        role.active_until = self.access.in_use.1.map(hours);
                    }
                    1 if !self.access.permits => role.requires = it.clone(),
                    2 => role.disabled = self.access.disabled,
                    _ => {}
                }
                role
            })
            .collect();
        roles.push(business("by-rule-1", Selector::Rule(RuleIndex(ASSIGNMENT))));
        roles.push(business("by-rule-2", Selector::Rule(RuleIndex(ASSIGNMENT))));
        let given = |text: &str| Role {
            selector: None,
            ..business(text, Selector::MatchList(Vec::new()))
        };
        roles.push(Role {
            permits: if self.access.permits { it } else { Vec::new() },
            ..given("by hand")
        });
        roles.push(given("granted"));
        let profile = |group: &str| Profile {
            application: Name::new("ad"),
            entitlements: vec![(Name::new("groups"), vec![group.to_owned()])],
            filter: (group == "g2").then(|| Filter::parse("title != \"v0\"").expect("a filter")),
        };
        let detection = match self.access.if_assigned {
            true => Detection::IfAssigned,
            false => Detection::Always,
        };
        roles.push(Role {
            role_type: RoleType {
                detection,
                ..RoleType::it()
            },
            active_from: self.native.it_in_use.0.map(hours),
            active_until: self.native.it_in_use.1.map(hours),
            detection: vec![ProfileSet {
                any: self.access.any,
                profiles: vec![profile("g1"), profile("g2")],
            }],
            ..given("it")
        });
        roles
    }

    fn triggers(&self) -> Vec<Trigger> {
        let trigger = |text: &str, conditions: Vec<TriggerCondition>, included: Option<&str>| {
            let mut trigger = Trigger {
                name: Name::new(text),
                conditions,
                included: included.map(|text| Filter::parse(text).expect("a filter of this file")),
                included_rule: None,
                included_before: None,
                handlers: match text {
                    "mover" | "leaver" => vec![Handler::Workflow {
                        name: text.to_owned(),
                    }],
                    _ => Vec::new(),
                },
                threshold: None,
                digest: 0,
            };
            trigger.digest = match text {
                "by-rule" => digest(&(&trigger, &self.trigger)),
                _ => digest(&trigger),
            };
            trigger
        };
        let active = Some(Name::new("active"));
        vec![
            trigger("joiner", vec![TriggerCondition::Create], None),
            trigger(
                "mover",
                vec![TriggerCondition::AttributeChange {
                    attribute: Name::new("department"),
                    old: None,
                    new: None,
                }],
                Some("inactive == false"),
            ),
            trigger(
                "manager",
                vec![TriggerCondition::ManagerTransfer {
                    old: None,
                    new: Some(Filter::parse("value != \"p1\"").expect("a filter")),
                }],
                None,
            ),
            trigger(
                "leaver",
                vec![TriggerCondition::LifecycleChange {
                    from: active,
                    to: None,
                }],
                None,
            ),
            trigger(
                "native",
                vec![TriggerCondition::NativeChange { application: None }],
                None,
            ),
            trigger(
                "by-rule",
                vec![TriggerCondition::Rule(RuleIndex(TRIGGER))],
                None,
            ),
        ]
    }
}

/// Returns a business role.
pub fn business(text: &str, selector: Selector) -> Role {
    Role {
        name: Name::new(text),
        role_type: RoleType::business(),
        disabled: false,
        active_from: None,
        active_until: None,
        selector: Some(selector),
        requires: Vec::new(),
        permits: Vec::new(),
        detection: Vec::new(),
        parts: Vec::new(),
        risk_weight: 0,
    }
}

/// How many transforms there are to choose from.
const TRANSFORMS: usize = 10;

/// The namespace of names that are given once each.
pub const LOGINS: &str = "logins";

fn fixed(text: &str) -> Transform {
    Transform::Fixed(Value::text(text))
}

impl Logins {
    fn generator(self) -> UsernameGenerator {
        let of = |names: &[&str]| Template {
            parts: names
                .iter()
                .map(|name| Part::Variable {
                    transform: Transform::Attribute(Name::new(name)),
                    quiet: false,
                })
                .collect(),
            ignore_errors: false,
        };
        let mut patterns = vec![
            Pattern::Fixed(of(&["department"])),
            Pattern::Fixed(of(&["department", "location"])),
        ];
        if self.counted {
            patterns.push(Pattern::Counted(of(&["department"]), of(&[])));
        }
        UsernameGenerator {
            patterns,
            renew: self.renew,
        }
    }
}

/// Returns one of the transforms; `other` is the other attribute that has one.
fn transform(number: usize, other: &str) -> Origin {
    let attribute = |name: &str| Transform::Attribute(Name::new(name));
    let math = |input: Transform, expression: &str| {
        Transform::DateMath(Box::new(DateMath {
            input,
            expression: Expression::parse(expression).expect("an expression"),
            round_up: false,
        }))
    };
    let compare = |first, operator, second| {
        Transform::Compare(Box::new(Compare {
            first,
            second,
            operator,
            positive: fixed("v1"),
            negative: fixed("v2"),
        }))
    };
    let account = |first_only| {
        Transform::Account(AccountRead {
            application: Name::new("ad"),
            attribute: Name::new("title"),
            sort_by: Some(Name::new("person")),
            descending: first_only,
            first_only,
            filters: vec![Filter::parse("status != \"locked\"").expect("a filter")],
        })
    };
    let now = |expression: &str| Side::Now(Expression::parse(expression).expect("now").steps);
    Origin::Transform(Arc::new(match number {
        0 => Transform::Concat(vec![attribute("department"), attribute(other)]),
        1 => Transform::FirstValid {
            values: vec![
                Transform::Text(Box::new(account(true)), TextOperation::Upper),
                attribute("location"),
            ],
            ignore_errors: true,
        },
        2 => compare(Side::Of(attribute("end")), Operator::Less, now("now-2d")),
        3 => compare(
            now("now"),
            Operator::GreaterOrEqual,
            Side::Of(math(attribute("start"), "+1M-12h")),
        ),
        4 => math(Transform::Input, "now-1w/d"),
        5 => math(Transform::Input, "now+3d/M+5h"),
        6 => Transform::AttributeOf(Referenced::Manager, Name::new(other)),
        7 => Transform::AttributeOf(Referenced::Named("p1".to_owned()), Name::new("department")),
        8 => Transform::Derived(Derived::Uuid),
        _ => Transform::Join(vec![account(false), attribute("grade")], "-".to_owned()),
    }))
}

/// Turns the files of [`Tenant::files`] back into the tenant: the test keeps
/// every tenant that it has used.
#[derive(Default)]
pub struct Tenants {
    known: Mutex<Vec<Tenant>>,
    components: bool,
}

impl Tenants {
    /// Rules run as components.
    pub fn with_components() -> Self {
        Self {
            components: true,
            ..Self::default()
        }
    }

    /// Keeps a tenant, so that its files can be turned back into it.
    pub fn add(&self, tenant: &Tenant) {
        self.lock().push(tenant.clone());
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Tenant>> {
        self.known
            .lock()
            .expect("no test panics while it holds this")
    }
}

impl Configurator for Tenants {
    fn configure(&self, files: &Files) -> Result<Configured, String> {
        let known = self.lock();
        let tenant = known
            .iter()
            .find(|known| known.files() == *files)
            .ok_or("unknown files")?;
        let model = tenant.model();
        let rules: Arc<dyn RuleHost> = match self.components {
            false => Arc::new(Scripts(tenant.clone())),
            true => {
                let bytes_of = |_: &str| Some(Arc::clone(&ALL_KINDS.0));
                let cache = ComponentCache::new(COMPILED);
                let host = rules::RuleHost::load(&ENGINE, "acme", &model, bytes_of, Some(&cache));
                Arc::new(host.expect("the component exports every kind"))
            }
        };
        Ok(Configured {
            model: Arc::new(model),
            rules,
        })
    }
}

struct Scripts(Tenant);

impl RuleHost for Scripts {
    fn evaluator(&self) -> Box<dyn RuleEvaluator + Send> {
        Box::new(Scripts(self.0.clone()))
    }

    fn impure(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Runs a script: what it read, mixed into one of few values.
fn answer(script: &[Read], view: &mut TrackedView, seed: u64) -> Result<u64, RuleFailure> {
    let mut mixed = seed;
    let mut mix = |text: &str| {
        for byte in text.bytes() {
            mixed = (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for read in script {
        match read {
            Read::Attribute(name) => mix(&spoken(view.attribute(name)?)),
            Read::ManagerAttribute(name) => mix(&spoken(view.manager_attribute(name)?)),
            Read::Account(_, name) | Read::Tier(name) => {
                let application = match read {
                    Read::Account(application, _) => application,
                    _ => "ad",
                };
                for account in view.accounts(application)? {
                    mix(account.status.map_or("vanished", |status| status.as_str()));
                    mix(&spoken(view.account_attribute(account.handle, name)?));
                }
            }
            Read::Has(role) => mix(yes_or_no(view.access_has_role(role)?)),
            Read::Can(group) => mix(yes_or_no(view.access_holds("ad", "groups", group)?)),
            Read::Desired => mix(yes_or_no(view.access_is_desired()?)),
            Read::EndIsOver => {
                if let Some(Value::Date(end)) = view.attribute("end")? {
                    mix(yes_or_no(view.day_over(end, "")?));
                }
            }
            Read::StartAtFive => {
                if let Some(Value::Date(start)) = view.attribute("start")? {
                    let five = jiff::civil::time(5, 0, 0, 0);
                    mix(yes_or_no(view.date_reached(start, five, "")?));
                }
            }
            Read::Holds(group) => mix(yes_or_no(view.holds("ad", "groups", group)?)),
            Read::Own(name) => mix(&spoken(view.shown_attribute(name)?)),
            Read::Status => mix(view.shown_status()?.as_str()),
            Read::HadDepartment => mix(&spoken(view.baseline_attribute("department")?)),
        }
    }
    Ok(mixed >> 7)
}

fn spoken(value: Option<Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::Boolean(truth)) => yes_or_no(truth).to_owned(),
        Some(value) => value.to_string(),
    }
}

fn yes_or_no(truth: bool) -> &'static str {
    if truth { "yes" } else { "no" }
}

impl RuleEvaluator for Scripts {
    fn correlate_account(
        &mut self,
        rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Option<Lookup>, RuleFailure> {
        match self.draw(rule, view)? % 7 {
            0 => Err(declined(rule, Question::CorrelateAccount)),
            number => Ok(drawn_lookup(number)),
        }
    }

    fn create_identity(
        &mut self,
        rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Creation, RuleFailure> {
        match self.draw(rule, view)? % 5 {
            0 => Err(declined(rule, Question::CreateIdentity)),
            1 => Ok(Creation::Skip("by chance".to_owned())),
            number => Ok(Creation::Create {
                name: Some(format!("v{number}")),
                identity_type: None,
            }),
        }
    }

    fn before_refresh(
        &mut self,
        rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure> {
        let drawn = self.draw(rule, view)?;
        drawn_proposals(drawn).ok_or_else(|| declined(rule, Question::BeforeRefresh))
    }

    fn after_refresh(
        &mut self,
        rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure> {
        let drawn = self.draw(rule, view)?;
        drawn_proposals(drawn).ok_or_else(|| declined(rule, Question::AfterRefresh))
    }

    fn value_change(
        &mut self,
        rule: RuleIndex,
        change: ValueChange<'_>,
        view: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure> {
        let drawn = self.draw(rule, view)?;
        let [old, new] = [change.old, change.new].map(|value| spoken(value.cloned()));
        let drawn = stirred(drawn, &[change.attribute, &old, &new].join("/"));
        drawn_proposals(drawn).ok_or_else(|| declined(rule, Question::ValueChange(change)))
    }

    fn correlate_manager(
        &mut self,
        rule: RuleIndex,
        named: &Value,
        view: &mut TrackedView,
    ) -> Result<Option<Lookup>, RuleFailure> {
        let drawn = stirred(self.draw(rule, view)?, &named.to_string());
        match drawn % 7 {
            0 => Err(declined(rule, Question::CorrelateManager(named))),
            number => Ok(drawn_lookup(number)),
        }
    }

    fn promote(
        &mut self,
        rule: RuleIndex,
        attribute: Name,
        view: &mut TrackedView,
    ) -> Result<Promotion, RuleFailure> {
        match self.draw(rule, view)? % 9 {
            0 => Ok(Promotion::Clear),
            1 => Ok(Promotion::Next),
            2 => Err(declined(rule, Question::Promote(&attribute))),
            number => Ok(Promotion::Set(Value::text(format!("v{}", number % 4)))),
        }
    }

    fn lifecycle_state(
        &mut self,
        rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<String, RuleFailure> {
        let accounts = view.accounts("hr")?;
        if accounts.iter().all(|account| account.status.is_none()) {
            return Ok("gone".to_owned());
        }
        match self.draw(rule, view)? % 8 {
            0 => Err(declined(rule, Question::State)),
            1 => Ok("no such state".to_owned()),
            2 => Ok("gone".to_owned()),
            3 | 4 => Ok("leave".to_owned()),
            _ => Ok("active".to_owned()),
        }
    }

    fn assign(
        &mut self,
        rule: RuleIndex,
        candidates: &[Name],
        view: &mut TrackedView,
    ) -> Result<Vec<Eligibility>, RuleFailure> {
        let drawn = self.draw(rule, view)?;
        if drawn % 11 == 0 {
            let roles: Vec<_> = candidates.iter().map(ToString::to_string).collect();
            return Err(declined(rule, Question::Assign(&roles)));
        }
        let answers = (0..candidates.len() as u64).map(|index| match (drawn + index) % 5 {
            0 | 1 => Eligibility::Yes,
            2 => Eligibility::CannotTell("by chance".to_owned()),
            _ => Eligibility::No,
        });
        Ok(answers.collect())
    }

    fn fires(
        &mut self,
        rule: RuleIndex,
        trigger: Name,
        view: &mut TrackedView,
    ) -> Result<bool, RuleFailure> {
        match self.draw(rule, view)? % 5 {
            0 => Err(declined(rule, Question::Fires(&trigger))),
            number => Ok(number % 2 == 0),
        }
    }

    fn compose_accounts(
        &mut self,
        rule: RuleIndex,
        application: Name,
        view: &mut TrackedView,
    ) -> Result<Vec<ComposedAccount>, RuleFailure> {
        let drawn = stirred(self.draw(rule, view)?, &application);
        let accounts = view.accounts("ad")?.into_iter();
        let accounts: Vec<(String, AccountStatus)> = accounts
            .filter_map(|account| Some((account.native_identity, account.status?)))
            .collect();
        let part = |account: &(String, AccountStatus)| ("ad".to_owned(), account.0.clone());
        match drawn % 7 {
            0 => Err(declined(rule, Question::Compose(&application))),
            1 => Ok(Vec::new()),
            2 => Ok(Vec::from_iter(accounts.first().map(|first| {
                ComposedAccount {
                    native_identity: format!("v{}", drawn % 4),
                    status: first.1,
                    attributes: Vec::new(),
                    parts: accounts.iter().map(part).collect(),
                }
            }))),
            _ => Ok((drawn..)
                .zip(&accounts)
                .map(|(number, account)| ComposedAccount {
                    native_identity: account.0.clone(),
                    status: account.1,
                    attributes: vec![("level".to_owned(), Value::text(format!("v{}", number % 4)))],
                    parts: vec![part(account)],
                })
                .collect()),
        }
    }

    fn judge(
        &mut self,
        rule: RuleIndex,
        policy: Name,
        view: &mut TrackedView,
    ) -> Result<Vec<Breach>, RuleFailure> {
        let drawn = stirred(self.draw(rule, view)?, &policy);
        let breach = |description: String, grants: Vec<BreachGrant>| {
            (!grants.is_empty()).then_some(Breach {
                description,
                grants,
            })
        };
        let role = |role: Name| BreachGrant::Role(role.to_string());
        Ok(match drawn % 7 {
            0 => return Err(declined(rule, Question::Judge(&policy))),
            1 | 2 => Vec::new(),
            3 => {
                let grants = view.access_roles()?.into_iter().map(role).collect();
                Vec::from_iter(breach("by chance".to_owned(), grants))
            }
            4 => {
                let held = view.access_held("ad", "groups")?.into_iter();
                let grant = |value| BreachGrant::Entitlement {
                    application: "ad".to_owned(),
                    attribute: "groups".to_owned(),
                    value,
                };
                Vec::from_iter(breach("by chance".to_owned(), held.map(grant).collect()))
            }
            _ => (drawn..)
                .zip(view.access_roles()?)
                .filter_map(|(number, known)| breach(format!("v{}", number % 4), vec![role(known)]))
                .collect(),
        })
    }

    fn select_account(
        &mut self,
        rule: RuleIndex,
        need: AccountNeed<'_>,
        view: &mut TrackedView,
    ) -> Result<AccountSelection, RuleFailure> {
        let asked = format!("{}/{}", need.application, need.role.unwrap_or_default());
        let drawn = stirred(self.draw(rule, view)?, &asked);
        Ok(match drawn % 5 {
            0 => return Err(declined(rule, Question::SelectAccount(need))),
            1 => AccountSelection::Ask,
            2 if need.may_create => AccountSelection::NewAccount,
            _ if need.candidates.is_empty() => AccountSelection::Ask,
            _ => {
                let place = drawn as usize % need.candidates.len();
                AccountSelection::Existing(need.candidates[place].native_identity.clone())
            }
        })
    }

    fn map_target(
        &mut self,
        rule: RuleIndex,
        target: Target<'_>,
        view: &mut TrackedView,
    ) -> Result<Mapping, RuleFailure> {
        let native_identity = target.native_identity.unwrap_or_default();
        let asked = [target.application, target.attribute, native_identity].join("/");
        let drawn = stirred(self.draw(rule, view)?, &asked);
        Ok(match drawn % 7 {
            0 => return Err(declined(rule, Question::MapTarget(target))),
            1 => Mapping::Clear,
            2 => Mapping::Leave,
            _ => Mapping::Set(Value::text(format!("v{}", drawn % 4))),
        })
    }
}

impl Scripts {
    fn draw(&self, rule: RuleIndex, view: &mut TrackedView) -> Result<u64, RuleFailure> {
        answer(self.0.script(rule.0), view, rule.0 as u64)
    }
}

/// Stirs a text into a number.
fn stirred(mut drawn: u64, text: &str) -> u64 {
    for byte in text.bytes() {
        drawn = drawn.wrapping_mul(31).wrapping_add(u64::from(byte));
    }
    drawn
}

fn drawn_proposals(drawn: u64) -> Option<Vec<Proposal>> {
    let propose = |attribute: &str, value: Option<u64>| Proposal {
        attribute: attribute.to_owned(),
        value: value.map(|number| Value::text(format!("v{}", number % 4))),
    };
    Some(match drawn % 7 {
        0 => return None,
        1 => Vec::new(),
        2 => vec![propose("team", None)],
        3 => vec![propose("department", Some(drawn))],
        4 => vec![propose("location", Some(drawn))],
        _ => vec![
            propose("team", Some(drawn)),
            propose("location", Some(drawn + 1)),
        ],
    })
}

fn drawn_lookup(drawn: u64) -> Option<Lookup> {
    let attribute = match drawn {
        1 => return None,
        2 | 3 => "location",
        _ => "title",
    };
    Some(Lookup {
        attribute: attribute.to_owned(),
        value: format!("v{}", drawn % 4),
    })
}

fn declined(rule: RuleIndex, question: Question<'_>) -> RuleFailure {
    // Only errors about limits say whom they are about.
    let error = RuleError {
        tenant: String::new(),
        about: String::new(),
        rule: rule_name(rule.0).to_string(),
        question: question.to_string(),
        trouble: Trouble::Declined("by chance".to_owned()),
    };
    Box::new(error).into()
}
