//! Where made-up people work, and at what.

/// A place of work.
#[derive(Debug, PartialEq, Eq)]
pub struct Site {
    /// As feeds write it.
    pub code: &'static str,
    /// Its name.
    pub city: &'static str,
    /// ISO 3166.
    pub country: &'static str,
    /// IANA.
    pub zone: &'static str,
    weight: u64,
}

impl Site {
    /// Returns how many people work there, in relation to other sites.
    pub(super) fn weight(&self) -> u64 {
        self.weight
    }
}

const fn site(
    code: &'static str,
    city: &'static str,
    country: &'static str,
    zone: &'static str,
    weight: u64,
) -> Site {
    Site {
        code,
        city,
        country,
        zone,
        weight,
    }
}

/// All sites: three large ones, and a long tail.
pub static SITES: [Site; 24] = [
    site("BER", "Berlin", "DE", "Europe/Berlin", 240),
    site("NYC", "New York", "US", "America/New_York", 160),
    site("SIN", "Singapore", "SG", "Asia/Singapore", 110),
    site("MUC", "Munich", "DE", "Europe/Berlin", 80),
    site("LIS", "Lisbon", "PT", "Europe/Lisbon", 60),
    site("LON", "London", "GB", "Europe/London", 55),
    site("SAO", "São Paulo", "BR", "America/Sao_Paulo", 45),
    site("BLR", "Bengaluru", "IN", "Asia/Kolkata", 40),
    site("CHI", "Chicago", "US", "America/Chicago", 32),
    site("PAR", "Paris", "FR", "Europe/Paris", 28),
    site("MAD", "Madrid", "ES", "Europe/Madrid", 24),
    site("WAW", "Warsaw", "PL", "Europe/Warsaw", 20),
    site("TYO", "Tokyo", "JP", "Asia/Tokyo", 18),
    site("SYD", "Sydney", "AU", "Australia/Sydney", 15),
    site("STO", "Stockholm", "SE", "Europe/Stockholm", 13),
    site("MIL", "Milan", "IT", "Europe/Rome", 11),
    site("TOR", "Toronto", "CA", "America/Toronto", 10),
    site("MEX", "Mexico City", "MX", "America/Mexico_City", 9),
    site("VIE", "Vienna", "AT", "Europe/Vienna", 8),
    site("AMS", "Amsterdam", "NL", "Europe/Amsterdam", 7),
    site("CPT", "Cape Town", "ZA", "Africa/Johannesburg", 5),
    site("DXB", "Dubai", "AE", "Asia/Dubai", 4),
    site("AKL", "Auckland", "NZ", "Pacific/Auckland", 3),
    site("REK", "Reykjavik", "IS", "Atlantic/Reykjavik", 2),
];

/// A department.
#[derive(Debug, PartialEq, Eq)]
pub struct Department {
    /// Its name.
    pub name: &'static str,
    /// The directory's group of its people.
    pub group: &'static str,
    /// Job titles, from the first to the last step.
    pub titles: [&'static str; 5],
    /// What the directory's groups for its tools are called.
    pub tools: &'static [&'static str],
    /// Its people's profile in the CRM, where they have an account there.
    pub crm_profile: Option<&'static str>,
    weight: u64,
}

impl Department {
    /// Returns how many people it has, in relation to other departments.
    pub(super) fn weight(&self) -> u64 {
        self.weight
    }
}

/// All departments: two large ones, and a tail.
pub static DEPARTMENTS: [Department; 12] = [
    Department {
        name: "Sales",
        group: "GG-Sales",
        titles: [
            "Sales Assistant",
            "Account Manager",
            "Account Manager",
            "Senior Account Manager",
            "Key Account Manager",
        ],
        tools: &["APP-VPN", "APP-Quotes"],
        crm_profile: Some("Standard"),
        weight: 230,
    },
    Department {
        name: "Engineering",
        group: "GG-Engineering",
        titles: [
            "Junior Engineer",
            "Engineer",
            "Engineer",
            "Senior Engineer",
            "Principal Engineer",
        ],
        tools: &["APP-VPN", "APP-Source-Code", "APP-Build-Farm"],
        crm_profile: None,
        weight: 210,
    },
    Department {
        name: "Customer Service",
        group: "GG-Customer-Service",
        titles: ["Agent", "Agent", "Senior Agent", "Senior Agent", "Expert"],
        tools: &["APP-Telephony"],
        crm_profile: Some("Agent"),
        weight: 170,
    },
    Department {
        name: "Operations",
        group: "GG-Operations",
        titles: [
            "Operator",
            "Operator",
            "Technician",
            "Senior Technician",
            "Planner",
        ],
        tools: &["APP-Plant"],
        crm_profile: None,
        weight: 140,
    },
    Department {
        name: "Finance",
        group: "GG-Finance",
        titles: [
            "Clerk",
            "Accountant",
            "Accountant",
            "Senior Accountant",
            "Controller",
        ],
        tools: &["APP-Ledger", "APP-Payments"],
        crm_profile: None,
        weight: 80,
    },
    Department {
        name: "Marketing",
        group: "GG-Marketing",
        titles: [
            "Assistant",
            "Designer",
            "Campaign Manager",
            "Campaign Manager",
            "Brand Manager",
        ],
        tools: &["APP-Media"],
        crm_profile: Some("Marketing"),
        weight: 55,
    },
    Department {
        name: "People",
        group: "GG-People",
        titles: [
            "Assistant",
            "Recruiter",
            "Recruiter",
            "People Partner",
            "Senior People Partner",
        ],
        tools: &["APP-Personnel-Files"],
        crm_profile: None,
        weight: 40,
    },
    Department {
        name: "Purchasing",
        group: "GG-Purchasing",
        titles: ["Clerk", "Buyer", "Buyer", "Senior Buyer", "Lead Buyer"],
        tools: &["APP-Catalogue"],
        crm_profile: None,
        weight: 30,
    },
    Department {
        name: "Legal",
        group: "GG-Legal",
        titles: [
            "Paralegal",
            "Counsel",
            "Counsel",
            "Senior Counsel",
            "General Counsel",
        ],
        tools: &["APP-Contracts"],
        crm_profile: None,
        weight: 20,
    },
    Department {
        name: "Research",
        group: "GG-Research",
        titles: [
            "Assistant",
            "Scientist",
            "Scientist",
            "Senior Scientist",
            "Fellow",
        ],
        tools: &["APP-VPN", "APP-Laboratory"],
        crm_profile: None,
        weight: 15,
    },
    Department {
        name: "Facilities",
        group: "GG-Facilities",
        titles: [
            "Porter",
            "Caretaker",
            "Caretaker",
            "Electrician",
            "Site Manager",
        ],
        tools: &[],
        crm_profile: None,
        weight: 7,
    },
    Department {
        name: "Audit",
        group: "GG-Audit",
        titles: [
            "Auditor",
            "Auditor",
            "Auditor",
            "Senior Auditor",
            "Lead Auditor",
        ],
        tools: &["APP-VPN", "APP-Ledger"],
        crm_profile: Some("Read Only"),
        weight: 3,
    },
];

/// Projects that people work on.
pub static PROJECTS: [&str; 12] = [
    "Project Atlas",
    "Project Borealis",
    "Project Caravel",
    "Project Delta",
    "Project Equinox",
    "Project Fennec",
    "Project Glacier",
    "Project Harbour",
    "Project Iris",
    "Project Juniper",
    "Project Kestrel",
    "Project Lantern",
];

/// Agencies that contractors come from.
pub(super) static AGENCIES: [&str; 6] = [
    "Northwind Staffing",
    "Brightwater Consulting",
    "Kestrel & Sons",
    "Lumen IT Services",
    "Harbour Logistics",
    "Alto Design",
];

/// Returns the site with this code.
pub(crate) fn site_of(code: &str) -> &'static Site {
    let found = SITES.iter().find(|site| site.code == code);
    found.expect("the story names sites that exist")
}

/// Returns the department with this name.
pub(crate) fn department_of(name: &str) -> &'static Department {
    let found = DEPARTMENTS.iter().find(|known| known.name == name);
    found.expect("the story names departments that exist")
}
