//! Who has which part in the demonstration's story.

use super::month::contract;
use crate::organisation::{FIRST_DAY, Person, department_of, site_of};

/// A part in the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Joiner,
    Mover,
    Leaver,
    Contractor,
    Rehire,
    Renamed,
    Both,
    Vanished,
    Administrator,
    Manager,
    TeamMember,
    // Those whose records are messy.
    UnknownManager,
    CostCenter,
    ContractEnd,
    EndTime,
    ListedTwice,
    BrokenQuote,
    OtherEncoding,
}

/// People with a part, by their places in the organisation.
pub(super) struct Cast {
    parts: Vec<(Part, usize)>,
    first_without_reports: usize,
    other_manager: usize,
}

impl Cast {
    /// Gives everybody a part but the joiner, who isn't there yet, and brings
    /// them into the position to play it.
    pub(super) fn choose(people: &mut [Person]) -> Self {
        let first_without_reports = people.len().div_ceil(7);
        let mut cast = Self {
            parts: Vec::new(),
            first_without_reports,
            other_manager: 0,
        };
        let (sales, engineering) = (department_of("Sales"), department_of("Engineering"));
        let mover = cast.find(people, |person| {
            is_plain(person) && person.department == sales && person.site == site_of("BER")
        });
        cast.give(Part::Mover, mover);
        let leaver = cast.find(people, |person| {
            is_plain(person) && person.site == site_of("NYC")
        });
        cast.give(Part::Leaver, leaver);
        let contractor = cast.find(people, |person| {
            let goes_on = |end| end > super::month::date_of(90);
            person.employment.is_none()
                && person.directory.is_some()
                && person
                    .contract
                    .as_ref()
                    .is_some_and(|terms| goes_on(terms.end))
        });
        cast.give(Part::Contractor, contractor);
        let rehire = cast.find(people, |person| {
            let end = person.employment.as_ref().and_then(|terms| terms.end);
            end.is_some_and(|end| end < FIRST_DAY.first_of_year()) && person.directory.is_some()
        });
        cast.give(Part::Rehire, rehire);
        let renamed = cast.find(people, is_plain);
        cast.give(Part::Renamed, renamed);
        let both = cast.find(people, |person| {
            is_plain(person) && person.department == engineering
        });
        people[both].contract = Some(contract(both));
        cast.give(Part::Both, both);
        let vanished = cast.find(people, |person| {
            is_plain(person) && person.site == site_of("SIN")
        });
        cast.give(Part::Vanished, vanished);
        let administrator = cast.find(people, |person| {
            is_plain(person) && person.department == engineering
        });
        cast.give(Part::Administrator, administrator);
        // The last one with a whole team.
        let manager = (first_without_reports * 3 / 4..first_without_reports)
            .find(|place| is_plain(&people[*place]))
            .expect("some managers are like anybody else");
        cast.give(Part::Manager, manager);
        let number = people[manager]
            .employment
            .as_ref()
            .map(|terms| &terms.number);
        let member = cast.find(people, |person| {
            is_plain(person) && person.manager.as_ref() == number
        });
        cast.give(Part::TeamMember, member);
        cast.other_manager = manager - 1;
        for part in [
            Part::UnknownManager,
            Part::CostCenter,
            Part::ContractEnd,
            Part::EndTime,
            Part::ListedTwice,
        ] {
            let place = cast.find(people, is_plain);
            cast.give(part, place);
        }
        let quoted = cast.find(people, |person| is_plain(person) && person.crm.is_some());
        cast.give(Part::BrokenQuote, quoted);
        let accented = cast.find(people, |person| {
            is_plain(person) && person.family_name.contains('ü')
        });
        cast.give(Part::OtherEncoding, accented);
        cast
    }

    /// Gives somebody a part.
    pub(super) fn give(&mut self, part: Part, place: usize) {
        self.parts.push((part, place));
    }

    /// Returns the first place of people like this without a part or reports.
    fn find(&self, people: &[Person], wanted: impl Fn(&Person) -> bool) -> usize {
        (self.first_without_reports + 50..people.len())
            .find(|place| !self.has_part(*place) && wanted(&people[*place]))
            .expect("the organisation has somebody for every part")
    }

    /// Says whether whoever is at a place has a part.
    pub(super) fn has_part(&self, place: usize) -> bool {
        self.parts.iter().any(|(_, taken)| *taken == place)
    }

    /// Returns the place of whoever has a part.
    pub(super) fn place(&self, part: Part) -> usize {
        let found = self.parts.iter().find(|(known, _)| *known == part);
        found.expect("every part is given before it is played").1
    }

    /// Returns all parts that are given, the joiner's first.
    pub(super) fn parts(&self) -> impl Iterator<Item = (Part, usize)> {
        let joiners = |wanted: bool| {
            let parts = self.parts.iter().copied();
            parts.filter(move |(part, _)| (*part == Part::Joiner) == wanted)
        };
        joiners(true).chain(joiners(false))
    }

    /// Returns the place from which on nobody has reports.
    pub(super) fn first_without_reports(&self) -> usize {
        self.first_without_reports
    }

    /// Returns the place of the mover's new manager.
    pub(super) fn other_manager(&self) -> usize {
        self.other_manager
    }
}

/// Says whether somebody is an employee like any other, with an account in the
/// directory.
fn is_plain(person: &Person) -> bool {
    let terms = person.employment.as_ref();
    let usual = terms.is_some_and(|terms| {
        terms.end.is_none()
            && terms.contract_end.is_none()
            && terms.start < FIRST_DAY
            && !terms.on_leave
            && !terms.part_time
    });
    let enabled = person.directory.as_ref().is_some_and(|known| known.enabled);
    usual && enabled && person.contract.is_none() && person.preferred_name.is_none()
}
