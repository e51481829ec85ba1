//! What holds for every command: usage errors, logging, pipes, exit codes.

use std::process::Stdio;

use crate::common::TestHost;

#[test]
fn the_order_of_operations_is_printed() {
    let host = TestHost::new();
    insta::assert_snapshot!(host.run(["phases"]), @r"
     0  selection                      who is due: an input changed, a moment has come, or a definition changed; or who was chosen
                                       IdentityIQ: filter, filterGroups, thresholdDate, excludeWindow, includeWindow, includeWindowModified, filterNeedsRefresh, excludeInactive
     1  account-refresh                applications are asked again for the accounts of whom it refreshes, where that is wanted
                                       IdentityIQ: refreshLinks
     2  correlation          identity  accounts without an identity look for theirs again, by rule or by their attributes
    2b  before-refresh       identity  values of attributes that a rule proposes, which count before their sources
                                       IdentityIQ: preRefreshRule
     3  logical-accounts     identity  accounts of logical applications, made of accounts of others by tiers or by a rule
                                       IdentityIQ: refreshCompositeApplications
     4  attribute-promotion  identity  identity attributes from their sources, in order: accounts, transforms, rules
                                       IdentityIQ: promoteAttributes
     4  manager              identity  the identity that the manager's attribute names, as a rule reads it or as it stands
                                       IdentityIQ: promoteAttributes
     4  lifecycle-state      identity  the state that the lifecycle rule answers
                                       IdentityIQ: promoteAttributes
     5  entitlements         access    what the accounts hold and what is called for and isn't there, with the reasons
                                       IdentityIQ: refreshIdentityEntitlements
     7  roles                access    assigned roles, then detected ones, then additional entitlements
                                       IdentityIQ: correlateEntitlements
     9  state-accounts       access    what the lifecycle state calls for with accounts and isn't so yet
     9  desired-access       access    what roles ask for and what follows attributes, against what accounts are and what was sent
                                       IdentityIQ: provision, provisionIfChanged, noRoleDeprovisioning, synchronizeAttributes
     9  account-selection    access    which of several accounts a role is for, where a rule says: policies judge it like everything else
    10  policies             access    what violates policies, of what is there and of what is called for, and what they hold
                                       IdentityIQ: checkPolicies, policies, keepInactiveViolations
    11  risk                 access    the scorecard: roles, additional entitlements, violations, certification
                                       IdentityIQ: refreshScorecard
    12  provisioning-plan    access    per account what is called for and isn't so yet, with the reasons; new accounts by template
                                       IdentityIQ: enableManualAccountSelection
    12b  work-items           access    what the manager is to decide or do, as long as it is so
    13  events               events    triggers, against what they have last seen; effects into the outbox
                                       IdentityIQ: processTriggers
    13b  value-change         events    values of attributes that rules propose when one has changed, as inputs of the next refresh
    14  history              events    an image of whoever isn't any more what the last image says
                                       IdentityIQ: checkHistory
    14b  after-refresh        events    values of attributes that a rule proposes, as inputs of the next refresh
                                       IdentityIQ: refreshRule
    15  claims                         who gets a unique value that several would take: what is there before what is generated
    15  gate                           thresholds over everything planned: a trip holds the run, or leaves a kind of change out
                                       IdentityIQ: disableIdentityProcessingThreshold
    15  apply                          each identity's changes in one transaction
                                       IdentityIQ: noResetNeedsRefresh
    16  dispatch                       the outbox is carried out by idr dispatch: accounts, work items, webhooks, workflows
                                       IdentityIQ: doManualActions
    17  prune                          after the run, where its task says so: identities without an account for so long go
                                       IdentityIQ: pruneIdentities
    [exit 0]
    ");
}

#[test]
fn an_unknown_command_is_a_usage_error() {
    let host = TestHost::new();
    insta::assert_snapshot!(host.run(["frobnicate"]), @r"
    error: unrecognized subcommand 'frobnicate'

    Usage: idr [OPTIONS] <COMMAND>

    For more information, try '--help'.
    [exit 2]
    ");
}

#[test]
fn a_log_filter_that_makes_no_sense_is_a_usage_error() {
    let host = TestHost::new();
    let output = host
        .command()
        .env("IDR_LOG", "idr=loud")
        .arg("phases")
        .output()
        .expect("the binary can be started");
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @r#"
    error: error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5
    hint: IDR_LOG is `idr=loud`: write a level such as `info`, or `idr::refresh=debug`
    "#);
}

#[test]
fn nobody_reading_the_output_is_success() {
    let host = TestHost::new();
    let mut child = host
        .command()
        .args(["phases", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be started");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the binary ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
