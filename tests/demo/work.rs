//! How much work a refresh does, counted: what makes it slower shows here, on however
//! busy a machine. Whoever means to change these numbers blesses the snapshots.

use std::fmt::Write as _;

use serde_json::Value;

use crate::common::TestHost;

/// Counts what the cases of a profile do, a line for each count and a column for each
/// case. Of so few identities that no run notes its progress in between.
fn counted(profile: &str, identities: &str) -> String {
    let host = TestHost::new();
    let seed = ["--identities", identities, "--seed", "1"];
    let prepare = ["bench", "prepare", "place", "--profile", profile];
    assert_eq!(host.run(prepare.into_iter().chain(seed)), "[exit 0]");
    let mut counts: Vec<(&str, Value)> = Vec::new();
    for (case, change) in [
        ("full-first", None),
        ("full-unchanged", None),
        ("incremental-0", None),
        ("incremental-10", Some("10")),
        ("full-changed", Some("1")),
    ] {
        if let Some(one_in) = change {
            let change = ["bench", "change", "place", one_in];
            assert_eq!(host.run(change), "[exit 0]");
        }
        let case_args = ["--tenant", "place/tenant", "bench", "case", case, "--count"];
        counts.push((case, host.json(case_args)));
    }
    let mut table = format!("{profile:<24}");
    for (case, _) in &counts {
        let _ = write!(table, "{case:>16}");
    }
    let names = counts[0].1.as_object().expect("counts by name").keys();
    for name in names {
        let _ = write!(table, "\n{name:<24}");
        for (_, counted) in &counts {
            let _ = write!(table, "{:>16}", counted[name].to_string());
        }
    }
    table
}

#[test]
fn the_standard_tenant_takes_no_more_work_than_known() {
    insta::assert_snapshot!(counted("standard", "200"), @r"
    standard                      full-first  full-unchanged   incremental-0  incremental-10    full-changed
    bytes decoded                    1092652          507554           35435          209918         1724735
    bytes encoded                     523028            7087            7087           63068          572775
    commits                                8               7               7               8               8
    documents decoded                   2606             805               5             266            2606
    documents encoded                    401               1               1              61             601
    rows written                        1612             607               7             190            1810
    rule calls                          1992            1992               0             260            2600
    statements                          5493              80              74             456            2514
    ");
}

#[test]
fn the_organisation_takes_no_more_work_than_known() {
    insta::assert_snapshot!(counted("organisation", "200"), @r"
    organisation                  full-first  full-unchanged   incremental-0  incremental-10    full-changed
    bytes decoded                    1911028          412072           13285          163753         1476947
    bytes encoded                     797958            2657            2657           47984          452184
    commits                               10               7               7               8               8
    documents decoded                   3610             687               5             233            2252
    documents encoded                    600               1               1              45             426
    rows written                        3803             607               7             174            1635
    rule calls                          3493            2050               0             260            2650
    statements                          9317             279              74             467            2710
    ");
}

#[test]
fn midpoints_shape_takes_no_more_work_than_known() {
    insta::assert_snapshot!(counted("midpoint-1s-50m-5t-20a", "30"), @r"
    midpoint-1s-50m-5t-20a        full-first  full-unchanged   incremental-0  incremental-10    full-changed
    bytes decoded                    2608372         1038603           81935          410792         3348761
    bytes encoded                     488619           16387           16387           74068          583350
    commits                                8               7               7               8               8
    documents decoded                    666             215               5              72             681
    documents encoded                     61               1               1              22             196
    rows written                         250              97               7              49             400
    rule calls                             0               0               0               0               0
    statements                          8517              80              74             160             609
    ");
}
