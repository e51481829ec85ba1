//! What every connector promises, tried on applications in memory, on SQLite and
//! on PostgreSQL; and what is special to databases.

use idr::connect::memory::MemoryApplications;
use idr::connect::{
    Capability, ConnectError, Connector, Connectors, Listed, NewAccount, Password, Performed,
};
use idr_core::model::{
    Account, AccountOperation, AccountStatus, AttributeChange, Name, Value, ValueChange, ValueType,
};

use crate::targets::{Target, application};

/// Makes a test of each function, for every connector.
macro_rules! connector_contract {
    ($($test:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $test() {
                let applications = idr::connect::memory::MemoryApplications::default();
                super::$test(super::in_memory(&applications));
            })+
        }
        mod sqlite {
            $(#[test] fn $test() {
                let target = crate::targets::Target::sqlite();
                super::$test(target.connect());
            })+
        }
        mod postgres {
            $(#[test] fn $test() {
                if let Some(target) = crate::targets::Target::postgres() {
                    super::$test(target.connect());
                }
            })+
        }
    };
}

connector_contract!(
    what_is_created_is_read_back,
    creating_what_is_there_leaves_it_as_it_is,
    attributes_change_and_nothing_else_does,
    values_are_added_and_removed_once,
    values_are_added_and_removed_at_once,
    an_account_is_switched_off_and_on,
    an_account_gets_another_name_with_all_that_it_has,
    a_name_that_is_taken_is_refused,
    what_is_deleted_is_gone,
    nothing_is_done_with_what_is_not_there,
    pages_list_every_account_once,
);

fn in_memory(applications: &MemoryApplications) -> Box<dyn Connector> {
    applications.open(&application()).expect("it is there")
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn many(texts: &[&str]) -> Value {
    Value::many(texts.iter().copied())
}

fn typed(value_type: ValueType, text: &str) -> Value {
    let parsed = value_type.parse(text).expect("of that type");
    parsed.expect("not blank")
}

/// Attributes of every type, and a text that is no SQL.
fn everything() -> Vec<(Name, Value)> {
    vec![
        (
            Name::new("email"),
            text("o'brien\"; DROP TABLE account; --"),
        ),
        (Name::new("groups"), many(&["admin", "it's", "sales"])),
        (Name::new("hired"), typed(ValueType::Date, "2026-03-01")),
        (Name::new("level"), Value::Integer(7)),
        (
            Name::new("seen"),
            typed(ValueType::Instant, "2026-03-01T17:00:00.250Z"),
        ),
        (Name::new("tags"), many(&["a", "b c"])),
        (Name::new("vip"), Value::Boolean(true)),
    ]
}

fn create(connector: &mut dyn Connector, name: &str, attributes: Vec<(Name, Value)>) -> Performed {
    let created = connector.create(&NewAccount {
        native_identity: name,
        attributes,
        password: None,
    });
    created.expect("it can be created")
}

fn get(connector: &mut dyn Connector, name: &str) -> Option<Account> {
    let listed: Option<Listed> = connector.get(name).expect("it can be read");
    listed.map(|listed| listed.expect("it is in order"))
}

/// Returns an account as one line.
fn shown(connector: &mut dyn Connector, name: &str) -> String {
    let Some(account) = get(connector, name) else {
        return "nothing".to_owned();
    };
    let mut shown = format!(
        "{} {}",
        account.key.native_identity,
        account.status.as_str()
    );
    for (name, value) in &account.attributes {
        shown += &format!(" {name}={value}");
    }
    shown
}

fn set(attribute: &str, value: Option<Value>) -> AttributeChange {
    AttributeChange {
        attribute: Name::new(attribute),
        change: ValueChange::Set(value),
    }
}

fn add(attribute: &str, texts: &[&str]) -> AttributeChange {
    AttributeChange {
        attribute: Name::new(attribute),
        change: ValueChange::Add(texts.iter().map(|text| (*text).to_owned()).collect()),
    }
}

fn remove(attribute: &str, texts: &[&str]) -> AttributeChange {
    AttributeChange {
        attribute: Name::new(attribute),
        change: ValueChange::Remove(texts.iter().map(|text| (*text).to_owned()).collect()),
    }
}

fn what_is_created_is_read_back(mut connector: Box<dyn Connector>) {
    assert_eq!(get(connector.as_mut(), "ana"), None);
    let created = create(connector.as_mut(), "ana", everything());
    assert_eq!(created, Performed::Done);
    let account = get(connector.as_mut(), "ana").expect("it is there");
    assert_eq!(account.key.native_identity, "ana");
    assert_eq!(account.status, AccountStatus::Enabled);
    assert_eq!(account.attributes, everything());
    create(connector.as_mut(), "bo", Vec::new());
    assert_eq!(shown(connector.as_mut(), "bo"), "bo enabled");
}

fn creating_what_is_there_leaves_it_as_it_is(mut connector: Box<dyn Connector>) {
    create(connector.as_mut(), "ana", everything());
    let again = create(
        connector.as_mut(),
        "ana",
        vec![(Name::new("email"), text("x"))],
    );
    assert_eq!(again, Performed::WasSo);
    let account = get(connector.as_mut(), "ana").expect("it is there");
    assert_eq!(account.attributes, everything());
}

fn attributes_change_and_nothing_else_does(mut connector: Box<dyn Connector>) {
    create(connector.as_mut(), "ana", everything());
    create(connector.as_mut(), "bo", everything());
    let changes = [
        set("email", None),
        set("groups", Some(many(&["sales", "staff"]))),
        set("hired", Some(typed(ValueType::Date, "2026-04-02"))),
        set("level", Some(Value::Integer(8))),
        set("seen", None),
        set("tags", Some(many(&["c"]))),
        set("vip", Some(Value::Boolean(false))),
    ];
    for _ in 0..2 {
        connector
            .modify("ana", &changes)
            .expect("it can be changed");
        assert_eq!(
            shown(connector.as_mut(), "ana"),
            "ana enabled groups=sales, staff hired=2026-04-02 level=8 tags=c vip=false"
        );
    }
    let other = get(connector.as_mut(), "bo").expect("it is there");
    assert_eq!(other.attributes, everything());
}

fn values_are_added_and_removed_once(mut connector: Box<dyn Connector>) {
    create(connector.as_mut(), "ana", Vec::new());
    for _ in 0..2 {
        let changes = [add("groups", &["b", "a"]), add("tags", &["x", "y"])];
        connector
            .modify("ana", &changes)
            .expect("it can be changed");
        assert_eq!(
            shown(connector.as_mut(), "ana"),
            "ana enabled groups=a, b tags=x, y"
        );
    }
    for _ in 0..2 {
        let changes = [remove("groups", &["a", "c"]), remove("tags", &["x"])];
        connector
            .modify("ana", &changes)
            .expect("it can be changed");
        assert_eq!(
            shown(connector.as_mut(), "ana"),
            "ana enabled groups=b tags=y"
        );
    }
    let changes = [remove("groups", &["b"]), remove("tags", &["y"])];
    connector
        .modify("ana", &changes)
        .expect("it can be changed");
    assert_eq!(shown(connector.as_mut(), "ana"), "ana enabled");
}

/// Wherever values stand, and in whatever order it is asked for.
fn values_are_added_and_removed_at_once(mut connector: Box<dyn Connector>) {
    let held = vec![
        (Name::new("groups"), many(&["a", "b"])),
        (Name::new("tags"), many(&["x", "y"])),
    ];
    create(connector.as_mut(), "ana", held);
    for _ in 0..2 {
        let changes = [
            add("groups", &["c"]),
            add("tags", &["z"]),
            remove("groups", &["a"]),
            remove("tags", &["x"]),
        ];
        connector
            .modify("ana", &changes)
            .expect("it can be changed");
        assert_eq!(
            shown(connector.as_mut(), "ana"),
            "ana enabled groups=b, c tags=y, z"
        );
    }
    let changes = [
        remove("tags", &["y"]),
        add("tags", &["zz"]),
        set("groups", Some(many(&["d", "e"]))),
        remove("groups", &["e"]),
        add("groups", &["f"]),
    ];
    connector
        .modify("ana", &changes)
        .expect("it can be changed");
    assert_eq!(
        shown(connector.as_mut(), "ana"),
        "ana enabled groups=d, f tags=z, zz"
    );
}

fn an_account_is_switched_off_and_on(mut connector: Box<dyn Connector>) {
    create(connector.as_mut(), "ana", Vec::new());
    for (enabled, status) in [
        (false, AccountStatus::Disabled),
        (false, AccountStatus::Disabled),
        (true, AccountStatus::Enabled),
    ] {
        connector
            .enable("ana", enabled)
            .expect("it can be switched");
        let account = get(connector.as_mut(), "ana").expect("it is there");
        assert_eq!(account.status, status);
    }
}

fn an_account_gets_another_name_with_all_that_it_has(mut connector: Box<dyn Connector>) {
    create(connector.as_mut(), "ana", everything());
    let renamed = connector.rename("ana", "ana2").expect("the name is free");
    assert_eq!(renamed, Performed::Done);
    assert_eq!(get(connector.as_mut(), "ana"), None);
    let account = get(connector.as_mut(), "ana2").expect("it is there");
    assert_eq!(account.attributes, everything());
    let again = connector.rename("ana", "ana2").expect("it is so");
    assert_eq!(again, Performed::WasSo);
}

fn a_name_that_is_taken_is_refused(mut connector: Box<dyn Connector>) {
    create(connector.as_mut(), "ana", everything());
    create(connector.as_mut(), "bo", Vec::new());
    let refused = connector.rename("ana", "bo").expect_err("it is taken");
    assert!(matches!(refused, ConnectError::Refused { .. }));
    let account = get(connector.as_mut(), "ana").expect("it is there");
    assert_eq!(account.attributes, everything());
    assert_eq!(shown(connector.as_mut(), "bo"), "bo enabled");
}

fn what_is_deleted_is_gone(mut connector: Box<dyn Connector>) {
    create(connector.as_mut(), "ana", everything());
    let deleted = connector.delete("ana").expect("it can be deleted");
    assert_eq!(deleted, Performed::Done);
    assert_eq!(get(connector.as_mut(), "ana"), None);
    let again = connector.delete("ana").expect("it is so");
    assert_eq!(again, Performed::WasSo);
    // Nothing that it had is left for who comes next.
    create(connector.as_mut(), "ana", Vec::new());
    assert_eq!(shown(connector.as_mut(), "ana"), "ana enabled");
}

fn nothing_is_done_with_what_is_not_there(mut connector: Box<dyn Connector>) {
    for refused in [
        connector.modify("ana", &[set("email", Some(text("x")))]),
        connector.modify("ana", &[add("groups", &["a"])]),
        connector.enable("ana", false),
        connector.rename("ana", "bo"),
    ] {
        let refused = refused.expect_err("it isn't there");
        assert!(matches!(refused, ConnectError::Refused { .. }), "{refused}");
        assert!(!refused.is_retryable());
    }
    assert_eq!(get(connector.as_mut(), "ana"), None);
}

fn pages_list_every_account_once(mut connector: Box<dyn Connector>) {
    let names: Vec<String> = (0..25).map(|number| format!("p{number:02}")).collect();
    for name in &names {
        let attributes = vec![(Name::new("groups"), many(&["all", name]))];
        create(connector.as_mut(), name, attributes);
    }
    for limit in [1, 7, 25, 100] {
        let mut listed = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = connector.page(after.as_deref(), limit).expect("readable");
            let Some(last) = page.last() else { break };
            assert!(page.len() <= limit);
            let last = last.as_ref().expect("in order");
            after = Some(last.key.native_identity.clone());
            for account in page {
                let account = account.expect("in order");
                let groups = account.attribute(Name::new("groups")).cloned();
                let name = account.key.native_identity;
                assert_eq!(groups, Some(many(&["all", &name])));
                listed.push(name);
            }
        }
        assert_eq!(listed, names);
    }
}

/// Does something with every database at hand.
fn with_databases(work: impl Fn(&Target)) {
    work(&Target::sqlite());
    if let Some(target) = Target::postgres() {
        work(&target);
    }
}

fn refusal(result: Result<Box<dyn Connector>, ConnectError>) -> String {
    let error = result.err().expect("it is refused");
    let hint = error.hint().unwrap_or_default();
    format!("{error}; {hint}")
}

#[test]
fn what_the_catalogue_does_not_have_is_refused_by_name() {
    with_databases(|target| {
        let with = |change: &dyn Fn(&mut idr::aggregate::connector::Database)| {
            let mut settings = target.settings();
            change(&mut settings);
            refusal(target.connect_with(settings))
        };
        let table = with(&|settings| settings.table = target.table("acount"));
        assert!(
            table.starts_with("applications/crm.toml: connector.table: the database has no table"),
            "{table}"
        );
        let column = with(&|settings| settings.columns[0].1 = "mial".to_owned());
        assert!(
            column.contains("schema.email.column: table")
                && column.contains("did you mean `mail`?"),
            "{column}"
        );
        let spliced = with(&|settings| settings.native_identity = "login\" OR 1=1 --".to_owned());
        assert!(spliced.contains("connector.native_identity"), "{spliced}");
        let list = with(&|settings| settings.lists[0].1.value = "grp".to_owned());
        assert!(list.contains("schema.groups.column"), "{list}");
    });
}

#[test]
fn rows_without_a_key_and_values_of_no_type_are_reported_and_the_others_read() {
    let target = Target::sqlite();
    target.execute(
        "INSERT INTO account (login, state) VALUES (NULL, 'on'), ('ana', 'on'), ('bo', 'gone');
         INSERT INTO account (login, state, hired) VALUES ('cy', 'off', 'yesterday');",
    );
    let mut connector = target.connect();
    let page = connector.page(None, 9).expect("readable");
    let shown: Vec<String> = page
        .iter()
        .map(|listed| match listed {
            Ok(account) => account.key.native_identity.clone(),
            Err(broken) => broken.to_string(),
        })
        .collect();
    assert_eq!(
        shown,
        [
            "an account: column `login` is blank",
            "ana",
            "account `bo`: column `state` says `gone`, which is no status",
            "account `cy`: attribute `hired`: `yesterday` is not a date (YYYY-MM-DD)",
        ]
    );
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    with_databases(|target| {
        target.execute(
            "INSERT INTO account (login, mail) VALUES ('ana', 'x'), ('bo', 'x'), ('cy', 'y')",
        );
        let mut settings = target.settings();
        settings.native_identity = "mail".to_owned();
        settings.lists.clear();
        settings
            .columns
            .push((Name::new("groups"), "tags".to_owned()));
        let mut connector = target.connect_with(settings).expect("it is a column");
        let error = connector.page(None, 9).expect_err("`x` is there twice");
        assert!(error.to_string().contains("`x` more than once"), "{error}");
        assert!(connector.get("x").is_err());
        assert!(connector.delete("x").is_err());
        assert_eq!(target.query("SELECT count(*) FROM account"), "3");
    });
}

#[test]
fn an_operation_is_done_whole_or_not_at_all() {
    with_databases(|target| {
        target.execute(
            "INSERT INTO account (login, mail, state) VALUES ('ana', 'old', 'on');
             INSERT INTO account_group VALUES ('ana', 'a');",
        );
        let mut connector = target.connect();
        // The last change names what isn't there.
        let changes = [
            add("groups", &["b"]),
            remove("groups", &["a"]),
            set("nickname", Some(text("x"))),
        ];
        connector
            .modify("ana", &changes)
            .expect_err("no such attribute");
        assert_eq!(target.query("SELECT * FROM account_group"), "ana a");
        // Somebody else may write while nothing is under way.
        target.execute("UPDATE account SET mail = 'new'");
        assert_eq!(
            shown(connector.as_mut(), "ana"),
            "ana enabled email=new groups=a"
        );
    });
}

#[test]
fn the_first_password_is_written_and_columns_of_others_stay() {
    with_databases(|target| {
        let mut settings = target.settings();
        settings.password = Some(idr::aggregate::connector::PasswordColumn {
            column: "secret".to_owned(),
            reference: None,
        });
        let mut connector = target.connect_with(settings).expect("the tables are there");
        let created = connector.create(&NewAccount {
            native_identity: "ana",
            attributes: Vec::new(),
            password: Some(Password::new("opensesame".to_owned())),
        });
        assert_eq!(created.expect("it can be created"), Performed::Done);
        connector
            .modify("ana", &[set("email", Some(text("a@b")))])
            .expect("it can be changed");
        assert_eq!(
            target.query("SELECT login, mail, state, secret, note FROM account"),
            "ana a@b on opensesame kept"
        );
    });
}

#[test]
fn values_that_do_not_fit_are_refused_without_being_shown() {
    let Some(target) = Target::postgres() else {
        return;
    };
    let mut connector = target.connect();
    create(connector.as_mut(), "ana", Vec::new());
    let long = "x".repeat(60);
    for (change, code) in [
        (set("level", Some(text("hunter2"))), "22P02"),
        (set("level", Some(Value::Integer(99_999))), "22003"),
    ] {
        let error = connector
            .modify("ana", &[change])
            .expect_err("no such value");
        assert_eq!(
            error.to_string(),
            format!("application `crm` refused: a value doesn't fit its column ({code})")
        );
        assert!(!error.is_retryable());
    }
    let error = connector.rename("ana", &long).expect_err("too long");
    assert!(error.to_string().contains("22001"), "{error}");
    assert_eq!(shown(connector.as_mut(), "ana"), "ana enabled");
}

#[test]
fn a_database_that_is_not_there_may_come_back() {
    let target = Target::sqlite();
    let settings = idr::aggregate::connector::Database {
        address: idr::aggregate::connector::DatabaseAddress::Sqlite("elsewhere.db".to_owned()),
        ..target.settings()
    };
    let error = target.connect_with(settings).err().expect("no such file");
    assert!(error.is_retryable(), "{error}");
    assert!(!target.path().with_file_name("elsewhere.db").exists());
    let locked = rusqlite::Connection::open(target.path()).expect("it is there");
    locked.execute_batch("BEGIN IMMEDIATE").expect("free");
    let settings = idr::aggregate::connector::Database {
        timeout_ms: 50,
        ..target.settings()
    };
    let mut connector = target.connect_with(settings).expect("readable");
    let error = connector.enable("ana", false).expect_err("it is locked");
    assert!(error.is_retryable(), "{error}");
    locked.execute_batch("COMMIT").expect("held");
    let error = connector.enable("ana", false).expect_err("nobody is there");
    assert!(!error.is_retryable(), "{error}");
}

#[test]
fn what_a_database_can_do_follows_from_its_settings() {
    let target = Target::sqlite();
    let can = |change: &dyn Fn(&mut idr::aggregate::connector::Database), operation| {
        let mut settings = target.settings();
        change(&mut settings);
        let connector = target.connect_with(settings).expect("the tables are there");
        connector.can(Capability::Operation(operation))
    };
    assert!(can(&|_| (), AccountOperation::Disable));
    assert!(!can(
        &|settings| settings.status = None,
        AccountOperation::Disable
    ));
    assert!(can(
        &|settings| settings.status = None,
        AccountOperation::Modify
    ));
    assert!(!can(
        &|settings| settings.read_only = true,
        AccountOperation::Modify
    ));
}
