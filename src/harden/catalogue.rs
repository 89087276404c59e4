//! The table of checks. Adding one is a row here, its decision, a page `docs/checks/ID.md`, and a
//! root file system that has exactly that defect.

use super::{CheckId, Decision, Severity, Subject, base, identity, shells, start};

/// One check.
#[derive(Debug)]
pub struct Check {
    /// The stable id.
    pub id: CheckId,
    /// One line: what must not be.
    pub title: &'static str,
    /// What it is evidence for.
    pub standards: &'static [&'static str],
    /// How much a finding weighs unless the decision knows better.
    pub severity: Severity,
    /// The decision.
    pub(crate) decide: fn(&Subject<'_>) -> Decision,
    /// What to write instead in a spec, unless the decision knows better.
    pub help: &'static str,
    /// The same for a Dockerfile.
    pub dockerfile: &'static str,
    /// Whether it compares with the base, and so says nothing where the base is not known.
    pub(crate) needs_base: bool,
}

/// All checks, in the order in which findings are reported.
pub const CHECKS: &[Check] = &[
    Check {
        id: CheckId("USR-01"),
        title: "the process runs as root",
        standards: &[
            "CIS Docker 4.1",
            "CCI-002235",
            "NIST 800-53 AC-6",
            "NIST 800-190 4.1.2",
            "K8s PSS restricted",
        ],
        severity: Severity::Block,
        decide: identity::root,
        help: "name a user other than root in `user`, or leave `user` out to take the base's",
        dockerfile: "end the stage with a user other than root, such as `USER 1000:1000`, or leave `USER` out to take that of a hardened base",
        needs_base: false,
    },
    Check {
        id: CheckId("USR-02"),
        title: "the user is not a number",
        standards: &["K8s PSS restricted", "NIST 800-53 AC-6"],
        severity: Severity::Block,
        decide: identity::numeric,
        help: "write the user as numbers, `uid:gid`",
        dockerfile: "write the user as numbers, such as `USER 1000:1000`",
        needs_base: false,
    },
    Check {
        id: CheckId("USR-03"),
        title: "a user id that overflows",
        standards: &["NIST 800-53 AC-6", "NIST 800-190 4.1.2"],
        severity: Severity::Block,
        decide: identity::overflow,
        help: "use ids from 1 to 2147483647 and names that are not numbers",
        dockerfile: "use ids from 1 to 2147483647 and names that are not numbers",
        needs_base: false,
    },
    Check {
        id: CheckId("USR-05"),
        title: "a user or group that does not exist",
        standards: &["NIST 800-53 CM-6"],
        severity: Severity::Block,
        decide: identity::missing,
        help: "name a user of the image's /etc/passwd, or write `uid:gid` as numbers",
        dockerfile: "name a user of the image's /etc/passwd in `USER`, or write `uid:gid` as numbers",
        needs_base: false,
    },
    Check {
        id: CheckId("SHL-02"),
        title: "a shell by name",
        standards: &["CIS Docker 4.3", "CCI-000381", "NIST 800-53 CM-7", "NIST 800-190 4.1.2"],
        severity: Severity::Block,
        decide: shells::by_name,
        help: "leave it out of `copy`, or build with it in `build` and copy only what it made",
        dockerfile: "start the last stage from an image without a shell (without `-dev`), and copy into it only what earlier stages made",
        needs_base: false,
    },
    Check {
        id: CheckId("SHL-03"),
        title: "a shell by content",
        standards: &["CIS Docker 4.3", "CCI-000381", "NIST 800-53 CM-7", "NIST 800-190 4.1.2"],
        severity: Severity::Block,
        decide: shells::by_content,
        help: "leave it out of `copy`, or build with it in `build` and copy only what it made",
        dockerfile: "leave it out of `COPY`, or build with it in an earlier stage and copy only what it made",
        needs_base: false,
    },
    Check {
        id: CheckId("SHL-04"),
        title: "a program with a shell in it",
        standards: &["CIS Docker 4.3", "CCI-000381", "NIST 800-53 CM-7", "NIST 800-190 4.1.2"],
        severity: Severity::Block,
        decide: shells::multicall,
        help: "leave it out of `copy`, or copy single programs instead",
        dockerfile: "leave it out of `COPY`, or copy single programs instead",
        needs_base: false,
    },
    Check {
        id: CheckId("SHL-05"),
        title: "a command that needs a shell",
        standards: &["CIS Docker 4.3", "NIST 800-53 CM-7"],
        severity: Severity::Block,
        decide: shells::needed,
        help: "write the program and its arguments as a list, such as `[node, server.js]`",
        dockerfile: "write the program and its arguments as a list, such as `ENTRYPOINT [\"node\", \"server.js\"]`",
        needs_base: false,
    },
    Check {
        id: CheckId("SHL-06"),
        title: "a health check that needs a shell",
        standards: &["CIS Docker 4.6", "NIST 800-53 CM-7"],
        severity: Severity::Block,
        decide: shells::healthcheck,
        help: "write the health check as a list, such as `[node, healthcheck.js]`",
        dockerfile: "write the health check as a list, such as `HEALTHCHECK CMD [\"node\", \"healthcheck.js\"]`",
        needs_base: false,
    },
    Check {
        id: CheckId("RUN-01"),
        title: "the command is not in the image",
        standards: &["NIST 800-53 CM-6"],
        severity: Severity::Block,
        decide: start::found,
        help: "write a path that the image has, or copy the program to a folder of PATH",
        dockerfile: "write a path that the image has, or copy the program to a folder of PATH",
        needs_base: false,
    },
    Check {
        id: CheckId("RUN-02"),
        title: "the user cannot execute the command",
        standards: &["NIST 800-53 AC-6", "NIST 800-53 CM-6"],
        severity: Severity::Block,
        decide: start::executable,
        help: "place it with `mode: 0755`, below folders that everybody may search",
        dockerfile: "copy it with `--chmod=0755`, below folders that everybody may search",
        needs_base: false,
    },
    Check {
        id: CheckId("RUN-03"),
        title: "a script whose interpreter is not there",
        standards: &["NIST 800-53 CM-6"],
        severity: Severity::Block,
        decide: start::scripts,
        help: "start the interpreter yourself, such as `[node, script.js]`",
        dockerfile: "start the interpreter yourself, such as `ENTRYPOINT [\"node\", \"script.js\"]`",
        needs_base: false,
    },
    Check {
        id: CheckId("RUN-04"),
        title: "a command that the kernel cannot execute",
        standards: &["NIST 800-53 CM-6"],
        severity: Severity::Block,
        decide: start::formats,
        help: "start the program that reads it, such as `[node, script.js]`",
        dockerfile: "start the program that reads it, such as `ENTRYPOINT [\"node\", \"script.js\"]`",
        needs_base: false,
    },
    Check {
        id: CheckId("RUN-05"),
        title: "a program for another machine or another libc",
        standards: &["NIST 800-53 CM-6"],
        severity: Severity::Block,
        decide: start::machines,
        help: "build it in the dev image of the same base, for the platform of the image",
        dockerfile: "build it in the `-dev` image of the last stage's base, for the platform of the image",
        needs_base: false,
    },
    Check {
        id: CheckId("RUN-09"),
        title: "a working folder that cannot be used",
        standards: &["NIST 800-53 CM-6"],
        severity: Severity::Block,
        decide: start::workdir,
        help: "set `workdir` to a folder of the image that everybody may search",
        dockerfile: "set `WORKDIR` to a folder of the image that everybody may search",
        needs_base: false,
    },
    Check {
        id: CheckId("RUN-12"),
        title: "a health check that cannot run",
        standards: &["CIS Docker 4.6"],
        severity: Severity::Block,
        decide: start::healthcheck,
        help: "write a list whose first word is a program of the image",
        dockerfile: "write a list whose first word is a program of the image",
        needs_base: false,
    },
    Check {
        id: CheckId("BASE-01"),
        title: "a record of the base that is replaced",
        standards: &["NIST 800-53 SI-7", "NIST 800-190 4.1.1"],
        severity: Severity::Block,
        decide: base::records,
        help: "leave it as the base has it: scanners and engines read it to know what the image is",
        dockerfile: "leave it as the base has it: scanners and engines read it to know what the image is",
        needs_base: true,
    },
    Check {
        id: CheckId("BASE-02"),
        title: "a path of the base changed its type, mode or owner",
        standards: &["NIST 800-53 SI-7", "NIST 800-190 4.1.2"],
        severity: Severity::Block,
        decide: base::changed,
        help: "place it somewhere else; content of the base stays as the base has it",
        dockerfile: "place it somewhere else; content of the base stays as the base has it",
        needs_base: true,
    },
    Check {
        id: CheckId("BASE-03"),
        title: "a placed file hides a placed folder, or a folder a file",
        standards: &["NIST 800-53 CM-6"],
        severity: Severity::Block,
        decide: base::hidden,
        help: "give them different paths, or leave the earlier one out with `exclude`",
        dockerfile: "give them different paths",
        needs_base: true,
    },
    Check {
        id: CheckId("BASE-04"),
        title: "a placed name that stands for a deletion",
        standards: &["NIST 800-53 SI-7", "NIST 800-190 4.1.3"],
        severity: Severity::Block,
        decide: base::deletions,
        help: "leave it out with `exclude`: in a layer, such a name removes files of the base",
        dockerfile: "leave it out of `COPY`: in a layer, such a name removes files of the base",
        needs_base: false,
    },
];

impl Check {
    /// The check of an id.
    pub fn find(id: &str) -> Option<&'static Self> {
        CHECKS.iter().find(|check| check.id.0 == id)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_check_has_its_page_and_every_page_its_check() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/checks");
        let pages: BTreeSet<String> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let expected = CHECKS.iter().map(|check| format!("{}.md", check.id)).collect();
        assert_eq!(pages, expected);
        for check in CHECKS {
            let page = std::fs::read_to_string(folder.join(format!("{}.md", check.id))).unwrap();
            let heading = format!("# {}: {}\n", check.id, check.title);
            assert!(page.starts_with(&heading), "{} has another heading", check.id);
            for section in ["## Why", "## How to fix", "## Standards"] {
                assert!(page.contains(section), "{} lacks {section}", check.id);
            }
            for standard in check.standards {
                assert!(page.contains(standard), "{} lacks {standard}", check.id);
            }
        }
    }

    #[test]
    fn ids_are_unique() {
        let ids: BTreeSet<_> = CHECKS.iter().map(|check| check.id).collect();
        assert_eq!(ids.len(), CHECKS.len());
        assert_eq!(Check::find("SHL-03").map(|check| check.id), Some(CheckId("SHL-03")));
        assert!(Check::find("SHL-99").is_none());
    }
}
