//! Documents as they come out of real judgements, and such as nobody means well with.

use hardpan::harden::Profile;
use hardpan::report::Document;
use hardpan::report::contract::Contract;
use hardpan::report::document::{
    Base, CheckEntry, CheckStatus, FindingEntry, Image, Level, Policy, Position, Source, Summary,
    Test, Tool, VERSION, Verdict, WaiverEntry,
};

/// Rows of the catalogue as they were when this was written: a report does not change with it.
const CHECKS: &[(&str, &str, Level, &[&str])] = &[
    (
        "USR-01",
        "the process runs as root",
        Level::Block,
        &[
            "CIS Docker 4.1",
            "CCI-002235",
            "NIST 800-53 AC-6",
            "NIST 800-190 4.1.2",
            "K8s PSS restricted",
        ],
    ),
    ("USR-04", "the process runs in a powerful group", Level::Warn, &["NIST 800-53 AC-6"]),
    ("SHL-03", "a shell by content", Level::Block, &["CIS Docker 4.3", "NIST 800-53 CM-7"]),
    ("SHL-08", "a program that starts others", Level::Warn, &["NIST 800-53 CM-7"]),
    ("PRV-01", "a set-id program", Level::Block, &["CIS Docker 4.8", "NIST 800-53 AC-6"]),
    ("PRV-06", "files that the process may change", Level::Warn, &["NIST 800-53 SI-7"]),
    ("PKG-02", "a package manager of a language", Level::Warn, &["CIS Docker 4.3"]),
    ("SEC-03", "a secret in the config", Level::Block, &["CIS Docker 4.10", "NIST 800-53 IA-5(7)"]),
    ("RUN-06", "a library that is not there, or too old", Level::Block, &["NIST 800-53 CM-6"]),
    ("META-01", "no word about where the image comes from", Level::Info, &["NIST 800-53 CM-8"]),
    ("SUP-01", "a base that is not pinned", Level::Block, &["NIST 800-53 SR-4"]),
    ("BASE-02", "a path of the base changed its type, mode or owner", Level::Block, &[]),
];

/// An image in which nothing was found.
pub(crate) fn clean() -> Document {
    let image = image();
    Document {
        version: VERSION,
        tool: Tool { name: "hardpan".to_owned(), version: "1.2.3".to_owned(), frontend: None },
        rules: "2".to_owned(),
        profile: "standard".to_owned(),
        source: Source {
            kind: "spec".to_owned(),
            file: Some("hardpan.yaml".to_owned()),
            digest: Some(format!("sha256:{}", "5".repeat(64))),
        },
        contract: Contract::new(&image, Profile::Standard),
        image,
        bases: vec![base("runtime", "dhi.io/node:24"), base("dev", "dhi.io/node:24-dev")],
        result: Verdict::Passed,
        summary: Summary {
            text: "runs as 1000:1000, no shell in 4,123 files, entrypoint /usr/bin/node executable"
                .to_owned(),
            passed: CHECKS.len(),
            ..Summary::default()
        },
        checks: CHECKS.iter().map(check).collect(),
        findings: Vec::new(),
        waivers: Vec::new(),
        tests: vec![test("start: http 8080/healthcheck", "passed")],
        policy: None,
        truncated: None,
    }
}

fn base(role: &str, name: &str) -> Base {
    let digest = format!("sha256:{}", "b".repeat(64));
    Base { role: role.to_owned(), name: name.to_owned(), digest }
}

fn image() -> Image {
    Image {
        platform: "linux/amd64".to_owned(),
        user: "1000:1000".to_owned(),
        uid: Some(1000),
        gid: Some(1000),
        entrypoint: vec!["/usr/bin/node".to_owned()],
        cmd: vec!["server.mjs".to_owned()],
        workdir: "/app".to_owned(),
        ports: vec!["8080/tcp".to_owned()],
        volumes: Vec::new(),
        writable: vec!["/app/data".to_owned()],
        files: 4123,
        bytes: 187_400_000,
    }
}

fn check(&(id, title, severity, standards): &(&str, &str, Level, &[&str])) -> CheckEntry {
    CheckEntry {
        id: id.to_owned(),
        title: title.to_owned(),
        status: CheckStatus::Passed,
        severity: Some(severity),
        findings: 0,
        reason: None,
        standards: standards.iter().map(|&one| one.to_owned()).collect(),
    }
}

fn test(name: &str, outcome: &str) -> Test {
    Test {
        name: name.to_owned(),
        outcome: outcome.to_owned(),
        message: None,
        output: None,
        stopped_in_time: None,
        position: None,
    }
}

fn help(check: &str) -> &'static str {
    match check {
        "SHL-03" => {
            "leave it out of `copy`, or build with it in `build` and copy only what it made"
        }
        "SEC-03" => "give it to the container when it starts",
        "META-01" => "add `labels`, such as `org.opencontainers.image.source`",
        _ => "leave it out of `copy`",
    }
}

pub(crate) fn finding(check: &str, path: &str, message: &str) -> FindingEntry {
    let known = CHECKS.iter().find(|known| known.0 == check).unwrap();
    FindingEntry {
        check: check.to_owned(),
        severity: known.2,
        origin: "app".to_owned(),
        layer: Some(1),
        field: None,
        entry: None,
        path: Some(path.to_owned()),
        message: message.to_owned(),
        help: help(check).to_owned(),
        position: Some(Position { file: "hardpan.yaml".to_owned(), line: 7, column: 5 }),
        waiver: None,
    }
}

/// Puts findings into a document and counts them everywhere.
pub(crate) fn found(mut document: Document, findings: Vec<FindingEntry>) -> Document {
    for entry in &mut document.checks {
        let mine: Vec<_> = findings.iter().filter(|one| one.check == entry.id).collect();
        if mine.is_empty() {
            continue;
        }
        entry.findings = mine.len();
        let open = mine.iter().filter(|one| one.waiver.is_none());
        entry.status = match open.map(|one| one.severity).max() {
            None => CheckStatus::Waived,
            Some(Level::Info) => CheckStatus::Noted,
            Some(Level::Warn) => CheckStatus::Warned,
            Some(Level::Block) => CheckStatus::Failed,
        };
    }
    let count = |status| document.checks.iter().filter(|one| one.status == status).count();
    let open =
        |level| findings.iter().filter(|one| one.severity == level && one.waiver.is_none()).count();
    document.summary = Summary {
        text: document.summary.text,
        passed: count(CheckStatus::Passed),
        noted: count(CheckStatus::Noted),
        warned: count(CheckStatus::Warned),
        failed: count(CheckStatus::Failed),
        waived_checks: count(CheckStatus::Waived),
        not_evaluated: count(CheckStatus::NotEvaluated),
        off: count(CheckStatus::Off),
        blocking: open(Level::Block),
        warnings: open(Level::Warn),
        infos: open(Level::Info),
        waived: findings.iter().filter(|one| one.waiver.is_some()).count(),
    };
    let is_failed =
        document.summary.blocking > 0 || document.tests.iter().any(|test| test.outcome == "failed");
    document.result = match document.summary.warnings {
        _ if is_failed => Verdict::Failed,
        0 => Verdict::Passed,
        _ => Verdict::Warned,
    };
    document.findings = findings;
    document
}

/// A shell, a secret and a port, with a waiver, a policy, failed tests, and checks without an answer.
pub(crate) fn failed() -> Document {
    let mut document = clean();
    let lasting = test("start: http 8080/healthcheck", "failed");
    document.tests = vec![
        Test {
            message: Some("no answer in 30 s; the app ended with exit code 1".to_owned()),
            output: Some(
                "node:fs:441\n    return binding.open(path);\n\nError: EROFS: read-only file system, \
                 open '/app/cache.db'\n    at Object.openSync (node:fs:441:18)\n"
                    .to_owned(),
            ),
            stopped_in_time: Some(false),
            position: Some(Position { file: "hardpan.yaml".to_owned(), line: 12, column: 3 }),
            ..lasting
        },
        test("run: node --version", "passed"),
        Test {
            message: Some("the builder cannot run linux/arm64".to_owned()),
            ..test("run: node --check server.mjs", "skipped")
        },
    ];
    for entry in &mut document.checks {
        if entry.id.starts_with("BASE-") {
            entry.status = CheckStatus::NotEvaluated;
            entry.reason = Some("the base is not known".to_owned());
        }
        if entry.id == "RUN-06" {
            entry.status = CheckStatus::NotEvaluated;
            entry.reason = Some("/app/lib/native.node has more than 10,000 libraries".to_owned());
        }
        if entry.id == "USR-04" {
            (entry.status, entry.severity) = (CheckStatus::Off, None);
        }
    }
    document.waivers = vec![
        waiver(("SHL-08", Some("/app/vendor/**")), "the vendor ships it, removal is asked for", 1),
        waiver(("PKG-02", Some("/usr/bin/pip")), "pip is gone since the last release", 0),
        WaiverEntry {
            expires: "2026-10-01".to_owned(),
            status: "expired".to_owned(),
            ..waiver(("SHL-03", Some("/app/bin/helper")), "for the demo in September", 0)
        },
    ];
    "strict".clone_into(&mut document.profile);
    document.policy = Some(Policy {
        profile_of_file: Some("standard".to_owned()),
        source: "context policy".to_owned(),
        digest: Some(format!("sha256:{}", "c".repeat(64))),
        waivers: "allow".to_owned(),
        required: vec!["SHL-02".to_owned(), "USR-01".to_owned()],
    });
    let shell = "shell found: /app/bin/helper is BusyBox v1.36.1 under another name";
    let variable = FindingEntry {
        field: Some("env".to_owned()),
        entry: Some("API_TOKEN".to_owned()),
        layer: None,
        path: None,
        position: Some(Position { file: "hardpan.yaml".to_owned(), line: 10, column: 3 }),
        ..finding("SEC-03", "", "the variable `API_TOKEN` holds a secret")
    };
    let of_base = FindingEntry {
        origin: "base".to_owned(),
        layer: None,
        position: None,
        ..finding("PRV-06", "/var/cache/nginx", "the process may change /var/cache/nginx")
    };
    let waived = FindingEntry {
        waiver: Some(0),
        ..finding("SHL-08", "/app/vendor/bin/env", "/app/vendor/bin/env starts other programs")
    };
    let findings = vec![
        finding("SHL-03", "/app/bin/helper", shell),
        finding("SHL-03", "/app/bin/other", "shell found: /app/bin/other is a shell"),
        waived,
        of_base,
        variable,
        FindingEntry {
            path: None,
            ..finding("META-01", "", "no label says where the image comes from")
        },
    ];
    found(document, findings)
}

fn waiver((check, path): (&str, Option<&str>), reason: &str, findings: usize) -> WaiverEntry {
    WaiverEntry {
        check: check.to_owned(),
        path: path.map(ToOwned::to_owned),
        reason: reason.to_owned(),
        owner: "platform@example.com".to_owned(),
        expires: "2027-03-31".to_owned(),
        source: "spec".to_owned(),
        findings,
        status: if findings > 0 { "used" } else { "unused" }.to_owned(),
    }
}

/// Thousands of findings, some with names that mean harm to whoever shows them.
pub(crate) fn crowded(number: usize) -> Document {
    let names = [
        "/app/node_modules/@scope/a-package-with-a-name/dist/esm/internal/index.js",
        "/app/<script>alert(1)</script>\"'><img src=x onerror=alert(1)>",
        "/app/| a | b |`code`*bold*[link](https://example.com)",
        "/app/]]>&amp;\u{ffff}\u{1b}[31m",
        "/srv/größe/日本語/файл",
    ];
    let long = format!("/app/{}", "very-long-".repeat(40));
    let checks = ["PRV-06", "SHL-08", "PRV-01"];
    let entry = |index: usize| {
        let name = names.get(index % 50).map_or(long.as_str(), |name| name);
        let path = if index.is_multiple_of(49) { long.clone() } else { format!("{name}{index}") };
        let path = if index % 50 >= names.len() {
            format!("{}/{index:04}.js", names[0].trim_end_matches("/index.js"))
        } else {
            path
        };
        let message = format!("the process may change {path}");
        finding(checks[index % checks.len()], &path, &message)
    };
    found(clean(), (0..number).map(entry).collect())
}

/// Every text of it is the given one.
pub(crate) fn hostile(text: &str) -> Document {
    let mut document = failed();
    let some = || Some(text.to_owned());
    text.clone_into(&mut document.profile);
    document.source = Source { kind: text.to_owned(), file: some(), digest: some() };
    text.clone_into(&mut document.summary.text);
    let image = &mut document.image;
    for field in [&mut image.platform, &mut image.user, &mut image.workdir] {
        text.clone_into(field);
    }
    for list in [
        &mut image.entrypoint,
        &mut image.cmd,
        &mut image.ports,
        &mut image.volumes,
        &mut image.writable,
    ] {
        *list = vec![text.to_owned(), format!("/{text}")];
    }
    document.contract = Contract::new(&document.image, Profile::Standard);
    document.bases[0] = Base { role: text.into(), name: text.into(), digest: text.into() };
    for check in document.checks.iter_mut().filter(|check| check.reason.is_some()) {
        check.reason = some();
    }
    for finding in &mut document.findings {
        (finding.entry, finding.path) = (some(), some());
        for field in [&mut finding.message, &mut finding.help, &mut finding.origin] {
            text.clone_into(field);
        }
        finding.position = Some(Position { file: text.to_owned(), line: 0, column: 0 });
        finding.waiver = finding.waiver.map(|_| 1_000_000);
    }
    for waiver in &mut document.waivers {
        waiver.path = some();
        for field in [&mut waiver.reason, &mut waiver.owner, &mut waiver.check, &mut waiver.status]
        {
            text.clone_into(field);
        }
    }
    for test in &mut document.tests {
        (test.message, test.output) = (some(), some());
        text.clone_into(&mut test.name);
    }
    document
}
