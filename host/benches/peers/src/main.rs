//! The rule of the bench in Rhai, CEL, Lua, and JavaScript in QuickJS.
//!
//! Speaks as `Peers.java` does: reads from standard input how many rounds and
//! repeats, then a line for each person: status, type of employee, first day,
//! last day, today, tab-separated; days are counted from 1970, 0 is none. Prints
//! a line for each language: name, nanoseconds of CPU (least and median), answers.

use std::hint::black_box;
use std::io::BufRead as _;

use cel::{Context, Program};
use rhai::{Engine, Scope};

const RHAI: &str = r#"
    if start_day != 0 && start_day > today { "prehire" }
    else if end_day != 0 && end_day < today {
        if employee_type == "contractor" { "ended" } else { "inactive" }
    }
    else if status == "leave" { "leave" } else { "active" }
"#;

const CEL: &str = r#"
    start_day != 0 && start_day > today ? "prehire"
    : end_day != 0 && end_day < today
        ? (employee_type == "contractor" ? "ended" : "inactive")
    : status == "leave" ? "leave" : "active"
"#;

const LUA: &str = r#"
    if start_day ~= 0 and start_day > today then return "prehire" end
    if end_day ~= 0 and end_day < today then
        if employee_type == "contractor" then return "ended" else return "inactive" end
    end
    if status == "leave" then return "leave" else return "active" end
"#;

const JAVASCRIPT: &str = r#"
    (function () {
        if (start_day !== 0 && start_day > today) return "prehire";
        if (end_day !== 0 && end_day < today)
            return employee_type === "contractor" ? "ended" : "inactive";
        return status === "leave" ? "leave" : "active";
    })
"#;

struct Person {
    status: String,
    employee_type: String,
    start_day: i64,
    end_day: i64,
    today: i64,
}

fn main() {
    let mut lines = std::io::stdin()
        .lock()
        .lines()
        .map(|line| line.expect("text"));
    let mut number = || -> usize {
        let line = lines.next().expect("a line");
        line.parse().expect("a number")
    };
    let (rounds, repeats) = (number(), number());
    let people: Vec<Person> = lines.map(|line| person(&line)).collect();
    let bench = Bench {
        rounds,
        repeats,
        people,
    };
    bench.measure("Rhai", in_rhai());
    bench.measure("CEL", in_cel());
    bench.measure("Lua", in_lua());
    bench.measure("JavaScript in QuickJS", in_quickjs());
}

fn person(line: &str) -> Person {
    let parts: Vec<&str> = line.split('\t').collect();
    let day = |place: usize| parts[place].parse().expect("a number of days");
    Person {
        status: parts[0].to_owned(),
        employee_type: parts[1].to_owned(),
        start_day: day(2),
        end_day: day(3),
        today: day(4),
    }
}

fn in_rhai() -> impl FnMut(&Person) -> String {
    let engine = Engine::new();
    let rule = engine.compile(RHAI).expect("the script is well-formed");
    let mut scope = Scope::new();
    move |person| {
        scope.clear();
        scope.push("status", person.status.clone());
        scope.push("employee_type", person.employee_type.clone());
        scope.push("start_day", person.start_day);
        scope.push("end_day", person.end_day);
        scope.push("today", person.today);
        engine
            .eval_ast_with_scope::<String>(&mut scope, &rule)
            .expect("the script answers a text")
    }
}

fn in_cel() -> impl FnMut(&Person) -> String {
    let rule = Program::compile(CEL).expect("the expression is well-formed");
    move |person| {
        let mut context = Context::default();
        context.add_variable_from_value("status", person.status.clone());
        context.add_variable_from_value("employee_type", person.employee_type.clone());
        context.add_variable_from_value("start_day", person.start_day);
        context.add_variable_from_value("end_day", person.end_day);
        context.add_variable_from_value("today", person.today);
        match rule.execute(&context) {
            Ok(cel::Value::String(state)) => state.to_string(),
            other => panic!("the expression answers a text, not {other:?}"),
        }
    }
}

fn in_lua() -> impl FnMut(&Person) -> String {
    let lua = mlua::Lua::new();
    let rule = lua.load(LUA).into_function();
    let rule = rule.expect("the script is well-formed");
    move |person| {
        let variables = lua.globals();
        let set = || -> mlua::Result<()> {
            variables.set("status", person.status.as_str())?;
            variables.set("employee_type", person.employee_type.as_str())?;
            variables.set("start_day", person.start_day)?;
            variables.set("end_day", person.end_day)?;
            variables.set("today", person.today)
        };
        set().expect("variables can be set");
        rule.call(()).expect("the script answers a text")
    }
}

fn in_quickjs() -> impl FnMut(&Person) -> String {
    let runtime = rquickjs::Runtime::new().expect("there is memory");
    let context = rquickjs::Context::full(&runtime).expect("there is memory");
    context.with(|context| {
        let rule: rquickjs::Function = context.eval(JAVASCRIPT).expect("it is well-formed");
        let known = context.globals().set("rule", rule);
        known.expect("variables can be set");
    });
    move |person| {
        context.with(|context| {
            let variables = context.globals();
            let set = || -> rquickjs::Result<()> {
                variables.set("status", person.status.as_str())?;
                variables.set("employee_type", person.employee_type.as_str())?;
                variables.set("start_day", person.start_day)?;
                variables.set("end_day", person.end_day)?;
                variables.set("today", person.today)
            };
            set().expect("variables can be set");
            let rule: rquickjs::Function = variables.get("rule").expect("it was set");
            rule.call::<_, String>(())
                .expect("the script answers a text")
        })
    }
}

struct Bench {
    rounds: usize,
    repeats: usize,
    people: Vec<Person>,
}

impl Bench {
    fn measure(&self, name: &str, mut state: impl FnMut(&Person) -> String) {
        let answers: Vec<String> = self.people.iter().map(&mut state).collect();
        let mut rounds: Vec<f64> = (0..self.rounds)
            .map(|_| {
                let began = thread_cpu_ns();
                for _ in 0..self.repeats {
                    for person in &self.people {
                        black_box(state(person));
                    }
                }
                let each = (self.repeats * self.people.len()) as f64;
                (thread_cpu_ns() - began) as f64 / each
            })
            .collect();
        rounds.sort_by(f64::total_cmp);
        let (least, median) = (rounds[0], rounds[self.rounds / 2]);
        println!("{name}\t{least}\t{median}\t{}", answers.join(","));
    }
}

/// Returns the CPU time of this thread so far, as Linux says.
fn thread_cpu_ns() -> u64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat");
    let schedstat = schedstat.expect("benches run on Linux");
    let first = schedstat.split(' ').next().and_then(|ns| ns.parse().ok());
    first.expect("schedstat begins with the time on the processor")
}
