//! The gate: images that are refused although every step of their build works, at the line of what
//! is to blame; and near misses, which pass.

use crate::support::build::fresh_name;
use crate::support::project::Project;

/// The spec must be refused by one of the checks at the line of its mark, naming the path.
#[track_caller]
fn refused(project: &Project, checks: &[&str], path: &str) {
    let refusal = project.refused();
    let line = project.marks[0].0;
    let found =
        refusal.errors().into_iter().find(|mistake| checks.contains(&mistake.code.as_str()));
    let found = found.unwrap_or_else(|| panic!("none of {checks:?}\n{refusal}"));
    assert_eq!(found.place.0, line, "{refusal}");
    assert!(found.message.contains(path), "{path}: {refusal}");
    assert!(!found.help.is_empty(), "{refusal}");
    assert!(refusal.marked.contains(&line), "{refusal}");
}

#[test]
fn a_shell_of_this_machine_under_its_own_and_another_name() {
    let spec = |to: &str| {
        format!("base: node:24\nimage:\n  - ▸copy: tool\n    to: {to}\nentrypoint: [node]\n")
    };
    for (to, check) in
        [("/usr/bin/sh", "SHL-02"), ("/app/lib/helper", "SHL-03"), ("/opt/x/dash", "SHL-02")]
    {
        let project = Project::new(&spec(to)).program("tool", "/bin/dash");
        refused(&project, &[check], to);
    }
    refused(
        &Project::new(&spec("/opt/thing")).program("tool", "/bin/bash"),
        &["SHL-03"],
        "/opt/thing",
    );
}

#[test]
fn shells_that_a_stage_brings() {
    let project = |from: &str, to: &str| {
        Project::new(&format!(
            "base: node:24\nbuild:\n  - packages: [busybox-static, bash-static]\nimage:\n  - ▸copy: {from}\n    from: build\n    to: {to}\nentrypoint: [node]\n"
        ))
    };
    refused(&project("/bin/busybox", "/opt/app/server"), &["SHL-03", "SHL-04"], "/opt/app/server");
    refused(&project("/bin/bash-static", "/opt/app/server"), &["SHL-03"], "/opt/app/server");
    refused(&project("/bin/bash-static", "/opt/app/"), &["SHL-02"], "/opt/app/bash-static");
}

#[test]
fn a_shell_in_an_archive() {
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_path_with_name("/bin/dash", "deep/inside/tool").unwrap();
    let bytes = tar.into_inner().unwrap();
    let project = Project::new(
        "base: node:24\nimage:\n  - write: /srv/x\n    content: x\n  - ▸add: app.tar\nentrypoint: [node]\n",
    );
    refused(&project.file("app.tar", bytes), &["SHL-03"], "/app/deep/inside/tool");
}

#[test]
fn an_entrypoint_that_cannot_start() {
    let missing = |entrypoint: &str| {
        let spec = format!("base: node:24\nimage:\n  - copy: run\nentrypoint: ▸[{entrypoint}]\n");
        refused(&Project::new(&spec).file("run", "x"), &["RUN-01"], entrypoint);
    };
    missing("/app/gone");
    missing("nothing-like-it");
    // What is there but cannot be started is the fault of the item that placed it.
    let placed = |mode: u32, content: &[u8]| {
        let spec = "base: node:24\nimage:\n  - ▸copy: run\nentrypoint: [./run]\n";
        Project::new(spec).file_with_mode("run", mode, content)
    };
    refused(&placed(0o644, b"#!/usr/bin/node\n"), &["RUN-02"], "/app/run");
    refused(&placed(0o755, b"#!/usr/bin/env node\n"), &["RUN-03"], "/usr/bin/env");
    refused(&placed(0o755, b"#!/bin/sh\nexec node\n"), &["RUN-03"], "/bin/sh");
    refused(&placed(0o755, b"#!/usr/bin/node\r\n"), &["RUN-03"], "/app/run");
    refused(&placed(0o755, b"console.log(1)\n"), &["RUN-04"], "/app/run");
    let mut other = std::fs::read("/sbin/ldconfig").unwrap();
    other[18] = 183; // e_machine: aarch64
    refused(&placed(0o755, &other), &["RUN-05"], "/app/run");
}

#[test]
fn an_entrypoint_through_a_shell() {
    let project = Project::new("base: node:24\n▸entrypoint: [sh, -c, \"node server.mjs\"]\n");
    refused(&project, &["SHL-05", "SPEC-10"], "sh");
}

#[test]
fn a_program_of_another_c_library() {
    // `static` without glibc has no dynamic loader.
    let spec =
        "base: {runtime: static:20250419}\nimage:\n  - ▸copy: start\nentrypoint: [./start]\n";
    refused(&Project::new(spec).program("start", "/bin/true"), &["RUN-05"], "ld-linux");
}

#[test]
fn a_file_of_the_base_with_more_rights() {
    let project = |mode: &str| {
        let spec = format!(
            "base: node:24\nimage:\n  - ▸copy: host\n    to: /etc/host.conf\n    mode: {mode}\nentrypoint: [node]\n"
        );
        Project::new(&spec).file("host", "multi on\n")
    };
    refused(&project("0755"), &["BASE-02"], "/etc/host.conf");
    assert_eq!(project("0444").push().listing().at("/etc/host.conf").mode, 0o444, "fewer are fine");
}

#[test]
fn a_record_of_the_base() {
    let project = Project::new(
        "base: node:24\nimage:\n  - ▸copy: passwd\n    to: /etc/passwd\nentrypoint: [node]\n",
    );
    refused(&project.file("passwd", "node:x:1000:1000::/:\n"), &["BASE-01"], "/etc/passwd");
}

/// A file of the context, placed somewhere.
fn placed(to: &str) -> Project {
    let spec =
        format!("base: node:24\nimage:\n  - ▸copy: thing\n    to: {to}\nentrypoint: [node]\n");
    Project::new(&spec)
}

#[test]
fn programs_that_no_image_needs() {
    for (to, check) in
        [("/opt/apt-get", "PKG-01"), ("/opt/bin/gcc-14", "PKG-04"), ("/usr/sbin/sshd", "PKG-06")]
    {
        refused(&placed(to).program("thing", "/bin/true"), &[check], to);
    }
}

#[test]
fn a_program_of_the_base_that_is_replaced() {
    let project = placed("/usr/bin/node").program("thing", "/bin/true");
    refused(&project, &["BASE-01"], "/usr/bin/node");
}

#[test]
fn secrets_in_files() {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ";
    let key = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    refused(&placed("/srv/tls/server.key").file("thing", key), &["SEC-01"], "/srv/tls/server.key");
    let npmrc = "//registry.example/:_authToken=s3cr3tvalue\n";
    refused(&placed("/app/.npmrc").file("thing", npmrc), &["SEC-02"], "/app/.npmrc");
    let template = "//registry.example/:_authToken=${NPM_TOKEN}\n";
    assert!(placed("/app/.npmrc").file("thing", template).push().listing().has("/app/.npmrc"));
}

#[test]
fn the_history_of_the_source() {
    let project = Project::new("base: node:24\nimage:\n  - ▸copy: source\nentrypoint: [node]\n");
    refused(&project.file("source/.git/HEAD", "ref: refs/heads/main\n"), &["PKG-08"], ".git");
}

#[test]
fn variables_that_give_away_or_turn_off_too_much() {
    for (variable, check) in [
        ("DB_PASSWORD: hunter2", "SEC-03"),
        ("LD_PRELOAD: /app/x.so", "PRV-08"),
        ("NODE_TLS_REJECT_UNAUTHORIZED: 0", "RUN-14"),
        ("PATH: /usr/bin:.", "PRV-09"),
    ] {
        let name = variable.split(':').next().unwrap();
        let spec = format!("base: node:24\nenv:\n  OTHER: x\n  ▸{variable}\nentrypoint: [node]\n");
        refused(&Project::new(&spec), &[check], name);
    }
}

#[test]
fn a_program_whose_library_is_missing() {
    let project = Project::new("base: node:24\nimage:\n  - ▸copy: list\nentrypoint: [./list]\n");
    refused(&project.program("list", "/bin/ls"), &["RUN-06"], "libselinux.so.1");
}

#[test]
fn a_command_whose_own_file_is_missing() {
    let project = Project::new("base: node:24\nentrypoint: ▸[node, dist/main.js]\n");
    refused(&project, &["RUN-07"], "dist/main.js");
}

#[test]
fn a_link_to_nowhere_and_one_out_of_the_image() {
    for target in ["/nowhere", "run", "../../../../../../../../bin/ls"] {
        let spec = format!(
            "base: node:24\nimage:\n  - link: {target}\n    to: run\nentrypoint: ▸[/app/run]\n"
        );
        refused(&Project::new(&spec), &["RUN-01"], "/app/run");
    }
}

#[test]
fn what_only_a_stage_can_make() {
    let made = |run: &str, what: &str| {
        Project::new(&format!(
            "base: node:24\nbuild:\n  - packages: [libcap2-bin]\n  - run: {run}\nimage:\n  - ▸copy: {what}\n    from: build\nentrypoint: [node]\n"
        ))
    };
    let capable = made("cp /bin/true x && setcap cap_net_raw+ep x", "x");
    refused(&capable, &["PRV-02"], "/app/x");
    let near =
        made("cp /bin/true x && setcap cap_net_raw+ep x && setcap -r x && chmod 0644 x", "x");
    assert!(near.push().listing().has("/app/x"));
    // Set-id bits are taken off: what is a defect elsewhere is none here.
    let set_id = made("cp /sbin/ldconfig x && chmod 4755 x", "x").push();
    assert_eq!(set_id.listing().at("/app/x").mode, 0o755);
}

#[test]
fn a_volume_of_the_engine_and_a_port_of_root() {
    let project = Project::new("base: node:24\nexpose:\n  - 8080\n  - ▸22\nentrypoint: [node]\n");
    refused(&project, &["PKG-06"], "22");
}

#[test]
fn names_that_would_delete_something_where_the_image_is_unpacked() {
    let project = Project::new("base: node:24\nimage:\n  - ▸copy: dir\nentrypoint: [node]\n");
    refused(&project.file("dir/.wh.passwd", ""), &["BASE-04"], ".wh.passwd");
}

#[test]
fn names_that_only_look_like_shells_pass() {
    let project = Project::new(
        "
        base: node:24
        image:
          - copy: node_modules
          - copy: python/sh.py
          - copy: completions
            to: /usr/share/bash-completion
          - copy: sh
          - copy: docs/zsh
          - copy: install.sh
        entrypoint: [node]
        ",
    )
    .file_with_mode("node_modules/shell/bash.js", 0o755, "#!/usr/local/bin/node\n")
    .file_with_mode("python/sh.py", 0o755, "import sys\n")
    .file("completions/bash", "complete")
    .file("sh/readme", "a folder named sh")
    .file("docs/zsh", "a page about zsh")
    .file_with_mode("install.sh", 0o755, "#!/bin/sh\n");
    assert!(project.push().listing().has("/app/sh/readme"));
}

#[test]
fn entrypoints_that_can_start_pass_and_start() {
    use crate::support::container::Container;
    let node = crate::support::registry::read_base("dhi.io/node:24").listing();
    let node =
        ["usr/local/bin/node", "usr/bin/node"].into_iter().find(|path| node.has(path)).unwrap();
    let script = format!("#!/{node}\nconsole.log('started as', process.getuid())\n");
    let project = Project::new(
        "
        base: node:24
        image:
          - copy: run
          - link: ../app/run
            to: /opt/first
          - link: first
            to: /opt/second
        entrypoint: [/opt/second]
        ",
    )
    .file_with_mode("run", 0o755, script);
    let outcome = Container::start(&project.push(), &[]).wait();
    assert_eq!((outcome.code, outcome.stdout.trim()), (Some(0), "started as 1000"), "{outcome}");
}

#[test]
fn nothing_is_exported_when_the_gate_refuses() {
    let name = crate::support::build::fresh_name();
    let folder = tempfile::TempDir::new().unwrap();
    let tar = folder.path().join("image.tar");
    let project = Project::new("base: node:24\nimage:\n  - copy: tool\nentrypoint: [node]\n")
        .program("tool", "/bin/dash");
    project.build().pushing_to(&name).refused();
    assert!(!crate::support::registry::has(&name));
    project.build().args([format!("--output=type=oci,dest={}", tar.display())]).refused();
    assert!(std::fs::metadata(&tar).map_or(0, |data| data.len()) == 0, "no archive");
}

#[test]
fn a_base_that_ends_soon_is_told_once() {
    let soon = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let soon = soon.saturating_add(jiff::Span::new().days(30));
    let name = fresh_name();
    let label = "com.docker.dhi.date.end-of-life";
    let dockerfile = format!("FROM dhi.io/static:20250419-glibc\nLABEL {label}={soon}\n");
    Project::written(&dockerfile).build().pushing_to(&name).run().succeeded();
    let spec =
        format!("base: {{runtime: {name}}}\nimage: [{{copy: start}}]\nentrypoint: [./start]\n");
    let progress = Project::new(&spec).program("start", "/sbin/ldconfig").build().progress();
    let told: Vec<_> =
        progress.warnings.iter().filter(|text| text.contains(&soon.to_string())).collect();
    assert_eq!(told.len(), 1, "{:?}", progress.warnings);
}

#[test]
fn a_base_that_has_ended_refuses_what_every_step_is_cached_of() {
    let name = fresh_name();
    let label = "com.docker.dhi.date.end-of-life";
    let push = |end: &str| {
        let dockerfile = format!("FROM dhi.io/static:20250419-glibc\nLABEL {label}={end}\n");
        Project::written(&dockerfile).build().pushing_to(&name).run().succeeded();
    };
    let spec =
        format!("base: {{runtime: {name}}}\nimage: [{{copy: start}}]\nentrypoint: [./start]\n");
    let project = Project::new(&spec).program("start", "/sbin/ldconfig");
    push("2090-01-01");
    project.build().progress();
    let again = project.build().progress();
    assert!(again.vertex("inspect the image").cached, "{:?}", again.names());
    push("2020-01-01");
    let refusal = project.refused();
    let [error] = refusal.errors()[..] else { panic!("{refusal}") };
    assert_eq!((error.code.as_str(), error.place.0), ("REF-07", 2), "{refusal}");
    assert!(error.message.contains("2020-01-01"), "{refusal}");
}
