//! Every command of `docs/rules.md` does what stands there.

use std::path::Path;
use std::process::Command;

use crate::common::{TestHost, repository};

/// A part of the page that is run.
enum Block {
    /// Commands, each with what it prints; `...` stands for anything.
    Console(Vec<(String, String)>),
    /// A script, which must succeed.
    Script(String),
}

#[test]
fn the_tutorial_is_true_in_rust() {
    follow("Rust");
}

#[cfg(feature = "languages")]
#[test]
fn the_tutorial_is_true_in_every_other_language() {
    for language in ["C", "JavaScript", "TypeScript", "Python", "Go"] {
        follow(language);
    }
}

/// Does what the page says: the part of a language, then what is for all.
fn follow(language: &str) {
    let page = std::fs::read_to_string(repository().join("docs/rules.md"));
    let mut page = page.expect("the page is there");
    if language == "TypeScript" {
        page = in_typescript(&page);
    }
    let host = TestHost::new();
    let mut n_commands = 0;
    for (section, block) in blocks_of(&page) {
        if let Some(of) = section.strip_prefix("### ")
            && of != language
        {
            continue;
        }
        match block {
            Block::Script(script) => {
                let (printed, succeeded) = run(&host.path(""), &format!("set -eu\n{script}"));
                assert!(succeeded, "{language}: {section}: {printed}");
                n_commands += 1;
            }
            Block::Console(commands) => {
                for (command, expected) in commands {
                    let (printed, succeeded) = run(&host.path(""), &command);
                    assert!(
                        is_as_expected(printed.trim_end(), expected.trim_end()),
                        "{language}: $ {command}\n{printed}\nis not\n{expected}"
                    );
                    // Only where an error is shown a command may fail, and there it must.
                    let fails = expected.lines().any(|line| line.starts_with("error:"));
                    assert_eq!(succeeded, !fails, "{language}: $ {command}");
                    n_commands += 1;
                }
            }
        }
    }
    assert!(n_commands > 15, "{language}: the page has commands");
}

/// Does to the part about JavaScript what it says makes it one about TypeScript.
fn in_typescript(page: &str) -> String {
    let says = "TypeScript is the same with `--lang typescript` and `rule.ts`.";
    assert!(page.contains(says), "the page says how");
    page.replace("### JavaScript", "### TypeScript")
        .replace("--lang javascript", "--lang typescript")
        .replace("rule.js", "rule.ts")
        .replace("from JavaScript", "from TypeScript")
}

/// What is named in running text exists, with its options.
#[test]
fn commands_in_running_text_exist() {
    let page = std::fs::read_to_string(repository().join("docs/rules.md"));
    let page = page.expect("the page is there");
    let host = TestHost::new();
    let mut n_commands = 0;
    // Inline code is every second part, once blocks are left out.
    let text: String = page.split("```").step_by(2).collect();
    for code in text.split('`').skip(1).step_by(2) {
        let words: Vec<&str> = code.split_whitespace().collect();
        let command = match words.as_slice() {
            ["idr", command @ ..] => command,
            ["rule", command @ ..] => &[&["rule"], command].concat(),
            _ => continue,
        };
        let is_word = |word: &&&str| word.chars().all(|letter| letter.is_ascii_lowercase());
        let subcommand: Vec<&str> = command.iter().take_while(is_word).copied().collect();
        let help = host.run(subcommand.iter().copied().chain(["--help"]));
        assert!(help.ends_with("[exit 0]"), "`{code}`: {help}");
        for option in command.iter().filter(|word| word.starts_with("--")) {
            assert!(help.contains(*option), "`{code}`: {help}");
        }
        n_commands += 1;
    }
    assert!(n_commands >= 3, "there are some");
    let tools = repository().join("rules-examples/build/guest-tools");
    assert!(page.contains("`rules-examples/build/guest-tools DIR`") && tools.is_file());
}

/// Runs a command with `idr` on the path; returns what it printed, in whatever
/// order it came, and whether it succeeded.
fn run(folder: &Path, command: &str) -> (String, bool) {
    let idr = Path::new(env!("CARGO_BIN_EXE_idr"));
    let idr = idr
        .parent()
        .expect("the binary lies in a folder")
        .to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = [idr].into_iter().chain(std::env::split_paths(&path));
    let output = Command::new("bash")
        .args(["-c", &format!("exec 2>&1\n{command}")])
        .current_dir(folder)
        .env("PATH", std::env::join_paths(places).expect("a path"))
        // Flags that are meant for the host don't suit the guest.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .expect("there is a shell");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    (printed, output.status.success())
}

/// Returns what is run of a page, each with its heading.
fn blocks_of(page: &str) -> Vec<(String, Block)> {
    let mut blocks = Vec::new();
    let mut heading = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            line.clone_into(&mut heading);
        }
        let Some(kind) = line.strip_prefix("```").filter(|kind| !kind.is_empty()) else {
            continue;
        };
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let block = match kind {
            "console" => Block::Console(commands_of(&text)),
            "sh" => Block::Script(text.join("\n")),
            "toml" => continue,
            other => panic!("what is a block of `{other}`?"),
        };
        blocks.push((heading.clone(), block));
    }
    blocks
}

fn commands_of(lines: &[&str]) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in lines {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            (None, Some((_, printed))) => *printed += &format!("{line}\n"),
            (None, None) => panic!("`{line}` is printed by no command"),
        }
    }
    commands
}

/// Says whether a text has all the parts between `...`, in their order.
fn is_as_expected(printed: &str, expected: &str) -> bool {
    let parts: Vec<&str> = expected.split("...").collect();
    let (first, last) = (parts[0], parts[parts.len() - 1]);
    if parts.len() == 1 {
        return printed == expected;
    }
    let Some(mut rest) = printed.strip_prefix(first) else {
        return false;
    };
    for part in &parts[1..parts.len() - 1] {
        // A line of its own that stands for no line at all.
        let part = part.trim_matches('\n');
        match rest.find(part) {
            Some(place) => rest = &rest[place + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last.trim_start_matches('\n'))
}

#[test]
fn only_dots_stand_for_anything() {
    assert!(is_as_expected("a\nb\nc", "a\n...\nc"));
    assert!(is_as_expected("a b c", "a ... c"));
    assert!(is_as_expected("", ""));
    assert!(!is_as_expected("a\nb", "a"));
    assert!(!is_as_expected("a\nb\nc", "a\n...\nd"));
    assert!(!is_as_expected("b\na\nend", "...a\n...\nb\n...end"));
}
