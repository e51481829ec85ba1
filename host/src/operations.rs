//! What a refresh does, in which order, and what became of IdentityIQ's options.
//!
//! One list each: `idr phases` and `idr options` print them, and
//! `docs/order-of-operations.md` is made of them; a test compares.
//! Names, labels and keys are those of IdentityIQ's task "Identity Refresh".

use std::fmt::Write;

use serde::{Serialize, Serializer};

/// One step of the order of operations.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Phase {
    /// Its number, which stays when later versions add steps in between.
    pub number: &'static str,
    /// Its name.
    pub phase: &'static str,
    /// Steps of one group are due, skipped and frozen together.
    pub group: Option<&'static str>,
    /// The keys of IdentityIQ's options that mean this step.
    pub identityiq_options: &'static [&'static str],
    /// What it does.
    pub what: &'static str,
}

/// Every step, in order. No option and no configuration changes it.
pub const PHASES: [Phase; 26] = [
    Phase {
        number: "0",
        phase: "selection",
        group: None,
        identityiq_options: &[
            "filter",
            "filterGroups",
            "thresholdDate",
            "excludeWindow",
            "includeWindow",
            "includeWindowModified",
            "filterNeedsRefresh",
            "excludeInactive",
        ],
        what: "who is due: an input changed, a moment has come, or a definition changed; or who was chosen",
    },
    Phase {
        number: "1",
        phase: "account-refresh",
        group: None,
        identityiq_options: &["refreshLinks"],
        what: "applications are asked again for the accounts of whom it refreshes, where that is wanted",
    },
    Phase {
        number: "2",
        phase: "correlation",
        group: Some("identity"),
        identityiq_options: &[],
        what: "accounts without an identity look for theirs again, by rule or by their attributes",
    },
    Phase {
        number: "2b",
        phase: "before-refresh",
        group: Some("identity"),
        identityiq_options: &["preRefreshRule"],
        what: "values of attributes that a rule proposes, which count before their sources",
    },
    Phase {
        number: "3",
        phase: "logical-accounts",
        group: Some("identity"),
        identityiq_options: &["refreshCompositeApplications"],
        what: "accounts of logical applications, made of accounts of others by tiers or by a rule",
    },
    Phase {
        number: "4",
        phase: "attribute-promotion",
        group: Some("identity"),
        identityiq_options: &["promoteAttributes"],
        what: "identity attributes from their sources, in order: accounts, transforms, rules",
    },
    Phase {
        number: "4",
        phase: "manager",
        group: Some("identity"),
        identityiq_options: &["promoteAttributes"],
        what: "the identity that the manager's attribute names, as a rule reads it or as it stands",
    },
    Phase {
        number: "4",
        phase: "lifecycle-state",
        group: Some("identity"),
        identityiq_options: &["promoteAttributes"],
        what: "the state that the lifecycle rule answers",
    },
    Phase {
        number: "5",
        phase: "entitlements",
        group: Some("access"),
        identityiq_options: &["refreshIdentityEntitlements"],
        what: "what the accounts hold and what is called for and isn't there, with the reasons",
    },
    Phase {
        number: "7",
        phase: "roles",
        group: Some("access"),
        identityiq_options: &["correlateEntitlements"],
        what: "assigned roles, then detected ones, then additional entitlements",
    },
    Phase {
        number: "9",
        phase: "state-accounts",
        group: Some("access"),
        identityiq_options: &[],
        what: "what the lifecycle state calls for with accounts and isn't so yet",
    },
    Phase {
        number: "9",
        phase: "desired-access",
        group: Some("access"),
        identityiq_options: &[
            "provision",
            "provisionIfChanged",
            "noRoleDeprovisioning",
            "synchronizeAttributes",
        ],
        what: "what roles ask for and what follows attributes, against what accounts are and what was sent",
    },
    Phase {
        number: "9",
        phase: "account-selection",
        group: Some("access"),
        identityiq_options: &[],
        what: "which of several accounts a role is for, where a rule says: policies judge it like everything else",
    },
    Phase {
        number: "10",
        phase: "policies",
        group: Some("access"),
        identityiq_options: &["checkPolicies", "policies", "keepInactiveViolations"],
        what: "what violates policies, of what is there and of what is called for, and what they hold",
    },
    Phase {
        number: "11",
        phase: "risk",
        group: Some("access"),
        identityiq_options: &["refreshScorecard"],
        what: "the scorecard: roles, additional entitlements, violations, certification",
    },
    Phase {
        number: "12",
        phase: "provisioning-plan",
        group: Some("access"),
        identityiq_options: &["enableManualAccountSelection"],
        what: "per account what is called for and isn't so yet, with the reasons; new accounts by template",
    },
    Phase {
        number: "12b",
        phase: "work-items",
        group: Some("access"),
        identityiq_options: &[],
        what: "what the manager is to decide or do, as long as it is so",
    },
    Phase {
        number: "13",
        phase: "events",
        group: Some("events"),
        identityiq_options: &["processTriggers"],
        what: "triggers, against what they have last seen; effects into the outbox",
    },
    Phase {
        number: "13b",
        phase: "value-change",
        group: Some("events"),
        identityiq_options: &[],
        what: "values of attributes that rules propose when one has changed, as inputs of the next refresh",
    },
    Phase {
        number: "14",
        phase: "history",
        group: Some("events"),
        identityiq_options: &["checkHistory"],
        what: "an image of whoever isn't any more what the last image says",
    },
    Phase {
        number: "14b",
        phase: "after-refresh",
        group: Some("events"),
        identityiq_options: &["refreshRule"],
        what: "values of attributes that a rule proposes, as inputs of the next refresh",
    },
    Phase {
        number: "15",
        phase: "claims",
        group: None,
        identityiq_options: &[],
        what: "who gets a unique value that several would take: what is there before what is generated",
    },
    Phase {
        number: "15",
        phase: "gate",
        group: None,
        identityiq_options: &["disableIdentityProcessingThreshold"],
        what: "thresholds over everything planned: a trip holds the run, or leaves a kind of change out",
    },
    Phase {
        number: "15",
        phase: "apply",
        group: None,
        identityiq_options: &["noResetNeedsRefresh"],
        what: "each identity's changes in one transaction",
    },
    Phase {
        number: "16",
        phase: "dispatch",
        group: None,
        identityiq_options: &["doManualActions"],
        what: "the outbox is carried out by idr dispatch: accounts, work items, webhooks, workflows",
    },
    Phase {
        number: "17",
        phase: "prune",
        group: None,
        identityiq_options: &["pruneIdentities"],
        what: "after the run, where its task says so: identities without an account for so long go",
    },
];

/// What became of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is there; the test that shows the difference it makes.
    Works(&'static str),
    /// Something else does what it was for: what, and the test that shows it doing so
    /// and leaving it.
    Replaced(&'static str, &'static str),
    /// It isn't there on purpose, and why.
    NotOffered(&'static str),
    /// It will be.
    NotYet,
}

impl Status {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Works(_) => "works",
            Self::Replaced(..) => "replaced",
            Self::NotOffered(_) => "not-offered",
            Self::NotYet => "not-yet",
        }
    }

    /// Returns what takes its place, or why there is nothing.
    pub fn remark(self) -> Option<&'static str> {
        match self {
            Self::Replaced(remark, _) | Self::NotOffered(remark) => Some(remark),
            Self::Works(_) | Self::NotYet => None,
        }
    }

    /// Returns the test of what there is, as `FILE::FUNCTION` in `tests/cli`.
    pub fn test(self) -> Option<&'static str> {
        match self {
            Self::Works(test) | Self::Replaced(_, test) => Some(test),
            Self::NotOffered(_) | Self::NotYet => None,
        }
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// An option of IdentityIQ's refresh task.
#[derive(Clone, Copy, Debug)]
pub struct RefreshOption {
    /// Its key in the task's attributes; empty for our own.
    pub key: &'static str,
    /// Its label in the user interface; empty when it is set in XML or by API only.
    pub label: &'static str,
    /// What it is called here; empty where there is nothing of the kind.
    pub name: &'static str,
    /// The number of the step that it is about.
    pub phase: &'static str,
    /// What is done when it isn't given; empty where there is nothing of the kind.
    pub default: &'static str,
    /// What became of it.
    pub status: Status,
}

const SCOPES: &str = "an identity attribute says it, and populations, filters and `--group scope=VALUE` go by \
                      it; no list of scopes is kept, so none is created, dormant or out of date";
const GROUPS: &str = "groups aren't stored: `--group department=Sales` and populations are worked out \
                      when they are asked for, so none is left over";
const ALWAYS: &str = "every refresh does it, for whom it concerns";

/// Every option, in the order of IdentityIQ's page; then our own, without a key of
/// IdentityIQ. Every key of a task is one of them.
pub const OPTIONS: [RefreshOption; 57] = [
    RefreshOption {
        key: "filter",
        label: "Optional filter string to constrain the identities refreshed",
        name: "--filter",
        phase: "0",
        default: "nobody is left out",
        status: Status::Works("selection::a_filter_selects_who_fulfils_it_due_or_not"),
    },
    RefreshOption {
        key: "filterGroups",
        label: "Optional list of group or population names to constrain the identities refreshed",
        name: "--population or --group",
        phase: "0",
        default: "nobody is left out",
        status: Status::Works(
            "selection::populations_and_groups_are_ored_and_everything_else_is_anded",
        ),
    },
    RefreshOption {
        key: "thresholdDate",
        label: "Refresh identities whose last refresh date is before this date",
        name: "--refreshed-before",
        phase: "0",
        default: "nobody is left out",
        status: Status::Works("selection_by_time::who_was_refreshed_before_an_instant_or_never"),
    },
    RefreshOption {
        key: "excludeWindow",
        label: "Refresh identities whose last refresh date is at least this number of hours ago",
        name: "--not-refreshed-for",
        phase: "0",
        default: "nobody is left out",
        status: Status::Works("selection_by_time::who_was_not_refreshed_for_some_time"),
    },
    RefreshOption {
        key: "includeWindow",
        label: "Refresh identities whose last refresh date is within this number of hours",
        name: "--refreshed-within",
        phase: "0",
        default: "nobody is left out",
        status: Status::Works(
            "selection_by_time::a_window_never_snowballs_since_what_a_refresh_itself_touched_does_not_count",
        ),
    },
    RefreshOption {
        key: "includeWindowModified",
        label: "Include modified identities in the refresh date window",
        name: "--or-modified",
        phase: "0",
        default: "off",
        status: Status::Works("selection_by_time::who_was_modified_within_the_window_as_well"),
    },
    RefreshOption {
        key: "filterNeedsRefresh",
        label: "Refresh only identities marked as needing refresh during aggregation",
        name: "--due",
        phase: "0",
        default: "on, unless something else is selected",
        status: Status::Works("selection::a_filter_selects_who_fulfils_it_due_or_not"),
    },
    RefreshOption {
        key: "noResetNeedsRefresh",
        label: "Do not reset the needing refresh marker after refresh",
        name: "--keep-due",
        phase: "15",
        default: "off",
        status: Status::Works(
            "selection_by_time::whom_a_refresh_keeps_due_is_refreshed_again_by_the_next",
        ),
    },
    RefreshOption {
        key: "excludeInactive",
        label: "Exclude identities marked inactive",
        name: "--exclude-inactive",
        phase: "0",
        default: "off",
        status: Status::Works("selection::whoever_is_inactive_is_left_out_unless_something_is_due"),
    },
    RefreshOption {
        key: "refreshLinks",
        label: "Refresh all application account attributes",
        name: "--accounts",
        phase: "1",
        default: "off",
        status: Status::Works("accounts_again::accounts_are_asked_for_again_before_a_refresh"),
    },
    RefreshOption {
        key: "promoteAttributes",
        label: "Refresh identity attributes",
        name: "attribute promotion",
        phase: "4",
        default: "on",
        status: Status::Replaced(
            ALWAYS,
            "replaced::every_refresh_does_all_of_it_for_whom_it_concerns_and_for_nobody_else",
        ),
    },
    RefreshOption {
        key: "refreshIdentityEntitlements",
        label: "Refresh Identity Entitlements for all links",
        name: "entitlements",
        phase: "5",
        default: "on",
        status: Status::Replaced(
            ALWAYS,
            "replaced::every_refresh_does_all_of_it_for_whom_it_concerns_and_for_nobody_else",
        ),
    },
    RefreshOption {
        key: "refreshManagerStatus",
        label: "Refresh manager status",
        name: "idr identity show",
        phase: "4",
        default: "",
        status: Status::Replaced(
            "how many somebody manages is counted whenever somebody asks: idr identity show",
            "replaced::how_many_somebody_manages_is_counted_when_somebody_asks",
        ),
    },
    RefreshOption {
        key: "correlateEntitlements",
        label: "Refresh assigned, detected roles and promote additional entitlements",
        name: "roles",
        phase: "7",
        default: "on",
        status: Status::Replaced(
            ALWAYS,
            "replaced::every_refresh_does_all_of_it_for_whom_it_concerns_and_for_nobody_else",
        ),
    },
    RefreshOption {
        key: "provision",
        label: "Provision assignments",
        name: "provisioning.roles",
        phase: "9",
        default: "on",
        status: Status::Works("provisioning::roles_may_be_left_out_and_entitlements_may_stay"),
    },
    RefreshOption {
        key: "provisionIfChanged",
        label: "",
        name: "",
        phase: "9",
        default: "",
        status: Status::Replaced(
            "what is called for is compared with what accounts are, so nothing is planned twice",
            "replaced::what_is_called_for_is_planned_once_and_again_only_when_something_has_changed",
        ),
    },
    RefreshOption {
        key: "noRoleDeprovisioning",
        label: "Disable deprovisioning of deassigned roles",
        name: "provisioning.remove",
        phase: "9",
        default: "off",
        status: Status::Works("provisioning::roles_may_be_left_out_and_entitlements_may_stay"),
    },
    RefreshOption {
        key: "refreshRoleMetadata",
        label: "Refresh role metadata for each identity",
        name: "idr role list",
        phase: "8",
        default: "",
        status: Status::Replaced(
            "worked out from the roles whenever somebody asks: idr role list, idr identity show",
            "replaced::who_has_a_role_and_what_it_lacks_is_counted_when_somebody_asks",
        ),
    },
    RefreshOption {
        key: "enableManualAccountSelection",
        label: "Enable manual account selection",
        name: "provisioning.manual_account_selection",
        phase: "12",
        default: "off",
        status: Status::Works(
            "provisioning::of_several_accounts_a_person_is_asked_or_nothing_is_done",
        ),
    },
    RefreshOption {
        key: "synchronizeAttributes",
        label: "Synchronize attributes",
        name: "provisioning.synchronise",
        phase: "9",
        default: "on",
        status: Status::Works("provisioning::an_account_attribute_follows_an_identity_attribute"),
    },
    RefreshOption {
        key: "refreshScorecard",
        label: "Refresh the identity risk scorecards",
        name: "risk.toml",
        phase: "11",
        default: "on, where it is there",
        status: Status::Replaced(
            ALWAYS,
            "replaced::scores_are_worked_out_where_there_is_a_scorecard",
        ),
    },
    RefreshOption {
        key: "checkHistory",
        label: "Maintain identity histories",
        name: "[history] in idr.toml",
        phase: "14",
        default: "",
        status: Status::Works("history::images_are_kept_of_whoever_differs"),
    },
    RefreshOption {
        key: "refreshGroups",
        label: "Refresh the group scorecards",
        name: "idr risk groups",
        phase: "17",
        default: "",
        status: Status::Replaced(
            "worked out from the scorecards whenever somebody asks: idr risk groups",
            "replaced::scores_are_worked_out_where_there_is_a_scorecard",
        ),
    },
    RefreshOption {
        key: "deleteDormantGroups",
        label: "Clean up groups definitions that are no longer referenced",
        name: "",
        phase: "17",
        default: "",
        status: Status::Replaced(
            GROUPS,
            "replaced::groups_and_scopes_are_there_as_long_as_somebody_is_in_them",
        ),
    },
    RefreshOption {
        key: "checkPolicies",
        label: "Check active policies",
        name: "--no-policies",
        phase: "10",
        default: "on",
        status: Status::Works(
            "policies::policies_that_are_not_judged_leave_whom_they_would_find_otherwise_due",
        ),
    },
    RefreshOption {
        key: "keepInactiveViolations",
        label: "Keep previous violations",
        name: "keep_previous in policies.toml",
        phase: "10",
        default: "off",
        status: Status::Works("policies::violations_that_are_over_stay_where_they_are_kept"),
    },
    RefreshOption {
        key: "policies",
        label: "A comma separated list of specific policy names",
        name: "--policies",
        phase: "10",
        default: "all of them",
        status: Status::Works(
            "policies::policies_that_are_not_judged_leave_whom_they_would_find_otherwise_due",
        ),
    },
    RefreshOption {
        key: "correlateScope",
        label: "Refresh assigned scope",
        name: "",
        phase: "6b",
        default: "",
        status: Status::Replaced(
            SCOPES,
            "replaced::groups_and_scopes_are_there_as_long_as_somebody_is_in_them",
        ),
    },
    RefreshOption {
        key: "noAutoCreateScopes",
        label: "Disable auto creation of scopes",
        name: "",
        phase: "6b",
        default: "",
        status: Status::Replaced(
            SCOPES,
            "replaced::groups_and_scopes_are_there_as_long_as_somebody_is_in_them",
        ),
    },
    RefreshOption {
        key: "markDormantScopes",
        label: "Mark dormant scopes after refresh",
        name: "",
        phase: "17",
        default: "",
        status: Status::Replaced(
            SCOPES,
            "replaced::groups_and_scopes_are_there_as_long_as_somebody_is_in_them",
        ),
    },
    RefreshOption {
        key: "refreshCertifications",
        label: "Refresh continuous certifications",
        name: "",
        phase: "",
        default: "",
        status: Status::NotOffered("certifications are another product's; events can start them"),
    },
    RefreshOption {
        key: "processTriggers",
        label: "Process events",
        name: "events",
        phase: "13",
        default: "on",
        status: Status::Replaced(
            ALWAYS,
            "replaced::every_refresh_does_all_of_it_for_whom_it_concerns_and_for_nobody_else",
        ),
    },
    RefreshOption {
        key: "disableIdentityProcessingThreshold",
        label: "Disable Identity Processing Threshold",
        name: "idr run approve",
        phase: "15",
        default: "off",
        status: Status::Replaced(
            "a person looks at what tripped and approves that run; no run goes without thresholds",
            "replaced::a_run_that_trips_a_threshold_waits_for_a_person_and_any_other_goes_on",
        ),
    },
    RefreshOption {
        key: "refreshCompositeApplications",
        label: "Refresh logical application links",
        name: "[logical] in applications/NAME.toml",
        phase: "3",
        default: "on",
        status: Status::Replaced(
            "every refresh does it, for whom it concerns",
            "replaced::accounts_of_a_logical_application_are_there_where_it_is_defined",
        ),
    },
    RefreshOption {
        key: "promoteManagedAttributes",
        label: "Promote managed attributes",
        name: "idr entitlement list",
        phase: "6",
        default: "",
        status: Status::Replaced(
            "the catalogue is worked out from accounts and roles whenever somebody asks: idr entitlement list",
            "replaced::the_catalogue_is_what_is_held_and_what_roles_contain",
        ),
    },
    RefreshOption {
        key: "refreshProvisioningRequests",
        label: "",
        name: "provisioning.confirm_within",
        phase: "9",
        default: "24h",
        status: Status::Replaced(
            "what was sent is confirmed by what accounts show, or counts as failed after `confirm_within` of `[provisioning]` in idr.toml",
            "replaced::what_was_sent_is_confirmed_by_its_account_or_fails_after_a_while",
        ),
    },
    RefreshOption {
        key: "pruneIdentities",
        label: "",
        name: "prune",
        phase: "17",
        default: "",
        status: Status::Works("prune::a_task_prunes_once_its_run_is_done"),
    },
    RefreshOption {
        key: "preRefreshRule",
        label: "Pre-Refresh Rule",
        name: "before_refresh in identity.toml",
        phase: "2b",
        default: "no rule",
        status: Status::Works(
            "proposals::a_before_refresh_rule_proposes_what_counts_before_the_sources",
        ),
    },
    RefreshOption {
        key: "refreshRule",
        label: "Refresh Rule",
        name: "after_refresh in identity.toml",
        phase: "14b",
        default: "no rule",
        status: Status::Works(
            "proposals::an_after_refresh_rule_proposes_inputs_of_the_next_refresh",
        ),
    },
    RefreshOption {
        key: "refreshThreads",
        label: "Number of refresh threads",
        name: "--threads",
        phase: "",
        default: "as many as there are processors",
        status: Status::Works("how_it_runs::a_run_plans_on_as_many_threads_as_it_is_told"),
    },
    RefreshOption {
        key: "enablePartitioning",
        label: "Enable partitioning",
        name: "",
        phase: "",
        default: "",
        status: Status::NotYet,
    },
    RefreshOption {
        key: "partitions",
        label: "Number of partitions",
        name: "",
        phase: "",
        default: "",
        status: Status::NotYet,
    },
    RefreshOption {
        key: "lossLimit",
        label: "Loss Limit",
        name: "--chunk-size",
        phase: "",
        default: "1000",
        status: Status::Works("how_it_runs::a_chunk_is_what_is_committed_together"),
    },
    RefreshOption {
        key: "forceWorkflow",
        label: "Always launch the workflow (even if the usual triggers do not apply)",
        name: "",
        phase: "13",
        default: "",
        status: Status::NotOffered(
            "handlers belong to triggers, and an event says what happened; a workflow for everybody of every run says nothing (docs/adr/0016)",
        ),
    },
    RefreshOption {
        key: "refreshWorkflow",
        label: "Refresh Workflow",
        name: "handlers in triggers.toml",
        phase: "13",
        default: "",
        status: Status::Replaced(
            "each trigger says which workflow of workflows.toml it launches; idr dispatch carries it out",
            "replaced::a_trigger_launches_the_workflow_that_it_names_and_another_none",
        ),
    },
    RefreshOption {
        key: "doManualActions",
        label: "Enable the generation of work items for unmanaged parts of the provisioning plan",
        name: "idr work-item list",
        phase: "12",
        default: "on",
        status: Status::Replaced(
            "idr dispatch opens a work item for whatever no connector can carry out",
            "replaced::people_do_what_no_connector_can_and_connectors_everything_else",
        ),
    },
    RefreshOption {
        key: "disableManagerLookup",
        label: "Disable connector lookup of managers that do not correlate",
        name: "",
        phase: "4",
        default: "",
        status: Status::NotOffered(
            "no connector is asked during a refresh; who looks for a manager that isn't there is refreshed when the manager comes",
        ),
    },
    RefreshOption {
        key: "noMaintenanceWindowRetry",
        label: "Do not schedule retry requests during application maintenance windows",
        name: "",
        phase: "16",
        default: "",
        status: Status::NotOffered(
            "there are no maintenance windows: what an application doesn't take is tried again, ever more rarely (`[dispatch]` in idr.toml)",
        ),
    },
    RefreshOption {
        key: "noCheckPendingWorkflow",
        label: "",
        name: "",
        phase: "13",
        default: "",
        status: Status::NotOffered("nobody is skipped because something of theirs is pending"),
    },
    RefreshOption {
        key: "maxExceptions",
        label: "",
        name: "--max-exceptions",
        phase: "",
        default: "go on",
        status: Status::Works(
            "how_it_runs::a_run_stops_once_too_many_have_new_errors_and_can_be_resumed",
        ),
    },
    RefreshOption {
        key: "enableTriggerIdentityQueue",
        label: "",
        name: "",
        phase: "13",
        default: "",
        status: Status::NotOffered(
            "events are recorded in the identity's own transaction, so there is no lock to queue for",
        ),
    },
    RefreshOption {
        key: "triggerIdentityQueueSize",
        label: "",
        name: "",
        phase: "13",
        default: "",
        status: Status::NotOffered(
            "events are recorded in the identity's own transaction, so there is no lock to queue for",
        ),
    },
    RefreshOption {
        key: "",
        label: "",
        name: "--all",
        phase: "0",
        default: "who is due",
        status: Status::Works("selection::a_filter_selects_who_fulfils_it_due_or_not"),
    },
    RefreshOption {
        key: "",
        label: "",
        name: "--identity",
        phase: "0",
        default: "nobody is left out",
        status: Status::Works("selection::a_filter_selects_who_fulfils_it_due_or_not"),
    },
    RefreshOption {
        key: "",
        label: "",
        name: "--identities-from",
        phase: "0",
        default: "nobody is left out",
        status: Status::Works("selection::a_task_may_have_a_list_of_names"),
    },
    RefreshOption {
        key: "",
        label: "",
        name: "tasks",
        phase: "",
        default: "none",
        status: Status::Works("how_it_runs::tasks_of_a_task_run_in_order"),
    },
    RefreshOption {
        key: "",
        label: "",
        name: "stop_at_error",
        phase: "",
        default: "on",
        status: Status::Works(
            "how_it_runs::a_task_that_goes_wrong_is_the_last_unless_told_otherwise",
        ),
    },
];

/// A counter of IdentityIQ's refresh task, and what became of it.
#[derive(Clone, Copy, Debug)]
pub struct RefreshCounter {
    /// IdentityIQ's name.
    pub key: &'static str,
    /// Where it stands in a run's report (`idr run show --json`); empty when it doesn't.
    pub name: &'static str,
    /// What became of it.
    pub status: Status,
}

/// Every counter of IdentityIQ's refresh task.
pub const COUNTERS: [RefreshCounter; 32] = [
    RefreshCounter {
        key: "total",
        name: "refreshed",
        status: Status::Works("counters::what_a_run_does_is_counted"),
    },
    RefreshCounter {
        key: "linksRefreshed",
        name: "counters.accountsRead",
        status: Status::Works("accounts_again::accounts_are_asked_for_again_before_a_refresh"),
    },
    RefreshCounter {
        key: "linksRemoved",
        name: "counters.accountsRemoved",
        status: Status::Works("accounts_again::accounts_are_asked_for_again_before_a_refresh"),
    },
    RefreshCounter {
        key: "linksUnavailable",
        name: "counters.accountsUnavailable",
        status: Status::Works("accounts_again::accounts_are_asked_for_again_before_a_refresh"),
    },
    RefreshCounter {
        key: "identitiesPruned",
        name: "counters.identitiesPruned",
        status: Status::Works("prune::a_task_prunes_once_its_run_is_done"),
    },
    RefreshCounter {
        key: "managers",
        name: "counters.managers",
        status: Status::Works("counters::what_a_run_does_is_counted"),
    },
    RefreshCounter {
        key: "detectedRoleChanges",
        name: "counters.detectedRoles",
        status: Status::Works("counters::what_becomes_of_entitlements_is_counted"),
    },
    RefreshCounter {
        key: "exceptionChanges",
        name: "counters.additionalEntitlements",
        status: Status::Works("counters::what_becomes_of_entitlements_is_counted"),
    },
    RefreshCounter {
        key: "identityEntitlementsCreated",
        name: "counters.entitlementsCreated",
        status: Status::Works("counters::what_becomes_of_entitlements_is_counted"),
    },
    RefreshCounter {
        key: "identityEntitlementsUpdated",
        name: "counters.entitlementsUpdated",
        status: Status::Works("counters::what_becomes_of_entitlements_is_counted"),
    },
    RefreshCounter {
        key: "managedAttributesCreated",
        name: "",
        status: Status::Replaced(
            "the catalogue is worked out whenever somebody asks, so a refresh creates nothing of it: idr entitlement list",
            "replaced::the_catalogue_is_what_is_held_and_what_roles_contain",
        ),
    },
    RefreshCounter {
        key: "managedAttributesCreatedByApplication",
        name: "",
        status: Status::Replaced(
            "as `managedAttributesCreated`",
            "replaced::the_catalogue_is_what_is_held_and_what_roles_contain",
        ),
    },
    RefreshCounter {
        key: "triggersProcessed",
        name: "events",
        status: Status::Works("counters::what_a_run_does_is_counted"),
    },
    RefreshCounter {
        key: "workflowsLaunched",
        name: "counters.workflows",
        status: Status::Works("counters::what_a_run_does_is_counted"),
    },
    RefreshCounter {
        key: "provisioningRequests",
        name: "counters.provisioningRequests",
        status: Status::Works("provisioning::a_role_gives_what_it_asks_for_and_takes_it_with_it"),
    },
    RefreshCounter {
        key: "provisioningErrors",
        name: "counters.provisioningErrors",
        status: Status::Works("provisioning::what_was_sent_and_never_shown_is_counted_once"),
    },
    RefreshCounter {
        key: "unansweredAccountSelections",
        name: "counters.unansweredAccountSelections",
        status: Status::Works(
            "provisioning::of_several_accounts_a_person_is_asked_or_nothing_is_done",
        ),
    },
    RefreshCounter {
        key: "unansweredAccountSelectionsIdentities",
        name: "counters.unansweredAccountSelectionsIdentities",
        status: Status::Works(
            "provisioning::of_several_accounts_a_person_is_asked_or_nothing_is_done",
        ),
    },
    RefreshCounter {
        key: "policies",
        name: "counters.policies",
        status: Status::Works("policies::what_governance_does_is_counted"),
    },
    RefreshCounter {
        key: "policyViolations",
        name: "counters.policyViolations",
        status: Status::Works("policies::what_governance_does_is_counted"),
    },
    RefreshCounter {
        key: "policyNotifications",
        name: "counters.policyNotifications",
        status: Status::Works("policies::what_governance_does_is_counted"),
    },
    RefreshCounter {
        key: "scoresChanged",
        name: "counters.scoresChanged",
        status: Status::Works("policies::what_governance_does_is_counted"),
    },
    RefreshCounter {
        key: "snapshotsCreated",
        name: "counters.snapshotsCreated",
        status: Status::Works("history::images_are_kept_of_whoever_differs"),
    },
    RefreshCounter {
        key: "groupDefinitions",
        name: "",
        status: Status::Replaced(
            GROUPS,
            "replaced::groups_and_scopes_are_there_as_long_as_somebody_is_in_them",
        ),
    },
    RefreshCounter {
        key: "groupIndexes",
        name: "",
        status: Status::Replaced(
            "groups have no index: idr risk groups works their scores out when somebody asks",
            "replaced::scores_are_worked_out_where_there_is_a_scorecard",
        ),
    },
    RefreshCounter {
        key: "scopesCreated",
        name: "",
        status: Status::Replaced(
            SCOPES,
            "replaced::groups_and_scopes_are_there_as_long_as_somebody_is_in_them",
        ),
    },
    RefreshCounter {
        key: "scopesCorrelated",
        name: "",
        status: Status::Replaced(
            SCOPES,
            "replaced::groups_and_scopes_are_there_as_long_as_somebody_is_in_them",
        ),
    },
    RefreshCounter {
        key: "scopesSelected",
        name: "",
        status: Status::Replaced(
            SCOPES,
            "replaced::groups_and_scopes_are_there_as_long_as_somebody_is_in_them",
        ),
    },
    RefreshCounter {
        key: "scopesDormant",
        name: "",
        status: Status::Replaced(
            SCOPES,
            "replaced::groups_and_scopes_are_there_as_long_as_somebody_is_in_them",
        ),
    },
    RefreshCounter {
        key: "unscopedIdentities",
        name: "",
        status: Status::Replaced(
            SCOPES,
            "replaced::groups_and_scopes_are_there_as_long_as_somebody_is_in_them",
        ),
    },
    RefreshCounter {
        key: "certificationsCreated",
        name: "",
        status: Status::NotOffered("certifications are another product's; events can start them"),
    },
    RefreshCounter {
        key: "certificationsDeleted",
        name: "",
        status: Status::NotOffered("certifications are another product's; events can start them"),
    },
];

impl RefreshOption {
    /// Says whether it is called so in a task (`tasks/NAME.toml`).
    pub fn is_task_key(&self, key: &str) -> bool {
        let mut names = self.name.split(" or ");
        names.any(|name| name.trim_start_matches('-').replace('-', "_") == key)
    }
}

/// Returns the text of `docs/order-of-operations.md`.
pub fn markdown() -> String {
    let mut text = "# Order of operations\n\n\
        What a refresh does, in this order; nothing changes it. Made by `idr phases --markdown`.\n\n\
        | # | phase | group | what it does | IdentityIQ |\n|---|---|---|---|---|\n"
        .to_owned();
    let codes = |keys: &[&str]| {
        let keys: Vec<_> = keys.iter().map(|key| code(key)).collect();
        keys.join(", ")
    };
    for phase in &PHASES {
        let (group, keys) = (
            phase.group.unwrap_or_default(),
            codes(phase.identityiq_options),
        );
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "| {} | {} | {group} | {} | {keys} |",
            phase.number, phase.phase, phase.what
        );
    }
    text += "\nSteps of one group are due, skipped and frozen together. Numbers stay when later\n\
        versions add steps in between.\n\n\
        Steps 2 to 12b are planned for everybody selected, put to the gate and applied; then\n\
        again for whoever has read what that changed, until nothing changes any more. Step 13\n\
        follows when the values have settled. A run that was asked for some identities leaves\n\
        step 2 out.\n\n\
        ## Options of IdentityIQ's refresh task\n\n\
        | key | label | here | # | default | status |\n|---|---|---|---|---|---|\n";
    for option in &OPTIONS {
        let (key, name) = (code(option.key), code(option.name));
        let status = shown(option.status);
        let _ = writeln!(
            text,
            "| {key} | {} | {name} | {} | {} | {status} |",
            option.label, option.phase, option.default
        );
    }
    text += "\n## Counters of IdentityIQ's refresh task\n\n\
        A run's report has those that apply.\n\n\
        | counter | here | status |\n|---|---|---|\n";
    for counter in &COUNTERS {
        let (key, name) = (code(counter.key), code(counter.name));
        let _ = writeln!(text, "| {key} | {name} | {} |", shown(counter.status));
    }
    text
}

/// Returns a backticked text; nothing for an empty one.
fn code(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!("`{text}`"),
    }
}

/// Returns the word for a status, with what there is to say about it.
fn shown(status: Status) -> String {
    match status.remark() {
        Some(remark) => format!("{}: {remark}", status.as_str()),
        None => status.as_str().to_owned(),
    }
}
