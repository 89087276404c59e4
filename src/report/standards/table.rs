//! The items of the standards, as data.
//!
//! The ids are those that the catalogue of checks tags its rows with. Laws and criteria for
//! organisations have no tags: which checks support them is said here, and so is what an image cannot
//! show at all.

/// A standard.
pub(super) struct Table {
    /// Its name.
    pub(super) name: &'static str,
    /// What the table says and what not.
    pub(super) about: &'static str,
    /// Its items.
    pub(super) items: &'static [Item],
}

/// An item of a standard.
pub(super) struct Item {
    /// Its number, as the catalogue tags it.
    pub(super) id: &'static str,
    /// What it asks for.
    pub(super) title: &'static str,
    /// Which checks belong to it.
    pub(super) checks: Checks,
    /// What they do not cover, or why there are none.
    pub(super) note: &'static str,
}

/// Which checks belong to an item.
pub(super) enum Checks {
    /// Those that are tagged with its id.
    Tagged,
    /// These; `USR-` is a family.
    Named(&'static [&'static str]),
}

const fn tagged(id: &'static str, title: &'static str, note: &'static str) -> Item {
    Item { id, title, checks: Checks::Tagged, note }
}

const fn named(
    id: &'static str,
    title: &'static str,
    checks: &'static [&'static str],
    note: &'static str,
) -> Item {
    Item { id, title, checks: Checks::Named(checks), note }
}

/// Whether some table has an item for a tag.
pub(super) fn is_known(tag: &str) -> bool {
    let mut items = STANDARDS.iter().flat_map(|table| table.items);
    items.any(|item| matches!(item.checks, Checks::Tagged) && item.id == tag)
}

/// All standards, in the order of the report.
pub(super) const STANDARDS: &[Table] = &[
    Table {
        name: "CIS Docker Benchmark, section 4",
        about: "Images and build files. The benchmark leaves several items to people; the checks are evidence for them.",
        items: CIS,
    },
    Table {
        name: "DISA Container Image Creation and Deployment Guide",
        about: "By control correlation identifier (CCI).",
        items: DISA,
    },
    Table {
        name: "NIST SP 800-53",
        about: "Controls for which single checks are evidence.",
        items: NIST_53,
    },
    Table {
        name: "NIST SP 800-190, section 4.1",
        about: "Countermeasures for the risks of images.",
        items: NIST_190,
    },
    Table {
        name: "Kubernetes",
        about: "What the image has to bring along for the Pod Security Standard `restricted` and the hardening guidance of NSA and CISA. Everything else of them is said of pods.",
        items: KUBERNETES,
    },
    Table {
        name: "Known weaknesses",
        about: "Of engines and of images: what the checks keep an image away from.",
        items: WEAKNESSES,
    },
    Table {
        name: "HIPAA, 45 CFR 164.312",
        about: "Technical safeguards that the checks support. They ask for policies, and for controls while the app runs.",
        items: HIPAA,
    },
    Table {
        name: "SOC 2",
        about: "Criteria of the trust services that the checks support. They are met by an organisation over a period of time.",
        items: SOC,
    },
];

const CIS: &[Item] = &[
    tagged("CIS Docker 4.1", "a user for the container has been created", ""),
    tagged(
        "CIS Docker 4.2",
        "containers use only trusted base images",
        "who is trusted is decided by people",
    ),
    tagged("CIS Docker 4.3", "unnecessary packages are not installed in the container", ""),
    tagged(
        "CIS Docker 4.4",
        "images are scanned and rebuilt to include security patches",
        "vulnerabilities are a scanner's to find; that it can is checked (PKG-03)",
    ),
    tagged(
        "CIS Docker 4.5",
        "content trust for Docker is enabled",
        "a setting of the client, not of an image; Docker has retired it",
    ),
    tagged(
        "CIS Docker 4.6",
        "HEALTHCHECK instructions have been added",
        "that there is one is not asked for: Kubernetes ignores it",
    ),
    tagged(
        "CIS Docker 4.7",
        "update instructions are not used alone in Dockerfiles",
        "not to be seen in an image; with a spec, no step runs in what ships",
    ),
    tagged("CIS Docker 4.8", "setuid and setgid permissions are removed", ""),
    tagged(
        "CIS Docker 4.9",
        "COPY is used instead of ADD in Dockerfiles",
        "not to be seen in an image; `copy` of a spec neither fetches nor unpacks",
    ),
    tagged("CIS Docker 4.10", "secrets are not stored in Dockerfiles", ""),
    tagged(
        "CIS Docker 4.11",
        "only verified packages are installed",
        "packages are installed in build stages, whose package managers verify them",
    ),
    tagged(
        "CIS Docker 4.12",
        "all signed artifacts are validated",
        "the signature of a base is verified by the builder's policy",
    ),
];

const WEAKNESSES: &[Item] = &[
    tagged("CVE-2019-5021", "an empty password of root, as in images of Alpine", ""),
    tagged("CVE-2024-40635", "a user id that overflows and becomes root, in containerd", ""),
    tagged("CVE-2026-46680", "a number that is read as the name of a user, in containerd", ""),
];

const DISA: &[Item] = &[
    tagged("CCI-000366", "security settings are applied, no confidential data in build files", ""),
    tagged("CCI-000381", "only essential capabilities: no sshd, no tools beyond the app's", ""),
    tagged("CCI-001762", "only ports that are needed and not privileged", ""),
    tagged("CCI-002235", "a user without privileges, and no way to gain them", ""),
    tagged("CCI-002367", "no credentials are embedded", ""),
    tagged("CCI-002418", "images are pulled over TLS 1.2 or newer", "a matter of the builder"),
    tagged("CCI-002617", "no cached layers and packages are left behind", ""),
];

const NIST_53: &[Item] = &[
    tagged("NIST 800-53 AC-6", "least privilege", ""),
    tagged("NIST 800-53 AU-2", "event logging", "an image cannot show it"),
    tagged("NIST 800-53 CM-5", "access restrictions for change", ""),
    tagged("NIST 800-53 CM-6", "configuration settings", ""),
    tagged("NIST 800-53 CM-7", "least functionality", ""),
    tagged("NIST 800-53 CM-8", "system component inventory", ""),
    tagged("NIST 800-53 CM-14", "signed components", ""),
    tagged("NIST 800-53 IA-4", "identifier management", ""),
    tagged("NIST 800-53 IA-5", "authenticator management", ""),
    tagged("NIST 800-53 IA-5(7)", "no embedded unencrypted static authenticators", ""),
    tagged("NIST 800-53 SA-10", "developer configuration management", ""),
    tagged("NIST 800-53 SA-11", "developer testing and evaluation", ""),
    tagged("NIST 800-53 SA-22", "unsupported system components", ""),
    tagged("NIST 800-53 SC-8", "transmission confidentiality and integrity", ""),
    tagged("NIST 800-53 SI-2", "flaw remediation", ""),
    tagged("NIST 800-53 SI-3", "malicious code protection", ""),
    tagged("NIST 800-53 SI-7", "software, firmware and information integrity", ""),
    tagged("NIST 800-53 SR-3", "supply chain controls and processes", ""),
    tagged("NIST 800-53 SR-4", "provenance", ""),
    tagged("NIST 800-53 SR-11", "component authenticity", ""),
];

const NIST_190: &[Item] = &[
    tagged(
        "NIST 800-190 4.1.1",
        "image vulnerabilities",
        "that scanners can read the image; what they find is not looked at",
    ),
    tagged("NIST 800-190 4.1.2", "image configuration defects", ""),
    tagged(
        "NIST 800-190 4.1.3",
        "embedded malware",
        "that nothing is put in the place of the base's programs; no scanner of malware runs",
    ),
    tagged("NIST 800-190 4.1.4", "embedded clear text secrets", ""),
    tagged("NIST 800-190 4.1.5", "use of untrusted images", ""),
];

const KUBERNETES: &[Item] = &[
    tagged(
        "K8s PSS restricted",
        "runAsNonRoot, runAsUser: a user in numbers that is not 0",
        "privilege escalation, capabilities, seccomp and volumes are said of pods: see the contract",
    ),
    tagged("NSA Kubernetes 1.0", "containers without root", ""),
    tagged("NSA Kubernetes 1.1", "immutable container file systems", ""),
    tagged("NSA Kubernetes 1.6", "no membership in the group root", ""),
    tagged("NSA Kubernetes 1.7", "no privilege escalation", ""),
];

const HIPAA: &[Item] = &[
    named(
        "164.312(a)(1)",
        "access control",
        &["USR-", "PRV-01", "PRV-02", "PRV-10", "PKG-06"],
        "supports: what the process may do on its own machine, not who may see which record",
    ),
    named(
        "164.312(b)",
        "audit controls",
        &[],
        "an image cannot show it: logging is the operator's",
    ),
    named(
        "164.312(c)(1)",
        "integrity",
        &["PRV-06", "PRV-07", "PRV-08", "SUP-01", "SUP-03", "BASE-"],
        "supports: the app and its base cannot be changed unseen",
    ),
    named(
        "164.312(c)(2)",
        "a mechanism to authenticate health information",
        &[],
        "an image cannot show it: it is about the data",
    ),
    named(
        "164.312(d)",
        "person or entity authentication",
        &[],
        "an image cannot show it: it is about users of the app",
    ),
    named(
        "164.312(e)(1)",
        "transmission security",
        &["RUN-13", "RUN-14"],
        "supports: certificates are there and checked; whether the app encrypts is not looked at",
    ),
];

const SOC: &[Item] = &[
    named(
        "CC6.1",
        "logical access: least privilege, credentials",
        &["USR-", "PRV-", "SEC-", "SUP-07"],
        "supports",
    ),
    named(
        "CC6.8",
        "unauthorised or malicious software is prevented or detected",
        &["SHL-", "PKG-", "BASE-", "SUP-01", "SUP-02", "SUP-03", "SUP-05", "SUP-06"],
        "supports",
    ),
    named(
        "CC7.1",
        "configuration standards, and detection of changes and vulnerabilities",
        &["RUN-", "PKG-03", "SUP-04", "META-02"],
        "supports: the profile is the standard that every build is held to",
    ),
    named(
        "CC8.1",
        "changes are authorised, tested and approved",
        &["META-01", "META-03", "META-04", "SUP-01", "SUP-08"],
        "supports: with the digest of the spec, the provenance, the waivers and their owners, the tests",
    ),
];
