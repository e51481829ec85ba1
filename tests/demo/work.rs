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
    bytes decoded                     289132          507344           35425           82459          507620
    bytes encoded                     522826            7085            7085           63026          572373
    commits                                8               7               7               8               8
    documents decoded                    805             805               5              85             805
    documents encoded                    401               1               1              61             601
    rows written                        1812             607               7             190            1814
    rule calls                          1992            1992               0             260            2600
    statements                          6124              90              72             437            2751
    ");
}

#[test]
fn the_organisation_takes_no_more_work_than_known() {
    insta::assert_snapshot!(counted("organisation", "200"), @r"
    organisation                  full-first  full-unchanged   incremental-0  incremental-10    full-changed
    bytes decoded                     229506          411867           13280           54985          424093
    bytes encoded                     797757            2656            2656           47943          451783
    commits                               10               7               7               8               8
    documents decoded                    888             687               5              74             687
    documents encoded                    600               1               1              45             426
    rows written                        4001             607               7             174            1635
    rule calls                          3493            2050               0             260            2650
    statements                         10362             289              72             456            2939
    ");
}

#[test]
fn midpoints_shape_takes_no_more_work_than_known() {
    insta::assert_snapshot!(counted("midpoint-1s-50m-5t-20a", "30"), @r"
    midpoint-1s-50m-5t-20a        full-first  full-unchanged   incremental-0  incremental-10    full-changed
    bytes decoded                     830839         1038603           81935          177430         1148250
    bytes encoded                     488619           16387           16387           74068          583350
    commits                                8               7               7               8               8
    documents decoded                    215             215               5              26             230
    documents encoded                     61               1               1              22             196
    rows written                         280              97               7              49             400
    rule calls                             0               0               0               0               0
    statements                          8607              78              72             158             638
    ");
}
