//! Every document comes back as it was, and those of this version stay readable.

use std::collections::BTreeMap;
use std::fmt::Debug;

use idr_core::model::{
    Account, AccountAction, AccountKey, AccountOperation, AccountStatus, ActionReason,
    AssignmentSource, AttributeChange, AttributeState, Baseline, Basis, ByHand, ChangeAnswer,
    ChangeMemory, Claim, ClaimOrigin, Effect, EffectKind, Entitlement, EntitlementChange,
    EntitlementDecision, EntitlementVerdict, Event, EventChange, EventTally, Finding,
    GivenEntitlement, Handler, Holding, Identity, IdentityRecord, IdentityType, Image, Lag, Link,
    LogicalAccount, ManualEdit, Name, NativeChange, NativeEntitlement, NativeOperation, NewClaim,
    PolicyDecision, PolicyVerdict, Proposal, Proposals, Provenance, Provisioning, ReadKey, Retries,
    Retry, RoleAssignment, RoleDecision, RoleDetection, RoleVerdict, Score, Scorecard, SentAction,
    SentOutcome, Severity, StateOverride, TargetAccount, TriggerMemory, Uid, UnansweredChange,
    UnixMillis, Value, ValueChange, Versions, Violation, ViolationStatus, Wake, WorkItem, finding,
};
use idr_core::plan::{Changes, LifecycleChange};
use jiff::civil::Date;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;

use super::{Document, decode, encode};
use crate::store::{
    Aggregation, AggregationStatus, Counters, Run, RunId, RunSettings, RunStatus, Scope,
    SpooledPlan, Stage, StagedChange, Step, TenantState,
};

fn name() -> impl Strategy<Value = Name> {
    let names = ["department", "email", "Ü x", "a\"b\\c", "", "manager", "zz"];
    select(names.to_vec()).prop_map(Name::new)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-z]{0,12}", 1 => any::<String>()]
}

fn instant() -> impl Strategy<Value = UnixMillis> {
    prop_oneof![0..2_000_000_000_000_i64, any::<i64>()].prop_map(UnixMillis)
}

fn uid() -> impl Strategy<Value = Uid> {
    prop_oneof![0..1_000_000_i64, any::<i64>()].prop_map(Uid)
}

fn value() -> impl Strategy<Value = Value> {
    let decimal = (any::<i64>(), 0_u32..28).prop_map(|(number, scale)| Decimal::new(number, scale));
    let date = (-9999_i16..=9999, 1_i8..=12, 1_i8..=28)
        .prop_map(|(year, month, day)| Date::new(year, month, day).expect("a day of that month"));
    prop_oneof![
        4 => text().prop_map(Value::text),
        1 => any::<i64>().prop_map(Value::Integer),
        1 => decimal.prop_map(Value::Decimal),
        1 => any::<bool>().prop_map(Value::Boolean),
        1 => date.prop_map(Value::Date),
        1 => instant().prop_map(Value::Instant),
        1 => vec(text(), 0..3).prop_map(Value::many),
    ]
}

fn by_name<T: Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<(Name, T)>> {
    vec((name(), value), 0..5).prop_map(|mut pairs| {
        pairs.sort_by_key(|(name, _)| *name);
        pairs.dedup_by_key(|(name, _)| *name);
        pairs
    })
}

fn provenance() -> impl Strategy<Value = Provenance> {
    prop_oneof![
        2 => Just(Provenance::Source(0)),
        1 => any::<u16>().prop_map(Provenance::Source),
        1 => instant().prop_map(Provenance::Kept),
        1 => Just(Provenance::Manual),
        1 => name().prop_map(Provenance::Proposed),
    ]
}

fn attribute_state() -> impl Strategy<Value = AttributeState> {
    (option::weighted(0.8, value()), provenance())
        .prop_map(|(value, provenance)| AttributeState { value, provenance })
}

fn account_key() -> impl Strategy<Value = AccountKey> {
    (name(), text()).prop_map(|(application, native_identity)| AccountKey {
        application,
        native_identity,
    })
}

fn edit() -> impl Strategy<Value = ManualEdit> {
    (
        name(),
        option::of(value()),
        option::of(value()),
        text(),
        text(),
        instant(),
    )
        .prop_map(
            |(attribute, value, feed_value, actor, reason, at)| ManualEdit {
                attribute,
                value,
                feed_value,
                actor,
                reason,
                at,
            },
        )
}

fn native_change() -> impl Strategy<Value = NativeChange> {
    let operation = select(
        NativeOperation::ALL
            .map(|(_, operation)| operation)
            .to_vec(),
    );
    (account_key(), operation, vec(name(), 0..3), instant()).prop_map(
        |(account, operation, attributes, detected_at)| NativeChange {
            account,
            operation,
            attributes,
            detected_at,
        },
    )
}

fn proposals() -> impl Strategy<Value = Proposals> {
    (by_name(option::of(value())), any::<u32>(), any::<u32>()).prop_map(
        |(attributes, rounds, hops)| Proposals {
            attributes,
            rounds,
            hops,
        },
    )
}

fn value_changes() -> impl Strategy<Value = Vec<ChangeMemory>> {
    let proposal =
        (text(), option::of(value())).prop_map(|(attribute, value)| Proposal { attribute, value });
    let answer =
        (instant(), vec(proposal, 0..3)).prop_map(|(at, proposals)| ChangeAnswer { at, proposals });
    let unanswered =
        (instant(), option::of(value())).prop_map(|(at, old)| UnansweredChange { at, old });
    let memory = (name(), name(), option::of(answer), option::of(unanswered));
    let memory = memory.prop_map(|(attribute, rule, answer, unanswered)| ChangeMemory {
        attribute,
        rule,
        answer,
        unanswered,
    });
    vec(memory, 0..3)
}

fn retries() -> impl Strategy<Value = Retries> {
    let retry = || {
        let retry = (any::<u32>(), instant());
        option::of(retry.prop_map(|(attempts, at)| Retry { attempts, at }))
    };
    (retry(), retry()).prop_map(|(phases, events)| Retries { phases, events })
}

fn baseline() -> impl Strategy<Value = Baseline> {
    (
        any::<bool>(),
        option::of(text()),
        by_name(option::of(value())),
        option::of(option::of(uid())),
        option::of((option::of(name()), option::of(instant()))),
        any::<Option<bool>>(),
        by_name(option::of(
            (instant(), source()).prop_map(|(since, source)| Holding { since, source }),
        )),
        (
            option::of(vec(account_action(), 0..2)),
            option::of(provisioning()),
            option::of(vec(work_item(), 0..2)),
            option::of(vec(violation(), 0..2)),
            by_name(any::<u32>()),
        ),
    )
        .prop_map(
            |(
                unseen,
                name,
                attributes,
                manager,
                lifecycle,
                inactive,
                assigned,
                (account_actions, provisioning, work_items, violations, chains),
            )| Baseline {
                unseen,
                name,
                attributes,
                manager,
                lifecycle_state: lifecycle.map(|(state, _)| state),
                lifecycle_since: lifecycle.and_then(|(_, since)| since),
                inactive,
                assigned,
                account_actions,
                provisioning,
                work_items,
                violations,
                chains,
            },
        )
}

fn violation() -> impl Strategy<Value = Violation> {
    let basis = select(Basis::ALL.map(|(_, basis)| basis).to_vec());
    let status = select(ViolationStatus::ALL.map(|(_, status)| status).to_vec());
    let texts = || vec(text(), 0..2);
    (
        name(),
        instant(),
        (basis, status),
        (texts(), texts(), texts()),
        option::of(instant()),
    )
        .prop_map(
            |(policy, since, (basis, status), (left, right, held), ended)| Violation {
                policy,
                since,
                basis,
                left,
                right,
                status,
                held,
                ended,
            },
        )
}

fn policy_decision() -> impl Strategy<Value = PolicyDecision> {
    let verdict = select(PolicyVerdict::ALL.map(|(_, verdict)| verdict).to_vec());
    (name(), verdict, option::of(instant()), text(), instant()).prop_map(
        |(policy, verdict, until, actor, at)| PolicyDecision {
            policy,
            verdict,
            until,
            reason: actor.clone(),
            actor,
            at,
        },
    )
}

fn scorecard() -> impl Strategy<Value = Scorecard> {
    any::<[u32; 8]>().prop_map(|numbers| {
        let score = |place: usize| Score {
            raw: numbers[place],
            compensated: numbers[place + 1],
        };
        Scorecard {
            composite: numbers[0],
            certification: numbers[1],
            roles: score(2),
            entitlements: score(4),
            policies: score(6),
        }
    })
}

fn work_item() -> impl Strategy<Value = WorkItem> {
    (option::of(text()), text(), instant()).prop_map(|(owner, description, since)| WorkItem {
        owner,
        description,
        since,
    })
}

fn native_entitlement() -> impl Strategy<Value = NativeEntitlement> {
    let change = select(EntitlementChange::ALL.map(|(_, change)| change).to_vec());
    (name(), text(), change, any::<bool>(), instant()).prop_map(
        |(attribute, value, change, was_there, detected_at)| NativeEntitlement {
            attribute,
            value,
            change,
            was_there,
            detected_at,
        },
    )
}

fn entitlement_decision() -> impl Strategy<Value = EntitlementDecision> {
    let verdict = select(EntitlementVerdict::ALL.map(|(_, verdict)| verdict).to_vec());
    (
        account_key(),
        native_entitlement(),
        verdict,
        text(),
        instant(),
    )
        .prop_map(|(account, about, verdict, actor, at)| EntitlementDecision {
            account,
            about,
            verdict,
            reason: actor.clone(),
            actor,
            at,
        })
}

fn account_action() -> impl Strategy<Value = AccountAction> {
    let operation = select(AccountOperation::ALL.map(|(_, case)| case).to_vec());
    let changes = vec(attribute_change(), 0..3);
    let reasons = vec(action_reason(), 0..3);
    (
        (account_key(), operation, option::of(text())),
        (changes, reasons, 0..3_u32, instant()),
    )
        .prop_map(
            |((account, operation, to), (changes, reasons, hops, since))| AccountAction {
                account,
                operation,
                to,
                changes,
                reasons,
                hops,
                since,
            },
        )
}

fn attribute_change() -> impl Strategy<Value = AttributeChange> {
    let change = prop_oneof![
        option::of(value()).prop_map(ValueChange::Set),
        vec(text(), 1..3).prop_map(ValueChange::Add),
        vec(text(), 1..3).prop_map(ValueChange::Remove),
    ];
    (name(), change).prop_map(|(attribute, change)| AttributeChange { attribute, change })
}

fn action_reason() -> impl Strategy<Value = ActionReason> {
    let sources = AssignmentSource::ALL.map(|(_, case)| case).to_vec();
    let changes = EntitlementChange::ALL.map(|(_, case)| case).to_vec();
    prop_oneof![
        (name(), select(sources)).prop_map(|(role, source)| ActionReason::Role { role, source }),
        name().prop_map(|role| ActionReason::RoleGone { role }),
        name().prop_map(|state| ActionReason::State { state }),
        name().prop_map(|attribute| ActionReason::Synchronisation { attribute }),
        select(changes).prop_map(|change| ActionReason::NativeChange { change }),
        (text(), name())
            .prop_map(|(workflow, trigger)| ActionReason::Workflow { workflow, trigger }),
    ]
}

fn provisioning() -> impl Strategy<Value = Provisioning> {
    let entitlement =
        (account_key(), name(), text()).prop_map(|(account, attribute, value)| Entitlement {
            account,
            attribute,
            value,
        });
    let given = (entitlement, vec(name(), 0..3))
        .prop_map(|(entitlement, roles)| GivenEntitlement { entitlement, roles });
    let target =
        (name(), account_key()).prop_map(|(role, account)| TargetAccount { role, account });
    let outcome = prop_oneof![
        Just(SentOutcome::Sent),
        Just(SentOutcome::Confirmed),
        text().prop_map(SentOutcome::Failed)
    ];
    let sent =
        (account_action(), instant(), outcome).prop_map(|(action, at, outcome)| SentAction {
            action,
            at,
            outcome,
        });
    let parts = (vec(given, 0..3), vec(target, 0..3), vec(sent, 0..3));
    parts.prop_map(|(given, targets, sent)| Provisioning {
        given,
        targets,
        sent,
    })
}

fn effect() -> impl Strategy<Value = Effect> {
    let handler = prop_oneof![
        (text(), text()).prop_map(|(owner, description)| Handler::WorkItem { owner, description }),
        text().prop_map(|name| Handler::Workflow { name }),
        text().prop_map(|url| Handler::Webhook { url }),
    ];
    let what = prop_oneof![
        account_action().prop_map(EffectKind::Account),
        work_item().prop_map(EffectKind::WorkItem),
        (name(), any::<u64>(), any::<u32>(), handler, 0..12u32).prop_map(
            |(trigger, sequence, place, handler, hops)| EffectKind::Handler {
                trigger,
                sequence,
                place,
                handler,
                hops,
            }
        ),
    ];
    (uid(), what, instant(), instant()).prop_map(|(uid, what, effective_at, detected_at)| Effect {
        uid,
        what,
        effective_at,
        detected_at,
    })
}

fn trigger_memory() -> impl Strategy<Value = TriggerMemory> {
    let lag = (baseline(), vec(native_change(), 0..2)).prop_map(|(baseline, native_changes)| Lag {
        baseline,
        native_changes,
    });
    (
        name(),
        any::<u64>(),
        any::<bool>(),
        option::weighted(0.3, lag),
        any::<bool>(),
    )
        .prop_map(|(trigger, digest, level, lag, circles)| TriggerMemory {
            trigger,
            digest,
            level,
            lag,
            circles,
        })
}

fn claim() -> impl Strategy<Value = Claim> {
    (name(), text()).prop_map(|(namespace, value)| Claim { namespace, value })
}

fn read_key() -> impl Strategy<Value = ReadKey> {
    prop_oneof![
        (uid(), name()).prop_map(|(uid, name)| ReadKey::Attribute(uid, name)),
        (name(), text()).prop_map(|(name, text)| ReadKey::Lookup(name, text)),
        claim().prop_map(ReadKey::Claim),
    ]
}

fn a_finding() -> impl Strategy<Value = Finding> {
    let severity = select(Severity::ALL.map(|(_, severity)| severity).to_vec());
    let phase = select(finding::PHASES.to_vec());
    (severity, phase, text(), name(), text(), option::of(text())).prop_map(
        |(severity, phase, subject, cause, message, hint)| Finding {
            severity,
            phase,
            subject,
            cause,
            message,
            hint,
        },
    )
}

fn source() -> impl Strategy<Value = AssignmentSource> {
    select(AssignmentSource::ALL.map(|(_, source)| source).to_vec())
}

fn assignments() -> impl Strategy<Value = Vec<RoleAssignment>> {
    let account = option::of(account_key());
    let assignment = (name(), instant(), source(), account, vec(name(), 0..3));
    vec(assignment, 0..3).prop_map(|roles| {
        let assigned = |(role, since, source, account, permits)| RoleAssignment {
            role,
            since,
            source,
            account,
            permits,
        };
        roles.into_iter().map(assigned).collect()
    })
}

fn detections() -> impl Strategy<Value = Vec<RoleDetection>> {
    vec((name(), vec(account_key(), 0..3)), 0..3).prop_map(|roles| {
        let detected = |(role, accounts)| RoleDetection { role, accounts };
        roles.into_iter().map(detected).collect()
    })
}

fn by_hand() -> impl Strategy<Value = ByHand> {
    let verdict = select(RoleVerdict::ALL.map(|(_, verdict)| verdict).to_vec());
    let window = (option::of(instant()), option::of(instant()));
    let scope = (option::of(name()), option::of(account_key()));
    let decision = (name(), verdict, scope, window, text(), instant()).prop_map(
        |(role, verdict, (within, account), (from, until), actor, at)| RoleDecision {
            role,
            verdict,
            within,
            account,
            from,
            until,
            reason: actor.clone(),
            actor,
            at,
        },
    );
    let state = (
        name(),
        option::of(instant()),
        option::of(name()),
        text(),
        instant(),
    )
        .prop_map(|(state, until, before, actor, at)| StateOverride {
            state,
            until,
            before,
            reason: actor.clone(),
            actor,
            at,
        });
    let entitlements = vec(entitlement_decision(), 0..2);
    (
        vec(edit(), 0..2),
        vec(decision, 0..2),
        option::of(state),
        entitlements,
        vec(policy_decision(), 0..2),
    )
        .prop_map(|(edits, roles, state, entitlements, policies)| ByHand {
            edits,
            roles,
            state,
            entitlements,
            policies,
        })
}

/// The uid stands beside the document.
fn identity() -> impl Strategy<Value = Identity> {
    let first = (
        text(),
        select(IdentityType::ALL.map(|(_, case)| case).to_vec()),
        by_hand(),
        (proposals(), value_changes()),
        (vec(native_change(), 0..2), logical_accounts()),
        by_name(attribute_state()),
        option::of(uid()),
        option::of(name()),
        option::of(instant()),
        any::<bool>(),
    );
    let second = (
        assignments(),
        detections(),
        (
            (vec(account_action(), 0..2), provisioning()),
            (
                vec(work_item(), 0..2),
                vec(violation(), 0..2),
                option::of(scorecard()),
            ),
            baseline(),
        ),
        vec(trigger_memory(), 0..3),
        any::<u64>().prop_map(EventTally),
        vec(read_key(), 0..3),
        vec(read_key(), 0..3),
        (option::of(instant()), option::of(instant()), retries()),
        (vec(a_finding(), 0..2), option::of(any::<u64>())),
    );
    (first, second).prop_map(|(first, second)| {
        let (
            name,
            identity_type,
            by_hand,
            (proposals, value_changes),
            (native_changes, logical_accounts),
            attributes,
            manager,
            state,
            since,
            inactive,
        ) = first;
        let (
            assigned,
            detected,
            ((account_actions, provisioning), (work_items, violations, scorecard), baseline),
            triggers,
            events,
            reads,
            event_reads,
            wake,
            (findings, history),
        ) = second;
        Identity {
            uid: Uid::default(),
            name,
            identity_type,
            by_hand,
            proposals,
            value_changes,
            native_changes,
            attributes,
            manager,
            lifecycle_state: state,
            lifecycle_since: since,
            inactive,
            logical_accounts,
            assigned,
            detected,
            account_actions,
            provisioning,
            work_items,
            violations,
            scorecard,
            baseline,
            triggers,
            events,
            reads,
            event_reads,
            wake: Wake {
                phases: wake.0,
                events: wake.1,
            },
            retries: wake.2,
            findings,
            history,
        }
    })
}

/// Key and owner stand beside the document.
fn account() -> impl Strategy<Value = Account> {
    let status = select(vec![
        AccountStatus::Enabled,
        AccountStatus::Disabled,
        AccountStatus::Locked,
    ]);
    let link = select(Link::ALL.map(|(_, link)| link).to_vec());
    let notes = vec(native_entitlement(), 0..2);
    let missing = (option::of(instant()), any::<bool>());
    (status, missing, by_name(value()), notes, link).prop_map(
        |(status, (missing_since, taken_away), attributes, native_entitlements, link)| Account {
            key: AccountKey {
                application: Name::new(""),
                native_identity: String::new(),
            },
            status,
            missing_since,
            taken_away,
            attributes,
            native_entitlements,
            link,
            owner: None,
        },
    )
}

fn logical_accounts() -> impl Strategy<Value = Vec<LogicalAccount>> {
    let one = (account_key(), account(), vec(account_key(), 1..3));
    let one = one.prop_map(|(key, account, parts)| LogicalAccount {
        account: Account { key, ..account },
        parts,
    });
    vec(one, 0..2)
}

fn staged() -> impl Strategy<Value = StagedChange> {
    prop_oneof![
        (account_key(), account())
            .prop_map(|(key, account)| StagedChange::Listed(Account { key, ..account })),
        account_key().prop_map(StagedChange::Missing),
    ]
}

/// The uid stands beside the document.
fn plan() -> impl Strategy<Value = SpooledPlan> {
    let lifecycle = (option::of(name()), option::of(instant()), any::<bool>()).prop_map(
        |(state, since, inactive)| LifecycleChange {
            state,
            since,
            inactive,
        },
    );
    let changes = (
        by_name(option::of(attribute_state())),
        (option::of(vec(edit(), 0..2)), any::<bool>()),
        (
            option::of(option::of(uid())),
            option::of(logical_accounts()),
        ),
        option::of(lifecycle),
        option::of(assignments()),
        option::of(detections()),
        (
            (
                option::of(vec(account_action(), 0..2)),
                option::of(provisioning()),
            ),
            option::of(vec(entitlement_decision(), 0..2)),
            (
                option::of(vec(work_item(), 0..2)),
                option::of(vec(violation(), 0..2)),
                option::of(option::of(scorecard())),
                any::<bool>(),
            ),
        ),
        option::of(vec(read_key(), 0..3)),
        (option::of(option::of(instant())), option::of(retries())),
        option::of(vec(a_finding(), 0..2)),
        (
            vec(
                (
                    claim(),
                    select(ClaimOrigin::ALL.map(|(_, origin)| origin).to_vec()),
                ),
                0..2,
            ),
            vec(claim(), 0..2),
            by_name(any::<u32>()),
        ),
    )
        .prop_map(|changes| {
            let (
                attributes,
                (edits, override_ended),
                (manager, logical_accounts),
                lifecycle,
                assigned,
                detected,
                (
                    (account_actions, provisioning),
                    entitlement_decisions,
                    (work_items, violations, scorecard, left_out),
                ),
                reads,
                (wake, retries),
                findings,
                (claims, declined, chains),
            ) = changes;
            let claims = claims.into_iter();
            Changes {
                attributes,
                edits,
                override_ended,
                manager,
                lifecycle,
                logical_accounts,
                assigned,
                detected,
                account_actions,
                provisioning,
                entitlement_decisions,
                work_items,
                violations,
                scorecard,
                left_out,
                reads,
                wake,
                retries,
                findings,
                chains,
                claims: claims
                    .map(|(claim, origin)| NewClaim { claim, origin })
                    .collect(),
                declined,
            }
        });
    (any::<[i64; 5]>(), any::<bool>(), changes).prop_map(|(planned, events, changes)| {
        let [input, identity_read, access_read, state, events_read] = planned;
        SpooledPlan {
            uid: Uid::default(),
            planned: Versions {
                input,
                identity_read,
                access_read,
                state,
                events_read,
            },
            events,
            changes,
        }
    })
}

fn counts() -> impl Strategy<Value = BTreeMap<String, u64>> {
    prop::collection::btree_map(text(), any::<u64>(), 0..3)
}

fn run() -> impl Strategy<Value = Run> {
    let scope = prop_oneof![Just(Scope::Due), Just(Scope::All), Just(Scope::Chosen),];
    let stage = select(vec![Stage::Start, Stage::Plan, Stage::Apply, Stage::Events]);
    let step = (instant(), any::<u32>(), stage, option::of(uid())).prop_map(
        |(instant, wave, stage, cursor)| Step {
            instant,
            wave,
            stage,
            cursor,
        },
    );
    let counters =
        (any::<[u64; 13]>(), counts(), counts()).prop_map(|(numbers, events, changes)| Counters {
            selected: numbers[0],
            refreshed: numbers[1],
            changed: numbers[2],
            waves: numbers[3],
            leavers: numbers[4],
            role_removals: numbers[5],
            account_disables: numbers[8],
            account_deletions: numbers[9],
            account_creations: numbers[11],
            entitlement_removals: numbers[12],
            chunks: numbers[10],
            findings_opened: numbers[6],
            events,
            changes,
            elapsed_ms: numbers[7],
        });
    let flags = any::<(i64, bool, bool, bool)>();
    let plain = any::<(bool, Option<u32>, u32, Option<u64>)>();
    let settings = (plain, option::of(vec(name(), 0..2))).prop_map(
        |((keep_due, threads, chunk_size, max_exceptions), policies)| RunSettings {
            keep_due,
            policies,
            threads,
            chunk_size,
            max_exceptions,
        },
    );
    let scope = (scope, settings);
    let status = select(RunStatus::ALL.map(|(_, status)| status).to_vec());
    let texts = (text(), option::of(text()), option::of(text()));
    (
        flags,
        status,
        instant(),
        instant(),
        scope,
        step,
        counters,
        texts,
    )
        .prop_map(
            |(flags, status, as_of, started_at, scope, step, counters, texts)| Run {
                actor: texts.1.clone().unwrap_or_default(),
                id: RunId(flags.0),
                status,
                as_of,
                started_at,
                scope: scope.0,
                settings: scope.1,
                by_window: flags.3,
                configuration: texts.0,
                silent: flags.1,
                step,
                held_kinds: texts
                    .1
                    .iter()
                    .map(|text| (text.clone(), text.clone()))
                    .collect(),
                approved_kinds: texts.1.iter().cloned().collect(),
                held: texts.1,
                approved: flags.2,
                counters,
                error: texts.2,
            },
        )
}

fn aggregation() -> impl Strategy<Value = Aggregation> {
    let status = select(vec![
        AggregationStatus::Staging,
        AggregationStatus::Applying,
        AggregationStatus::Held,
        AggregationStatus::Done,
        AggregationStatus::Rejected,
    ]);
    let numbers = any::<(i64, i64, bool)>();
    (
        numbers,
        text(),
        text(),
        instant(),
        status,
        counts(),
        (vec(text(), 0..3), vec(name(), 0..3)),
    )
        .prop_map(
            |(numbers, application, file, as_of, status, counters, (held, entitlements))| {
                Aggregation {
                    id: numbers.0,
                    application,
                    file,
                    delta: numbers.2,
                    as_of,
                    status,
                    cursor: numbers.1,
                    counters,
                    held,
                    entitlements,
                }
            },
        )
}

fn event() -> impl Strategy<Value = Event> {
    let change = (text(), option::of(value()), option::of(value()))
        .prop_map(|(what, old, new)| EventChange { what, old, new });
    (
        uid(),
        any::<u64>(),
        name(),
        instant(),
        instant(),
        vec(change, 0..3),
    )
        .prop_map(
            |(uid, sequence, trigger, effective_at, detected_at, changes)| Event {
                uid,
                sequence,
                trigger,
                effective_at,
                detected_at,
                changes,
            },
        )
}

fn tenant() -> impl Strategy<Value = TenantState> {
    let lists = (counts(), vec(name(), 0..3), vec(text(), 0..2));
    (
        option::of(instant()),
        any::<bool>(),
        option::of(text()),
        lists,
    )
        .prop_map(
            |(last_as_of, baselines_set, configuration, lists)| TenantState {
                last_as_of,
                baselines_set,
                configuration,
                definitions: lists.0,
                lookup_attributes: lists.1,
                isolated_rules: lists.2,
            },
        )
}

fn comes_back<T: Document + PartialEq + Debug>(value: &T) -> Result<(), TestCaseError> {
    let text = encode(value);
    match decode::<T>(text.as_bytes()) {
        Ok(read) => prop_assert_eq!(value, &read, "{}", text),
        Err(error) => prop_assert!(false, "{error}: {text}"),
    }
    Ok(())
}

proptest! {
    #[test]
    fn identities_come_back(identity in identity()) {
        comes_back(&identity)?;
    }

    #[test]
    fn images_come_back(identity in identity(), accounts in vec(account(), 0..3)) {
        let record = IdentityRecord {
            identity,
            accounts,
            versions: Versions::default(),
        };
        comes_back(&Image::of(&record))?;
    }

    #[test]
    fn accounts_come_back(account in account()) {
        comes_back(&account)?;
    }

    #[test]
    fn staged_changes_come_back(staged in staged()) {
        comes_back(&staged)?;
    }

    #[test]
    fn plans_come_back(plan in plan()) {
        comes_back(&plan)?;
    }

    #[test]
    fn runs_come_back(run in run()) {
        comes_back(&run)?;
    }

    #[test]
    fn aggregations_come_back(aggregation in aggregation()) {
        comes_back(&aggregation)?;
    }

    #[test]
    fn events_come_back(event in event()) {
        comes_back(&event)?;
    }

    #[test]
    fn effects_come_back(effect in effect()) {
        comes_back(&effect)?;
    }

    #[test]
    fn tenants_come_back(tenant in tenant()) {
        comes_back(&tenant)?;
    }
}

#[test]
fn what_is_as_by_default_is_not_written() {
    let identity = Identity {
        name: "ana".to_owned(),
        ..Identity::default()
    };
    insta::assert_snapshot!(encode(&identity), @r#"{"name":"ana"}"#);
    let plan = SpooledPlan {
        uid: Uid(7),
        planned: Versions::default(),
        events: false,
        changes: Changes::default(),
    };
    insta::assert_snapshot!(encode(&plan), @r#"{"planned":[0,0,0,0,0]}"#);
}

#[test]
fn what_can_not_be_read_says_so_without_showing_it() {
    let message = |text: &str| {
        let error = decode::<Identity>(text.as_bytes()).expect_err("no identity");
        error.to_string()
    };
    assert_eq!(message(""), "it is empty");
    assert_eq!(
        message("\u{2}abc"),
        "it begins with '\\u{2}', as no version of documents does"
    );
    for text in [
        r#"{"name":"ana","attributes":{"wage":"secret"}"#,
        r#"{"name":"ana","attributes":{"wage":"secret}}"#,
        r#"{"name":"ana"} {"secret":1}"#,
        r#"{"name":"ana","manager":"a text"}"#,
        r#"{"attributes":{}}"#,
    ] {
        let message = message(text);
        assert!(
            !message.contains("secret") && !message.contains('\n'),
            "{message}"
        );
    }
    let message = message(r#"{"name":"ana","wage":100}"#);
    assert!(message.starts_with("unknown field `wage`"), "{message}");
}

/// A document of each kind in which everything says something.
mod full {
    use super::*;

    fn key(application: &str, native_identity: &str) -> AccountKey {
        AccountKey {
            application: Name::new(application),
            native_identity: native_identity.to_owned(),
        }
    }

    fn state(value: Value, provenance: Provenance) -> AttributeState {
        AttributeState {
            value: Some(value),
            provenance,
        }
    }

    fn text(text: &str) -> Value {
        Value::text(text)
    }

    fn attributes() -> Vec<(Name, AttributeState)> {
        let first = Provenance::Source(0);
        let cleared = AttributeState {
            value: None,
            provenance: Provenance::Source(1),
        };
        let decimal = Value::Decimal("1.5".parse().expect("a decimal"));
        let date = Value::Date("2026-01-31".parse().expect("a date"));
        let many = Value::many(["alpha", "beta"]);
        let attributes = [
            ("active", state(Value::Boolean(true), first)),
            ("city", cleared),
            ("department", state(text("Sales"), first)),
            (
                "displayName",
                state(text("Ana \"A\" Çelik"), Provenance::Manual),
            ),
            (
                "endsAt",
                state(
                    Value::Instant(UnixMillis(1_767_225_600_000)),
                    Provenance::Source(2),
                ),
            ),
            ("hours", state(decimal, first)),
            (
                "level",
                state(Value::Integer(-3), Provenance::Kept(UnixMillis(1_000))),
            ),
            ("projects", state(many, first)),
            ("startDate", state(date, first)),
        ];
        attributes
            .map(|(name, state)| (Name::new(name), state))
            .to_vec()
    }

    fn native_change() -> NativeChange {
        NativeChange {
            account: key("crm", "a-1"),
            operation: NativeOperation::Modify,
            attributes: vec![Name::new("groups")],
            detected_at: UnixMillis(2_000),
        }
    }

    fn baseline() -> Baseline {
        Baseline {
            unseen: true,
            name: Some("anna".to_owned()),
            attributes: vec![
                (Name::new("city"), Some(text("Lyon"))),
                (Name::new("level"), None),
            ],
            manager: Some(None),
            lifecycle_state: Some(Some(Name::new("active"))),
            lifecycle_since: Some(UnixMillis(500)),
            inactive: Some(false),
            assigned: vec![
                (
                    Name::new("Clerk"),
                    Some(Holding {
                        since: UnixMillis(700),
                        source: AssignmentSource::Manual,
                    }),
                ),
                (Name::new("Teller"), None),
            ],
            account_actions: Some(account_actions()),
            provisioning: Some(provisioning()),
            work_items: Some(vec![WorkItem {
                owner: None,
                ..work_item()
            }]),
            violations: Some(violations()),
            chains: vec![(Name::new("city"), 2)],
        }
    }

    fn violations() -> Vec<Violation> {
        vec![Violation {
            policy: Name::new("payments"),
            since: UnixMillis(2_700),
            basis: Basis::Desired,
            left: vec!["Buyer".to_owned()],
            right: vec!["Payer".to_owned()],
            status: ViolationStatus::Expired,
            held: vec!["Payer".to_owned()],
            ended: Some(UnixMillis(2_800)),
        }]
    }

    fn scorecard() -> Scorecard {
        let score = |raw| Score {
            raw,
            compensated: raw + 1,
        };
        Scorecard {
            composite: 300,
            roles: score(10),
            entitlements: score(20),
            policies: score(30),
            certification: 400,
        }
    }

    fn work_item() -> WorkItem {
        WorkItem {
            owner: Some("bo".to_owned()),
            description: "decide about it".to_owned(),
            since: UnixMillis(2_600),
        }
    }

    fn native_entitlement() -> NativeEntitlement {
        NativeEntitlement {
            attribute: Name::new("groups"),
            value: "g1".to_owned(),
            change: EntitlementChange::Lost,
            was_there: true,
            detected_at: UnixMillis(450),
        }
    }

    fn entitlement_decisions() -> Vec<EntitlementDecision> {
        vec![EntitlementDecision {
            account: key("crm", "a-1"),
            about: native_entitlement(),
            verdict: EntitlementVerdict::Restored,
            actor: "bo".to_owned(),
            reason: "nobody asked for it".to_owned(),
            at: UnixMillis(770),
        }]
    }

    pub(super) fn work_item_effect() -> Effect {
        Effect {
            what: EffectKind::WorkItem(work_item()),
            ..account_effect()
        }
    }

    fn account_actions() -> Vec<AccountAction> {
        vec![AccountAction {
            account: key("crm", "a-1"),
            operation: AccountOperation::Move,
            to: Some("ou=gone".to_owned()),
            changes: vec![
                AttributeChange {
                    attribute: Name::new("city"),
                    change: ValueChange::Set(None),
                },
                AttributeChange {
                    attribute: Name::new("groups"),
                    change: ValueChange::Add(vec!["admins".to_owned()]),
                },
                AttributeChange {
                    attribute: Name::new("groups"),
                    change: ValueChange::Remove(vec!["staff".to_owned()]),
                },
                AttributeChange {
                    attribute: Name::new("mail"),
                    change: ValueChange::Set(Some(text("ana@acme.example"))),
                },
            ],
            reasons: vec![
                ActionReason::Role {
                    role: Name::new("sales"),
                    source: AssignmentSource::Rule,
                },
                ActionReason::RoleGone {
                    role: Name::new("support"),
                },
                ActionReason::State {
                    state: Name::new("leaver"),
                },
                ActionReason::Synchronisation {
                    attribute: Name::new("email"),
                },
                ActionReason::NativeChange {
                    change: EntitlementChange::Lost,
                },
            ],
            hops: 1,
            since: UnixMillis(2_500),
        }]
    }

    fn provisioning() -> Provisioning {
        let [action] = account_actions().try_into().expect("one");
        let entitlement = Entitlement {
            account: key("crm", "a-1"),
            attribute: Name::new("groups"),
            value: "admins".to_owned(),
        };
        let sent = |at, outcome| SentAction {
            action: action.clone(),
            at: UnixMillis(at),
            outcome,
        };
        Provisioning {
            given: vec![GivenEntitlement {
                entitlement,
                roles: vec![Name::new("sales")],
            }],
            targets: vec![TargetAccount {
                role: Name::new("sales"),
                account: key("crm", "a-1"),
            }],
            sent: vec![
                sent(2_600, SentOutcome::Sent),
                sent(2_650, SentOutcome::Confirmed),
                sent(2_700, SentOutcome::Failed("it is full".to_owned())),
            ],
        }
    }

    pub(super) fn account_effect() -> Effect {
        Effect {
            uid: Uid(7),
            what: EffectKind::Account(account_actions().remove(0)),
            effective_at: UnixMillis(1_000),
            detected_at: UnixMillis(2_000),
        }
    }

    pub(super) fn handler_effect() -> Effect {
        Effect {
            what: EffectKind::Handler {
                trigger: Name::new("leaver"),
                sequence: 2,
                place: 1,
                handler: Handler::WorkItem {
                    owner: "manager".to_owned(),
                    description: "collect the laptop".to_owned(),
                },
                hops: 0,
            },
            ..account_effect()
        }
    }

    fn finding() -> Finding {
        Finding {
            severity: Severity::AccessAtRisk,
            phase: finding::LIFECYCLE_STATE,
            subject: "lifecycle".to_owned(),
            cause: Name::new("rule-trapped"),
            message: "the rule crashed".to_owned(),
            hint: Some("replay it".to_owned()),
        }
    }

    fn reads() -> Vec<ReadKey> {
        vec![
            ReadKey::Attribute(Uid(2), Name::new("email")),
            ReadKey::Lookup(Name::new("displayName"), "bo".to_owned()),
            ReadKey::Claim(Claim::on(Name::new("login"), "Bo")),
        ]
    }

    fn by_hand() -> ByHand {
        ByHand {
            edits: edits(),
            roles: vec![RoleDecision {
                role: Name::new("Clerk"),
                verdict: RoleVerdict::Denied,
                within: Some(Name::new("Clerks")),
                account: Some(key("crm", "a-1")),
                from: Some(UnixMillis(800)),
                until: Some(UnixMillis(8_000)),
                actor: "bo".to_owned(),
                reason: "not for now".to_owned(),
                at: UnixMillis(750),
            }],
            state: Some(StateOverride {
                state: Name::new("leave"),
                until: Some(UnixMillis(9_000)),
                before: Some(Name::new("active")),
                actor: "bo".to_owned(),
                reason: "a sabbatical".to_owned(),
                at: UnixMillis(760),
            }),
            entitlements: entitlement_decisions(),
            policies: vec![PolicyDecision {
                policy: Name::new("payments"),
                verdict: PolicyVerdict::Allowed,
                until: Some(UnixMillis(9_500)),
                actor: "bo".to_owned(),
                reason: "until the year is closed".to_owned(),
                at: UnixMillis(780),
            }],
        }
    }

    fn edits() -> Vec<ManualEdit> {
        vec![ManualEdit {
            attribute: Name::new("displayName"),
            value: Some(text("Ana \"A\" Çelik")),
            feed_value: Some(text("Ana Celik")),
            actor: "bo".to_owned(),
            reason: "as she writes it".to_owned(),
            at: UnixMillis(900),
        }]
    }

    fn assigned() -> Vec<RoleAssignment> {
        vec![RoleAssignment {
            role: Name::new("Manager"),
            since: UnixMillis(1_000),
            source: AssignmentSource::Manual,
            account: Some(key("crm", "a-1")),
            permits: vec![Name::new("CRM admin")],
        }]
    }

    fn detected() -> Vec<RoleDetection> {
        vec![RoleDetection {
            role: Name::new("CRM user"),
            accounts: vec![key("crm", "a-1"), key("crm", "a-2")],
        }]
    }

    fn retries() -> Retries {
        Retries {
            phases: Some(Retry {
                attempts: 3,
                at: UnixMillis(5_000),
            }),
            events: None,
        }
    }

    fn value_changes() -> Vec<ChangeMemory> {
        let proposal = |attribute: &str, value| Proposal {
            attribute: attribute.to_owned(),
            value,
        };
        let memory = |attribute, answer, unanswered| ChangeMemory {
            attribute: Name::new(attribute),
            rule: Name::new("former names"),
            answer,
            unanswered,
        };
        let answer = ChangeAnswer {
            at: UnixMillis(800),
            proposals: vec![
                proposal("formerName", Some(text("Celik"))),
                proposal("desk", None),
            ],
        };
        let unanswered = |old| UnansweredChange {
            at: UnixMillis(850),
            old,
        };
        vec![
            memory("lastName", Some(answer), Some(unanswered(None))),
            memory("title", None, Some(unanswered(Some(text("Dr"))))),
        ]
    }

    pub(super) fn identity() -> Identity {
        Identity {
            uid: Uid::default(),
            name: "ana".to_owned(),
            identity_type: IdentityType::Contractor,
            by_hand: by_hand(),
            proposals: Proposals {
                attributes: vec![
                    (Name::new("desk"), None),
                    (Name::new("site"), Some(text("Bern"))),
                ],
                rounds: 2,
                hops: 3,
            },
            value_changes: value_changes(),
            native_changes: vec![native_change()],
            attributes: attributes(),
            manager: Some(Uid(2)),
            lifecycle_state: Some(Name::new("leave")),
            lifecycle_since: Some(UnixMillis(1_000)),
            inactive: true,
            logical_accounts: vec![logical_account()],
            assigned: assigned(),
            detected: detected(),
            account_actions: account_actions(),
            provisioning: provisioning(),
            work_items: vec![work_item()],
            violations: violations(),
            scorecard: Some(scorecard()),
            baseline: baseline(),
            triggers: vec![
                TriggerMemory {
                    trigger: Name::new("joiner"),
                    digest: u64::MAX,
                    level: false,
                    lag: None,
                    circles: false,
                },
                TriggerMemory {
                    trigger: Name::new("mover"),
                    digest: 7,
                    level: true,
                    lag: Some(Lag {
                        baseline: baseline(),
                        native_changes: vec![native_change()],
                    }),
                    circles: false,
                },
            ],
            events: EventTally(3),
            reads: reads(),
            event_reads: reads(),
            wake: Wake {
                phases: Some(UnixMillis(3_000)),
                events: Some(UnixMillis(4_000)),
            },
            retries: retries(),
            findings: vec![finding()],
            history: Some(u64::MAX),
        }
    }

    fn logical_account() -> LogicalAccount {
        let key = key("crm", "cn=ana");
        LogicalAccount {
            account: Account {
                key: key.clone(),
                link: Link::Logical,
                native_entitlements: Vec::new(),
                missing_since: None,
                ..account()
            },
            parts: vec![key],
        }
    }

    pub(super) fn image() -> Image {
        Image::of(&IdentityRecord {
            identity: identity(),
            accounts: vec![Account {
                key: key("crm", "a-1"),
                ..account()
            }],
            versions: Versions::default(),
        })
    }

    pub(super) fn account() -> Account {
        Account {
            key: key("", ""),
            status: AccountStatus::Disabled,
            missing_since: Some(UnixMillis(500)),
            taken_away: true,
            attributes: vec![
                (Name::new("email"), text("ana@example.org")),
                (Name::new("groups"), Value::many(["g1"])),
            ],
            native_entitlements: vec![native_entitlement()],
            link: Link::Manual,
            owner: None,
        }
    }

    pub(super) fn listed() -> StagedChange {
        StagedChange::Listed(Account {
            key: key("crm", "a-1"),
            ..account()
        })
    }

    pub(super) fn missing() -> StagedChange {
        StagedChange::Missing(key("crm", "a-2"))
    }

    pub(super) fn plan() -> SpooledPlan {
        SpooledPlan {
            uid: Uid::default(),
            planned: Versions {
                input: 5,
                identity_read: 4,
                access_read: 3,
                state: 2,
                events_read: 1,
            },
            events: true,
            changes: Changes {
                attributes: attributes()
                    .into_iter()
                    .map(|(name, state)| (name, Some(state)))
                    .chain([(Name::new("wage"), None)])
                    .collect(),
                edits: Some(edits()),
                override_ended: true,
                manager: Some(None),
                lifecycle: Some(LifecycleChange {
                    state: Some(Name::new("active")),
                    since: Some(UnixMillis(5_000)),
                    inactive: true,
                }),
                logical_accounts: Some(vec![logical_account()]),
                assigned: Some(assigned()),
                detected: Some(detected()),
                account_actions: Some(account_actions()),
                provisioning: Some(provisioning()),
                entitlement_decisions: Some(entitlement_decisions()),
                work_items: Some(vec![work_item()]),
                violations: Some(violations()),
                scorecard: Some(Some(scorecard())),
                left_out: true,
                reads: Some(reads()),
                wake: Some(Some(UnixMillis(6_000))),
                retries: Some(retries()),
                findings: Some(vec![finding()]),
                chains: vec![(Name::new("city"), 2)],
                claims: vec![NewClaim {
                    claim: Claim::on(Name::new("login"), "Ann"),
                    origin: ClaimOrigin::Generated,
                }],
                declined: vec![Claim::on(Name::new("login"), "bo")],
            },
        }
    }

    fn counts() -> BTreeMap<String, u64> {
        [("one".to_owned(), 1), ("two".to_owned(), 2)].into()
    }

    pub(super) fn run() -> Run {
        Run {
            actor: "ana".to_owned(),
            id: RunId(17),
            status: RunStatus::Held,
            as_of: UnixMillis(9_000),
            started_at: UnixMillis(8_000),
            scope: Scope::Chosen,
            settings: RunSettings {
                keep_due: true,
                policies: Some(vec![Name::new("payments")]),
                threads: Some(2),
                chunk_size: 3,
                max_exceptions: Some(4),
            },
            by_window: true,
            configuration: "c0ffee".to_owned(),
            silent: true,
            step: Step {
                instant: UnixMillis(7_000),
                wave: 2,
                stage: Stage::Events,
                cursor: Some(Uid(1)),
            },
            held: Some("too many leavers".to_owned()),
            held_kinds: [("leavers".to_owned(), "too many".to_owned())].into(),
            approved_kinds: vec!["leavers".to_owned()],
            approved: true,
            counters: Counters {
                selected: 1,
                refreshed: 2,
                changed: 3,
                waves: 4,
                leavers: 5,
                role_removals: 6,
                account_disables: 9,
                account_deletions: 10,
                account_creations: 12,
                entitlement_removals: 13,
                chunks: 11,
                findings_opened: 7,
                events: counts(),
                changes: counts(),
                elapsed_ms: 8,
            },
            error: Some("the disk is full".to_owned()),
        }
    }

    pub(super) fn aggregation() -> Aggregation {
        Aggregation {
            id: 4,
            application: "crm".to_owned(),
            file: "crm.csv".to_owned(),
            delta: true,
            as_of: UnixMillis(9_000),
            status: AggregationStatus::Held,
            cursor: 12,
            counters: counts(),
            held: vec!["half of all accounts are gone".to_owned()],
            entitlements: vec![Name::new("groups")],
        }
    }

    pub(super) fn event() -> Event {
        Event {
            uid: Uid(7),
            sequence: 2,
            trigger: Name::new("leaver"),
            effective_at: UnixMillis(1_000),
            detected_at: UnixMillis(2_000),
            changes: vec![EventChange {
                what: "lifecycleState".to_owned(),
                old: Some(text("active")),
                new: Some(text("inactive")),
            }],
        }
    }

    pub(super) fn tenant() -> TenantState {
        TenantState {
            last_as_of: Some(UnixMillis(9_000)),
            baselines_set: true,
            configuration: Some("c0ffee".to_owned()),
            definitions: counts(),
            lookup_attributes: vec![Name::new("email"), Name::new("name")],
            isolated_rules: vec!["facade".to_owned()],
        }
    }
}

/// Compares with the fixture. With `BLESS=1` a fixture that isn't there yet is
/// written; one that is there is what some store holds, and is never replaced.
fn stays_readable<T: Document + PartialEq + Debug>(fixture: &str, value: &T) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/codec/fixtures");
    let path = format!("{folder}/{fixture}.1.json");
    if std::env::var_os("BLESS").is_some() && !std::path::Path::new(&path).exists() {
        std::fs::write(&path, encode(value) + "\n").expect("the fixture can be written");
    }
    let text = std::fs::read_to_string(&path).expect("the fixture is there");
    let text = text.trim_end();
    let read: T = decode(text.as_bytes()).expect("a document of version 1 is readable");
    assert_eq!(read, *value, "{path} means something else now");
    assert_eq!(encode(value), text, "{path} is written differently now");
}

/// When one of these fails, stores in use can't be read any more, or would be
/// read wrongly: give the new form another version, and keep reading this one.
#[test]
fn documents_of_version_1_stay_readable() {
    stays_readable("account-effect", &full::account_effect());
    stays_readable("handler-effect", &full::handler_effect());
    stays_readable("work-item-effect", &full::work_item_effect());
    stays_readable("identity", &full::identity());
    stays_readable("image", &full::image());
    stays_readable("account", &full::account());
    stays_readable("listed", &full::listed());
    stays_readable("missing", &full::missing());
    stays_readable("plan", &full::plan());
    stays_readable("run", &full::run());
    stays_readable("aggregation", &full::aggregation());
    stays_readable("event", &full::event());
    stays_readable("tenant", &full::tenant());
}
