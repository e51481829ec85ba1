//! Components that somebody has to vouch for.

use crate::common::{TestHost, repository};

/// Made by `openssl genpkey -algorithm ed25519`, for nothing but this.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEILCAJO5Pf3Kh8+SMMpjbOOvbFGT2/tggXCbBDHmcJSc5\n\
    -----END PRIVATE KEY-----\n";
const PUBLIC_KEY: &str = "MCowBQYDK2VwAyEAWnOokkIvz/HaCjUk86GrWVqUZEgSkN0eO1/p7f0C//M=";
const OTHER_KEY: &str = "MCowBQYDK2VwAyEAQDm2UuI63pvRC42YilVUS1NLjJKBkz3S1c1kbCydPMQ=";

fn tenant() -> TestHost {
    let host = TestHost::with_files(
        r#"
        //- idr.toml
        version = 1
        name = "acme"
        [trust]
        keys = ["$OTHER", "$KEY"]
        //- lifecycle.toml
        rule = "presence"
        [states.active]
        [states.inactive]
        inactive = true
        "#,
    );
    let settings = host.read("idr.toml");
    host.write(
        "idr.toml",
        settings
            .replace("$OTHER", OTHER_KEY)
            .replace("$KEY", PUBLIC_KEY),
    );
    let rule = repository().join("rules-examples/rust/hr-presence/hr-presence.wasm");
    let rule = std::fs::read(rule).expect("the example is there");
    host.write(
        "rules/rules.toml",
        format!(
            "[rules.presence]\ncomponent = \"presence.wasm\"\nsha256 = \"{}\"\n",
            idr::rules::digest_of(&rule)
        ),
    );
    host.write("rules/presence.wasm", rule);
    host.write("key.pem", KEY);
    host
}

#[test]
fn a_component_that_nobody_has_signed_is_refused() {
    let host = tenant();
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 1 problem
    rules/rules.toml:2: rules.presence.component: nobody has signed it: there is no `rules/presence.wasm.sig`
        hint: let whoever releases rules run `idr rule sign rules/presence.wasm --key file:KEY`
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["refresh"]).lines().last().unwrap_or_default(), @"[exit 2]");

    let signed = host.json([
        "rule",
        "sign",
        "rules/presence.wasm",
        "--key",
        "file:key.pem",
    ]);
    assert_eq!(signed["public_key"], PUBLIC_KEY);
    assert!(
        host.run(["check"]).ends_with("[exit 0]"),
        "{}",
        host.run(["check"])
    );
    let _ = host.json(["refresh"]);

    // Pinned again after a change, by somebody who can't sign.
    let mut rule = std::fs::read(host.path("rules/presence.wasm")).expect("readable");
    rule.extend(b"\0\x02\x01x");
    let rules = host.read("rules/rules.toml");
    let (before, _) = rules.split_once("sha256").expect("it is pinned");
    let digest = idr::rules::digest_of(&rule);
    host.write(
        "rules/rules.toml",
        format!("{before}sha256 = \"{digest}\"\n"),
    );
    host.write("rules/presence.wasm", &rule);
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 1 problem
    rules/rules.toml:2: rules.presence.component: `rules/presence.wasm.sig` is no signature of this component by a key of `trust.keys`
        hint: let whoever releases rules run `idr rule sign rules/presence.wasm --key file:KEY`
    [exit 2]
    ");

    host.write("rules/presence.wasm.sig", "signed, me\n");
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 1 problem
    rules/rules.toml:2: rules.presence.component: `rules/presence.wasm.sig`: it is no signature
        hint: let whoever releases rules run `idr rule sign rules/presence.wasm --key file:KEY`
    [exit 2]
    ");
}

#[test]
fn keys_that_are_none() {
    let host = tenant();
    insta::assert_snapshot!(host.run(["rule", "sign", "rules/presence.wasm", "--key", "key.pem"]), @r"
    error: invalid value 'key.pem' for '--key <REFERENCE>': write `file:PATH` or `env:NAME`, never the key itself

    For more information, try '--help'.
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["rule", "sign", "rules/presence.wasm", "--key", "file:nowhere"]), @r"
    error: the file `./nowhere` can't be read
    caused by: No such file or directory (os error 2)
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["rule", "sign", "rules/presence.wasm", "--key", "file:idr.toml"]), @r"
    error: it is no private ed25519 key in PEM
    hint: `openssl genpkey -algorithm ed25519` makes one
    [exit 2]
    ");
    let nothing = ["rule", "sign", "rules/rules.toml", "--key", "file:key.pem"];
    insta::assert_snapshot!(host.run(nothing), @r"
    error: it is no WebAssembly component
    [exit 2]
    ");
    let settings = host.read("idr.toml").replace(PUBLIC_KEY, "c2VjcmV0");
    host.write("idr.toml", settings);
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 2 problems
    idr.toml:4: trust.keys[1]: it is no public ed25519 key
        hint: write the line of base64 of the public key's PEM; `idr rule sign` prints it
    rules/rules.toml:2: rules.presence.component: nobody has signed it: there is no `rules/presence.wasm.sig`
        hint: let whoever releases rules run `idr rule sign rules/presence.wasm --key file:KEY`
    [exit 2]
    ");
}
