//! What is sent to addresses, and what people do in workflows.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::common::TestHost;

const TENANT: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    //- applications/hr.toml
    authoritative = { name = "user" }
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "user"
    [schema]
    user = {}
    boss = {}
    department = {}
    pay = { sensitive = true }
    //- identity.toml
    [attributes.department]
    sources = [{ application = "hr", attribute = "department" }]
    [attributes.pay]
    sensitive = true
    sources = [{ application = "hr", attribute = "pay" }]
    [manager]
    sources = [{ application = "hr", attribute = "boss" }]
    identity_attribute = "name"
    //- feeds/hr.csv
    user,boss,department,pay
    ana,bo,Sales,10
    bo,,Sales,20
"#;

/// A server that answers each request with the next of its answers, the last one
/// over and over, and keeps what it was sent.
struct Server {
    address: String,
    bodies: Arc<Mutex<Vec<Value>>>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answers: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = format!(
            "http://{}/hook",
            listener.local_addr().expect("it is bound")
        );
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bodies);
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept_heads = Arc::clone(&heads);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let mut request = Vec::new();
                let mut buffer = [0; 4096];
                let body = loop {
                    let read = stream.read(&mut buffer).expect("a request");
                    request.extend_from_slice(&buffer[..read]);
                    let text = String::from_utf8_lossy(&request).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else {
                        continue;
                    };
                    let whole_head = head.to_owned();
                    let head = head.to_lowercase();
                    assert!(head.contains("content-type: application/cloudevents+json"));
                    let length = head
                        .lines()
                        .find_map(|line| line.strip_prefix("content-length: "));
                    let length: usize = length.and_then(|text| text.parse().ok()).expect("one");
                    if body.len() >= length {
                        kept_heads.lock().expect("nobody panics").push(whole_head);
                        break body.to_owned();
                    }
                };
                let mut kept = kept.lock().expect("nobody panics");
                let answer = answers[kept.len().min(answers.len() - 1)];
                kept.push(serde_json::from_str(&body).expect("it is JSON"));
                let answer = format!("HTTP/1.1 {answer} X\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).expect("it listens");
            }
        });
        Self {
            address,
            bodies,
            heads,
        }
    }

    /// Returns a header of the first request.
    fn header(&self, name: &str) -> Option<String> {
        let heads = self.heads.lock().expect("nobody panics");
        let mut lines = heads.first()?.lines();
        lines.find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    }

    fn bodies(&self) -> Vec<Value> {
        self.bodies.lock().expect("nobody panics").clone()
    }
}

/// A tenant in which ana has moved, with this handler.
fn moved(handler: &str) -> TestHost {
    moved_with(handler, "")
}

/// The same with workflows.
fn moved_with(handler: &str, workflows: &str) -> TestHost {
    let host = TestHost::with_files(TENANT);
    host.write("workflows.toml", workflows);
    host.write(
        "triggers.toml",
        format!(
            "[[trigger]]\nname = \"mover\"\n\
             on = [{{ type = \"attribute-change\", attribute = \"department\" }}]\n\
             handlers = [{handler}]\n"
        ),
    );
    for (at, department) in [("2026-03-01", "Sales"), ("2026-03-02", "IT")] {
        let at = format!("{at}T08:00:00Z");
        let feed = format!("user,boss,department,pay\nana,bo,{department},10\nbo,,Sales,20\n");
        host.write("feeds/hr.csv", feed);
        let _ = host.json(["aggregate", "hr", "--as-of", &at]);
        let _ = host.json(["refresh", "--as-of", &at]);
    }
    host
}

fn pass(host: &TestHost, at: &str) -> String {
    let at = format!("2026-03-{at}Z");
    host.run(["dispatch", "--once", "--as-of", &at])
}

fn webhook(address: &str) -> String {
    format!("{{ type = \"webhook\", url = \"{address}\" }}")
}

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
