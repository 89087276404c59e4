//! The table of checks. Adding one is a row here, its decision, a page `docs/checks/ID.md`, and a
//! root file system that has exactly that defect.

use super::Severity::{self, Block, Info, Warn};
use super::standards::{
    FETCHED, INTEGRITY, LEAST, OVERFLOWS, PLACED, ROOT, SECRETS, SETTINGS, SHELL_FREE, SIGNED,
    STATEMENTS, SUPPLY, TOLD_SECRETS,
};
use super::{
    CheckId, Decision, Need, Profile, Subject, accounts, base, identity, metadata, privilege,
    runtime, secrets, shells, start, supply, tools,
};
use crate::words::{nearest, quoted};

/// One check.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// The stable id.
    pub id: CheckId,
    /// One line: what must not be.
    pub title: &'static str,
    /// What it is evidence for.
    pub standards: &'static [&'static str],
    /// How much a finding weighs in the profile `standard`, unless the decision knows better.
    pub severity: Severity,
    /// How much in profiles that differ from what they usually make of it; `None`: left out.
    pub exceptions: &'static [(Profile, Option<Severity>)],
    /// The decision.
    pub(crate) decide: Decide,
    /// What to write instead in a spec, unless the decision knows better.
    pub help: &'static str,
    /// The same for a Dockerfile.
    pub dockerfile: &'static str,
    /// Whether it looks at the base, and so says nothing where the base is not known.
    pub(crate) needs_base: bool,
    /// What else it must know besides the files.
    pub(crate) needs: Option<Need>,
}

type Decide = fn(&Subject<'_>) -> Decision;

/// A row of the table.
const fn check(id: &'static str, title: &'static str, severity: Severity, decide: Decide) -> Check {
    let (standards, exceptions): (&[&str], &[_]) = (&[], &[]);
    let (help, dockerfile, needs_base, needs) = ("", "", false, None);
    let id = CheckId(id);
    Check {
        id,
        title,
        standards,
        severity,
        exceptions,
        decide,
        help,
        dockerfile,
        needs_base,
        needs,
    }
}

impl Check {
    /// For a Dockerfile, too, unless it has words of its own.
    const fn help(self, help: &'static str) -> Self {
        Self { help, dockerfile: help, ..self }
    }

    const fn dockerfile(self, dockerfile: &'static str) -> Self {
        Self { dockerfile, ..self }
    }

    const fn needs_base(self) -> Self {
        Self { needs_base: true, ..self }
    }

    const fn needs(self, need: Need) -> Self {
        Self { needs: Some(need), ..self }
    }

    const fn standards(self, standards: &'static [&'static str]) -> Self {
        Self { standards, ..self }
    }

    const fn except(self, exceptions: &'static [(Profile, Option<Severity>)]) -> Self {
        Self { exceptions, ..self }
    }
}

/// All checks, in the order in which findings are reported.
pub const CHECKS: &[Check] = &[
    check("USR-01", "the process runs as root", Block, identity::root)
        .help("name a user other than root in `user`, or leave `user` out to take the base's")
        .dockerfile("end the stage with a user other than root, such as `USER 1000:1000`, or leave `USER` out to take that of a hardened base")
        .standards(ROOT)
        .needs(Need::Config),
    check("USR-02", "the user is not a number", Block, identity::numeric)
        .help("write the user as numbers, `uid:gid`")
        .dockerfile("write the user as numbers, such as `USER 1000:1000`")
        .standards(&["K8s PSS restricted", "NIST 800-53 AC-6"])
        .needs(Need::Config),
    check("USR-03", "a user id that overflows", Block, identity::overflow)
        .help("use ids from 1 to 2147483647 and names that are not numbers")
        .standards(OVERFLOWS)
        .needs(Need::SomeConfig),
    check("USR-04", "the process runs in a powerful group", Warn, accounts::groups)
        .help("write `user: uid:gid` with a group of the app's own")
        .dockerfile("write `USER uid:gid` with a group of the app's own")
        .standards(&["NSA Kubernetes 1.6", "NIST 800-53 AC-6"])
        .except(&[(Profile::OpenShift, None)])
        .needs(Need::Config),
    check("USR-05", "a user or group that does not exist", Block, identity::missing)
        .help("name a user of the image's /etc/passwd, or write `uid:gid` as numbers")
        .dockerfile("name a user of the image's /etc/passwd in `USER`, or write `uid:gid` as numbers")
        .standards(SETTINGS)
        .needs(Need::Config),
    check("USR-06", "a second root", Block, accounts::second_root)
        .help("leave /etc/passwd as the base has it; only root is uid 0")
        .standards(&["CCI-000366", "NIST 800-53 AC-6"]),
    check("USR-07", "a password", Block, accounts::passwords)
        .help("lock the account: write `*` or `!` as its password")
        .standards(&["CVE-2019-5021", "CCI-000366", "NIST 800-53 IA-5"]),
    check("USR-08", "an account that may log in", Warn, accounts::login_shells)
        .help("give the account /usr/sbin/nologin, or leave its shell out of the image")
        .standards(LEAST),
    check("USR-09", "an id that several accounts have", Info, accounts::duplicates)
        .help("give each account an id of its own")
        .standards(&["NIST 800-53 IA-4"]),
    check("SHL-01", "a base that declares a shell", Block, metadata::declared_shell)
        .help("name a runtime image of the same line, without `-dev` and without a shell")
        .dockerfile("start the last stage from a runtime image of the same line, without `-dev` and without a shell")
        .standards(SHELL_FREE)
        .needs_base()
        .needs(Need::BaseConfig),
    check("SHL-02", "a shell by name", Block, shells::by_name)
        .help("leave it out of `copy`, or build with it in `build` and copy only what it made")
        .dockerfile("start the last stage from an image without a shell (without `-dev`), and copy into it only what earlier stages made")
        .standards(SHELL_FREE),
    check("SHL-03", "a shell by content", Block, shells::by_content)
        .help("leave it out of `copy`, or build with it in `build` and copy only what it made")
        .dockerfile("leave it out of `COPY`, or build with it in an earlier stage and copy only what it made")
        .standards(SHELL_FREE),
    check("SHL-04", "a program with a shell in it", Block, shells::multicall)
        .help("leave it out of `copy`, or copy single programs instead")
        .dockerfile("leave it out of `COPY`, or copy single programs instead")
        .standards(SHELL_FREE),
    check("SHL-05", "a command that needs a shell", Block, shells::needed)
        .help("write the program and its arguments as a list, such as `[node, server.js]`")
        .dockerfile("write the program and its arguments as a list, such as `ENTRYPOINT [\"node\", \"server.js\"]`")
        .standards(&["CIS Docker 4.3", "NIST 800-53 CM-7"])
        .needs(Need::Config),
    check("SHL-06", "a health check that needs a shell", Block, shells::healthcheck)
        .help("write the health check as a list, such as `[node, healthcheck.js]`")
        .dockerfile("write the health check as a list, such as `HEALTHCHECK CMD [\"node\", \"healthcheck.js\"]`")
        .standards(&["CIS Docker 4.6", "NIST 800-53 CM-7"])
        .needs(Need::Config),
    check("SHL-07", "an interpreter that the base does not have", Warn, tools::interpreters)
        .help("leave it out of `copy`, or take the runtime image of that language as `base`")
        .dockerfile("leave it out of `COPY`, or start the last stage from the runtime image of that language")
        .standards(SHELL_FREE)
        .needs_base(),
    check("SHL-08", "a program that starts others", Warn, tools::helpers)
        .help("leave it out of `copy`")
        .dockerfile("leave it out of `COPY`")
        .standards(LEAST),
    check("SHL-09", "a shell that is not executable", Warn, shells::not_executable)
        .help("leave it out of `copy`: a loader runs it all the same")
        .dockerfile("leave it out of `COPY`: a loader runs it all the same")
        .standards(SHELL_FREE),
    check("SHL-10", "a list of shells with a shell that is there", Info, accounts::listed_shells)
        .help("leave the shell out of the image")
        .standards(LEAST),
    check("SHL-11", "an app that may call a shell", Info, runtime::shell_calls)
        .help("start programs without a shell: `execFile` or `spawn`, `subprocess.run([…])`")
        .standards(LEAST)
        .needs(Need::Config),
    check("PRV-01", "a set-id program", Block, privilege::set_id)
        .help("place it without the bit: leave out `mode`, or write one like 0755")
        .dockerfile("take the bit away: `COPY --chmod=0755`, or `chmod u-s,g-s` in an earlier stage")
        .standards(&["CIS Docker 4.8", "CCI-002235", "NIST 800-53 AC-6"]),
    check("PRV-02", "a program with capabilities", Block, privilege::capabilities)
        .help("place a copy without them, and give the container what it needs")
        .standards(&["CIS Docker 4.8", "CCI-000381", "NIST 800-53 AC-6"]),
    check("PRV-03", "a file that everybody may write", Block, privilege::open_files)
        .help("place it with `mode: 0644` or 0755")
        .dockerfile("copy it with `--chmod=0644` or 0755")
        .standards(INTEGRITY),
    check("PRV-04", "a folder that everybody may write", Block, privilege::open_folders)
        .help("place it with `mode: 0755`, or 1777 if it is like /tmp")
        .dockerfile("make it with the mode 0755, or 1777 if it is like /tmp")
        .standards(INTEGRITY),
    check("PRV-05", "a device, pipe or socket in the image", Block, privilege::special)
        .help("leave it out of `copy`: the engine makes what a process needs")
        .dockerfile("leave it out of `COPY`: the engine makes what a process needs")
        .standards(INTEGRITY),
    check("PRV-06", "files that the process may change", Warn, privilege::own_files)
        .help("leave the owner out, so that they are root's, or name the folder in `writable`")
        .dockerfile("leave `--chown` out, so that they are root's")
        .standards(&["NSA Kubernetes 1.1", "NIST 800-53 SI-7"])
        .needs_base()
        .needs(Need::Config),
    check("PRV-07", "a part of the system that the process may change", Block, privilege::system_files)
        .help("place it as root's, with no right to write for others")
        .standards(INTEGRITY)
        .needs(Need::Config),
    check("PRV-08", "code that is put into every program", Block, privilege::preloaded)
        .help("take LD_PRELOAD, LD_AUDIT or /etc/ld.so.preload out of the image")
        .standards(&["NIST 800-53 SI-7", "NIST 800-190 4.1.3"])
        .needs(Need::SomeConfig),
    check("PRV-09", "a search path that others may fill", Block, privilege::search_path)
        .help("write absolute folders of the system into `PATH`")
        .standards(INTEGRITY)
        .needs(Need::Config),
    check("PRV-10", "a program that changes the user", Warn, tools::elevators)
        .help("leave it out: the image starts as its user")
        .standards(&["CCI-002235", "NIST 800-53 AC-6"])
        .except(&[(Profile::Disa, Some(Block))]),
    check("PKG-01", "a package manager of the system", Block, tools::package_managers)
        .help("install packages in `build` and copy only what is needed")
        .dockerfile("install packages in an earlier stage and copy only what is needed")
        .standards(SHELL_FREE),
    check("PKG-02", "a package manager of a language", Warn, tools::language_managers)
        .help("install in `build`, such as `python3 -m venv --without-pip`, and leave it there")
        .dockerfile("install in an earlier stage, such as `python3 -m venv --without-pip`, and leave it there")
        .standards(SHELL_FREE),
    check("PKG-03", "no record of packages", Block, tools::records)
        .help("leave the records of the base where they are: scanners read them")
        .standards(&["NIST 800-53 CM-8", "NIST 800-190 4.1.1"]),
    check("PKG-04", "a compiler, or what only compilers read", Warn, tools::compilers)
        .help("compile in `build` and copy only the result")
        .dockerfile("compile in an earlier stage and copy only the result")
        .standards(SHELL_FREE),
    check("PKG-05", "a tool for the network or for debugging", Warn, tools::network_tools)
        .help("leave it out; debug with a container beside the app's")
        .standards(SHELL_FREE),
    check("PKG-06", "a way to log in from outside", Block, tools::remote_logins)
        .help("leave it out: a container is looked into through its engine")
        .standards(&["CCI-000381", "NIST 800-190 4.1.2"])
        .needs(Need::SomeConfig),
    check("PKG-07", "a cache of a package manager", Warn, tools::caches)
        .help("mount it with `cache` in the step that fills it")
        .dockerfile("mount it with `RUN --mount=type=cache` in the step that fills it")
        .standards(&["CCI-002617", "NIST 800-53 CM-7"])
        .except(&[(Profile::Disa, Some(Block))]),
    check("PKG-08", "a folder of version control", Block, tools::version_control)
        .help("leave it out with `exclude`, or with .dockerignore")
        .dockerfile("leave it out with .dockerignore")
        .standards(&["NIST 800-53 CM-7", "NIST 800-190 4.1.4"]),
    check("PKG-09", "leftovers of development", Warn, tools::leftovers)
        .help("leave them out with `exclude`, or with .dockerignore")
        .dockerfile("leave them out with .dockerignore")
        .standards(&["NIST 800-53 CM-7"]),
    check("SEC-01", "a private key", Block, secrets::keys)
        .help("mount it when the container starts, or in the step of `build` that needs it")
        .dockerfile("mount it when the container starts, or with `RUN --mount=type=secret` in the step that needs it")
        .standards(SECRETS),
    check("SEC-02", "a file with credentials", Block, secrets::credentials)
        .help("mount it as `secret` in the step of `build` that needs it")
        .dockerfile("mount it with `RUN --mount=type=secret` in the step that needs it")
        .standards(SECRETS),
    check("SEC-03", "a secret in the config", Block, secrets::config)
        .help("give it to the container when it starts")
        .standards(SECRETS)
        .needs(Need::Config),
    check("SEC-04", "a token in a file", Warn, secrets::tokens)
        .help("read it from the environment or from a file that is mounted")
        .standards(SECRETS)
        .except(&[(Profile::Disa, Some(Block))]),
    check("SEC-05", "a file of credentials under another one", Block, secrets::hidden)
        .help("leave the first one out with `exclude`: whoever has the image can read it")
        .dockerfile("leave the first one out of `COPY`: whoever has the image can read it")
        .standards(SECRETS)
        .needs_base(),
    check("RUN-01", "the command is not in the image", Block, start::found)
        .help("write a path that the image has, or copy the program to a folder of PATH")
        .standards(SETTINGS)
        .needs(Need::Config),
    check("RUN-02", "the user cannot execute the command", Block, start::executable)
        .help("place it with `mode: 0755`, below folders that everybody may search")
        .dockerfile("copy it with `--chmod=0755`, below folders that everybody may search")
        .standards(&["NIST 800-53 AC-6", "NIST 800-53 CM-6"])
        .needs(Need::Config),
    check("RUN-03", "a script whose interpreter is not there", Block, start::scripts)
        .help("start the interpreter yourself, such as `[node, script.js]`")
        .dockerfile("start the interpreter yourself, such as `ENTRYPOINT [\"node\", \"script.js\"]`")
        .standards(SETTINGS)
        .needs(Need::Config),
    check("RUN-04", "a command that the kernel cannot execute", Block, start::formats)
        .help("start the program that reads it, such as `[node, script.js]`")
        .dockerfile("start the program that reads it, such as `ENTRYPOINT [\"node\", \"script.js\"]`")
        .standards(SETTINGS)
        .needs(Need::Config),
    check("RUN-05", "a program for another machine or another libc", Block, start::machines)
        .help("build it in the dev image of the same base, for the platform of the image")
        .dockerfile("build it in the `-dev` image of the last stage's base, for the platform of the image")
        .standards(SETTINGS)
        .needs(Need::Config),
    check("RUN-06", "a library that is not there, or too old", Block, runtime::libraries)
        .help("build in the dev image of the same base, and copy the libraries that it lacks")
        .dockerfile("build in the `-dev` image of the last stage's base, and copy the libraries that it lacks")
        .standards(SETTINGS)
        .needs(Need::Config),
    check("RUN-07", "a command whose own file is not there", Block, runtime::start_file)
        .help("copy the file, or write its path as it is in the image")
        .standards(SETTINGS)
        .needs(Need::Config),
    check("RUN-08", "a config for another platform", Block, runtime::platform)
        .help("build with `--platform` for the platform of the base")
        .standards(SETTINGS)
        .needs(Need::Config),
    check("RUN-09", "a working folder that cannot be used", Block, start::workdir)
        .help("set `workdir` to a folder of the image that everybody may search")
        .dockerfile("set `WORKDIR` to a folder of the image that everybody may search")
        .standards(SETTINGS)
        .needs(Need::Config),
    check("RUN-10", "a volume or writable path that cannot be used", Warn, runtime::volumes)
        .help("name a folder of the app in `writable`")
        .dockerfile("make the folder in an earlier stage and copy it with `--chown`, or leave `VOLUME` out")
        .standards(SETTINGS)
        .needs(Need::Config),
    check("RUN-11", "a port below 1024", Warn, runtime::ports)
        .help("listen on a port from 1024 on, and map it when the container starts")
        .standards(&["CCI-001762", "NIST 800-53 CM-7"])
        .except(&[(Profile::Disa, Some(Block))])
        .needs(Need::Config),
    check("RUN-12", "a health check that cannot run", Block, start::healthcheck)
        .help("write a list whose first word is a program of the image")
        .standards(&["CIS Docker 4.6"])
        .needs(Need::Config),
    check("RUN-13", "certificates that are not there", Warn, runtime::certificates)
        .help("copy them, or leave the variable out")
        .standards(&["NIST 800-53 SC-8"])
        .needs(Need::Config),
    check("RUN-14", "certificates that are not checked", Block, runtime::verification)
        .help("leave the variable out, and add the missing certificate with `NODE_EXTRA_CA_CERTS` or `SSL_CERT_FILE`")
        .standards(&["NIST 800-53 SC-8"])
        .needs(Need::Config),
    check("RUN-15", "a time zone that is not there", Warn, runtime::time_zone)
        .help("leave TZ out, or take a base with tzdata")
        .standards(SETTINGS)
        .needs(Need::Config),
    check("RUN-16", "a placed script that nothing can run", Warn, runtime::scripts)
        .help("leave it out of `copy`, or name an interpreter of the image in its first line")
        .dockerfile("leave it out of `COPY`, or name an interpreter of the image in its first line")
        .standards(SETTINGS),
    check("META-01", "no word about where the image comes from", Info, metadata::labels)
        .help("add `labels`, such as `org.opencontainers.image.source`")
        .dockerfile("add labels, such as `LABEL org.opencontainers.image.source=…`")
        .standards(&["NIST 800-53 CM-8"])
        .except(&[(Profile::Strict, Some(Warn)), (Profile::Disa, Some(Warn))])
        .needs(Need::Config),
    check("META-02", "a label of the base that is changed", Warn, metadata::base_labels)
        .help("leave labels that begin with `com.docker.dhi.` as they are")
        .standards(&["NIST 800-53 CM-8"])
        .needs_base()
        .needs(Need::BaseConfig),
    check("META-03", "a history that says too much", Warn, metadata::history)
        .help("use `secret` for secrets; images have no triggers")
        .dockerfile("use `RUN --mount=type=secret` for secrets, and leave `ONBUILD` out")
        .standards(TOLD_SECRETS)
        .needs(Need::Config),
    check("META-04", "a date that is not the source's", Info, metadata::created)
        .help("let hardpan set the date")
        .dockerfile("leave `SOURCE_DATE_EPOCH` to the builder")
        .standards(&["NIST 800-53 CM-6"])
        .needs(Need::Build),
    check("SUP-01", "a base that is not pinned", Block, supply::pinned)
        .help("name the base with its digest")
        .dockerfile("name the image in `FROM` or `--from` with its digest")
        .standards(SUPPLY)
        .needs(Need::Build),
    check("SUP-02", "a base that is not hardened", Warn, metadata::allowed)
        .help("take a Docker Hardened Image as `base`")
        .dockerfile("start the last stage from a Docker Hardened Image")
        .standards(&["CIS Docker 4.2", "NIST 800-190 4.1.5"])
        .needs_base()
        .needs(Need::Build),
    check("SUP-03", "a base whose signature is not verified", Info, supply::signed)
        .help("verify it with a policy beside the file, `hardpan.yaml.rego`")
        .dockerfile("verify it with a policy beside the file, `Dockerfile.rego`")
        .standards(SIGNED),
    check("SUP-04", "a base past its end of life", Block, metadata::supported)
        .help("move to a version that is supported")
        .standards(&["CIS Docker 4.4", "NIST 800-53 SA-22"])
        .needs_base()
        .needs(Need::BaseConfig),
    check("SUP-05", "something fetched that can change", Block, supply::sources)
        .help("write the `checksum` of a URL, and all 40 digits of a commit")
        .dockerfile("write `ADD --checksum=sha256:…`, and all 40 digits of a commit")
        .standards(FETCHED)
        .needs(Need::Build),
    check("SUP-06", "a layer that is more than placed files", Block, supply::layers)
        .help("build with the network and the rights that every step has")
        .dockerfile("run programs in an earlier stage, without `--security` and `--network`, and `COPY --from` what they made")
        .standards(PLACED)
        .needs(Need::Build),
    check("SUP-07", "a secret as build argument", Block, secrets::build_args)
        .help("use `secret` in the step that needs it")
        .dockerfile("mount it with `RUN --mount=type=secret` in the step that needs it")
        .standards(TOLD_SECRETS)
        .needs(Need::Build),
    check("SUP-08", "an image without statements about it", Info, supply::statements)
        .help("build with `--sbom=true --provenance=mode=max`")
        .standards(STATEMENTS)
        .except(&[(Profile::Strict, Some(Warn)), (Profile::Disa, Some(Warn))])
        .needs(Need::Build),
    check("BASE-01", "a program, library or record of the base that is replaced", Block, base::records)
        .help("leave it as the base has it, and place yours under another path")
        .standards(&["NIST 800-53 SI-7", "NIST 800-190 4.1.1"])
        .needs_base(),
    check("BASE-02", "a path of the base changed its type, mode or owner", Block, base::changed)
        .help("place it somewhere else; content of the base stays as the base has it")
        .standards(&["NIST 800-53 SI-7", "NIST 800-190 4.1.2"])
        .needs_base(),
    check("BASE-03", "a placed file hides a placed folder, or a folder a file", Block, base::hidden)
        .help("give them different paths, or leave the earlier one out with `exclude`")
        .dockerfile("give them different paths")
        .standards(SETTINGS)
        .needs_base(),
    check("BASE-04", "a placed name that stands for a deletion", Block, base::deletions)
        .help("leave it out with `exclude`: in a layer, such a name removes files of the base")
        .dockerfile("leave it out of `COPY`: in a layer, such a name removes files of the base")
        .standards(&["NIST 800-53 SI-7", "NIST 800-190 4.1.3"]),
];

impl Check {
    /// The check of an id.
    pub fn find(id: &str) -> Option<&'static Self> {
        CHECKS.iter().find(|check| check.id.0 == id)
    }

    /// Says of an id that no check has which one was meant.
    pub fn unknown(id: &str) -> String {
        let ids = || CHECKS.iter().map(|check| check.id.0);
        let written = quoted(id);
        match nearest(&id.to_uppercase(), ids()) {
            Some(near) => format!("there is no check {written}; did you mean `{near}`?"),
            None => format!("there is no check {written}"),
        }
    }

    /// How much a finding weighs in a profile; `None`: the profile leaves the check out.
    pub fn weight(&self, profile: Profile) -> Option<Severity> {
        let exception = self.exceptions.iter().find(|(known, _)| *known == profile);
        exception.map_or_else(|| Some(profile.usual(self.severity)), |(_, weight)| *weight)
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
            let says = weighs(check);
            assert!(page.contains(says) || is_open(check), "{} lacks {says:?}", check.id);
            let standards = page.split("## Standards\n\n").nth(1).unwrap_or_default();
            let listed: Vec<&str> =
                standards.lines().filter_map(|line| line.strip_prefix("- ")).collect();
            assert_eq!(listed, check.standards, "{} lists other standards", check.id);
        }
    }

    /// Never decided, so that nothing is ever found.
    fn is_open(check: &Check) -> bool {
        check.id.0 == "SUP-03"
    }

    /// What a page says about the profiles.
    fn weighs(check: &Check) -> &'static str {
        let weight = |profile| check.weight(profile);
        let all = [Profile::Standard, Profile::Strict, Profile::Disa].map(weight);
        match all {
            [Some(Block), ..] => "finding refuses the image",
            [Some(Warn), Some(Block), Some(Block)] => {
                "A finding is a warning; the profiles `strict` and `disa` refuse the image."
            }
            [Some(Warn), ..] => "A finding is a warning; the profile `strict` refuses the image.",
            [Some(Info), Some(Warn), _] => {
                "A finding is a note; a warning in the profiles `strict` and `disa`."
            }
            _ => "A finding is a note.",
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
