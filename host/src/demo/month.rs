//! What happens in the demonstration's month, and what each application says
//! of it on each morning.
//!
//! A few people have a part in the story; everybody else moves a little in the
//! background. From the second week on some records are messy.

use std::io;
use std::path::Path;

use idr_core::time::plus_days;
use jiff::civil::{Date, Weekday};

use super::cast::{Cast, Part};
use crate::organisation::{
    Contract, DEPARTMENTS, Dice, DirectoryAccount, Employment, FIRST_DAY, FeedWriter, Organisation,
    Person, SITES, department_of, employee_number, site_of,
};

/// How many days pass after the first: the rest of March.
pub(super) const DAYS: i32 = 30;

/// The days on which the story goes on, counted from the first day.
mod on {
    pub(super) const NOTICE: i32 = 3;
    pub(super) const ANNOUNCEMENT: i32 = 4;
    pub(super) const MESS: i32 = 8;
    pub(super) const MOVE: i32 = 9;
    pub(super) const WEDDING: i32 = 11;
    pub(super) const NEW_ACCOUNT: i32 = 12;
    pub(super) const MANAGERS_LAST_DAY: i32 = 12;
    pub(super) const CONTRACT_GONE: i32 = 13;
    pub(super) const FIRST_WORKING_DAY: i32 = 15;
    pub(super) const DISAPPEARANCE: i32 = 17;
    pub(super) const LAST_DAY: i32 = 19;
    pub(super) const RETURN: i32 = 22;
    pub(super) const PRIVILEGE: i32 = 24;
}

/// The organisation as its applications see it, day by day.
pub(super) struct Month {
    organisation: Organisation,
    people: Vec<Person>,
    cast: Cast,
    /// Accounts in the directory that come later: day, place, account.
    accounts_to_come: Vec<(i32, usize, DirectoryAccount)>,
    /// People who are listed once more.
    repeated: Vec<Person>,
    /// Lines as they come: application and bytes.
    lines: Vec<(&'static str, Vec<u8>)>,
}

/// Somebody of the story.
pub(super) struct Scene {
    /// What happened, in a sentence.
    pub(super) what: String,
    /// The name of the identity.
    pub(super) name: String,
    /// The zone of the place of work.
    pub(super) zone: &'static str,
}

impl Month {
    /// Returns the first morning.
    pub(super) fn new(organisation: Organisation) -> Self {
        let mut people: Vec<Person> = organisation.people().collect();
        let cast = Cast::choose(&mut people);
        Self {
            organisation,
            people,
            cast,
            accounts_to_come: Vec::new(),
            repeated: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Writes what the applications say on this morning.
    pub(super) fn write_feeds(&self, folder: &Path) -> io::Result<()> {
        let mut feeds = FeedWriter::create(folder)?;
        for person in self.people.iter().chain(&self.repeated) {
            feeds.write(person)?;
        }
        feeds.finish(&self.lines)
    }

    /// Lets a night pass: the next morning is `day` days after the first.
    pub(super) fn pass_to(&mut self, day: i32) {
        let mut dice = Dice::new(0x006d_6f6e_7468, day.unsigned_abs().into());
        let is_working_day = !matches!(date_of(day).weekday(), Weekday::Saturday | Weekday::Sunday);
        if is_working_day {
            self.move_about(day, &mut dice);
        }
        self.tell(day);
        self.keep_directory(day);
    }

    /// Returns the scenes, in the order in which they are told.
    pub(super) fn scenes(&self) -> Vec<Scene> {
        let scenes = self.cast.parts().filter_map(|(part, place)| {
            let person = &self.people[place];
            let what = what_happened(part, person)?;
            Some(Scene {
                what: format!("{} {what}", person.display_name()),
                name: person.user_name.clone(),
                zone: person.site.zone,
            })
        });
        scenes.collect()
    }

    /// Returns the name of the identity that has a part.
    pub(super) fn name_of(&self, part: Part) -> &str {
        &self.people[self.cast.place(part)].user_name
    }

    fn part(&mut self, part: Part) -> &mut Person {
        &mut self.people[self.cast.place(part)]
    }

    /// Lets the story go on.
    fn tell(&mut self, day: i32) {
        if day == on::NOTICE {
            terms(self.part(Part::Leaver)).end = Some(date_of(on::LAST_DAY));
            terms(self.part(Part::Manager)).end = Some(date_of(on::MANAGERS_LAST_DAY));
        }
        if day == on::ANNOUNCEMENT {
            self.announce_joiner();
        }
        if day == on::MESS {
            self.make_a_mess();
        }
        if day == on::MOVE {
            let manager = employee_number(self.cast.other_manager() as u64);
            let mover = self.part(Part::Mover);
            mover.move_to(department_of("Marketing"));
            mover.manager = Some(manager);
        }
        if day == on::WEDDING {
            let person = self.part(Part::Renamed);
            person.family_name = format!("{}-Lindqvist", person.family_name);
            person.email = person.email.replace('@', "-lindqvist@");
        }
        if day == on::MANAGERS_LAST_DAY + 1 {
            let place = self.cast.place(Part::Manager);
            let number = employee_number(place as u64);
            let next = self.people[place].manager.clone();
            for person in &mut self.people {
                if person.manager.as_ref() == Some(&number) {
                    person.manager.clone_from(&next);
                }
            }
        }
        if day == on::CONTRACT_GONE {
            self.part(Part::Contractor).contract = None;
        }
        if day == on::FIRST_WORKING_DAY {
            let place = self.cast.place(Part::Contractor);
            let person = &mut self.people[place];
            person.employment = Some(employment(place, date_of(day)));
            person.job_level = 2;
        }
        if day == on::DISAPPEARANCE {
            self.part(Part::Vanished).employment = None;
        }
        if day == on::RETURN {
            let person = self.part(Part::Rehire);
            let terms = terms(person);
            terms.start = date_of(day);
            terms.end = None;
            if let Some(account) = &mut person.directory {
                account.enabled = true;
            }
        }
        if day == on::PRIVILEGE
            && let Some(account) = &mut self.part(Part::Administrator).directory
        {
            account.groups.push("GG-Domain-Admins".to_owned());
        }
    }

    fn announce_joiner(&mut self) {
        let place = self.join(date_of(on::FIRST_WORKING_DAY), on::NEW_ACCOUNT);
        self.cast.give(Part::Joiner, place);
        let person = &mut self.people[place];
        person.site = site_of("LIS");
        person.department = department_of("Engineering");
    }

    /// Adds somebody who starts on a day; the directory's account comes on another.
    fn join(&mut self, start: Date, account_on: i32) -> usize {
        let place = self.people.len();
        let mut person = self.organisation.person(place as u64);
        terms(&mut person).start = start;
        if let Some(account) = person.directory.take() {
            self.accounts_to_come.push((account_on, place, account));
        }
        person.crm = None;
        self.people.push(person);
        place
    }

    /// What everybody else does on a working day.
    fn move_about(&mut self, day: i32, dice: &mut Dice) {
        let today = date_of(day);
        if dice.chance(600) {
            let ahead = dice.between(4, 12);
            self.join(date_of(day + ahead), day + ahead - 1);
        }
        if dice.chance(500) {
            let place = self.somebody(dice);
            let last_day = date_of(day + dice.between(3, 25));
            terms(&mut self.people[place]).end.get_or_insert(last_day);
        }
        if dice.chance(100) {
            let place = self.somebody(dice);
            self.people[place].employment = None;
        }
        for _ in 0..2 {
            let place = self.somebody(dice);
            let manager = dice.below(self.cast.first_without_reports() as u64);
            let person = &mut self.people[place];
            person.move_to(dice.pick(&DEPARTMENTS));
            if dice.chance(400) {
                person.manager = Some(employee_number(manager));
            }
        }
        if dice.chance(300) {
            let place = self.somebody(dice);
            self.people[place].site = dice.pick(&SITES);
        }
        if dice.chance(200) {
            let place = self.somebody(dice);
            let terms = terms(&mut self.people[place]);
            terms.on_leave = !terms.on_leave && terms.start < today;
        }
        for _ in 0..4 {
            let place = self.somebody(dice);
            self.people[place].phone = format!("+49 30 555 {:05}", dice.below(100_000));
        }
        for _ in 0..3 {
            let place = self.somebody(dice);
            let group = format!("APP-{:03}", dice.below(400));
            if let Some(account) = &mut self.people[place].directory
                && !account.groups.contains(&group)
            {
                account.groups.push(group);
            }
        }
    }

    /// Returns the place of an employee without a part and without reports.
    fn somebody(&self, dice: &mut Dice) -> usize {
        let first = self.cast.first_without_reports();
        loop {
            let offset = dice.below((self.people.len() - first) as u64);
            let place = first + usize::try_from(offset).expect("it is below a length");
            let person = &self.people[place];
            let is_plain = person.contract.is_none() && person.employment.is_some();
            if is_plain && !self.cast.has_part(place) {
                return place;
            }
        }
    }

    /// The directory's people make accounts that were asked for, and switch off
    /// those of whoever has left.
    fn keep_directory(&mut self, day: i32) {
        let (now, later) = std::mem::take(&mut self.accounts_to_come)
            .into_iter()
            .partition(|(on, _, _)| *on <= day);
        self.accounts_to_come = later;
        for (_, place, account) in now {
            self.people[place].directory = Some(account);
        }
        for person in &mut self.people {
            let last_day = person.employment.as_ref().and_then(|terms| terms.end);
            if last_day == Some(date_of(day - 1))
                && let Some(account) = &mut person.directory
            {
                account.enabled = false;
            }
        }
    }

    /// Records as they come in real life.
    fn make_a_mess(&mut self) {
        self.part(Part::UnknownManager).manager = Some("999999".to_owned());
        self.part(Part::CostCenter).cost_center = "ask Petra".to_owned();
        terms(self.part(Part::ContractEnd)).contract_end = Some("31.02.2026".to_owned());
        let leaver = terms(self.part(Part::EndTime));
        leaver.end = Some(date_of(on::MESS + 10));
        leaver.end_time = Some("5 pm".to_owned());

        let mut again = self.part(Part::ListedTwice).clone();
        (again.directory, again.crm, again.contract) = (None, None, None);
        again.phone = "+49 30 555 00000".to_owned();
        self.repeated.push(again);

        let quoted = self.part(Part::BrokenQuote);
        if let Some(account) = quoted.crm.take() {
            let (given, family) = (&quoted.given_name, &quoted.family_name);
            let line = format!(
                "{},{},\"{given} \"{family}\" (sales)\",{},{},,{},full,yes",
                account.number,
                quoted.user_name,
                quoted.email,
                account.profile,
                quoted.site.country
            );
            self.lines.push(("crm", line.into_bytes()));
        }
        let accented = self.part(Part::OtherEncoding);
        if let Some(account) = accented.directory.take() {
            let line = format!(
                "{};{};{};;{};;;;512;{}",
                accented.user_name,
                accented.display_name(),
                accented.email,
                accented.site.city,
                account.groups.join("|")
            );
            self.lines.push(("ad", in_latin1(&line)));
        }
        let line = "102999,max.wrong,Max,,Wrong,max.wrong@acme.example,,Sales,Account Manager,2,\
                    CC-4001,Acme,BER,DE,Europe/Berlin,full-time,100007,2026-02-30,,,,,";
        self.lines.push(("hr", line.as_bytes().to_vec()));
    }
}

/// Says what happened to somebody, if that is told.
fn what_happened(part: Part, person: &Person) -> Option<String> {
    let (department, site) = (person.department.name, person.site.city);
    Some(match part {
        Part::Joiner => format!(
            "is announced on {}, and starts in {site} on {}",
            short(on::ANNOUNCEMENT),
            short(on::FIRST_WORKING_DAY)
        ),
        Part::Mover => format!(
            "moves from Sales to {department} on {}, to another manager",
            short(on::MOVE)
        ),
        Part::Leaver => format!(
            "gives notice in {site}; the last day is {}, until 17:00",
            short(on::LAST_DAY)
        ),
        Part::Contractor => format!(
            "drops off the contractors' list on {}, and is an employee on {}",
            short(on::CONTRACT_GONE),
            short(on::FIRST_WORKING_DAY)
        ),
        Part::Rehire => format!(
            "left last year, and is hired again on {}",
            short(on::RETURN)
        ),
        Part::Renamed => format!("has another family name on {}", short(on::WEDDING)),
        Part::Both => "is an employee, and a contractor as well: one identity".to_owned(),
        Part::Vanished => format!(
            "isn't in the personnel system any more on {}; a day later that counts",
            short(on::DISAPPEARANCE)
        ),
        Part::Administrator => format!(
            "is made an administrator on {}, directly in the directory",
            short(on::PRIVILEGE)
        ),
        Part::Manager => format!(
            "leads a team until {}; the team goes to the next manager",
            short(on::MANAGERS_LAST_DAY)
        ),
        Part::TeamMember => "is on that team".to_owned(),
        Part::UnknownManager
        | Part::CostCenter
        | Part::ContractEnd
        | Part::EndTime
        | Part::ListedTwice
        | Part::BrokenQuote
        | Part::OtherEncoding => return None,
    })
}

/// Returns the date so many days after the first.
pub(super) fn date_of(day: i32) -> Date {
    plus_days(FIRST_DAY, day).expect("the month exists")
}

fn short(day: i32) -> String {
    date_of(day).strftime("%-d %B").to_string()
}

fn terms(person: &mut Person) -> &mut Employment {
    let terms = person.employment.as_mut();
    terms.expect("only employees have such parts")
}

fn employment(place: usize, start: Date) -> Employment {
    Employment {
        number: employee_number(place as u64),
        part_time: false,
        start,
        end: None,
        end_time: None,
        contract_end: None,
        on_leave: false,
    }
}

/// Makes an employee a contractor as well.
pub(super) fn contract(place: usize) -> Contract {
    Contract {
        number: format!("C-{}", employee_number(place as u64)),
        agency: "Alto Design",
        start: date_of(-400),
        end: date_of(300),
    }
}

/// Returns a text in Latin-1, which has a byte for each of its letters.
fn in_latin1(text: &str) -> Vec<u8> {
    let byte = |letter: char| u8::try_from(u32::from(letter)).unwrap_or(b'?');
    text.chars().map(byte).collect()
}
