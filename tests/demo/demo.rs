//! `idr demo`: the same story every time, and what it prints can be typed.

use crate::common::TestHost;

/// Runs the demonstration in a new folder; returns what it printed, without
/// what differs from machine to machine.
fn demonstration(host: &TestHost) -> String {
    let printed = host.run(["demo"]);
    let timeless = printed.lines().map(|line| {
        let program = line.find(env!("CARGO_BIN_EXE_idr"));
        match (program, line.find(" s, ").or(line.find(" s together"))) {
            (Some(_), _) => line.replace(env!("CARGO_BIN_EXE_idr"), "idr"),
            (None, Some(_)) => without_numbers(line),
            (None, None) => line.to_owned(),
        }
    });
    timeless.collect::<Vec<_>>().join("\n")
}

/// Puts `#` in place of every number.
fn without_numbers(line: &str) -> String {
    let mut shown = String::new();
    for part in line.split_inclusive(' ') {
        let is_number = part.starts_with(|letter: char| letter.is_ascii_digit());
        shown += if is_number { "# " } else { part };
    }
    shown
}

fn export(host: &TestHost) -> String {
    host.run(["--tenant", "demo", "state", "export", "--canonical"])
}

#[test]
fn the_story_is_told_and_is_always_the_same() {
    let (first, second) = (TestHost::new(), TestHost::new());
    let story = demonstration(&first);
    insta::assert_snapshot!(story, @r"
    A made-up organisation of 2,000 people, in demo
      hr           1,862  accounts
      contractors    144  accounts
      ad           1,974  accounts
      crm            857  accounts
    The first refresh notes how things are, and fires no events
      # waves, # s, # identities a second

    A month passes: every morning until 31 March 2026 feeds are aggregated, and who is due is refreshed
      Clara Romano is announced on 5 March, and starts in Lisbon on 16 March
        Mon 16 Mar 00:00 WET  joiner  lifecycleState: prehire -> active
      David Dietrich moves from Sales to Marketing on 10 March, to another manager
        Tue 10 Mar 07:00 CET  mover                       department: Sales -> Marketing
        Tue 10 Mar 07:00 CET  manager-transfer            manager: jakob.eriksson -> malik.graf
        Tue 10 Mar 07:00 CET  department-moved-with-role
      Diego Kowalski gives notice in New York; the last day is 20 March, until 17:00
        Fri  6 Mar 00:00 EST  ends-soon
        Fri 20 Mar 17:00 EDT  leaver     lifecycleState: active -> inactive
      Nadia Mancini drops off the contractors' list on 14 March, and is an employee on 16 March
        Mon 16 Mar 02:00 EDT  mover  company: Kestrel & Sons -> Acme, employmentType: contractor -> full-time
      Aoife Vogel left last year, and is hired again on 23 March
        Mon 23 Mar 06:00 GMT  rehire  lifecycleState: inactive -> active
      George Nielsen-Lindqvist has another family name on 12 March
        Thu 12 Mar 15:00 JST  renamed  displayName: George Nielsen -> George Nielsen-Lindqvist
      Claire Quinn is an employee, and a contractor as well: one identity
        ad claire.quinn, contractors C-100351, hr 100351
      Sven Ramírez isn't in the personnel system any more on 18 March; a day later that counts
        Thu 19 Mar 14:00 +08  leaver  lifecycleState: active -> inactive
      Mia Schulz is made an administrator on 25 March, directly in the directory
        Wed 25 Mar 06:00 GMT  privileged-access  account ad mia.schulz: modify
      Elif Hughes leads a team until 13 March; the team goes to the next manager
        Wed  4 Mar 03:00 -03  ends-soon
        Fri 13 Mar 17:00 -03  leaver     lifecycleState: active -> inactive
      Birgit Hussein is on that team
        Sat 14 Mar 07:00 CET  manager-transfer  manager: elif.hughes -> laura.reyes

    In 30 refreshes
      due      317 identities in all; everybody else was skipped
      took     # s together
      changed  21 sets of additional entitlements, 80 sets of assigned roles, 436 attributes,
               34 sets of detected roles, 8 entitlements newly in the ledger,
               87 entitlements that stand otherwise, 53 lifecycle states, 39 managers
      events   10 department-moved-with-role, 29 ends-soon, 19 joiner, 17 leaver, 28 manager-transfer,
               45 mover, 1 privileged-access, 1 rehire, 1 renamed

    8 findings are open: each froze only what depended on it
      access-at-risk  frances.grant: rule `lifecycle-state` (lifecycle-state) calls it invalid: `5 pm` is not a time such as 17:00
      error           hr, line 1873: account `100347` is listed again; the first line counts
      error           hr, line 1874: account `102999`: attribute `startDate`: `2026-02-30` is not a date (YYYY-MM-DD)
                      hint: mend the value, or the attribute's type in the schema
      error           ad, line 1984: characters in the record can't be read as UTF-8
                      hint: name the file's encoding in the application's connector
      error           crm, line 858: text follows a closing quote
                      hint: double every quote within a quoted field
      error           daria.colombo: rule `hr-attributes` (attribute-promotion of `costCenter`) calls it invalid: `ask Petra` is not a cost center
      error           milan.farah: rule `hr-attributes` (attribute-promotion of `contractEnd`) answered `2026-02-31`, which no calendar has
                      hint: wit/0.1.2/rules.wit says what is allowed; correct the rule
      warning         jana.scott: no identity has `employeeNumber` `999999`, whom the account names as manager

    Try next
      idr --tenant demo identity show diego.kowalski
      idr --tenant demo finding list
      idr --tenant demo due --within 7d
    [exit 0]
    ");
    assert!(demonstration(&second) == story, "another story was told");
    let state = export(&first);
    assert!(state.lines().count() > 2_000);
    assert!(export(&second) == state, "another state was reached");

    // What it suggests can be typed.
    let suggested: Vec<&str> = story
        .lines()
        .skip_while(|line| *line != "Try next")
        .filter_map(|line| line.trim().strip_prefix("idr "))
        .collect();
    assert_eq!(suggested.len(), 3);
    for command in suggested {
        let printed = first.run(command.split(' '));
        let done = printed.ends_with("[exit 0]") || printed.ends_with("[exit 1]");
        assert!(done && printed.lines().count() > 3, "{command}: {printed}");
    }
}

#[test]
fn a_folder_that_is_there_is_replaced_only_when_asked() {
    let host = TestHost::new();
    host.write("demo/idr.toml", "");
    host.write("demo/old.txt", "");
    insta::assert_snapshot!(host.run(["demo"]), @r"
    error: `demo` exists and isn't empty
    hint: `--force` replaces it; `--directory` makes another
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["demo", "--force"]), @r"
    error: `demo/old.txt` is nothing that a made tenant has, so nothing is replaced
    hint: move it elsewhere, or name another folder
    [exit 2]
    ");
    assert!(host.path("demo/old.txt").exists());
    std::fs::remove_file(host.path("demo/old.txt")).expect("it is there");
    host.write("demo/roles/old.toml", "");
    let replaced = host.run(["demo", "--force", "--quiet"]);
    assert_eq!(replaced, "[exit 0]");
    assert!(!host.path("demo/roles/old.toml").exists());
    host.write("other/notes.txt", "keep me");
    insta::assert_snapshot!(host.run(["demo", "--force", "--directory", "other"]), @r"
    error: `other` is no tenant's folder, so it isn't replaced
    hint: name another folder
    [exit 2]
    ");
}
