//! Shapes of tenants of which midPoint publishes how fast it recomputes them: one
//! source with fifty mappings, and the same with five targets with fifty mappings
//! each and twenty assignments. As there, fifty mappings are fifty of one value and
//! fifty of five values.
//!
//! A mapping from the source is an attribute source; those of one value have
//! a transform. A mapping to a target is a provisioned account attribute, which the
//! target's account shows as it should be. An assignment is a business role by match
//! list, which requires an IT role: an entitlement in one of the targets.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use super::dice::Dice;
use super::profile::Made;
use super::standard::feed;

/// Mappings of one value, and of five values.
const MAPPINGS: u64 = 50;
const VALUES: usize = 5;

/// There are so many roles, of which everybody is assigned so many.
const ROLES: u64 = 200;
const ASSIGNMENTS: usize = 20;

const SOURCE: [&str; 1] = ["source"];
const WITH_TARGETS: [&str; 6] = [
    "source", "target-1", "target-2", "target-3", "target-4", "target-5",
];

/// Which shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Midpoint {
    /// One source.
    Source,
    /// One source, five targets, twenty assignments.
    Targets,
}

impl Midpoint {
    /// Returns the applications, the source first.
    pub(super) fn applications(self) -> &'static [&'static str] {
        match self {
            Self::Source => &SOURCE,
            Self::Targets => &WITH_TARGETS,
        }
    }

    fn targets(self) -> &'static [&'static str] {
        &self.applications()[1..]
    }
}

/// Writes the configuration into a tenant's folder.
///
/// # Errors
///
/// When a file can't be written.
pub(super) fn write(shape: Midpoint, directory: &Path) -> io::Result<()> {
    for folder in ["applications", "feeds", "roles"] {
        fs::create_dir_all(directory.join(folder))?;
    }
    let idr = "# A shape of tenant that midPoint publishes figures of. Its clock is simulated.\n\
               version = 1\nname = \"midpoint\"\nclock = \"simulated\"\n\n\
               [thresholds]\nleavers = \"100%\"\nrole_removals = \"100%\"\n";
    fs::write(directory.join("idr.toml"), idr)?;
    let lifecycle = "version = 1\ndefault_state = \"active\"\n\n[states.active]\n";
    fs::write(directory.join("lifecycle.toml"), lifecycle)?;
    fs::write(directory.join("identity.toml"), identity(shape))?;
    fs::write(directory.join("applications/source.toml"), source(shape))?;
    for target in shape.targets() {
        let path = directory.join(format!("applications/{target}.toml"));
        fs::write(path, target_application(target))?;
    }
    if shape == Midpoint::Targets {
        fs::write(directory.join("roles/roles.toml"), roles())?;
    }
    Ok(())
}

fn identity(shape: Midpoint) -> String {
    let mut text = "# What is known of everybody: a hundred attributes.\nversion = 1\n".to_owned();
    let mut attribute = |name: &str, keys: &str| {
        let _ = write!(text, "\n[attributes.{name}]\n{keys}");
        for target in shape.targets() {
            let _ = write!(
                text,
                "\n[[attributes.{name}.targets]]\napplication = \"{target}\"\nattribute = \"{name}\"\nall_accounts = true\n"
            );
        }
    };
    for number in 1..=MAPPINGS {
        let transform = transform(number);
        attribute(
            &single(number),
            &format!(
                "sources = [{{ application = \"source\", attribute = \"{}\", transform = {{ type = \"{transform}\" }} }}]\n",
                single(number)
            ),
        );
    }
    for number in 1..=MAPPINGS {
        attribute(
            &many(number),
            &format!(
                "type = \"many\"\nsources = [{{ application = \"source\", attribute = \"{}\" }}]\n",
                many(number)
            ),
        );
    }
    if shape == Midpoint::Targets {
        text += "\n[attributes.assignments]\ntype = \"many\"\nsources = [{ application = \"source\", attribute = \"assignments\" }]\n";
    }
    text
}

fn source(shape: Midpoint) -> String {
    let mut text = "# Where everything about people comes from.\nversion = 1\n\n\
                    [connector]\ntype = \"delimited-file\"\npath = \"feeds/source.csv\"\n\
                    native_identity = \"name\"\n\n[authoritative]\nname = \"name\"\n\n\
                    [[correlation]]\naccount = \"name\"\nidentity = \"name\"\n\n\
                    [schema]\nname = {}\n"
        .to_owned();
    text += &mapped();
    if shape == Midpoint::Targets {
        text += "assignments = { type = \"many\", separator = \"|\" }\n";
    }
    text
}

fn target_application(target: &str) -> String {
    format!(
        "# What follows from identities.\nversion = 1\nprovisioning = true\n\n\
         [connector]\ntype = \"delimited-file\"\npath = \"feeds/{target}.csv\"\n\
         native_identity = \"login\"\n\n[[correlation]]\naccount = \"login\"\nidentity = \"name\"\n\n\
         [account]\nnative_identity = {{ attribute = \"name\" }}\n\n\
         [schema]\nlogin = {{}}\n{}groups = {{ type = \"many\", separator = \"|\", entitlement = true }}\n",
        mapped()
    )
}

/// Returns the schema of the mapped attributes.
fn mapped() -> String {
    let mut text = String::new();
    for number in 1..=MAPPINGS {
        let _ = writeln!(text, "{} = {{}}", single(number));
    }
    for number in 1..=MAPPINGS {
        let _ = writeln!(
            text,
            "{} = {{ type = \"many\", separator = \"|\" }}",
            many(number)
        );
    }
    text
}

fn roles() -> String {
    let mut text =
        "# What people are assigned, and what it asks for in a target.\nversion = 1\n".to_owned();
    for number in 0..ROLES {
        let (role, target) = (role(number), target_of(number));
        let _ = write!(
            text,
            "\n[[role]]\nname = \"{role}\"\ntype = \"business\"\nrequires = [\"Access {role}\"]\n\
             selector = {{ match = {{ assignments = [\"{role}\"] }} }}\n\n\
             [[role]]\nname = \"Access {role}\"\ntype = \"it\"\n\
             profiles = [{{ application = \"{target}\", entitlements = {{ groups = [\"G-{role}\"] }} }}]\n"
        );
    }
    text
}

fn single(number: u64) -> String {
    format!("single{number:02}")
}

fn many(number: u64) -> String {
    format!("many{number:02}")
}

fn role(number: u64) -> String {
    format!("Role {number:03}")
}

/// Returns the target that a role is about.
fn target_of(role: u64) -> &'static str {
    let targets = Midpoint::Targets.targets();
    let place = usize::try_from(role).expect("there are few roles");
    targets[place % targets.len()]
}

fn transform(mapping: u64) -> &'static str {
    match mapping % 3 {
        0 => "upper",
        1 => "lower",
        _ => "trim",
    }
}

/// Writes the feeds, each person as of this version: of an odd one, two attributes
/// are others. Targets show what is to be there as of the first day.
///
/// # Errors
///
/// When a file can't be written.
pub(super) fn write_feeds(
    shape: Midpoint,
    made: Made,
    folder: &Path,
    version: &dyn Fn(u64) -> u64,
) -> io::Result<()> {
    let mut columns = vec!["name".to_owned()];
    columns.extend((1..=MAPPINGS).map(single));
    columns.extend((1..=MAPPINGS).map(many));
    let mut columns_of_source = columns.clone();
    if shape == Midpoint::Targets {
        columns_of_source.push("assignments".to_owned());
    }
    let mut source = feed(folder, "source", &columns_of_source)?;
    columns[0] = "login".to_owned();
    columns.push("groups".to_owned());
    let mut targets = Vec::new();
    for target in shape.targets() {
        targets.push((*target, feed(folder, target, &columns)?));
    }
    for index in 0..made.identities {
        let mut dice = Dice::new(made.seed, index);
        let name = format!("u{index:08}");
        let singles: Vec<String> = (1..=MAPPINGS)
            .map(|number| single_value(index, number, &mut dice))
            .collect();
        let manys: Vec<String> = (1..=MAPPINGS).map(|_| many_value(&mut dice)).collect();
        let is_changed = version(index) % 2 == 1;
        let (first, others) = singles.split_at(2);
        let first = first.iter().map(|value| match is_changed {
            true => format!("{value} changed"),
            false => value.clone(),
        });
        let mut row = vec![name.clone()];
        row.extend(first);
        row.extend(others.iter().chain(&manys).cloned());
        let roles = match shape {
            Midpoint::Source => Vec::new(),
            Midpoint::Targets => assignments(&mut dice),
        };
        if shape == Midpoint::Targets {
            let names: Vec<String> = roles.iter().map(|number| role(*number)).collect();
            row.push(names.join("|"));
        }
        source.write_record(&row)?;
        for (target, feed) in &mut targets {
            let mut row = vec![name.clone()];
            row.extend(
                (1..)
                    .zip(&singles)
                    .map(|(number, value)| mapped_value(number, value)),
            );
            row.extend(manys.iter().cloned());
            let theirs = roles.iter().filter(|role| target_of(**role) == *target);
            let groups: Vec<String> = theirs
                .map(|number| format!("G-{}", role(*number)))
                .collect();
            row.push(groups.join("|"));
            feed.write_record(&row)?;
        }
    }
    source.flush()?;
    for (_, mut feed) in targets {
        feed.flush()?;
    }
    Ok(())
}

/// Returns what a mapping makes of the source's value.
fn mapped_value(mapping: u64, value: &str) -> String {
    match transform(mapping) {
        "upper" => value.to_uppercase(),
        "lower" => value.to_lowercase(),
        _ => value.trim().to_owned(),
    }
}

/// Some attributes everybody has another value of, others have few common values and
/// a long tail, and some are empty for most.
fn single_value(index: u64, number: u64, dice: &mut Dice) -> String {
    let (is_there, common, rare) = (dice.chance(200), dice.skewed(50), dice.skewed(20_000));
    match number % 5 {
        0 => format!("Value {number} of {index}"),
        1 => format!("Value {rare}"),
        2 => format!("Value {common}"),
        3 if !is_there => String::new(),
        3 => format!("Seldom {rare}"),
        _ => format!("Value {}", common % 8),
    }
}

fn many_value(dice: &mut Dice) -> String {
    let mut values: Vec<u64> = Vec::with_capacity(VALUES);
    while values.len() < VALUES {
        let value = dice.skewed(500);
        if !values.contains(&value) {
            values.push(value);
        }
    }
    let values: Vec<String> = values.iter().map(|value| format!("item {value}")).collect();
    values.join("|")
}

fn assignments(dice: &mut Dice) -> Vec<u64> {
    let mut roles = Vec::with_capacity(ASSIGNMENTS);
    while roles.len() < ASSIGNMENTS {
        let role = dice.skewed(ROLES);
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    roles.sort_unstable();
    roles
}
