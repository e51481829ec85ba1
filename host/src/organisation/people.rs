//! Made-up people: who the organisation has, one by one and always the same.
//!
//! A person is worked out from the seed and a place in the organisation alone,
//! so any number of people need no memory.

use idr_core::model::UnixMillis;
use idr_core::time::plus_days;
use jiff::civil::{Date, date};

use super::dice::Dice;
use super::names::{FAMILY, GIVEN, plain};
use super::places::{AGENCIES, DEPARTMENTS, Department, PROJECTS, SITES, Site};

/// The day on which the organisation is looked at first.
pub const FIRST_DAY: Date = date(2026, 3, 1);

/// The moment as of which its feeds are aggregated first: 06:00 UTC.
pub const FIRST_INSTANT: UnixMillis = UnixMillis(1_772_344_800_000);

/// A manager has so many reports.
const SPAN: u64 = 7;

/// The directory has so many groups beside those with a meaning.
const GROUPS: u64 = 400;

/// An organisation: its people are numbered from 0, and the first is its head.
#[derive(Clone, Copy, Debug)]
pub struct Organisation {
    seed: u64,
    size: u64,
    /// Names are dealt by walking through all pairs in steps of this.
    name_step: u64,
    name_start: u64,
}

/// A person with what the applications say of her or him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name at log-on, which is the identity's name.
    pub user_name: String,
    /// The given name.
    pub given_name: String,
    /// What the person would rather be called.
    pub preferred_name: Option<String>,
    /// The family name.
    pub family_name: String,
    /// The address for mail.
    pub email: String,
    /// The number on the desk.
    pub phone: String,
    /// The department.
    pub department: &'static Department,
    /// The job title.
    pub job_title: String,
    /// The step on the ladder, 1 to 10.
    pub job_level: u8,
    /// The cost center, however it was typed.
    pub cost_center: String,
    /// The place of work.
    pub site: &'static Site,
    /// The manager's employee number.
    pub manager: Option<String>,
    /// Projects, in order.
    pub projects: Vec<&'static str>,
    /// As the personnel system knows the person.
    pub employment: Option<Employment>,
    /// As the purchasing department knows the person.
    pub contract: Option<Contract>,
    /// The account in the directory.
    pub directory: Option<DirectoryAccount>,
    /// The account in the CRM.
    pub crm: Option<CrmAccount>,
}

/// An employee's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Employment {
    /// The employee number.
    pub number: String,
    /// Whether it is part-time.
    pub part_time: bool,
    /// The first day.
    pub start: Date,
    /// The last day.
    pub end: Option<Date>,
    /// When the last day ends, if not at the usual time.
    pub end_time: Option<String>,
    /// Until when a fixed-term contract goes, however it was typed.
    pub contract_end: Option<String>,
    /// Whether the person is away for long.
    pub on_leave: bool,
}

/// A contractor's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// The contractor number.
    pub number: String,
    /// The agency.
    pub agency: &'static str,
    /// The first day.
    pub start: Date,
    /// The last day.
    pub end: Date,
}

/// An account in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryAccount {
    /// Whether it can be used.
    pub enabled: bool,
    /// Its groups.
    pub groups: Vec<String>,
}

/// An account in the CRM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrmAccount {
    /// Its number.
    pub number: String,
    /// Whether it can be used.
    pub enabled: bool,
    /// The profile.
    pub profile: &'static str,
    /// Permission sets.
    pub permission_sets: Vec<&'static str>,
}

impl Person {
    /// Returns the name as the directory shows it.
    pub fn display_name(&self) -> String {
        let given = self.preferred_name.as_ref().unwrap_or(&self.given_name);
        format!("{given} {}", self.family_name)
    }

    /// Changes cost center and telephone number, and of one in ten the department:
    /// fewer than a threshold lets lose roles. `index` is the person's place.
    pub(super) fn change(&mut self, index: u64) {
        self.cost_center = format!("CC-{}", 9_000 + index % 1_000);
        self.phone = format!("+49 30 556 {:05}", index % 100_000);
        if !(index / 7).is_multiple_of(10) {
            return;
        }
        let place = DEPARTMENTS
            .iter()
            .position(|known| known == self.department);
        let next = (place.unwrap_or(0) + 1) % DEPARTMENTS.len();
        self.move_to(&DEPARTMENTS[next]);
    }

    /// Moves the person into a department, with the groups that belong to it.
    pub fn move_to(&mut self, department: &'static Department) {
        let old = self.department;
        self.department = department;
        self.job_title = title(department, self.job_level);
        if let Some(account) = &mut self.directory {
            let leaves =
                |group: &String| *group == old.group || old.tools.contains(&group.as_str());
            account.groups.retain(|group| !leaves(group));
            account.groups.push(department.group.to_owned());
            let tools = department.tools.iter();
            account.groups.extend(tools.map(|tool| (*tool).to_owned()));
        }
    }
}

impl Organisation {
    /// Returns an organisation of so many people.
    pub fn new(size: u64, seed: u64) -> Self {
        let pairs = (GIVEN.len() * FAMILY.len()) as u64;
        let mut dice = Dice::new(seed, u64::MAX);
        let mut name_step = dice.below(pairs);
        while common_divisor(name_step, pairs) != 1 {
            name_step = dice.below(pairs);
        }
        Self {
            seed,
            size,
            name_step,
            name_start: dice.below(pairs),
        }
    }

    /// Returns how many people there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns dice for what else there is to say about a person; `stream` is not
    /// the place of anybody.
    pub(super) fn dice_for(&self, index: u64, stream: u64) -> Dice {
        Dice::new(self.seed, stream + index)
    }

    /// Returns everybody, in order.
    pub fn people(self) -> impl Iterator<Item = Person> {
        (0..self.size).map(move |index| self.person(index))
    }

    /// Returns the person at this place; places from `size` on are people who
    /// could join: employees without any manager's place.
    pub fn person(&self, index: u64) -> Person {
        let mut dice = Dice::new(self.seed, index);
        let department = self.department(index, &mut dice);
        let is_manager = index == 0 || index * SPAN + 1 < self.size;
        let (given_name, family_name, user_name) = self.name(index);
        let job_level = match is_manager {
            true => 10_u8.saturating_sub(depth(index)).max(6),
            false => 1 + u8::try_from(dice.skewed(5)).unwrap_or(0),
        };
        let preferred_name = dice
            .chance(30)
            .then(|| given_name.chars().take(3).collect());
        let mut person = Person {
            email: format!("{user_name}@acme.example"),
            user_name,
            given_name,
            preferred_name,
            family_name,
            phone: format!("+49 30 555 {:05}", dice.below(100_000)),
            department,
            job_title: title(department, job_level),
            job_level,
            cost_center: cost_center(&mut dice),
            site: dice.weighted(&SITES, Site::weight),
            manager: index
                .checked_sub(1)
                .map(|below| employee_number(below % self.size.max(2) / SPAN)),
            projects: projects(&mut dice),
            employment: None,
            contract: None,
            directory: None,
            crm: None,
        };
        let joins = index >= self.size;
        if !is_manager && !joins && dice.chance(80) {
            person.contract = Some(contract(index, &mut dice));
        } else {
            person.employment = Some(employment(index, is_manager || joins, &mut dice));
            // Some teach, or have a company of their own besides.
            if !is_manager && !joins && dice.chance(2) {
                person.contract = Some(contract(index, &mut dice));
            }
        }
        if dice.chance(985) {
            person.directory = Some(directory(&person, &mut dice));
        }
        if let Some(profile) = department.crm_profile
            && dice.chance(850)
        {
            person.crm = Some(crm(index, profile, &mut dice));
        }
        person
    }

    /// Returns the department: mostly the manager's.
    fn department(&self, index: u64, dice: &mut Dice) -> &'static Department {
        let own = dice.weighted(&DEPARTMENTS, Department::weight);
        if depth(index) <= 2 || dice.chance(100) {
            return own;
        }
        let manager = (index - 1) % self.size.max(2) / SPAN;
        self.department(manager, &mut Dice::new(self.seed, manager))
    }

    /// Returns given name, family name and user name, which nobody else has.
    fn name(&self, index: u64) -> (String, String, String) {
        let (given_count, family_count) = (GIVEN.len() as u64, FAMILY.len() as u64);
        let pairs = given_count * family_count;
        let place = (index % pairs * self.name_step + self.name_start) % pairs;
        let at = |place: u64| usize::try_from(place).expect("there are few names");
        let given = GIVEN[at(place % given_count)];
        let family = FAMILY[at(place / given_count)];
        let mut user_name = format!("{}.{}", plain(given), plain(family));
        if index >= pairs {
            user_name += &(index / pairs + 1).to_string();
        }
        (given.to_owned(), family.to_owned(), user_name)
    }
}

/// Returns how far below the head somebody is.
fn depth(index: u64) -> u8 {
    let mut depth = 0;
    let mut above = index;
    while above > 0 {
        above = (above - 1) / SPAN;
        depth += 1;
    }
    depth
}

fn common_divisor(left: u64, right: u64) -> u64 {
    match right {
        0 => left,
        _ => common_divisor(right, left % right),
    }
}

/// Returns the employee number of whoever is at this place.
pub fn employee_number(index: u64) -> String {
    (100_000 + index).to_string()
}

fn title(department: &Department, level: u8) -> String {
    match level {
        0..=5 => department.titles[usize::from(level.max(1)) - 1].to_owned(),
        6 => format!("Team Lead {}", department.name),
        7 | 8 => format!("Head of {}", department.name),
        9 => format!("Vice President {}", department.name),
        _ => "Chief Executive".to_owned(),
    }
}

/// Everybody types them differently; the rule makes one of them.
fn cost_center(dice: &mut Dice) -> String {
    let number = 4_000 + dice.skewed(900);
    match dice.below(20) {
        0 => format!("cc {number}"),
        1 => format!("CC{number}"),
        2 => number.to_string(),
        _ => format!("CC-{number}"),
    }
}

fn projects(dice: &mut Dice) -> Vec<&'static str> {
    let mut projects = Vec::new();
    while projects.len() < 3 && dice.chance(350) {
        let count = PROJECTS.len() as u64;
        let place = usize::try_from(dice.skewed(count)).expect("there are few projects");
        if !projects.contains(&PROJECTS[place]) {
            projects.push(PROJECTS[place]);
        }
    }
    projects.sort_unstable();
    projects
}

fn day(days_from_first: i32) -> Date {
    plus_days(FIRST_DAY, days_from_first).expect("a few years around the first day exist")
}

fn employment(index: u64, stays: bool, dice: &mut Dice) -> Employment {
    let mut terms = Employment {
        number: employee_number(index),
        part_time: dice.chance(120),
        start: day(-1 - i32::try_from(dice.skewed(9_000)).unwrap_or(0)),
        end: None,
        end_time: None,
        contract_end: None,
        on_leave: false,
    };
    if stays {
        return terms;
    }
    match dice.below(1_000) {
        // Announced, but not there yet.
        0..=9 => terms.start = day(dice.between(1, 90)),
        // Gone; the personnel system lists them for a while.
        10..=44 => {
            terms.start = day(-dice.between(500, 4_000));
            terms.end = Some(day(-dice.between(1, 180)));
        }
        // Given notice.
        45..=64 => terms.end = Some(day(dice.between(1, 180))),
        65..=84 => terms.on_leave = true,
        85..=144 => {
            let end = day(dice.between(30, 700));
            terms.contract_end = Some(match dice.chance(300) {
                true => end.strftime("%d.%m.%Y").to_string(),
                false => end.to_string(),
            });
        }
        _ => {}
    }
    terms
}

fn contract(index: u64, dice: &mut Dice) -> Contract {
    let end = match dice.chance(30) {
        true => -dice.between(1, 60),
        false => dice.between(10, 400),
    };
    Contract {
        number: format!("C-{}", employee_number(index)),
        agency: dice.pick::<&str>(&AGENCIES),
        start: day(end - dice.between(410, 900)),
        end: day(end),
    }
}

fn directory(person: &Person, dice: &mut Dice) -> DirectoryAccount {
    let mut groups = vec![
        "GG-All-Staff".to_owned(),
        person.department.group.to_owned(),
    ];
    groups.push(format!("GG-Site-{}", person.site.code));
    if person.job_level >= 6 {
        groups.push("APP-Appraisals".to_owned());
    }
    for tool in person.department.tools {
        if dice.chance(800) {
            groups.push((*tool).to_owned());
        }
    }
    if dice.chance(2) {
        groups.push("GG-Domain-Admins".to_owned());
    }
    for _ in 0..dice.between(1, 8) {
        let group = format!("APP-{:03}", dice.skewed(GROUPS));
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let employment = person.employment.as_ref();
    let gone = employment
        .and_then(|terms| terms.end)
        .is_some_and(|end| end < FIRST_DAY);
    DirectoryAccount {
        // A few are forgotten.
        enabled: !gone || dice.chance(50),
        groups,
    }
}

fn crm(index: u64, profile: &'static str, dice: &mut Dice) -> CrmAccount {
    let sets = [
        "opportunities",
        "forecasts",
        "campaigns",
        "exports",
        "cases",
    ];
    let mut permission_sets = Vec::new();
    for set in sets {
        if dice.chance(300) {
            permission_sets.push(set);
        }
    }
    CrmAccount {
        number: format!("005{index:09}"),
        enabled: dice.chance(970),
        profile,
        permission_sets,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::{FIRST_DAY, FIRST_INSTANT, Organisation, Person, employee_number};

    const SIZE: u64 = 3_000;

    fn everybody() -> Vec<Person> {
        Organisation::new(SIZE, 1).people().collect()
    }

    #[test]
    fn the_first_instant_is_on_the_first_day() {
        let expected = format!("{FIRST_DAY}T06:00:00Z");
        assert_eq!(FIRST_INSTANT.to_string(), expected);
    }

    #[test]
    fn nobody_has_the_name_of_another() {
        let organisation = Organisation::new(100_000, 7);
        let names: BTreeSet<String> = [0, 39_990, 79_990]
            .into_iter()
            .flat_map(|start| start..start + 3_000)
            .map(|index| organisation.person(index).user_name)
            .collect();
        assert_eq!(names.len(), 9_000);
    }

    #[test]
    fn everybody_but_the_head_reports_to_an_employee_who_stays() {
        let people = everybody();
        assert_eq!(people[0].manager, None);
        for person in &people[1..] {
            let manager = person.manager.as_ref().expect("everybody else has one");
            let place = (0..SIZE).find(|index| employee_number(*index) == *manager);
            let place = usize::try_from(place.expect("it exists")).expect("it fits");
            let terms = people[place].employment.as_ref();
            assert_eq!(terms.and_then(|terms| terms.end), None);
            assert!(terms.is_some() && people[place].job_level >= 6);
        }
    }

    #[test]
    fn few_values_are_common_and_many_are_rare() {
        let mut departments: BTreeMap<&str, u64> = BTreeMap::new();
        let mut groups: BTreeMap<String, u64> = BTreeMap::new();
        let (mut contractors, mut both) = (0, 0);
        for person in everybody() {
            *departments.entry(person.department.name).or_default() += 1;
            contractors += u64::from(person.contract.is_some());
            both += u64::from(person.contract.is_some() && person.employment.is_some());
            for group in person.directory.iter().flat_map(|account| &account.groups) {
                *groups.entry(group.clone()).or_default() += 1;
            }
        }
        let largest = departments.values().max().copied().unwrap_or_default();
        assert!((SIZE / 8..SIZE / 2).contains(&largest), "{departments:?}");
        assert!(departments.len() >= 8, "{departments:?}");
        assert!(
            (SIZE / 20..SIZE / 8).contains(&contractors),
            "{contractors}"
        );
        assert!((1..SIZE / 100).contains(&both), "{both}");
        let rare = groups
            .values()
            .filter(|count| **count <= SIZE / 100)
            .count();
        assert!(rare > groups.len() / 2, "{groups:?}");
    }

    #[test]
    fn people_are_always_the_same() {
        let organisation = Organisation::new(2_000, 1);
        let shown: Vec<String> = [0, 1, 500, 1_999, 2_000]
            .into_iter()
            .map(|index| {
                let person = organisation.person(index);
                format!(
                    "{} ({}), {} in {}",
                    person.display_name(),
                    person.user_name,
                    person.job_title,
                    person.site.city
                )
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        Rosa Taylor (rosa.taylor), Chief Executive in Singapore
        Mina Gibson (mina.gibson), Vice President Marketing in Warsaw
        João Nilsson (joao.nilsson), Operator in São Paulo
        Joana Martin (joana.martin), Operator in Berlin
        Hannah Weber (hannah.weber), Technician in Vienna
        ");
    }
}
