//! What should come out, worked out from the files alone, month by month. It
//! knows nothing of the host: no rules, no waves, no store.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::data::Row;

/// Identity attributes, with the columns that they come from.
pub(crate) const ATTRIBUTES: [(&str, &str); 8] = [
    ("displayName", "employee_name"),
    ("email", "email"),
    ("role", "role"),
    ("projects", "projects"),
    ("businessUnit", "business_unit"),
    ("functionalUnit", "functional_unit"),
    ("department", "department"),
    ("team", "team"),
];

/// How one person stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Person {
    /// Identity attributes that have a value.
    pub(crate) attributes: BTreeMap<String, String>,
    /// The manager's user id.
    pub(crate) manager: Option<String>,
    /// The lifecycle state.
    pub(crate) state: String,
    /// Whether the person counts as inactive.
    pub(crate) inactive: bool,
    /// Assigned roles.
    pub(crate) roles: BTreeSet<String>,
    /// Causes of open findings.
    pub(crate) findings: BTreeSet<String>,
}

/// Everybody by user id.
pub(crate) type People = BTreeMap<String, Person>;

/// Events as pairs of trigger and user id.
pub(crate) type Events = BTreeSet<(String, String)>;

/// The people as they should be.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    pub(crate) people: People,
    started: bool,
}

impl Oracle {
    /// Takes in a month and returns the events that it should bring. The first
    /// month brings none.
    pub(crate) fn next(&mut self, rows: &[Row]) -> Events {
        let before = self.people.clone();
        let present: HashMap<&str, &Row> =
            rows.iter().map(|row| (row.field("user_id"), row)).collect();
        for (id, row) in &present {
            let person = self.people.entry((*id).to_owned()).or_default();
            person.attributes = attributes(row);
            person.state = "active".to_owned();
            person.inactive = false;
            person.roles = roles(row);
        }
        for (id, person) in &mut self.people {
            person.findings.clear();
            if !present.contains_key(id.as_str()) {
                person.state = "inactive".to_owned();
                person.inactive = true;
                person.roles.clear();
            }
        }
        self.find_managers(&present);
        self.find_cycles();
        let silent = !std::mem::replace(&mut self.started, true);
        if silent {
            return Events::new();
        }
        self.events(&before)
    }

    /// A manager is whoever has the name in `supervisor`, in whatever case. If
    /// several have it, the manager stays; the manager of somebody who is gone
    /// stays, too.
    fn find_managers(&mut self, present: &HashMap<&str, &Row>) {
        let mut named: HashMap<String, Vec<String>> = HashMap::new();
        for (id, person) in &self.people {
            if let Some(name) = person.attributes.get("displayName") {
                named
                    .entry(name.to_lowercase())
                    .or_default()
                    .push(id.clone());
            }
        }
        for (id, row) in present {
            let person = self
                .people
                .get_mut(*id)
                .expect("whoever is present is known");
            let supervisor = row.field("supervisor");
            if supervisor.is_empty() {
                person.manager = None;
                continue;
            }
            match named.get(&supervisor.to_lowercase()).map(Vec::as_slice) {
                Some([manager]) => person.manager = Some(manager.clone()),
                Some(_) => {
                    person.findings.insert("manager-ambiguous".to_owned());
                }
                None => {
                    person.manager = None;
                    person.findings.insert("manager-not-found".to_owned());
                }
            }
        }
    }

    /// Whoever comes back to himself over at least one other manager is in a cycle;
    /// and nobody should have a manager who has left.
    fn find_cycles(&mut self) {
        let managers: HashMap<String, String> = self
            .people
            .iter()
            .filter_map(|(id, person)| Some((id.clone(), person.manager.clone()?)))
            .collect();
        for (id, person) in &mut self.people {
            let mut current = managers.get(id);
            let mut steps = 1;
            while let Some(manager) = current
                && manager != id
                && steps <= managers.len()
            {
                current = managers.get(manager);
                steps += 1;
            }
            if current == Some(id) && steps > 1 {
                person.findings.insert("manager-cycle".to_owned());
            }
        }
        let inactive: BTreeSet<String> = self
            .people
            .iter()
            .filter(|(_, person)| person.inactive)
            .map(|(id, _)| id.clone())
            .collect();
        for person in self.people.values_mut().filter(|person| !person.inactive) {
            if person
                .manager
                .as_ref()
                .is_some_and(|manager| inactive.contains(manager))
            {
                person.findings.insert("manager-inactive".to_owned());
            }
        }
    }

    fn events(&self, before: &People) -> Events {
        let mut events = Events::new();
        for (id, now) in &self.people {
            let mut add = |trigger: &str| events.insert((trigger.to_owned(), id.clone()));
            let Some(then) = before.get(id) else {
                add("joiner");
                continue;
            };
            if then.inactive && !now.inactive {
                add("joiner");
            }
            if !then.inactive && now.inactive {
                add("leaver");
            }
            let moved = then.attributes.get("projects") != now.attributes.get("projects");
            if moved && !then.inactive && !now.inactive {
                add("mover");
            }
            if then.manager != now.manager {
                add("manager-transfer");
            }
        }
        events
    }
}

fn attributes(row: &Row) -> BTreeMap<String, String> {
    let values = ATTRIBUTES.map(|(name, column)| (name.to_owned(), row.field(column).to_owned()));
    let mut values = BTreeMap::from(values);
    values.retain(|_, value| !value.is_empty());
    values
}

/// The functional unit's role, and a role for every project.
fn roles(row: &Row) -> BTreeSet<String> {
    let mut roles: BTreeSet<String> = row
        .field("projects")
        .split(';')
        .map(str::to_owned)
        .collect();
    roles.insert(row.field("functional_unit").to_owned());
    roles.remove("");
    roles
}

/// Counts events by trigger.
pub(crate) fn count(events: &Events) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for (trigger, _) in events {
        *counts.entry(trigger.clone()).or_default() += 1;
    }
    counts
}
