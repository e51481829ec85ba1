//! Seeded edits of the months: managers in chains and circles, new names, and
//! e-mails that somebody else has or had. The real files have hardly any of these.

use std::collections::HashSet;

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data::{Month, Row};

/// Changes of manager: so many people in each chain or circle.
const CIRCLES: [usize; 6] = [1, 2, 2, 3, 3, 5];
const CHAINS: [usize; 4] = [5, 5, 6, 6];
const SINGLE_MANAGER_CHANGES: usize = 12;

/// What was edited, for the test to see that it edits what it means to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) manager_changes: usize,
    pub(crate) renames: usize,
    pub(crate) emails: usize,
}

/// An edit is made in one month and stays in all later ones.
enum Edit {
    /// A person gets another field, unless the month is `until` or later.
    Field {
        from: usize,
        until: usize,
        user: String,
        column: &'static str,
        text: String,
    },
    /// Whoever names the old supervisor names the new one.
    Follow {
        from: usize,
        old: String,
        new: String,
    },
}

impl Edit {
    fn carry_out(&self, month: usize, rows: &mut [Row]) {
        match self {
            Self::Field {
                from,
                until,
                user,
                column,
                text,
            } => {
                if (*from..*until).contains(&month)
                    && let Some(row) = rows.iter_mut().find(|row| row.field("user_id") == user)
                {
                    row.set(column, text);
                }
            }
            Self::Follow { from, old, new } => {
                if month >= *from {
                    for row in rows {
                        if row.field("supervisor") == old {
                            row.set("supervisor", new);
                        }
                    }
                }
            }
        }
    }
}

/// What is done in a month that is drawn for it.
#[derive(Clone, Copy)]
enum Task {
    Rename(Rename),
    /// Each names the next as supervisor, the last the first.
    Circle(usize),
    /// Each names the next as supervisor, the last somebody else.
    Chain(usize),
    /// Somebody else's e-mail; of somebody who has left, if so said.
    Email(bool),
}

/// Who gets which name.
#[derive(Clone, Copy)]
enum Rename {
    /// A supervisor, and the reports name the new one.
    SupervisorFollowed,
    /// A supervisor, and the reports still name the old one.
    SupervisorAlone,
    /// A supervisor, in capitals only.
    SupervisorInCapitals,
    /// Somebody, like a supervisor who is there.
    LikeSupervisor,
    /// Somebody, like somebody who has left.
    LikeLeaver,
    /// Somebody, like a supervisor was called before.
    LikeFormerSupervisor,
    /// Somebody, with signs that a file must quote.
    WithSigns,
}

/// Edits the months. The same seed makes the same edits.
pub(crate) fn edited(months: &[Month], seed: u64) -> (Vec<Month>, Tally) {
    let mut editor = Editor {
        random: ChaCha8Rng::seed_from_u64(seed),
        edits: Vec::new(),
        renamed: HashSet::new(),
        moved: HashSet::new(),
        readdressed: HashSet::new(),
        former_names: Vec::new(),
        tally: Tally::default(),
    };
    let mut tasks = tasks();
    tasks.shuffle(&mut editor.random);
    let mut results = vec![months[0].clone()];
    for (index, month) in months.iter().enumerate().skip(1) {
        let mut rows = month.rows.clone();
        for edit in &editor.edits {
            edit.carry_out(index, &mut rows);
        }
        let left: Vec<Row> = leavers(&results, &rows);
        let share = tasks.len() / (months.len() - index);
        let mut todays: Vec<Task> = tasks.split_off(tasks.len() - share);
        while let Some(task) = todays.pop() {
            let month = Today {
                index,
                last: months.len(),
                rows: &mut rows,
                left: &left,
            };
            // What needs somebody who isn't there yet waits for a later month.
            if !editor.carry_out(task, month) {
                tasks.insert(0, task);
            }
        }
        results.push(Month {
            rows,
            ..month.clone()
        });
    }
    assert!(tasks.is_empty(), "there is time for every edit");
    (results, editor.tally)
}

fn tasks() -> Vec<Task> {
    let renames = [
        (Rename::SupervisorFollowed, 4),
        (Rename::SupervisorAlone, 5),
        (Rename::SupervisorInCapitals, 2),
        (Rename::LikeSupervisor, 3),
        (Rename::LikeLeaver, 2),
        (Rename::LikeFormerSupervisor, 2),
        (Rename::WithSigns, 2),
    ];
    let mut tasks = Vec::new();
    for (rename, count) in renames {
        tasks.extend(vec![Task::Rename(rename); count]);
    }
    tasks.extend(CIRCLES.map(Task::Circle));
    tasks.extend(CHAINS.map(Task::Chain));
    tasks.extend([Task::Chain(1); SINGLE_MANAGER_CHANGES]);
    tasks.extend([Task::Email(false); 10]);
    tasks.extend([Task::Email(true); 10]);
    tasks
}

/// Returns whoever was in the month before and is no longer, as they were then.
fn leavers(months: &[Month], rows: &[Row]) -> Vec<Row> {
    let present: HashSet<&str> = rows.iter().map(|row| row.field("user_id")).collect();
    let mut seen = HashSet::new();
    let mut left = Vec::new();
    for row in months.iter().rev().flat_map(|month| &month.rows) {
        let user = row.field("user_id");
        if !present.contains(user) && seen.insert(user) {
            left.push(row.clone());
        }
    }
    left
}

struct Editor {
    random: ChaCha8Rng,
    edits: Vec<Edit>,
    renamed: HashSet<String>,
    moved: HashSet<String>,
    readdressed: HashSet<String>,
    /// What renamed supervisors were called whom reports still name.
    former_names: Vec<String>,
    tally: Tally,
}

struct Today<'a> {
    index: usize,
    last: usize,
    rows: &'a mut Vec<Row>,
    left: &'a [Row],
}

impl Editor {
    fn carry_out(&mut self, task: Task, today: Today<'_>) -> bool {
        match task {
            Task::Rename(rename) => self.rename(rename, today),
            Task::Circle(length) => self.change_managers(length, true, today),
            Task::Chain(length) => self.change_managers(length, false, today),
            Task::Email(of_leaver) => self.reuse_email(of_leaver, today),
        }
    }

    fn add(&mut self, edit: Edit, today: &mut Today<'_>) {
        edit.carry_out(today.index, today.rows);
        self.edits.push(edit);
    }

    fn set(&mut self, user: &str, column: &'static str, text: String, today: &mut Today<'_>) {
        let edit = Edit::Field {
            from: today.index,
            until: today.last,
            user: user.to_owned(),
            column,
            text,
        };
        self.add(edit, today);
    }

    fn rename(&mut self, rename: Rename, mut today: Today<'_>) -> bool {
        let named: HashSet<&str> = today
            .rows
            .iter()
            .map(|row| row.field("supervisor"))
            .collect();
        let is_supervisor = |row: &&Row| named.contains(row.field("employee_name"));
        let free = |row: &&Row| !self.renamed.contains(row.field("user_id"));
        let supervisors: Vec<&Row> = today.rows.iter().filter(is_supervisor).collect();
        let free_supervisors: Vec<&Row> = supervisors
            .iter()
            .copied()
            .filter(|row| free(row))
            .collect();
        let others: Vec<&Row> = today
            .rows
            .iter()
            .filter(|row| free(row) && !is_supervisor(row))
            .collect();
        let who = match rename {
            Rename::SupervisorFollowed | Rename::SupervisorAlone | Rename::SupervisorInCapitals => {
                free_supervisors.choose(&mut self.random)
            }
            _ => others.choose(&mut self.random),
        };
        let who = *who.expect("somebody has not been renamed yet");
        let (user, old) = (who.field("user_id"), who.field("employee_name"));
        let (user, old) = (user.to_owned(), old.to_owned());
        let fresh = |random: &mut ChaCha8Rng| format!("Renamed {}", random.random::<u32>());
        let new = match rename {
            Rename::SupervisorFollowed | Rename::SupervisorAlone => fresh(&mut self.random),
            Rename::SupervisorInCapitals => old.to_uppercase(),
            Rename::WithSigns => format!("\"Zoë\", {}", fresh(&mut self.random)),
            Rename::LikeSupervisor => {
                let model = supervisors.choose(&mut self.random);
                let model = model.expect("there are supervisors");
                model.field("employee_name").to_owned()
            }
            Rename::LikeLeaver => match today.left.choose(&mut self.random) {
                Some(leaver) => leaver.field("employee_name").to_owned(),
                None => return false,
            },
            Rename::LikeFormerSupervisor => match self.former_names.pop() {
                Some(name) => name,
                None => return false,
            },
        };
        match rename {
            Rename::SupervisorFollowed => {
                let edit = Edit::Follow {
                    from: today.index,
                    old,
                    new: new.clone(),
                };
                self.add(edit, &mut today);
            }
            Rename::SupervisorAlone => self.former_names.push(old),
            _ => {}
        }
        self.set(&user, "employee_name", new, &mut today);
        self.renamed.insert(user);
        self.tally.renames += 1;
        true
    }

    /// Draws people, each of whom names the next as supervisor; every third
    /// such change is taken back two months later.
    fn change_managers(&mut self, length: usize, circle: bool, mut today: Today<'_>) -> bool {
        let mut people: Vec<(String, String)> = today
            .rows
            .iter()
            .filter(|row| !self.moved.contains(row.field("user_id")))
            .map(|row| {
                (
                    row.field("user_id").to_owned(),
                    row.field("employee_name").to_owned(),
                )
            })
            .collect();
        people.shuffle(&mut self.random);
        // Names that are new, or that two have, make the more interesting managers.
        if length == 1 && !circle && self.random.random_bool(0.5) {
            let renamed = |(user, _): &(String, String)| !self.renamed.contains(user);
            people[1..].sort_by_key(renamed);
        }
        let until = if self.random.random_range(0..3) == 0 {
            today.last.min(today.index + 2)
        } else {
            today.last
        };
        for place in 0..length {
            let manager = if circle && place + 1 == length {
                &people[0].1
            } else {
                &people[place + 1].1
            };
            let edit = Edit::Field {
                from: today.index,
                until,
                user: people[place].0.clone(),
                column: "supervisor",
                text: manager.clone(),
            };
            self.moved.insert(people[place].0.clone());
            self.add(edit, &mut today);
            self.tally.manager_changes += 1;
        }
        true
    }

    fn reuse_email(&mut self, of_leaver: bool, mut today: Today<'_>) -> bool {
        let from: &[Row] = if of_leaver { today.left } else { today.rows };
        let Some(other) = from.choose(&mut self.random) else {
            return false;
        };
        let (other, email) = (other.field("user_id"), other.field("email").to_owned());
        let free: Vec<&Row> = today
            .rows
            .iter()
            .filter(|row| !self.readdressed.contains(row.field("user_id")))
            .filter(|row| row.field("user_id") != other)
            .collect();
        let who = free.choose(&mut self.random);
        let user = who.expect("there are people").field("user_id").to_owned();
        self.set(&user, "email", email, &mut today);
        self.readdressed.insert(user);
        self.tally.emails += 1;
        true
    }
}
