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
    bytes encoded                     233997            7085            7085           36812          307545
    commits                                7               7               7               7               7
    documents decoded                    805             805               5              85             805
    documents encoded                    201               1               1              41             401
    rows written                        1411             607               7             149            1413
    rule calls                          1992            1992               0             260            2600
    statements                          1317              93              75             248            1120
    ");
}

#[test]
fn the_organisation_takes_no_more_work_than_known() {
    insta::assert_snapshot!(counted("organisation", "200"), @r"
    organisation                  full-first  full-unchanged   incremental-0  incremental-10    full-changed
    bytes decoded                     229506          411867           13280           54985          424093
    bytes encoded                     518469            2656            2656           25327          224017
    commits                                9               7               7               7               7
    documents decoded                    888             687               5              74             687
    documents encoded                    400               1               1              25             226
    rows written                        3600             607               7             133            1234
    rule calls                          3493            2050               0             260            2650
    statements                          9749             293              76             509            3511
    ");
}

#[test]
fn midpoints_shape_takes_no_more_work_than_known() {
    insta::assert_snapshot!(counted("midpoint-1s-50m-5t-20a", "30"), @r"
    midpoint-1s-50m-5t-20a        full-first  full-unchanged   incremental-0  incremental-10    full-changed
    bytes decoded                     830839         1038603           81935          177430         1148250
    bytes encoded                     225461           16387           16387           48083          323096
    commits                                7               7               7               7               7
    documents decoded                    215             215               5              26             230
    documents encoded                     31               1               1              19             166
    rows written                         219              97               7              42             339
    rule calls                             0               0               0               0               0
    statements                           271              81              75             121             388
    ");
}
