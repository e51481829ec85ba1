//! Provisioning in half of the random tenants, and a simulated connector: what is
//! called for is carried out in the directory now and then.
//!
//! All of it is drawn apart, so that the other half stays what it was.

use idr_core::definitions::{
    AccountTemplate, ApplicationProvisioning, AttributeTarget, Mapping, Model,
    ProvisioningSettings, RuleIndex, TemplateAttribute,
};
use idr_core::model::{
    Account, AccountAction, AccountOperation, AccountStatus, Name, RoleVerdict, Value, ValueChange,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::histories::{Operation, PEOPLE};
use crate::world::{LOGINS, MAPPING, SELECTION, Tenant};

/// How accounts in the directory are provisioned.
#[derive(Clone, Copy, Debug)]
pub struct Provisioned {
    adopt: bool,
    /// Whether whoever has no account gets one.
    creates: bool,
    settings: ProvisioningSettings,
    /// The attribute that the accounts' title follows, and whether all do.
    follows: Option<(&'static str, bool)>,
    /// Whether a rule says which of several accounts a role is for.
    selects: bool,
    /// Whether a rule says what title accounts have.
    maps: bool,
    /// The namespace within which native identities of new accounts are given once.
    unique: Option<&'static str>,
}

impl Provisioned {
    fn random(random: &mut ChaCha8Rng) -> Self {
        // Drawn apart, so that what a seed meant before stays what it is.
        let mut apart = random.clone();
        let selects = apart.random_range(0..8) > 3;
        let maps = apart.random_range(0..3) == 0;
        let unique = [None, Some("accounts"), Some(LOGINS)][apart.random_range(0..3)];
        let mut one_in = |number: u32| random.random_range(0..number) == 0;
        Self {
            adopt: one_in(2),
            creates: one_in(2),
            settings: ProvisioningSettings {
                roles: !one_in(6),
                remove: !one_in(4),
                synchronise: !one_in(4),
                manual_account_selection: one_in(2),
                ..ProvisioningSettings::default()
            },
            follows: match (one_in(2), one_in(2)) {
                (true, all) => Some(("department", all)),
                (false, true) => Some(("label", true)),
                (false, false) => None,
            },
            selects,
            maps,
            unique,
        }
    }

    /// The same where everything is given, and goes with its role.
    pub fn exact(self) -> Self {
        Self {
            adopt: false,
            settings: ProvisioningSettings {
                roles: true,
                remove: true,
                synchronise: true,
                ..self.settings
            },
            ..self
        }
    }

    /// Puts it into a model.
    pub fn furnish(self, model: &mut Model) {
        let name = Name::new;
        model.provisioning = self.settings;
        let directory = model.applications.iter_mut();
        let mut directory = directory.filter(|known| known.name == name("ad"));
        let directory = directory.next().expect("there is one");
        let by_rule = || self.maps.then_some(Mapping::Rule(RuleIndex(MAPPING)));
        let template = AccountTemplate {
            native_identity: Mapping::Attribute(name("name")),
            unique: self.unique.map(name),
            attributes: vec![
                TemplateAttribute {
                    name: name("person"),
                    mapping: Some(Mapping::Attribute(name("location"))),
                    default: None,
                    required: true,
                },
                TemplateAttribute {
                    name: name("title"),
                    mapping: by_rule().or(Some(Mapping::Attribute(name("title")))),
                    default: Some(Value::text("v0")),
                    required: false,
                },
            ],
        };
        directory.provisioning = ApplicationProvisioning {
            is_on: true,
            adopt: self.adopt,
            selection: self.selects.then_some(RuleIndex(SELECTION)),
            template: self.creates.then_some(template),
        };
        let Some((follows, all_accounts)) = self.follows else {
            return;
        };
        let mut attributes = model.attributes.iter_mut();
        let followed = attributes.find(|known| known.name.as_str() == follows);
        followed.expect("there is one").targets = vec![AttributeTarget {
            application: name("ad"),
            attribute: name("title"),
            mapping: by_rule(),
            all_accounts,
            of: None,
        }];
    }
}

/// Lets a tenant provision, and what is called for be carried out after some of
/// the refreshes.
pub fn provision(tenant: &mut Tenant, operations: &mut Vec<Operation>, random: &mut ChaCha8Rng) {
    let mut provisioned = Provisioned::random(random);
    tenant.provisioned = Some(provisioned);
    for operation in operations.iter_mut() {
        if let Operation::Configure(edited) = operation {
            if random.random_range(0..4) == 0 {
                provisioned = Provisioned::random(random);
            }
            edited.provisioned = Some(provisioned);
        }
    }
    if provisioned.selects {
        second_accounts(tenant, operations, &mut random.clone());
    }
    let mut place = 0;
    while place < operations.len() {
        let refreshed = matches!(operations[place], Operation::Refresh { meanwhile: None });
        if refreshed && random.random_range(0..3) > 0 {
            let first = random.random_range(0..4);
            operations.insert(place + 1, Operation::Deliver { first });
        }
        place += 1;
    }
}

/// Lets somebody with a role that asks for access have two accounts.
fn second_accounts(tenant: &mut Tenant, operations: &mut Vec<Operation>, random: &mut ChaCha8Rng) {
    let person = random.random_range(0..PEOPLE);
    let mut place = random.random_range(0..=operations.len());
    let mut insert = |operation| {
        operations.insert(place, operation);
        place = random.random_range(place + 1..=operations.len());
    };
    let fields = || vec![("department", format!("v{}", person % 4))];
    insert(Operation::Hr {
        person,
        fields: fields(),
    });
    for account in 0..2 {
        insert(Operation::Ad {
            account,
            fields: vec![("title", format!("v{}", account + 1))],
            groups: Vec::new(),
        });
        insert(Operation::Link {
            account: ("ad", format!("a{account}")),
            person: Some(person),
        });
    }
    tenant.access.any = false;
    let (role, within) = match tenant.access.permits {
        true => ("by hand", None),
        false => ("business-1", None),
    };
    let verdict = RoleVerdict::ALL[0].1;
    let decide = |role, within| Operation::Decide {
        person,
        role,
        within,
        decision: Some((verdict, None, None)),
    };
    insert(decide(role, within));
    if tenant.access.permits {
        insert(decide("it", Some(role)));
    }
    insert(Operation::Refresh { meanwhile: None });
}

/// Returns what becomes of an account by an action; none without one.
pub fn carried_out(action: &AccountAction, account: Option<Account>, blank: Account) -> Account {
    let mut account = match action.operation {
        AccountOperation::Create => blank,
        _ => account.unwrap_or(blank),
    };
    match action.operation {
        AccountOperation::Enable => account.status = AccountStatus::Enabled,
        AccountOperation::Disable => account.status = AccountStatus::Disabled,
        AccountOperation::Move | AccountOperation::Delete => {}
        AccountOperation::Create | AccountOperation::Modify => {
            for change in &action.changes {
                let now = account.attribute(change.attribute).cloned();
                let mut texts = Vec::new();
                if let Some(now) = &now {
                    now.each_text(|text| texts.push(text.to_owned()));
                }
                let value = match &change.change {
                    ValueChange::Set(value) => value.clone(),
                    ValueChange::Add(values) => {
                        texts.extend(values.iter().cloned());
                        texts.sort();
                        texts.dedup();
                        Value::many(texts).normalised()
                    }
                    ValueChange::Remove(values) => {
                        texts.retain(|text| !values.contains(text));
                        Value::many(texts).normalised()
                    }
                };
                account
                    .attributes
                    .retain(|(name, _)| *name != change.attribute);
                account
                    .attributes
                    .extend(value.map(|value| (change.attribute, value)));
                account.attributes.sort();
            }
        }
    }
    account
}
