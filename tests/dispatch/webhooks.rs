//! What is sent to addresses, and what people do in workflows.

use std::net::TcpListener;

use crate::common::TestHost;
use crate::hooks::{Server, moved, moved_with, pass, webhook};

#[test]
fn an_event_is_sent_until_it_is_accepted_under_one_id() {
    let server = Server::start(&[503, 429, 204]);
    let host = moved(&webhook(&server.address));
    let first = pass(&host, "02T08:00:00");
    assert!(
        first.starts_with("0 done, 0 work items opened, 1 failed, 0 given up\n")
            && first.contains("answered 503"),
        "{first}"
    );
    assert!(pass(&host, "02T08:00:30").starts_with("nothing is to be done"));
    assert!(pass(&host, "02T08:01:00").contains("answered 429"));
    assert!(pass(&host, "02T08:03:00").starts_with("1 done"));
    assert!(pass(&host, "02T09:00:00").starts_with("nothing is to be done"));
    let bodies = server.bodies();
    assert_eq!(bodies.len(), 3);
    assert_eq!(bodies[0], bodies[2]);
    let event = &bodies[0];
    let effects = host.json(["outbox", "list"]);
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["id"], effects[0]["id"]);
    assert_eq!(event["source"], "/idr/acme");
    assert_eq!(event["type"], "idr.trigger.mover");
    assert_eq!(event["subject"], "ana");
    assert_eq!(event["time"], "2026-03-02T08:00:00Z");
    assert_eq!(event["data"]["identity"], "ana");
    assert_eq!(
        event["data"]["changes"],
        serde_json::json!([{ "what": "department", "old": "Sales", "new": "IT" }])
    );
}

#[test]
fn an_address_that_refuses_is_given_up() {
    let server = Server::start(&[404]);
    let host = moved(&webhook(&format!("{}?token=hush", server.address)));
    let shown = pass(&host, "02T08:00:00");
    assert!(
        shown.contains("1 given up")
            && shown.contains("\nsee `idr outbox list --dead`\n")
            && shown.ends_with("[exit 1]"),
        "{shown}"
    );
    assert_eq!(server.bodies().len(), 1);
    assert!(pass(&host, "02T09:00:00").ends_with("[exit 1]"));
    assert_eq!(server.bodies().len(), 1);
}

#[test]
fn what_lets_somebody_into_an_address_is_shown_nowhere() {
    let server = Server::start(&[404]);
    for (address, answer) in [
        (server.address.as_str(), "answered 404"),
        ("http://127.0.0.1:1/hook", "didn't answer"),
    ] {
        let host = moved(&webhook(&format!("{address}?token=hush")));
        let shown = [
            pass(&host, "02T08:00:00"),
            host.run(["outbox", "list"]),
            host.json(["outbox", "list"]).to_string(),
        ];
        for shown in shown {
            assert!(shown.contains(address), "{shown}");
            assert!(shown.contains(answer), "{shown}");
            assert!(!shown.contains("hush"), "{shown}");
        }
    }
    assert_eq!(server.bodies().len(), 1);
}

#[test]
fn a_workflow_goes_step_by_step_and_waits_for_people() {
    let server = Server::start(&[500, 200]);
    let workflow = format!(
        "[[workflow]]\nname = \"Move\"\nsteps = [\n\
         {{ type = \"work-item\", owner = \"dora\", description = \"Look\", wait = false }},\n\
         {{ type = \"work-item\", owner = \"manager\", description = \"Move the desk\" }},\n\
         {{ type = \"webhook\", url = \"{}\" }},\n]\n",
        server.address
    );
    let host = moved_with("{ type = \"workflow\", name = \"Move\" }", &workflow);
    assert!(pass(&host, "02T08:00:00").starts_with("0 done, 2 work items opened"));
    assert!(pass(&host, "02T08:00:00").starts_with("nothing is to be done"));
    let items = host.json(["work-item", "list", "--owner", "bo"]);
    assert_eq!(items[0]["description"], "Move the desk");
    let id = items[0]["id"].as_str().expect("it has one");
    let _ = host.json(["work-item", "complete", id, "--reason", "moved"]);
    assert!(pass(&host, "02T08:10:00").contains("1 failed"));
    assert!(pass(&host, "02T08:11:00").starts_with("1 done"));
    assert!(pass(&host, "02T08:12:00").starts_with("nothing is to be done"));
    let bodies = server.bodies();
    assert_eq!(bodies.len(), 2);
    let effects = host.json(["outbox", "list"]);
    assert_eq!(effects[0]["status"], "done");
    let effect = effects[0]["id"].as_str().expect("it has one");
    assert_eq!(bodies[0]["id"], format!("{effect}-3"));
    assert_eq!(bodies[0]["id"], bodies[1]["id"]);
}

#[test]
fn events_are_signed_where_there_is_a_secret() {
    let plain = Server::start(&[204]);
    let host = moved(&webhook(&plain.address));
    assert!(pass(&host, "02T08:00:00").starts_with("1 done"));
    assert_eq!(plain.header("webhook-signature"), None);

    let signed = Server::start(&[204]);
    let host = moved(&webhook(&signed.address));
    set(&host, "webhook_secret = \"file:hook.key\"");
    let absent = pass(&host, "02T08:00:00");
    assert!(
        absent.contains("`dispatch.webhook_secret` in idr.toml: the file `")
            && absent.ends_with("[exit 2]"),
        "{absent}"
    );
    host.write("hook.key", "wh-key\n");
    assert!(pass(&host, "02T08:00:00").starts_with("1 done"));
    let effects = host.json(["outbox", "list"]);
    let id = signed.header("webhook-id").expect("it is signed");
    assert_eq!(effects[0]["id"].as_str(), Some(id.as_str()));
    assert_eq!(
        signed.header("webhook-timestamp").as_deref(),
        Some("1772438400"),
        "when the pass was made"
    );
    let signature = signed.header("webhook-signature").expect("it is signed");
    assert!(
        signature.starts_with("v1,") && signature.len() == 47,
        "{signature}"
    );

    set(&host, "webhook_secret = \"hunter2\"");
    let refused = host.run(["check"]);
    assert!(
        refused.contains("a secret is never written here"),
        "{refused}"
    );
    assert!(!refused.contains("hunter2"), "{refused}");
}

/// Writes the tenant's settings with these of dispatch.
fn set(host: &TestHost, settings: &str) {
    let base = "version = 1\nname = \"acme\"\nclock = \"simulated\"\n";
    host.write("idr.toml", format!("{base}[dispatch]\n{settings}\n"));
}

#[test]
fn attempts_are_never_further_apart_than_is_said() {
    let server = Server::start(&[503]);
    let host = moved(&webhook(&server.address));
    set(&host, "retry_at_most_after = \"90s\"");
    let times = ["02T08:00:00", "02T08:01:00", "02T08:02:30", "02T08:04:00"];
    for at in times {
        assert!(pass(&host, at).contains("answered 503"), "{at}");
    }
    assert!(pass(&host, "02T08:05:29").starts_with("nothing is to be done"));

    let host = moved(&webhook(&server.address));
    for at in ["02T08:00:00", "02T08:01:00", "02T08:03:00"] {
        assert!(pass(&host, at).contains("answered 503"), "{at}");
    }
    let early = pass(&host, "02T08:04:30");
    assert!(early.starts_with("nothing is to be done"), "{early}");
}

#[test]
fn an_address_that_never_answers_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let host = moved(&webhook(&format!("http://{address}/hook")));
    set(&host, "webhook_timeout = \"1s\"");
    let report = pass(&host, "02T08:00:00");
    assert!(
        report.contains("1 failed") && report.contains("didn't answer"),
        "{report}"
    );
}

#[test]
fn an_address_may_be_a_secret() {
    let server = Server::start(&[503, 204, 204]);
    let secret = format!("{}/hush", server.address);
    let workflow = "[[workflow]]\nname = \"Move\"\n\
                    steps = [{ type = \"webhook\", url = \"env:HOOK\" }]\n";
    let handlers = format!(
        "{}, {{ type = \"workflow\", name = \"Move\" }}",
        webhook("file:keys/hook")
    );
    let host = moved_with(&handlers, workflow);
    let in_vain = |at: &str, why: &str| {
        let shown = pass(&host, at);
        assert!(shown.contains(why) && shown.contains("2 failed"), "{shown}");
        let listed = host.json(["outbox", "list"]).to_string();
        assert!(
            !shown.contains("hush") && !listed.contains("hush"),
            "{listed}"
        );
        assert!(listed.contains("file:keys/hook"), "{listed}");
    };
    in_vain("02T08:00:00", "the environment variable `HOOK` is not set");
    host.write("keys/hook", "hush");
    let why = "what `file:keys/hook` refers to is no address that begins with https://";
    in_vain("02T08:01:00", why);
    host.write("keys/hook", format!("{secret}\n"));
    let with_variable = |at: &str| {
        let mut command = host.command();
        command.env("HOOK", &secret);
        let at = format!("2026-03-{at}Z");
        let done = command
            .args(["dispatch", "--once", "--as-of", &at])
            .output();
        let done = done.expect("it can be started").stdout;
        String::from_utf8(done).expect("text")
    };
    let shown = with_variable("02T08:03:00");
    assert!(
        shown.starts_with("1 done, 0 work items opened, 1 failed"),
        "{shown}"
    );
    assert!(shown.contains("file:keys/hook answered 503"), "{shown}");
    assert!(with_variable("02T08:07:00").starts_with("1 done"));
    assert_eq!(server.bodies().len(), 3);
    let adopted = std::fs::read(host.path("state/idr.db")).expect("it is there");
    let is_there = adopted.windows(4).any(|bytes| bytes == b"hush");
    assert!(!is_there, "it is stored nowhere");
}
