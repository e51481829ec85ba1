//! A server that events are sent to, and a tenant in which there is one to send.

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
pub(crate) struct Server {
    pub(crate) address: String,
    bodies: Arc<Mutex<Vec<Value>>>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start(answers: &'static [u16]) -> Self {
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
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let heads = self.heads.lock().expect("nobody panics");
        let mut lines = heads.first()?.lines();
        lines.find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    }

    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.bodies.lock().expect("nobody panics").clone()
    }
}

/// A tenant in which ana has moved, with this handler.
pub(crate) fn moved(handler: &str) -> TestHost {
    moved_with(handler, "")
}

/// The same with workflows.
pub(crate) fn moved_with(handler: &str, workflows: &str) -> TestHost {
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

pub(crate) fn pass(host: &TestHost, at: &str) -> String {
    let at = format!("2026-03-{at}Z");
    host.run(["dispatch", "--once", "--as-of", &at])
}

pub(crate) fn webhook(address: &str) -> String {
    format!("{{ type = \"webhook\", url = \"{address}\" }}")
}
