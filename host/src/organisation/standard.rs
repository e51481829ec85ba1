//! The standard tenant, with which figures of speed are measured: 40 identity
//! attributes (12 mapped, 4 by rule), three accounts for everybody with 10
//! attributes and 15 entitlements each, a lifecycle rule, 100 business roles (80 by
//! filter, 20 by two rules), 50 IT roles with profiles, 10 triggers (3 by rule), 5
//! separations of duties, and a risk score.
//!
//! Its people are those of [`Organisation`]; what they have follows from their
//! places in it. Files that don't count something up lie in `standard/`.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::Path;

use idr_core::time::plus_days;
use jiff::civil::Date;

use super::dice::Dice;
use super::people::{FIRST_DAY, Organisation, Person, employee_number};
use super::places::{DEPARTMENTS, PROJECTS, SITES};
use super::tenant::{component, file, write_files};

/// The applications, in the order in which they should be aggregated.
pub(super) const APPLICATIONS: [&str; 3] = ["hr", "directory", "erp"];

/// Every account has so many entitlements.
const ENTITLEMENTS: usize = 15;

/// So many groups and authorisations there are beside those with a meaning.
const GROUPS: u64 = 2_000;
const AUTHORISATIONS: u64 = 1_000;
const PERMISSIONS: u64 = 300;

const FILES: [(&str, &str); 9] = [
    file!("standard", "idr.toml"),
    file!("standard", "applications/directory.toml"),
    file!("standard", "applications/erp.toml"),
    file!("standard", "applications/hr.toml"),
    file!("standard", "identity.toml"),
    file!("standard", "lifecycle.toml"),
    file!("standard", "policies.toml"),
    file!("standard", "risk.toml"),
    file!("standard", "triggers.toml"),
];

const RULES: (&str, &str) = file!("standard", "rules/rules.toml");

const COMPONENTS: [(&str, &[u8]); 5] = [
    component!("attribute-promotion"),
    component!("four-reads"),
    component!("identity-trigger"),
    component!("project-roles"),
    component!("role-assignment"),
];

/// Writes the configuration into a tenant's folder.
///
/// # Errors
///
/// When a file can't be written.
pub(super) fn write(directory: &Path) -> io::Result<()> {
    write_files(directory, &FILES, RULES, &COMPONENTS)?;
    fs::write(directory.join("roles/business.toml"), business_roles())?;
    fs::write(directory.join("roles/it.toml"), it_roles())
}

/// A business role: its name, its selector, and the IT role that it requires.
type Selected = (String, String, Option<String>);

/// Returns the business roles: eighty by filter, twenty by two rules.
fn selected() -> Vec<Selected> {
    let mut roles = by_filter();
    let mut by_rule = |name: String, rule: &str, requires: String| {
        roles.push((name, format!("rule = \"{rule}\""), Some(requires)));
    };
    for department in DEPARTMENTS.iter().take(8) {
        let name = department.name;
        let requires = format!("IT {name}");
        by_rule(format!("Department: {name}"), "birthright-roles", requires);
    }
    for site in SITES.iter().take(4) {
        let city = site.city;
        let requires = format!("IT {city}");
        by_rule(format!("Location: {city}"), "birthright-roles", requires);
    }
    // The policies are about the first and the last projects.
    for (number, project) in (0..)
        .zip(PROJECTS)
        .filter(|(number, _)| !(6..10).contains(number))
    {
        let requires = format!("Workplace {}", number % WORKPLACES);
        by_rule(project.to_owned(), "project-roles", requires);
    }
    roles
}

fn by_filter() -> Vec<Selected> {
    let mut roles: Vec<Selected> = Vec::new();
    let mut filter = |name: String, filter: String, requires: Option<String>| {
        roles.push((name, format!("filter = '{filter}'"), requires));
    };
    for department in &DEPARTMENTS {
        let name = department.name;
        let is_there = format!("department == \"{name}\"");
        let it = Some(format!("IT {name}"));
        let senior = format!("{is_there} && jobLevel >= 4");
        filter(format!("Senior {name}"), senior, it.clone());
        let part_time = format!("{is_there} && employeeType == \"part-time\"");
        filter(format!("Part-time {name}"), part_time, it);
    }
    for (number, site) in SITES.iter().enumerate() {
        let city = site.city;
        let it = (number < IT_SITES).then(|| format!("IT {city}"));
        filter(
            format!("Site {city}"),
            format!("location == \"{city}\""),
            it,
        );
    }
    for number in 0..10 {
        let is_theirs = format!("costCenter == \"CC-{}\"", 4_000 + number);
        let orders = Some(format!("Orders {number}"));
        filter(format!("Cost Center {}", 4_000 + number), is_theirs, orders);
    }
    for (department, site) in DEPARTMENTS.iter().zip(&SITES).take(10) {
        let (name, city) = (department.name, site.city);
        let both = format!("department == \"{name}\" && location == \"{city}\"");
        filter(format!("{name} in {city}"), both, None);
    }
    for (name, written, requires) in OTHERS {
        let requires = requires.map(ToOwned::to_owned);
        filter(name.to_owned(), written.to_owned(), requires);
    }
    roles
}

const OTHERS: [(&str, &str, Option<&str>); 12] = [
    ("On Leave", r#"lifecycleState == "leave""#, None),
    (
        "Staff",
        r#"employeeType != "contractor" && inactive == false"#,
        Some("Personnel 0"),
    ),
    ("Externals", r#"employeeType == "contractor""#, None),
    ("People Managers", "jobLevel >= 6", Some("Personnel 1")),
    ("Executives", "jobLevel >= 9", Some("Personnel 2")),
    ("Heads", r#"jobTitle.startsWith("Head of")"#, None),
    (
        "Team Leads",
        r#"jobTitle.startsWith("Team Lead")"#,
        Some("Orders 10"),
    ),
    ("Fixed Term", "contractEnd.notNull()", None),
    (
        "Atlas or Delta",
        r#"projects == "Project Atlas" || projects == "Project Delta""#,
        Some("Orders 11"),
    ),
    (
        "Directory Users",
        r#"links.collectionCondition("application == \"directory\" && status == \"enabled\"")"#,
        Some("Workplace 0"),
    ),
    (
        "Domain Administrators",
        r#"links.memberOf == "GG-Domain-Admins""#,
        None,
    ),
    (
        "North America",
        r#"location.in({"New York", "Chicago", "Toronto", "Mexico City"})"#,
        None,
    ),
];

fn business_roles() -> String {
    let mut text =
        "# Business roles: who is to have what, by what they are.\nversion = 1\n".to_owned();
    for (number, (name, selector, requires)) in selected().into_iter().enumerate() {
        let requires = requires.map(|role| format!("requires = [\"{role}\"]\n"));
        let _ = write!(
            text,
            "\n[[role]]\nname = \"{name}\"\ntype = \"business\"\nrisk_weight = {}\n{}selector = {{ {selector} }}\n",
            number % 10,
            requires.unwrap_or_default()
        );
    }
    text
}

/// What an account must hold: application, attribute, and values.
type RoleProfile = (&'static str, &'static str, Vec<String>);

/// So many of the sites have an IT role, and there are so many for workplaces.
const IT_SITES: usize = 16;
const WORKPLACES: u64 = 4;

/// Returns the fifty IT roles by name.
fn it_profiles() -> Vec<(String, Vec<RoleProfile>)> {
    let directory = |values| ("directory", "memberOf", values);
    let erp = |values| ("erp", "authorisations", values);
    let mut roles = Vec::new();
    for department in &DEPARTMENTS {
        let values = vec!["GG-All-Staff".to_owned(), department.group.to_owned()];
        roles.push((format!("IT {}", department.name), vec![directory(values)]));
    }
    for site in SITES.iter().take(IT_SITES) {
        let values = vec![format!("GG-Site-{}", site.code)];
        roles.push((format!("IT {}", site.city), vec![directory(values)]));
    }
    for number in 0..12 {
        let values = vec![authorisation(number), authorisation(2 * number + 1)];
        roles.push((format!("Orders {number}"), vec![erp(values)]));
    }
    for number in 0..6 {
        let values = vec!["HR-SELF".to_owned(), permission(number)];
        roles.push((
            format!("Personnel {number}"),
            vec![("hr", "permissions", values)],
        ));
    }
    for number in 0..WORKPLACES {
        let profiles = vec![
            directory(vec![group(number)]),
            erp(vec![authorisation(number + 3)]),
        ];
        roles.push((format!("Workplace {number}"), profiles));
    }
    roles
}

fn it_roles() -> String {
    let mut text =
        "# IT roles: what accounts must hold for them to be detected.\nversion = 1\n".to_owned();
    for (number, (name, profiles)) in it_profiles().into_iter().enumerate() {
        let _ = write!(
            text,
            "\n[[role]]\nname = \"{name}\"\ntype = \"it\"\nrisk_weight = {}\n",
            number % 20
        );
        for (application, attribute, values) in profiles {
            let values: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
            let _ = write!(
                text,
                "\n[[role.profiles]]\napplication = \"{application}\"\nentitlements = {{ {attribute} = [{}] }}\n",
                values.join(", ")
            );
        }
    }
    text
}

fn group(number: u64) -> String {
    format!("APP-{number:04}")
}

fn authorisation(number: u64) -> String {
    format!("ERP-{number:04}")
}

fn permission(number: u64) -> String {
    format!("HR-{number:03}")
}

/// Writes the feeds, each person as of this version: an even one is as everybody
/// was on the first day, and of an odd one telephone number and lifecycle state are
/// others, and what the state follows from; and the cost object, which is of the account
/// alone. So every account differs.
///
/// # Errors
///
/// When a file can't be written.
pub(super) fn write_feeds(
    organisation: Organisation,
    folder: &Path,
    version: &dyn Fn(u64) -> u64,
) -> io::Result<()> {
    let [mut hr, mut directory, mut erp] = [
        feed(folder, "hr", &HR)?,
        feed(folder, "directory", &DIRECTORY)?,
        feed(folder, "erp", &ERP)?,
    ];
    for (index, person) in (0..).zip(organisation.people()) {
        let mut dice = organisation.dice_for(index, STREAM);
        let number = employee_number(index);
        let terms = Terms::of(&person, version(index) % 2 == 1, &mut dice);
        let permissions = entitlements(&["HR-SELF", &format!("HR-{}", person.site.code)], || {
            permission(dice.skewed(PERMISSIONS))
        });
        hr.write_record([
            format!("P{number}").as_str(),
            &number,
            &person.given_name,
            &person.family_name,
            person.department.name,
            &person.job_title,
            &person.job_level.to_string(),
            terms.employee_type,
            &terms.start.to_string(),
            &terms.end.map(|day| day.to_string()).unwrap_or_default(),
            terms.status,
            &permissions,
        ])?;
        let site = format!("GG-Site-{}", person.site.code);
        let mut groups = vec!["GG-All-Staff", person.department.group, &site];
        groups.extend(person.department.tools);
        if person.job_level >= 6 {
            groups.push("APP-Appraisals");
        }
        if dice.chance(2) {
            groups.push("GG-Domain-Admins");
        }
        let groups = entitlements(&groups, || group(dice.skewed(GROUPS)));
        let phone = match terms.is_changed {
            true => format!("+49 30 556 {:05}", index % 100_000),
            false => person.phone.clone(),
        };
        let contract_end = dice.chance(60).then(|| {
            let end = day(dice.between(30, 700));
            match dice.chance(300) {
                true => end.strftime("%d.%m.%Y").to_string(),
                false => end.to_string(),
            }
        });
        directory.write_record([
            person.user_name.as_str(),
            if dice.chance(970) { "512" } else { "514" },
            &number,
            person.preferred_name.as_deref().unwrap_or(""),
            &person.given_name,
            &person.family_name,
            &person.cost_center,
            person.site.code,
            contract_end.as_deref().unwrap_or(""),
            &person.email,
            &phone,
            &format!("{}-{:03}", person.site.code, dice.skewed(400)),
            &groups,
        ])?;
        let department = format!("ERP-{}", person.department.group);
        let authorisations = entitlements(&["ERP-USER", &department], || {
            authorisation(dice.skewed(AUTHORISATIONS))
        });
        let valid_to = dice
            .chance(50)
            .then(|| day(dice.between(1, 900)).to_string());
        erp.write_record([
            format!("U{number}").as_str(),
            &number,
            &person.user_name,
            &person.email,
            &format!("{}-{}", terms.cost_object(), dice.skewed(5_000)),
            person.site.country,
            &person.projects.join(";"),
            if dice.chance(800) {
                "limited"
            } else {
                "professional"
            },
            if dice.chance(950) {
                "dialogue"
            } else {
                "reference"
            },
            &valid_to.unwrap_or_default(),
            &match dice.chance(300) {
                true => format!("LP{:04}", dice.skewed(3_000)),
                false => String::new(),
            },
            &authorisations,
        ])?;
    }
    for mut feed in [hr, directory, erp] {
        feed.flush()?;
    }
    Ok(())
}

/// Which of a person's chances are drawn for the standard tenant.
const STREAM: u64 = 1 << 40;

const HR: [&str; 12] = [
    "id",
    "employeeNumber",
    "givenName",
    "familyName",
    "department",
    "jobTitle",
    "jobLevel",
    "employeeType",
    "startDate",
    "endDate",
    "status",
    "permissions",
];

const DIRECTORY: [&str; 13] = [
    "sAMAccountName",
    "userAccountControl",
    "employeeNumber",
    "preferredName",
    "givenName",
    "familyName",
    "costCenter",
    "site",
    "contractEnd",
    "mail",
    "phone",
    "office",
    "memberOf",
];

const ERP: [&str; 12] = [
    "user",
    "employeeNumber",
    "login",
    "mail",
    "costObject",
    "plant",
    "projects",
    "licence",
    "userType",
    "validTo",
    "printer",
    "authorisations",
];

/// Begins the feed of an application, over that of an earlier day.
pub(super) fn feed<T: AsRef<[u8]>>(
    folder: &Path,
    application: &str,
    columns: &[T],
) -> io::Result<csv::Writer<BufWriter<File>>> {
    let file = File::create(folder.join(format!("{application}.csv")))?;
    let mut feed = csv::Writer::from_writer(BufWriter::new(file));
    feed.write_record(columns)?;
    Ok(feed)
}

/// Returns as many entitlements as an account has, the known ones first.
fn entitlements(known: &[&str], mut more: impl FnMut() -> String) -> String {
    let mut all: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
    while all.len() < ENTITLEMENTS {
        let next = more();
        if !all.contains(&next) {
            all.push(next);
        }
    }
    all.join("|")
}

/// What the lifecycle state follows from.
struct Terms {
    is_changed: bool,
    employee_type: &'static str,
    start: Date,
    end: Option<Date>,
    status: &'static str,
}

impl Terms {
    /// Returns somebody's terms. Of whoever is changed there is one date or status
    /// that differs, and so does the lifecycle state.
    fn of(person: &Person, is_changed: bool, dice: &mut Dice) -> Self {
        let employee_type = match dice.below(100) {
            _ if person.job_level >= 6 => "full-time",
            0..=11 => "contractor",
            12..=24 => "part-time",
            _ => "full-time",
        };
        let start = day(-1 - i32::try_from(dice.skewed(9_000)).unwrap_or(0));
        // Drawn for everybody, so that whatever is drawn next stays the same.
        let what = dice.below(1_000);
        let soon = day(dice.between(1, 90));
        let gone = day(-dice.between(200, 400));
        let back_until = day(dice.between(400, 1_500));
        let mut terms = Self {
            is_changed,
            employee_type,
            start,
            end: None,
            status: "working",
        };
        // What a feed has said it goes on to say: that many fields at once turn blank
        // is what the guard of an aggregation is for.
        match (what, is_changed) {
            // Announced, but not there yet; changed: begins at once.
            (0..=9, false) => terms.start = soon,
            (0..=9, true) => {}
            // Gone; changed: is back for some years.
            (10..=49, _) => {
                terms.start = start.min(day(-500));
                terms.end = Some(if is_changed { back_until } else { gone });
            }
            // Away; changed: is back. There; changed: away.
            (50..=79, false) | (80.., true) => terms.status = "leave",
            (50..=79, true) | (80.., false) => {}
        }
        terms
    }

    /// Returns what numbers of somebody's cost object begin with.
    fn cost_object(&self) -> &'static str {
        if self.is_changed { "CX" } else { "CO" }
    }
}

fn day(days_from_first: i32) -> Date {
    plus_days(FIRST_DAY, days_from_first).expect("a few years around the first day exist")
}

#[cfg(test)]
mod tests {
    use super::{it_profiles, selected};

    #[test]
    fn there_are_as_many_roles_as_are_said() {
        let business = selected();
        let by_filter = business
            .iter()
            .filter(|(_, selector, _)| selector.starts_with("filter"));
        assert_eq!((business.len(), by_filter.count()), (100, 80));
        assert_eq!(it_profiles().len(), 50);
    }
}
