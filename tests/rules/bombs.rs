//! Rules made to take all of the host's memory or time, asked by the real binary: it
//! ends by itself, says why, and never takes more memory than it may.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::common::TestHost;
use crate::made::{lifecycle_rule, load_error};

/// When a test gives up: an evaluation or a refusal takes seconds at most.
const DEADLINE: Duration = Duration::from_secs(240);

/// The most memory that the program may take, with a rule's limit of 64 MiB and the
/// compiler at work, in KiB.
const MOST_MEMORY_KIB: u64 = 768 << 10;

/// How one run of the program ended.
struct Ended {
    said: String,
    exit_code: Option<i32>,
    /// The most memory that it had at once (`VmHWM`), in KiB.
    peak_memory_kib: u64,
}

/// Asks a rule in the real binary, and returns how that ended. What is refused at once may
/// end before it is looked at, and is asked again until its memory was seen.
fn ask(rule: &[u8], entries: &str) -> Ended {
    let host = TestHost::new();
    host.write("rule.wasm", rule);
    let case = format!("version = 1\n[[case]]\nas_of = 2026-03-31T12:00:00Z\n{entries}\n");
    host.write("rule.toml", case);
    let began = Instant::now();
    loop {
        let ended = ask_once(&host);
        if ended.peak_memory_kib > 0 {
            return ended;
        }
        assert!(began.elapsed() < DEADLINE, "its memory is never seen");
    }
}

fn ask_once(host: &TestHost) -> Ended {
    let output = std::fs::File::create(host.path("output")).expect("a file");
    let mut child = host
        .command()
        .args(["rule", "test", "rule.wasm", "--cases", "rule.toml"])
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("the same file"))
        .stderr(output)
        .spawn()
        .expect("idr can be started");
    let (exit_code, peak_memory_kib) = watch(&mut child);
    Ended {
        said: host.read("output"),
        exit_code,
        peak_memory_kib,
    }
}

/// Waits for a process to end, and returns its exit code and its most memory: the
/// kernel's own high-water mark, as it was when last looked at, so only what is taken in
/// the last millisecond of all isn't seen. (`ru_maxrss` would be exact, and of no use: a
/// process begins with the mark of the one that starts it, which compiles rules itself.)
fn watch(child: &mut Child) -> (Option<i32>, u64) {
    let began = Instant::now();
    let status = format!("/proc/{}/status", child.id());
    let mut peak_memory_kib = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak_memory_kib = kib.unwrap_or(0).max(peak_memory_kib);
        if let Some(ended) = child.try_wait().expect("it is this test's own") {
            return (ended.code(), peak_memory_kib);
        }
        if began.elapsed() > DEADLINE {
            let _ = child.kill();
            let _ = child.wait();
            panic!("it hangs");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Checks that a bomb is survived, and that the case's error is what the rule met.
fn survives(what: &str, rule: &[u8], entries: &str) {
    let ended = ask(rule, entries);
    assert_eq!(ended.exit_code, Some(0), "{what}: {}", ended.said);
    is_bounded(what, &ended);
}

/// Checks that a bomb is refused in these words.
fn is_refused(what: &str, rule: &[u8], words: &str) {
    let ended = ask(rule, "error = \"any\"");
    assert_eq!(ended.exit_code, Some(3), "{what}: {}", ended.said);
    assert!(ended.said.contains(words), "{what}: {}", ended.said);
    is_bounded(what, &ended);
}

fn is_bounded(what: &str, ended: &Ended) {
    let kib = ended.peak_memory_kib;
    assert!(
        kib < MOST_MEMORY_KIB,
        "{what} took {kib} KiB: {}",
        ended.said
    );
}

const LOOP: &str = "(loop $again (br $again)) unreachable";

#[test]
fn what_runs_for_ever() {
    let spins = lifecycle_rule("", LOOP);
    survives(
        "a loop",
        &spins,
        "error = \"used up its limit of 50000000 fuel\"",
    );
    let endless = "limits = { fuel = 9_000_000_000_000, time_ms = 50 }";
    let entries = format!("{endless}\nerror = \"was still running after\"");
    survives("a loop with fuel for hours", &spins, &entries);
    let starts = lifecycle_rule(&format!("(func $spin {LOOP}) (start $spin)"), LOOP);
    is_refused("a loop at the start", &starts, "it can't be started");
    let fields = "(func $deeper (param i64 i64 i64 i64)
        (call $deeper (local.get 0) (local.get 1) (local.get 2) (local.get 3)))";
    let zeros = "(i64.const 0) ".repeat(4);
    let deep = lifecycle_rule(fields, &format!("(call $deeper {zeros}) (call $active)"));
    survives("recursion", &deep, "error = \"call stack exhausted\"");
}

#[test]
fn what_takes_memory() {
    let grows = lifecycle_rule(
        "(global $at (mut i32) (i32.const 65536))",
        "(loop $again
            (drop (memory.grow (i32.const 1)))
            (i32.store (global.get $at) (i32.const 1))
            (global.set $at (i32.add (global.get $at) (i32.const 65536)))
            (br $again)) unreachable",
    );
    survives(
        "memory",
        &grows,
        "error = \"more than its limit of 67108864\"",
    );
    let table = lifecycle_rule(
        "(table $t 1 funcref)",
        "(loop $again (drop (table.grow $t (ref.null func) (i32.const 100))) (br $again)) unreachable",
    );
    survives(
        "a table",
        &table,
        "error = \"wanted a table of 20001 entries\"",
    );
    let logs = lifecycle_rule(
        r#"(import "idr:rules/log@0.1.0" "warn" (func $warn (param i32 i32)))"#,
        "(loop $again (call $warn (i32.const 0) (i32.const 60000)) (br $again)) unreachable",
    );
    survives(
        "the log",
        &logs,
        "error = \"more than its limit of 1048576 bytes\"",
    );
    let answers = lifecycle_rule(
        "",
        "(drop (memory.grow (i32.const 900)))
         (call $answer (i32.const 4096) (i32.const 50000000))",
    );
    survives(
        "an answer",
        &answers,
        "error = \"larger than its limit of 1048576 bytes\"",
    );
}

/// A rule with one function more, of about so many bytes that do something.
fn with_function_of(bytes: usize) -> Vec<u8> {
    // About 15 bytes each, and all of them matter.
    let step =
        "(local.set $x (i64.rotl (i64.mul (local.get $x) (i64.const 12345678901)) (local.get $x)))";
    let body = step.repeat(bytes / 15);
    lifecycle_rule(
        &format!("(func $large (param $x i64) (result i64) {body} (local.get $x))"),
        "(drop (call $large (i64.const 3))) (call $active)",
    )
}

/// A rule with so many functions more.
fn with_functions(count: usize) -> Vec<u8> {
    let function = "(func (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))";
    lifecycle_rule(&function.repeat(count), "(call $active)")
}

#[test]
fn what_takes_long_to_compile() {
    let large = with_function_of(1_100_000);
    survives("a large function", &large, "expect = \"active\"");
    let many = with_functions(49_000);
    survives("many functions", &many, "expect = \"active\"");

    is_refused(
        "too large a function",
        &with_function_of(1_200_000),
        "bytes in one function, more than the 1048576 that a rule may have",
    );
    is_refused(
        "too many functions",
        &with_functions(51_000),
        "functions, more than the 50000 that a rule may have",
    );
    let mut huge = lifecycle_rule("", "(call $active)");
    huge.resize(65 << 20, 0);
    let ended = ask(&huge, "error = \"any\"");
    let words = "it has 68157440 bytes, more than the 67108864 allowed";
    assert!(ended.said.contains(words), "{}", ended.said);
    assert_eq!(ended.exit_code, Some(2));
    is_bounded("too large a file", &ended);
}

/// A component of so many modules with a memory each.
fn of_modules(count: usize) -> Vec<u8> {
    let module = "(core instance (instantiate $m))".repeat(count);
    wat::parse_str(format!("(component (core module $m (memory 1)) {module})"))
        .expect("well-formed")
}

#[test]
fn more_parts_than_its_share_of_the_pool() {
    insta::assert_snapshot!(load_error(&of_modules(9)), @r"
    it has 9 memories, more than the 8 that a rule may have
    hint: build the rule smaller: leave out what it doesn't use, and let it be optimised
    ");
}
