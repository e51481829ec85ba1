//! A disk that is full stops an aggregation or a refresh; once there is room, it
//! goes on and leaves what an undisturbed one would have.

use std::path::Path;

use idr::organisation::{APPLICATIONS, FIRST_INSTANT, Organisation, aggregate_all, write_tenant};
use idr::refresh::{self, Request};
use idr::report::canonical;
use idr::store::sqlite::{SqliteOptions, SqliteStore};
use idr::store::{RunSettings, RunStatus, Scope};
use idr::tenant::{Absent, OpenTenant};
use idr_core::model::UnixMillis;

const PEOPLE: u64 = 1_500;
const DAY_MS: i64 = 86_400_000;

/// The size of a page of the store.
const PAGE_BYTES: u64 = 8_192;

type Step = fn(&OpenTenant) -> Result<(), Box<dyn std::error::Error>>;

fn aggregate(tenant: &OpenTenant) -> Result<(), Box<dyn std::error::Error>> {
    aggregate_all(tenant, &APPLICATIONS, FIRST_INSTANT)?;
    Ok(())
}

fn refresh_at(tenant: &OpenTenant, as_of: UnixMillis) -> Result<(), Box<dyn std::error::Error>> {
    let request = Request {
        scope: Scope::Due,
        criteria: Vec::new(),
        as_of,
        simulated: true,
        now: as_of,
        fire_initial: true,
        actor: "somebody".to_owned(),
        approved: false,
        settings: RunSettings::default(),
    };
    let progress = |_: &_, _, _| {};
    let run = refresh::run(&tenant.store, tenant, &tenant.files(), &request, &progress)?;
    assert_eq!(run.status, RunStatus::Done, "{:?}", run.held);
    Ok(())
}

const STEPS: [Step; 3] = [
    aggregate,
    |tenant| refresh_at(tenant, FIRST_INSTANT),
    |tenant| refresh_at(tenant, FIRST_INSTANT.plus_ms(60 * DAY_MS)),
];

fn export(tenant: &OpenTenant) -> String {
    let mut text = Vec::new();
    let model = &tenant.configuration.model;
    canonical::export(&tenant.store, model, &mut text).expect("the state can be exported");
    String::from_utf8(text).expect("JSON is UTF-8")
}

fn open(folder: &Path) -> OpenTenant {
    OpenTenant::open(folder, Absent::Create).expect("the tenant can be opened")
}

/// Opens the tenant with room for so many more pages in its store.
fn open_with_room(folder: &Path, pages: u64) -> OpenTenant {
    let mut tenant = open(folder);
    let path = tenant.store.path().to_owned();
    let bytes = path.metadata().expect("the store is there").len();
    let options = SqliteOptions {
        max_page_count: Some(u32::try_from(bytes / PAGE_BYTES + pages).expect("a small store")),
        ..SqliteOptions::default()
    };
    tenant.store = SqliteStore::open(&path, &options).expect("the store can be opened");
    tenant
}

fn is_full(error: &dyn std::error::Error) -> bool {
    error.to_string().contains("no room left") || error.source().is_some_and(is_full)
}

#[test]
fn a_full_disk_stops_work_which_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let [undisturbed, disturbed] = ["undisturbed", "disturbed"].map(|name| {
        let folder = folder.path().join(name);
        write_tenant(&folder, Organisation::new(PEOPLE, 1)).expect("it can be written");
        folder
    });
    let tenant = open(&undisturbed);
    for step in STEPS {
        step(&tenant).expect("there is room");
    }
    let expected = export(&tenant);
    for (number, step) in STEPS.into_iter().enumerate() {
        let mut stops = 0;
        let mut room = 0;
        // Each attempt gets more room than the last, until there is enough.
        while let Err(error) = step(&open_with_room(&disturbed, room)) {
            assert!(is_full(error.as_ref()), "{error:?}");
            stops += 1;
            room += 1 + room / 2;
        }
        println!("step {number}: the disk was full {stops} times");
        assert!(stops > 0 || number == 2, "step {number} needs room");
    }
    assert!(export(&open(&disturbed)) == expected);
}
