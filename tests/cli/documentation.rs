//! The documentation is true: the examples of `docs/configuration.md` are one
//! tenant without problems, and the order of operations is the program's.

use std::fs;

use idr::operations::{COUNTERS, Status};

use crate::common::{TestHost, repository};

/// Numbers of steps that later versions will have, or that need no step here.
const PLANNED: [&str; 3] = ["6", "6b", "8"];

const RULES: &str = "rules-examples/rust";

#[test]
fn the_examples_of_the_configuration_are_one_tenant_without_problems() {
    let text = fs::read_to_string(repository().join("docs/configuration.md"))
        .expect("the documentation is there");
    let host = TestHost::new();
    let mut n_files = 0;
    for (path, example) in examples(&text) {
        host.write(&path, with_digests(&example));
        n_files += 1;
    }
    for rule in [
        "account-correlation",
        "identity-creation",
        "manager-correlation",
        "before-refresh",
        "value-change",
        "after-refresh",
        "attribute-promotion",
        "lifecycle-state",
        "role-assignment",
        "identity-trigger",
    ] {
        let component = repository().join(format!("{RULES}/{rule}/{rule}.wasm"));
        let component = fs::read(component).expect("the example rules are committed");
        host.write(&format!("rules/{rule}.wasm"), component);
    }
    assert_eq!(n_files, 18);
    insta::assert_snapshot!(host.run(["check"]), @r"
    no problems in tenant `acme`
      applications             3
      identity attributes      8
      lifecycle states         3
      business roles           6
      IT roles                 2
      triggers                 4
      populations              1
      rules                   10
      tasks                    3
    [exit 0]
    ");
}

/// `BLESS=1` writes the file anew.
#[test]
fn the_order_of_operations_is_the_programs() {
    let path = repository().join("docs/order-of-operations.md");
    let made = idr::operations::markdown();
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &made).expect("the documentation can be written");
    }
    let text = fs::read_to_string(&path).expect("the documentation is there");
    assert_eq!(text, made, "run this test with BLESS=1");
    let printed = TestHost::new().run(["phases", "--markdown"]);
    assert_eq!(printed.strip_suffix("[exit 0]"), Some(made.as_str()));
}

#[test]
fn every_option_that_is_there_has_a_test_and_every_phase_is_known() {
    let host = TestHost::new();
    let options = host.json(["options"]);
    let options = options.as_array().expect("a list");
    let phases = host.json(["phases"]);
    let mentioned: Vec<_> = phases
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|phase| phase["identityiq_options"].as_array())
        .flatten()
        .collect();
    let keys: Vec<_> = options.iter().map(|option| &option["key"]).collect();
    for key in mentioned {
        assert!(keys.contains(&key), "{key} is no option");
        let there = options
            .iter()
            .any(|option| option["key"] == *key && option["status"] != "not-yet");
        assert!(there, "{key} isn't there yet");
    }
    let numbers: Vec<_> = phases
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|phase| phase["number"].as_str())
        .collect();
    for planned in PLANNED {
        assert!(!numbers.contains(&planned), "{planned} is there now");
        let awaited = options.iter().any(|option| option["phase"] == planned);
        assert!(awaited, "no option is about {planned}");
    }
    for option in options {
        let Some(number) = option["phase"].as_str() else {
            continue;
        };
        let known = numbers.contains(&number) || PLANNED.contains(&number);
        assert!(known, "{}: there is no step {number}", option["key"]);
    }
    let mut tested = 0;
    for option in options {
        let (key, status) = (&option["key"], option["status"].as_str());
        match status {
            Some("works") => {
                assert_is_there(key, option["test"].as_str());
                assert!(option["name"].is_string(), "{key} has a name");
                tested += 1;
            }
            Some("replaced") => {
                assert_is_there(key, option["test"].as_str());
                assert!(
                    option["remark"].is_string(),
                    "{key} says what is there instead"
                );
            }
            Some("not-offered") => assert!(option["remark"].is_string(), "{key} says why"),
            status => assert_eq!(status, Some("not-yet"), "{key}"),
        }
    }
    assert_eq!(
        host.json(["options", "--status", "works"])
            .as_array()
            .map(Vec::len),
        Some(tested)
    );
}

/// Asserts that there is a test of this name; returns the file that it stands in.
fn assert_is_there(key: impl std::fmt::Display, test: Option<&str>) -> String {
    let test = test.expect("it has a test");
    let (file, function) = test.split_once("::").expect("FILE::FUNCTION");
    let path = repository().join(format!("tests/cli/{file}.rs"));
    let text = fs::read_to_string(path).expect("the file is there");
    assert!(
        text.contains(&format!("#[test]\nfn {function}()")),
        "{key}: {test}"
    );
    text
}

#[test]
fn every_counter_is_there_or_it_says_why_not() {
    for counter in COUNTERS {
        let key = counter.key;
        if let Status::Replaced(_, test) = counter.status {
            assert_is_there(key, Some(test));
        }
        if let Status::Works(test) = counter.status {
            let text = assert_is_there(key, Some(test));
            let last = counter.name.rsplit('.').next().unwrap_or_default();
            assert!(text.contains(&format!("[\"{last}\"]")), "{key}: {last}");
        } else {
            assert_eq!(counter.name, "", "{key}");
        }
    }
}

#[test]
fn options_are_printed_with_their_labels_defaults_and_tests() {
    let host = TestHost::new();
    insta::assert_snapshot!(host.run(["options", "--status", "works"]), @r"
    key                           here                                   phase  status
    filter                        --filter                               0      works
        IdentityIQ: Optional filter string to constrain the identities refreshed
        default: nobody is left out
        test: selection::a_filter_selects_who_fulfils_it_due_or_not
    filterGroups                  --population or --group                0      works
        IdentityIQ: Optional list of group or population names to constrain the identities refreshed
        default: nobody is left out
        test: selection::populations_and_groups_are_ored_and_everything_else_is_anded
    thresholdDate                 --refreshed-before                     0      works
        IdentityIQ: Refresh identities whose last refresh date is before this date
        default: nobody is left out
        test: selection_by_time::who_was_refreshed_before_an_instant_or_never
    excludeWindow                 --not-refreshed-for                    0      works
        IdentityIQ: Refresh identities whose last refresh date is at least this number of hours ago
        default: nobody is left out
        test: selection_by_time::who_was_not_refreshed_for_some_time
    includeWindow                 --refreshed-within                     0      works
        IdentityIQ: Refresh identities whose last refresh date is within this number of hours
        default: nobody is left out
        test: selection_by_time::a_window_never_snowballs_since_what_a_refresh_itself_touched_does_not_count
    includeWindowModified         --or-modified                          0      works
        IdentityIQ: Include modified identities in the refresh date window
        default: off
        test: selection_by_time::who_was_modified_within_the_window_as_well
    filterNeedsRefresh            --due                                  0      works
        IdentityIQ: Refresh only identities marked as needing refresh during aggregation
        default: on, unless something else is selected
        test: selection::a_filter_selects_who_fulfils_it_due_or_not
    noResetNeedsRefresh           --keep-due                             15     works
        IdentityIQ: Do not reset the needing refresh marker after refresh
        default: off
        test: selection_by_time::whom_a_refresh_keeps_due_is_refreshed_again_by_the_next
    excludeInactive               --exclude-inactive                     0      works
        IdentityIQ: Exclude identities marked inactive
        default: off
        test: selection::whoever_is_inactive_is_left_out_unless_something_is_due
    refreshLinks                  --accounts                             1      works
        IdentityIQ: Refresh all application account attributes
        default: off
        test: accounts_again::accounts_are_asked_for_again_before_a_refresh
    provision                     provisioning.roles                     9      works
        IdentityIQ: Provision assignments
        default: on
        test: provisioning::roles_may_be_left_out_and_entitlements_may_stay
    noRoleDeprovisioning          provisioning.remove                    9      works
        IdentityIQ: Disable deprovisioning of deassigned roles
        default: off
        test: provisioning::roles_may_be_left_out_and_entitlements_may_stay
    enableManualAccountSelection  provisioning.manual_account_selection  12     works
        IdentityIQ: Enable manual account selection
        default: off
        test: provisioning::of_several_accounts_a_person_is_asked_or_nothing_is_done
    synchronizeAttributes         provisioning.synchronise               9      works
        IdentityIQ: Synchronize attributes
        default: on
        test: provisioning::an_account_attribute_follows_an_identity_attribute
    checkHistory                  [history] in idr.toml                  14     works
        IdentityIQ: Maintain identity histories
        test: history::images_are_kept_of_whoever_differs
    checkPolicies                 --no-policies                          10     works
        IdentityIQ: Check active policies
        default: on
        test: policies::policies_that_are_not_judged_leave_whom_they_would_find_otherwise_due
    keepInactiveViolations        keep_previous in policies.toml         10     works
        IdentityIQ: Keep previous violations
        default: off
        test: policies::violations_that_are_over_stay_where_they_are_kept
    policies                      --policies                             10     works
        IdentityIQ: A comma separated list of specific policy names
        default: all of them
        test: policies::policies_that_are_not_judged_leave_whom_they_would_find_otherwise_due
    pruneIdentities               prune                                  17     works
        test: prune::a_task_prunes_once_its_run_is_done
    preRefreshRule                before_refresh in identity.toml        2b     works
        IdentityIQ: Pre-Refresh Rule
        default: no rule
        test: proposals::a_before_refresh_rule_proposes_what_counts_before_the_sources
    refreshRule                   after_refresh in identity.toml         14b    works
        IdentityIQ: Refresh Rule
        default: no rule
        test: proposals::an_after_refresh_rule_proposes_inputs_of_the_next_refresh
    refreshThreads                --threads                                     works
        IdentityIQ: Number of refresh threads
        default: as many as there are processors
        test: how_it_runs::a_run_plans_on_as_many_threads_as_it_is_told
    lossLimit                     --chunk-size                                  works
        IdentityIQ: Loss Limit
        default: 1000
        test: how_it_runs::a_chunk_is_what_is_committed_together
    maxExceptions                 --max-exceptions                              works
        default: go on
        test: how_it_runs::a_run_stops_once_too_many_have_new_errors_and_can_be_resumed
                                  --all                                  0      works
        default: who is due
        test: selection::a_filter_selects_who_fulfils_it_due_or_not
                                  --identity                             0      works
        default: nobody is left out
        test: selection::a_filter_selects_who_fulfils_it_due_or_not
                                  --identities-from                      0      works
        default: nobody is left out
        test: selection::a_task_may_have_a_list_of_names
                                  tasks                                         works
        default: none
        test: how_it_runs::tasks_of_a_task_run_in_order
                                  stop_at_error                                 works
        default: on
        test: how_it_runs::a_task_that_goes_wrong_is_the_last_unless_told_otherwise
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["options", "--status", "not-offered"]), @r"
    key                         here  phase  status
    refreshCertifications                    not-offered
        IdentityIQ: Refresh continuous certifications
        not-offered: certifications are another product's; events can start them
    forceWorkflow                     13     not-offered
        IdentityIQ: Always launch the workflow (even if the usual triggers do not apply)
        not-offered: handlers belong to triggers, and an event says what happened; a workflow for everybody of every run says nothing (docs/adr/0016)
    disableManagerLookup              4      not-offered
        IdentityIQ: Disable connector lookup of managers that do not correlate
        not-offered: no connector is asked during a refresh; who looks for a manager that isn't there is refreshed when the manager comes
    noMaintenanceWindowRetry          16     not-offered
        IdentityIQ: Do not schedule retry requests during application maintenance windows
        not-offered: there are no maintenance windows: what an application doesn't take is tried again, ever more rarely (`[dispatch]` in idr.toml)
    noCheckPendingWorkflow            13     not-offered
        not-offered: nobody is skipped because something of theirs is pending
    enableTriggerIdentityQueue        13     not-offered
        not-offered: events are recorded in the identity's own transaction, so there is no lock to queue for
    triggerIdentityQueueSize          13     not-offered
        not-offered: events are recorded in the identity's own transaction, so there is no lock to queue for
    [exit 0]
    ");
    let all = host.run(["options"]);
    for option in &idr::operations::OPTIONS {
        let is_it = |line: &&str| {
            line.starts_with(option.key)
                && line.contains(option.name)
                && line.ends_with(option.status.as_str())
        };
        assert!(all.lines().any(|line| is_it(&line)), "{option:?}");
        assert!(all.contains(option.label) && all.contains(option.default));
    }
}

/// Returns each example with the file that it is: the one named by the heading
/// above it, or by its first line.
fn examples(text: &str) -> Vec<(String, String)> {
    let mut examples = Vec::new();
    for part in text.split("\n## ").skip(1) {
        let heading = part.lines().next().unwrap_or_default();
        for example in part.split("```toml\n").skip(1) {
            let example = example.split("```").next().unwrap_or(example);
            let first = example.lines().next().unwrap_or_default();
            let named = first
                .strip_prefix("# ")
                .filter(|name| name.ends_with(".toml"));
            let path = named.unwrap_or(match heading {
                "applications/NAME.toml" => "applications/hr.toml",
                "roles/*.toml" => "roles/all.toml",
                other => other,
            });
            examples.push((path.to_owned(), example.to_owned()));
        }
    }
    examples
}

/// Puts each component's digest, which its lock has, for `$SHA256`.
fn with_digests(example: &str) -> String {
    let mut component = "";
    let mut text = String::new();
    for line in example.lines() {
        if let Some(rest) = line.strip_prefix("component = \"") {
            component = rest.split('.').next().unwrap_or(rest);
        }
        if line.contains("$SHA256") {
            let lock = repository().join(format!("{RULES}/{component}/{component}.lock"));
            let lock = fs::read_to_string(lock).expect("the lock is committed");
            let digest = lock
                .lines()
                .find(|line| line.ends_with(".wasm"))
                .and_then(|line| line.split(' ').next())
                .expect("the lock has the component's digest");
            text += &line.replace("$SHA256", digest);
        } else {
            text += line;
        }
        text.push('\n');
    }
    text
}
