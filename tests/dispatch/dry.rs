//! A dry run that asks applications first is given nothing by which it could act.

use idr::aggregate::read_again;
use idr::connect::memory::MemoryApplications;
use idr::connect::{
    Capability, ConnectError, Connector, Connectors, Listed, NewAccount, OnlyReads, Performed,
};
use idr::refresh::{Rehearsal, Request};
use idr::report::canonical;
use idr::store::{EffectQuery, Rehearse, RunSettings, RunStatus, Scope, Store, StoreError};
use idr_core::definitions::Application;
use idr_core::model::{AttributeChange, Name, Uid};

use crate::passes::{DAY_1, World, account, instant};

const TENANT: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    //- applications/hr.toml
    authoritative = { name = "user" }
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "user"
    [schema]
    user = {}
    [guard]
    vanished = "off"
    //- applications/crm.toml
    correlation = [{ account = "owner", identity = "name" }]
    [connector]
    type = "delimited-file"
    path = "feeds/crm.csv"
    native_identity = "login"
    status = { column = "status", disabled = ["off"] }
    [schema]
    owner = {}
    [guard]
    vanished = "off"
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    accounts = [{ application = "crm", do = "enable" }]
    //- feeds/hr.csv
    user
    ana
    //- feeds/crm.csv
    login,owner,status
    a1,ana,on
"#;

/// Applications of which nobody may ask for anything but an account.
struct NoWrites(MemoryApplications);

impl Connectors for NoWrites {
    fn open(&self, application: &Application) -> Result<Box<dyn Connector>, ConnectError> {
        Ok(Box::new(NoWrite(self.0.open(application)?)))
    }

    fn can(&self, application: Name, _: Capability) -> bool {
        application.as_str() == "crm"
    }
}

struct NoWrite(Box<dyn Connector>);

impl Connector for NoWrite {
    fn can(&self, _: Capability) -> bool {
        true
    }

    fn page(&mut self, after: Option<&str>, limit: usize) -> Result<Vec<Listed>, ConnectError> {
        self.0.page(after, limit)
    }

    fn get(&mut self, native_identity: &str) -> Result<Option<Listed>, ConnectError> {
        self.0.get(native_identity)
    }

    fn create(&mut self, account: &NewAccount<'_>) -> Result<Performed, ConnectError> {
        panic!("{account:?} is created")
    }

    fn modify(&mut self, login: &str, _: &[AttributeChange]) -> Result<Performed, ConnectError> {
        panic!("{login} is modified")
    }

    fn enable(&mut self, login: &str, _: bool) -> Result<Performed, ConnectError> {
        panic!("{login} is switched on or off")
    }

    fn rename(&mut self, login: &str, _: &str) -> Result<Performed, ConnectError> {
        panic!("{login} is renamed")
    }

    fn delete(&mut self, login: &str) -> Result<Performed, ConnectError> {
        panic!("{login} is deleted")
    }
}

/// A store that can be copied, and nothing else.
struct OnlyCopies<'s>(&'s dyn Store);

impl Rehearse for OnlyCopies<'_> {
    fn rehearsal(&self) -> Result<Box<dyn Store>, StoreError> {
        self.0.rehearsal()
    }
}

#[test]
fn it_is_planned_with_a_store_and_connectors_that_can_not_write() {
    let world = World::of(TENANT);
    // Somebody has switched it off.
    let mut off = account("a1", "ana");
    off.status = idr_core::model::AccountStatus::Disabled;
    world.crm.put(off);
    let tenant = world.tenant();
    let configured = tenant.adopt().expect("it is in order");
    let exported = || {
        let mut text = Vec::new();
        canonical::export(&tenant.store, &configured.model, &mut text).expect("it can be");
        text
    };
    let before = exported();
    let rehearsal = Rehearsal::of(&OnlyCopies(&tenant.store)).expect("there can be a copy");
    let connectors = NoWrites(world.crm.clone());
    let asked = read_again(
        rehearsal.store(),
        &configured.model,
        configured.rules.as_ref(),
        &OnlyReads(&connectors),
        &[Uid(1)],
        instant(DAY_1),
    );
    assert_eq!(asked.expect("the copy can be written").read, 1);
    let request = Request {
        criteria: Vec::new(),
        scope: Scope::Due,
        as_of: instant(DAY_1),
        simulated: true,
        now: instant(DAY_1),
        fire_initial: false,
        actor: "dora".to_owned(),
        approved: false,
        settings: RunSettings::default(),
    };
    let preview = rehearsal.run(&tenant, &tenant.files(), &request, &|_, _, _| ());
    let preview = preview.expect("it goes through");
    assert_eq!(preview.run.status, RunStatus::Done);
    let effects = preview.store.effects(&EffectQuery::default(), 9);
    assert_eq!(
        effects.expect("readable").len(),
        1,
        "it is to be switched on"
    );
    drop(preview);
    assert_eq!(exported(), before);
    assert!(world.crm.log().is_empty());
}

#[test]
fn connectors_of_which_only_reading_is_left_refuse_everything_else() {
    let world = World::of(TENANT);
    world.crm.put(account("a1", "ana"));
    let connectors = NoWrites(world.crm.clone());
    let only = OnlyReads(&connectors);
    let tenant = world.tenant();
    let model = &tenant.configuration.model;
    let crm = model.application(Name::new("crm")).expect("there is one");
    let mut connector = only.open(crm).expect("it can be opened");
    assert!(matches!(connector.get("a1"), Ok(Some(Ok(_)))));
    let new = NewAccount {
        native_identity: "a2",
        attributes: Vec::new(),
        password: None,
    };
    let answers = [
        connector.create(&new),
        connector.modify("a1", &[]),
        connector.enable("a1", false),
        connector.rename("a1", "a2"),
        connector.delete("a1"),
    ];
    for answer in answers {
        assert!(
            matches!(answer, Err(ConnectError::Refused { .. })),
            "{answer:?}"
        );
    }
    for (_, operation) in idr_core::model::AccountOperation::ALL {
        let capability = Capability::Operation(operation);
        assert!(!only.can(crm.name, capability) && !connector.can(capability));
    }
    assert!(only.can(crm.name, Capability::Get) && connector.can(Capability::List));
}
