//! Somebody who goes from joining to being rehired, with the target database as the
//! judge; and what is done in it on the way.

use std::process::Command;

use crate::common::TestHost;
use crate::targets::{POSTGRES, Target};

const TENANT: &str = r#"
    //- idr.toml
    version = 1
    name = "circle"
    clock = "simulated"
    [dispatch]
    attempts = 1000
    retry_at_most_after = "5m"
    //- applications/hr.toml
    authoritative = { name = "user" }
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "user"
    [schema]
    user = {}
    department = {}
    mail = {}
    [guard]
    vanished = "off"
    //- identity.toml
    [attributes.department]
    sources = [{ application = "hr", attribute = "department" }]
    [attributes.email]
    sources = [{ application = "hr", attribute = "mail" }]
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    accounts = [{ application = "crm", do = "enable" }]
    [states.left]
    inactive = true
    automatic_roles = "freeze"
    accounts = [{ application = "crm", do = "disable" }]
    [states.stripped]
    inactive = true
    automatic_roles = "remove"
    accounts = [{ application = "crm", do = "disable" }]
    [states.archived]
    inactive = true
    automatic_roles = "remove"
    accounts = [{ application = "crm", do = "delete" }]
    //- roles/roles.toml
    [[role]]
    name = "Seller"
    type = "business"
    selector = { match = { department = "Sales" } }
    requires = ["CRM seller"]
    [[role]]
    name = "Buyer"
    type = "business"
    selector = { match = { department = "Purchase" } }
    requires = ["CRM buyer"]
    [[role]]
    name = "CRM seller"
    type = "it"
    profiles = [{ application = "crm", entitlements = { groups = ["sell"] } }]
    [[role]]
    name = "CRM buyer"
    type = "it"
    profiles = [{ application = "crm", entitlements = { groups = ["buy"] } }]
"#;

/// The application in the target. Whoever is rehired gets an account at once, however
/// long accounts may be missing there: idr has deleted the old one itself.
const CRM: &str = r#"
provisioning = true
vanish_grace = "30d"
correlation = [{ account = "email", identity = "email" }]
[connector]
type = "sql"
url = "$URL"
table = "$TABLE"
native_identity = "login"
timeout = "$TIMEOUT"
password = { column = "secret" }
status = { column = "state", enabled = ["on"], disabled = ["off"] }
[schema]
email = { column = "mail" }
groups = { type = "many", entitlement = true, table = "$LIST", native_identity = "login", column = "group" }
[guard]
vanished = "off"
new = "off"
[account]
native_identity = { attribute = "name" }
[account.attributes]
email = { attribute = "email", required = true }
"#;

/// How a pass of the dispatcher is disturbed.
pub(crate) type Disturbance<'a> = &'a mut dyn FnMut(&World) -> bool;

pub(crate) struct World {
    pub(crate) host: TestHost,
    pub(crate) target: Target,
    /// Minutes that passes have taken on the day.
    minutes: u32,
}

impl World {
    pub(crate) fn new(target: Target, timeout: &str) -> Self {
        Self::of(TENANT, target, timeout)
    }

    /// The same with another tenant in front of the application.
    pub(crate) fn of(tenant: &str, target: Target, timeout: &str) -> Self {
        let host = TestHost::with_files(tenant);
        let url = match target.is_postgres() {
            true => format!("env:{POSTGRES}"),
            false => format!("sqlite:{}", target.path().display()),
        };
        let crm = CRM
            .replace("$URL", &url)
            .replace("$TIMEOUT", timeout)
            .replace("$TABLE", &target.table("account"))
            .replace("$LIST", &target.table("account_group"));
        host.write("applications/crm.toml", crm);
        Self {
            host,
            target,
            minutes: 0,
        }
    }

    /// Returns the program with these arguments, to be run in the tenant's folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.host.command();
        if let Some(address) = std::env::var_os(POSTGRES) {
            command.env(POSTGRES, address);
        }
        command.args(arguments);
        command
    }

    pub(crate) fn idr(&self, arguments: &[&str]) {
        let output = self.command(arguments).output();
        let output = output.expect("it can be started");
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "idr {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// The instant of a day, some minutes on.
    fn at(&self, day: u32) -> String {
        let midnight = date_of(day);
        let (hours, minutes) = (8 + self.minutes / 60, self.minutes % 60);
        format!("{midnight}T{hours:02}:{minutes:02}:00Z")
    }

    /// On a day, the personnel department says this; then everything that it
    /// leads to is carried out.
    pub(crate) fn day(&mut self, day: u32, hr: &str, disturb: Disturbance<'_>) -> String {
        self.minutes = 0;
        self.host
            .write("feeds/hr.csv", format!("user,department,mail\n{hr}\n"));
        self.idr(&["aggregate", "hr", "--as-of", &self.at(day)]);
        self.settle(day, disturb);
        self.judge()
    }

    /// On a day, the personnel department's database is read, if it is said so; then
    /// everything that this or the day itself leads to is carried out.
    pub(crate) fn day_of(&mut self, day: u32, reads: bool) -> String {
        self.minutes = 0;
        if reads {
            self.idr(&["aggregate", "hr", "--as-of", &self.at(day)]);
        }
        self.settle(day, &mut |_| false);
        self.judge()
    }

    /// Sets the state by hand, before the day.
    fn state(&self, name: &str, state: &str) {
        let how = if state.is_empty() {
            "--take-back"
        } else {
            state
        };
        self.idr(&["identity", "state", name, how, "--reason", "so it is"]);
    }

    /// Refreshes and dispatches in turns until nothing is left to be done.
    fn settle(&mut self, day: u32, disturb: Disturbance<'_>) {
        loop {
            self.idr(&["refresh", "--as-of", &self.at(day)]);
            if self.open() == 0 {
                return;
            }
            while self.open() > 0 {
                self.minutes += 6;
                assert!(self.minutes < 15 * 60, "it never ends");
                let at = self.at(day);
                if !disturb(self) {
                    self.idr(&["dispatch", "--once", "--as-of", &at]);
                }
            }
        }
    }

    fn open(&self) -> usize {
        let effects = self.host.json(["outbox", "list"]);
        let effects = effects.as_array().expect("a list").clone();
        let is_open = |effect: &&serde_json::Value| {
            let status = effect["status"].as_str();
            ["waiting", "sent", "failed"].contains(&status.expect("a word"))
        };
        effects.iter().filter(is_open).count()
    }

    /// What the target says.
    fn judge(&self) -> String {
        let accounts = self
            .target
            .query("SELECT login, mail, state, length(secret) FROM account ORDER BY 1");
        let groups = self
            .target
            .query("SELECT login, \"group\" FROM account_group ORDER BY 1, 2");
        format!("{accounts}\n{groups}").trim().to_owned()
    }
}

/// The date of a day, counted from the first of January 2026.
fn date_of(day: u32) -> String {
    let lengths = [31, 28, 31, 30, 31, 30];
    let (mut month, mut left) = (1, day);
    for length in lengths {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    format!("2026-{month:02}-{:02}", left + 1)
}

/// Takes somebody through the whole circle; returns what the target said on each day.
pub(crate) fn circle(world: &mut World, disturb: Disturbance<'_>) -> Vec<String> {
    let mut said = Vec::new();
    said.push(world.day(0, "ana,Sales,ana@acme.example", disturb));
    said.push(world.day(10, "ana,Purchase,ana@acme.example", disturb));
    world.state("ana", "left");
    said.push(world.day(20, "ana,Purchase,ana@acme.example", disturb));
    world.state("ana", "stripped");
    said.push(world.day(50, "ana,Purchase,ana@acme.example", disturb));
    world.state("ana", "archived");
    said.push(world.day(110, "ana,Purchase,ana@acme.example", disturb));
    world.state("ana", "");
    said.push(world.day(115, "ana,Sales,ana@acme.example", disturb));
    said
}

pub(crate) const EXPECTED: [&str; 6] = [
    "ana ana@acme.example on 24\nana sell",
    "ana ana@acme.example on 24\nana buy",
    "ana ana@acme.example off 24\nana buy",
    "ana ana@acme.example off 24",
    "",
    "ana ana@acme.example on 24\nana sell",
];

/// What is done to accounts in the target, by whomever.
const LOG: &str = "
    CREATE TABLE log (number INTEGER PRIMARY KEY, what TEXT);
    CREATE TRIGGER created AFTER INSERT ON account
        BEGIN INSERT INTO log (what) VALUES ('create ' || new.login); END;
    CREATE TRIGGER switched AFTER UPDATE OF state ON account
        BEGIN INSERT INTO log (what) VALUES (new.state || ' ' || new.login); END;
    CREATE TRIGGER deleted AFTER DELETE ON account
        BEGIN INSERT INTO log (what) VALUES ('delete ' || old.login); END;
    CREATE TRIGGER given AFTER INSERT ON account_group
        BEGIN INSERT INTO log (what) VALUES ('give ' || new.\"group\"); END;
    CREATE TRIGGER taken AFTER DELETE ON account_group
        BEGIN INSERT INTO log (what) VALUES ('take ' || old.\"group\"); END;";

/// The same in PostgreSQL.
const POSTGRES_LOG: &str = "
    CREATE TABLE log (number SERIAL PRIMARY KEY, what TEXT);
    CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        IF TG_TABLE_NAME = 'account' AND TG_OP = 'INSERT' THEN
            INSERT INTO log (what) VALUES ('create ' || NEW.login);
        ELSIF TG_TABLE_NAME = 'account' AND TG_OP = 'UPDATE' THEN
            INSERT INTO log (what) VALUES (trim(NEW.state) || ' ' || NEW.login);
        ELSIF TG_TABLE_NAME = 'account' THEN
            INSERT INTO log (what) VALUES ('delete ' || OLD.login);
        ELSIF TG_OP = 'INSERT' THEN
            INSERT INTO log (what) VALUES ('give ' || NEW.\"group\");
        ELSE
            INSERT INTO log (what) VALUES ('take ' || OLD.\"group\");
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER noted AFTER INSERT OR UPDATE OF state OR DELETE ON account
        FOR EACH ROW EXECUTE FUNCTION noted();
    CREATE TRIGGER noted AFTER INSERT OR DELETE ON account_group
        FOR EACH ROW EXECUTE FUNCTION noted();";

/// Takes somebody through the circle in a target, which is waited for so long;
/// returns what was done in it.
pub(crate) fn logged(target: Target, timeout: &str, disturb: Disturbance<'_>) -> String {
    target.execute(match target.is_postgres() {
        true => POSTGRES_LOG,
        false => LOG,
    });
    let mut world = World::new(target, timeout);
    assert_eq!(circle(&mut world, disturb), EXPECTED);
    world.target.query("SELECT what FROM log ORDER BY number")
}
