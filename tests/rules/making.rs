//! `rule new` and `rule build`, as far as no language's tools are needed.

use crate::common::TestHost;

#[test]
fn a_new_rule_says_what_is_there_and_what_comes_next() {
    let host = TestHost::new();
    let new = [
        "rule",
        "new",
        "moves",
        "--kind",
        "identity-trigger",
        "--lang",
        "go",
    ];
    insta::assert_snapshot!(host.run(new), @r"
    moves/.gitignore
    moves/README.md
    moves/cases.toml
    moves/export_idr_rules_identity_trigger/rule.go
    moves/rule.toml
    moves/wit/rules.wit
    next: idr rule build moves && idr rule test moves
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(new), @r"
    error: `moves` is there already
    hint: choose another name, or remove it
    [exit 2]
    ");
}

#[test]
fn a_missing_tool_is_named_with_where_it_comes_from() {
    let host = TestHost::new();
    for (language, tool) in [
        ("c", "zig"),
        ("javascript", "esbuild"),
        ("typescript", "esbuild"),
        ("python", "componentize-py"),
        ("go", "go"),
    ] {
        let new = [
            "rule",
            "new",
            language,
            "--kind",
            "value-change",
            "--lang",
            language,
        ];
        assert!(host.run(new).ends_with("[exit 0]"));
        let built = host.run(["rule", "build", language]);
        assert!(
            built.contains(&format!("built by `{tool}`, which isn't there")),
            "{built}"
        );
        assert!(built.contains("hint: install "), "{built}");
        assert!(built.ends_with("[exit 3]"), "{built}");
    }
}

/// A Rust that has no libraries for WebAssembly.
#[cfg(unix)]
#[test]
fn a_rust_without_the_target_says_how_to_add_it() {
    use std::os::unix::fs::PermissionsExt;

    let host = TestHost::new();
    host.write("bin/rustc", "#!/bin/sh\necho /there/is/no/such/folder\n");
    let rustc = host.path("bin/rustc");
    std::fs::set_permissions(rustc, PermissionsExt::from_mode(0o755)).expect("own file");
    let new = [
        "rule",
        "new",
        "state",
        "--kind",
        "lifecycle-state",
        "--lang",
        "rust",
    ];
    assert!(host.run(new).ends_with("[exit 0]"));
    let mut command = host.command();
    command
        .args(["rule", "build", "state"])
        .env("PATH", host.path("bin"));
    let output = command.output().expect("idr can be started");
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @r"
    error: the Rust toolchain can't build for wasm32-unknown-unknown
    hint: run `rustup target add wasm32-unknown-unknown`, or, where that can't be had, on Debian `rules-examples/build/debian-toolchain DIR` and set IDR_GUEST_TOOLCHAIN=DIR
    ");
    assert_eq!(output.status.code(), Some(3));

    // Nor is there any Rust at all.
    let built = host.run(["rule", "build", "state"]);
    assert!(
        built.contains("built by `rustc`, which isn't there"),
        "{built}"
    );
}

#[test]
fn what_cannot_be_built_is_said() {
    let host = TestHost::with_files(
        r#"
        //- empty/readme.txt
        nothing
        //- cobol/rule.toml
        version = 1
        name = "a"
        language = "cobol"
        world = "lifecycle-state-rule"
        //- world/rule.toml
        version = 1
        name = "a"
        language = "c"
        world = "no-such-rule"
        //- world/rule.c
        int nothing;
        //- world/wit/rules.wit
        package idr:rules@0.1.0;
        //- source/rule.toml
        version = 1
        name = "a"
        language = "python"
        world = "lifecycle-state-rule"
        "#,
    );
    insta::assert_snapshot!(host.run(["rule", "build", "empty"]), @r"
    error: there is no `rule.toml` in `empty`
    hint: start one with `idr rule new NAME --kind KIND --lang LANGUAGE`, or write `rule.toml`: version = 1, name, language, world
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["rule", "build", "cobol"]), @r"
    error: `cobol/rule.toml` is not right: `cobol` is no language: they are rust, c, javascript, typescript, python, go
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["rule", "build", "world"]), @r"
    error: the contract in `$TENANT/world/wit` can't be used for world `no-such-rule`
    caused by: World `no-such-rule` not found in package `idr:rules@0.1.0`
    hint: a rule of one kind is made for `KIND-rule`, one of several for `all-kinds`; `wit` in `rule.toml` says where the contract lies
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["rule", "build", "source"]), @r"
    error: there is no `rule.py` in `$TENANT/source`
    hint: what `rule.toml` says of the language and the name must fit the sources
    [exit 2]
    ");
}
