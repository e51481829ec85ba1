//! What the applications of a made-up organisation say of its people: a file
//! for each, as they would write it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use jiff::civil::Date;

use super::people::{Contract, CrmAccount, DirectoryAccount, Employment, Person};

/// The applications, in the order in which they should be aggregated: those
/// that create identities first.
pub const APPLICATIONS: [&str; 4] = ["hr", "contractors", "ad", "crm"];

const HR: [&str; 23] = [
    "employeeNumber",
    "userName",
    "givenName",
    "preferredName",
    "familyName",
    "email",
    "phone",
    "department",
    "jobTitle",
    "jobLevel",
    "costCenter",
    "company",
    "site",
    "country",
    "zone",
    "employmentType",
    "managerNumber",
    "startDate",
    "endDate",
    "endTime",
    "contractEnd",
    "status",
    "projects",
];

const CONTRACTORS: [&str; 19] = [
    "contractorNumber",
    "userName",
    "givenName",
    "preferredName",
    "familyName",
    "email",
    "department",
    "jobTitle",
    "costCenter",
    "agency",
    "site",
    "country",
    "zone",
    "employmentType",
    "managerNumber",
    "startDate",
    "endDate",
    "contractEnd",
    "projects",
];

const DIRECTORY: [&str; 10] = [
    "sAMAccountName",
    "displayName",
    "mail",
    "telephoneNumber",
    "physicalDeliveryOfficeName",
    "title",
    "organizationalUnit",
    "homeServer",
    "userAccountControl",
    "memberOf",
];

const CRM: [&str; 9] = [
    "id",
    "login",
    "name",
    "email",
    "profile",
    "permissionSets",
    "region",
    "licence",
    "active",
];

type Feed = csv::Writer<BufWriter<File>>;

/// Writes the four feeds of an organisation, person by person.
pub struct FeedWriter {
    hr: Feed,
    contractors: Feed,
    directory: Feed,
    crm: Feed,
}

impl FeedWriter {
    /// Begins the feeds in this folder, over those of an earlier day.
    ///
    /// # Errors
    ///
    /// When a file can't be written.
    pub fn create(folder: &Path) -> io::Result<Self> {
        let feed = |name: &str, delimiter: u8, columns: &[&str]| -> io::Result<Feed> {
            let file = File::create(folder.join(format!("{name}.csv")))?;
            let mut feed = csv::WriterBuilder::new()
                .delimiter(delimiter)
                .from_writer(BufWriter::new(file));
            feed.write_record(columns)?;
            Ok(feed)
        };
        Ok(Self {
            hr: feed("hr", b',', &HR)?,
            contractors: feed("contractors", b',', &CONTRACTORS)?,
            directory: feed("ad", b';', &DIRECTORY)?,
            crm: feed("crm", b',', &CRM)?,
        })
    }

    /// Writes what each application says of a person.
    ///
    /// # Errors
    ///
    /// When a file can't be written.
    pub fn write(&mut self, person: &Person) -> io::Result<()> {
        if let Some(employment) = &person.employment {
            self.write_employee(person, employment)?;
        }
        if let Some(contract) = &person.contract {
            self.write_contractor(person, contract)?;
        }
        if let Some(account) = &person.directory {
            self.write_directory_account(person, account)?;
        }
        if let Some(account) = &person.crm {
            self.write_crm_account(person, account)?;
        }
        Ok(())
    }

    /// Ends the feeds with lines as they come: `(application, bytes)`.
    ///
    /// # Errors
    ///
    /// When a file can't be written.
    pub fn finish(self, lines: &[(&str, Vec<u8>)]) -> io::Result<()> {
        for (application, feed) in
            APPLICATIONS
                .into_iter()
                .zip([self.hr, self.contractors, self.directory, self.crm])
        {
            let mut file = feed.into_inner().map_err(|error| error.into_error())?;
            for (_, line) in lines.iter().filter(|(whose, _)| *whose == application) {
                file.write_all(line)?;
                file.write_all(b"\n")?;
            }
            file.flush()?;
        }
        Ok(())
    }

    fn write_employee(&mut self, person: &Person, terms: &Employment) -> io::Result<()> {
        let employment_type = match terms.part_time {
            true => "part-time",
            false => "full-time",
        };
        let record: [&str; 23] = [
            &terms.number,
            &person.user_name,
            &person.given_name,
            text(&person.preferred_name),
            &person.family_name,
            &person.email,
            &person.phone,
            person.department.name,
            &person.job_title,
            &person.job_level.to_string(),
            &person.cost_center,
            "Acme",
            person.site.code,
            person.site.country,
            person.site.zone,
            employment_type,
            text(&person.manager),
            &terms.start.to_string(),
            &day(terms.end),
            text(&terms.end_time),
            text(&terms.contract_end),
            if terms.on_leave { "leave" } else { "" },
            &person.projects.join(";"),
        ];
        self.hr.write_record(record)?;
        Ok(())
    }

    fn write_contractor(&mut self, person: &Person, terms: &Contract) -> io::Result<()> {
        let end = terms.end.to_string();
        let record: [&str; 19] = [
            &terms.number,
            &person.user_name,
            &person.given_name,
            text(&person.preferred_name),
            &person.family_name,
            &person.email,
            person.department.name,
            &person.job_title,
            &person.cost_center,
            terms.agency,
            person.site.code,
            person.site.country,
            person.site.zone,
            "contractor",
            text(&person.manager),
            &terms.start.to_string(),
            &end,
            &end,
            &person.projects.join(";"),
        ];
        self.contractors.write_record(record)?;
        Ok(())
    }

    fn write_directory_account(
        &mut self,
        person: &Person,
        account: &DirectoryAccount,
    ) -> io::Result<()> {
        let unit = format!("OU={},OU={}", person.department.name, person.site.code);
        let record: [&str; 10] = [
            &person.user_name,
            &person.display_name(),
            &person.email,
            &person.phone,
            person.site.city,
            &person.job_title,
            &unit,
            &format!("home-{}", person.site.code.to_lowercase()),
            if account.enabled { "512" } else { "514" },
            &account.groups.join("|"),
        ];
        self.directory.write_record(record)?;
        Ok(())
    }

    fn write_crm_account(&mut self, person: &Person, account: &CrmAccount) -> io::Result<()> {
        let record: [&str; 9] = [
            &account.number,
            &person.user_name,
            &person.display_name(),
            &person.email,
            account.profile,
            &account.permission_sets.join(";"),
            person.site.country,
            "full",
            if account.enabled { "yes" } else { "no" },
        ];
        self.crm.write_record(record)?;
        Ok(())
    }
}

fn text(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("")
}

fn day(day: Option<Date>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}
