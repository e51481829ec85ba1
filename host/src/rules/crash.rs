//! What a crash or a limit tells of the rule: where in its own code it happened,
//! and, after a crash, what it said last.

use std::fmt::Write as _;

use wasmtime::{FrameInfo, WasmBacktrace};

use super::call::{Log, LogLevel};
use super::plain::plain;

/// How many of the innermost functions are named.
const FUNCTIONS: usize = 12;

/// The longest name that is shown whole, in characters.
const NAME_CHARS: usize = 100;

/// The longest message that is shown whole, in characters.
const MESSAGE_CHARS: usize = 300;

/// Returns why a rule crashed, followed by where and by what it warned of last:
/// the handlers of exceptions and panics log their message before they give up.
pub(super) fn spoken(reason: &str, error: &wasmtime::Error, log: &Log) -> String {
    let mut text = reason.to_owned();
    if let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() {
        let frames = backtrace.frames();
        let names: Vec<Option<String>> = frames.iter().map(name_of).collect();
        let calls = calls(frames[machinery(&names)..].iter().map(function_name));
        if !calls.is_empty() {
            let _ = write!(text, ", in {}", calls.join(" < "));
        }
    }
    if let Some(last) = last_warning(log) {
        let _ = write!(text, "; it said: {}", plain(last, MESSAGE_CHARS));
    }
    text
}

fn last_warning(log: &Log) -> Option<&str> {
    let mut kept = log.lines.iter().filter(|line| line.level == LogLevel::Warn);
    let last_kept = || kept.next_back().map(|line| &*line.message);
    log.dropped_warning.as_deref().or_else(last_kept)
}

/// Returns how many of the innermost functions are those with which a language gives
/// up: what a rule's author looks for comes after them.
fn machinery(names: &[Option<String>]) -> usize {
    const OF_RUST: [&str; 4] = [
        "__rustc::",
        "core::panicking::",
        "std::panicking::",
        "std::sys::backtrace::",
    ];
    const OF_C: [&str; 4] = ["__wasi_proc_exit", "_Exit", "abort", "__assert_fail"];
    const OF_GO: &str = "runtime.";
    let is_own = |name: &String| {
        OF_RUST.iter().any(|own| name.starts_with(own))
            || OF_C.contains(&name.as_str())
            || name.starts_with(OF_GO)
    };
    let first = |name: &Option<String>| name.as_ref().is_some_and(|name| !is_own(name));
    let innermost = names.iter().position(first).unwrap_or(0);
    let own = names[..innermost].iter().rposition(Option::is_some);
    own.map_or(0, |last| last + 1)
}

/// Returns where in its own code a rule was when a limit ended it, as the end of a
/// sentence; nothing where no function has a name, since numbers alone help nobody
/// to find what is slow.
pub(super) fn place(error: &wasmtime::Error) -> String {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else {
        return String::new();
    };
    let frames = backtrace.frames();
    if frames.iter().all(|frame| frame.func_name().is_none()) {
        return String::new();
    }
    format!(
        ", in {}",
        calls(frames.iter().map(function_name)).join(" < ")
    )
}

/// Returns the innermost calls; a function that calls itself is one of them.
fn calls(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut counted: Vec<(String, u32)> = Vec::new();
    for name in names {
        match counted.last_mut() {
            Some((last, times)) if *last == name => *times += 1,
            _ => counted.push((name, 1)),
        }
    }
    let more = counted.len() > FUNCTIONS;
    counted.truncate(FUNCTIONS);
    let mut calls: Vec<String> = counted
        .into_iter()
        .map(|(name, times)| match times {
            1 => name,
            _ => format!("{name} ({times} deep)"),
        })
        .collect();
    if more {
        calls.push("…".to_owned());
    }
    calls
}

/// Returns the functions that a rule was in when an error ended it, outermost
/// first: their names, or their numbers in a component without names.
pub(super) fn functions(error: &wasmtime::Error) -> Vec<String> {
    let backtrace = error.downcast_ref::<WasmBacktrace>();
    let frames = backtrace.into_iter().flat_map(WasmBacktrace::frames).rev();
    frames
        .map(|frame| name_of(frame).unwrap_or_else(|| number_of(frame)))
        .collect()
}

fn function_name(frame: &FrameInfo) -> String {
    match name_of(frame) {
        Some(name) => format!("`{}`", plain(&name, NAME_CHARS)),
        None => number_of(frame),
    }
}

/// Returns a function's name as its source has it.
fn name_of(frame: &FrameInfo) -> Option<String> {
    let name = frame.func_name()?;
    Some(format!("{:#}", rustc_demangle::demangle(name)))
}

fn number_of(frame: &FrameInfo) -> String {
    format!("function {}", frame.func_index())
}

#[cfg(test)]
mod tests {
    use super::{FUNCTIONS, calls, machinery};

    #[test]
    fn what_a_language_gives_up_with_is_left_out() {
        let left_out = |names: &[&str]| {
            let named = |name: &&str| (!name.is_empty()).then(|| (*name).to_owned());
            machinery(&names.iter().map(named).collect::<Vec<_>>())
        };
        let rust = [
            "__rustc::rust_panic",
            "core::panicking::panic_fmt",
            "grade",
            "state",
        ];
        assert_eq!(left_out(&rust), 2);
        assert_eq!(left_out(&["", "", "runtime.gopanic", "", "State"]), 3);
        assert_eq!(left_out(&["", "", "state", "runtime.call"]), 0);
        assert_eq!(left_out(&["", ""]), 0);
        assert_eq!(left_out(&["runtime.gopanic"]), 0);
        assert_eq!(left_out(&[]), 0);
    }

    #[test]
    fn only_the_innermost_calls_are_told_and_repeats_are_counted() {
        let names = |count: usize| (0..count).map(|name| name.to_string());
        assert_eq!(calls(names(FUNCTIONS)).len(), FUNCTIONS);
        assert_eq!(
            calls(names(FUNCTIONS + 1)).last().map(String::as_str),
            Some("…")
        );
        let repeated = ["a", "b", "b", "b", "a"].map(str::to_owned);
        assert_eq!(calls(repeated.into_iter()), ["a", "b (3 deep)", "a"]);
    }
}
