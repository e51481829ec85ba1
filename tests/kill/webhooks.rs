//! A dispatcher that dies while it sends an event: it is sent again under the same id,
//! and not again once that is known to have arrived.

use crate::common::TestHost;
use crate::hooks::{Server, moved, moved_with, pass, webhook};

const AT: &str = "02T08:00:00";

/// Dies at a point of a pass.
fn dies(host: &TestHost, point: &str) {
    let mut command = host.command();
    command.args(["dispatch", "--once", "--as-of", "2026-03-02T08:00:00Z"]);
    let killed = command.env("FAILPOINTS", format!("{point}=return(abort)"));
    let killed = killed.output().expect("it can be started");
    assert_eq!(killed.status.code(), None, "{point} is not reached");
}

#[test]
fn an_event_that_was_being_sent_is_sent_again_under_its_id() {
    for (point, arrived) in [
        ("store-settle-begin", 0),
        ("dispatch-begun", 0),
        ("dispatch-delivered", 1),
    ] {
        let server = Server::start(&[204]);
        let host = moved(&webhook(&server.address));
        dies(&host, point);
        assert_eq!(server.bodies().len(), arrived, "{point}");
        assert!(pass(&host, AT).starts_with("1 done"), "{point}");
        assert!(
            pass(&host, AT).starts_with("nothing is to be done"),
            "{point}"
        );
        let bodies = server.bodies();
        assert_eq!(bodies.len(), arrived + 1, "{point}");
        let effects = host.json(["outbox", "list"]);
        for body in bodies {
            assert_eq!(body["id"], effects[0]["id"], "{point}");
        }
    }
}

#[test]
fn a_workflow_goes_on_with_the_step_that_was_cut_off() {
    for (point, arrived) in [
        ("store-settle-begin", 0),
        ("dispatch-begun", 0),
        ("dispatch-delivered", 1),
    ] {
        let server = Server::start(&[204]);
        let workflow = format!(
            "[[workflow]]\nname = \"Move\"\nsteps = [\n\
             {{ type = \"work-item\", owner = \"dora\", description = \"Look\", wait = false }},\n\
             {{ type = \"webhook\", url = \"{}\" }},\n]\n",
            server.address
        );
        let host = moved_with("{ type = \"workflow\", name = \"Move\" }", &workflow);
        dies(&host, point);
        assert_eq!(server.bodies().len(), arrived, "{point}");
        assert!(pass(&host, AT).starts_with("1 done"), "{point}");
        assert!(
            pass(&host, AT).starts_with("nothing is to be done"),
            "{point}"
        );
        assert_eq!(server.bodies().len(), arrived + 1, "{point}");
        let items = host.json(["work-item", "list"]);
        assert_eq!(items.as_array().map(Vec::len), Some(1), "asked once");
    }
}
