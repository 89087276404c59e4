//! For each check of what a command needs, of metadata and of the base an image that has exactly that
//! defect, and near misses that pass.

use hardpan::harden::Severity::{Block, Info, Warn};
use hardpan::harden::{Origin, Profile};

use crate::image::Image;
use crate::rootfs::{AMD64, ARM64, Rootfs, elf};

/// Where the libraries of this machine are.
const HOST: &str = "/lib/x86_64-linux-gnu";

/// An image that starts `ls` of this machine, with some of the libraries that it needs.
fn ls(libraries: &[&str], change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Image {
    let mut image = Image::sound();
    let program = change(std::fs::read("/bin/ls").unwrap());
    image.place(|layer| {
        layer.file("/app/list", 0o755, program);
    });
    for library in libraries {
        let found = std::fs::read(format!("{HOST}/{library}")).unwrap();
        image.base.file(format!("/usr/lib/x86_64-linux-gnu/{library}"), 0o644, found);
    }
    image.entrypoint(&["/app/list"]);
    image
}

const ALL: [&str; 3] = ["libselinux.so.1", "libc.so.6", "libpcre2-8.so.0"];

#[test]
fn run_06_finds_libraries_that_are_missing() {
    ls(&ALL[..2], |program| program).finds(&[(
        "RUN-06",
        Block,
        "/app/list, through /usr/lib/x86_64-linux-gnu/libselinux.so.1, needs libpcre2-8.so.0, \
         which the image does not have",
    )]);
    ls(&ALL[1..], |program| program).finds(&[(
        "RUN-06",
        Block,
        "/app/list needs libselinux.so.1, which the image does not have",
    )]);
    ls(&ALL, |program| program).passes();
}

#[test]
fn run_06_looks_where_the_environment_says() {
    let mut image = ls(&ALL[..2], |program| program);
    let library = std::fs::read(format!("{HOST}/{}", ALL[2])).unwrap();
    image.base.file(format!("/opt/lib/{}", ALL[2]), 0o644, library);
    image.blocks(&["RUN-06"]);
    image.config.env.push("LD_LIBRARY_PATH=/opt/lib".to_owned());
    image.passes();
}

#[test]
fn run_06_finds_versions_that_are_too_new() {
    let newer = |program: Vec<u8>| {
        let place = program.windows(8).position(|text| text == b"GLIBC_2.").unwrap();
        let mut program = program;
        program[place + 6] = b'9';
        program
    };
    let judgement = ls(&ALL, newer).judge();
    let found = &judgement.findings[0];
    assert_eq!((judgement.findings.len(), found.check.0, found.severity), (1, "RUN-06", Block));
    assert!(found.message.starts_with("/app/list needs GLIBC_9."), "{}", found.message);
    assert!(found.message.ends_with(" of libc.so.6, which is older"), "{}", found.message);
}

#[test]
fn run_06_warns_of_other_programs_of_the_app() {
    let mut image = ls(&ALL, |program| program);
    image.place(|layer| {
        let needs = std::fs::read(format!("{HOST}/{}", ALL[0])).unwrap();
        layer.file("/app/native.node", 0o644, needs);
    });
    image.passes();
    std::fs::remove_file(image.base.path().join("usr/lib/x86_64-linux-gnu/libpcre2-8.so.0"))
        .unwrap();
    image.entrypoint(&["node", "server.js"]);
    let judgement = image.judge();
    assert!(
        judgement.findings.iter().all(|found| (found.check.0, found.severity) == ("RUN-06", Warn))
    );
    assert_eq!(judgement.findings.len(), 2);
}

#[test]
fn run_07_wants_the_file_that_is_started() {
    let mut image = Image::sound();
    image.entrypoint(&["node", "dist/main.js"]).finds(&[(
        "RUN-07",
        Block,
        "entrypoint starts \"dist/main.js\", and there is no /app/dist/main.js",
    )]);
    let closed = Image::sound();
    closed.base.file("/app/server.js", 0o600, "x");
    let message = "entrypoint does not start: user 1000:1000 cannot read /app/server.js (0600 0:0)";
    closed.finds(&[("RUN-07", Block, message)]);
    for words in [&["node", "server"][..], &["node", "/app"], &["node", "-e", "1"]] {
        image.entrypoint(words).passes();
    }
}

#[test]
fn run_08_wants_the_platform_of_the_build() {
    let mut image = Image::sound();
    image.config.platform = "linux/arm64".to_owned();
    let message = "the config says \"linux/arm64\", the image is built for linux/amd64";
    image.finds(&[("RUN-08", Block, message)]);
    image.config.platform = "linux/amd64/v1".to_owned();
    image.passes();
}

#[test]
fn run_10_wants_volumes_that_can_be_used() {
    let volume = |path: &str| {
        let mut image = Image::sound();
        image.base.folder("/data", 0o755).owner("/data", 1000, 1000).folder("/closed", 0o755);
        image.config.volumes = vec![path.to_owned()];
        image
    };
    for path in ["/", "/etc", "/usr/", "/proc/x", "/dev"] {
        let message = format!("the volume {path} covers what the system needs");
        volume(path).finds(&[("RUN-10", Block, &message)]);
    }
    volume("/var/run/docker.sock").finds(&[(
        "RUN-10",
        Block,
        "the volume /var/run/docker.sock is the socket of an engine",
    )]);
    volume("/new").finds(&[(
        "RUN-10",
        Warn,
        "/new is to be written and does not exist: it becomes root's",
    )]);
    volume("/closed").finds(&[(
        "RUN-10",
        Warn,
        "/closed is to be written by 1000:1000 (0755 0:0)",
    )]);
    volume("/data").passes();
    let mut writable = Image::sound();
    writable.base.folder("/data", 0o755);
    writable.writable = vec!["/data".to_owned()];
    writable.finds(&[("RUN-10", Warn, "/data is to be written by 1000:1000 (0755 0:0)")]);
}

#[test]
fn run_11_knows_ports_of_root() {
    let mut image = Image::sound();
    image.config.ports = vec!["80/tcp".to_owned(), "8080/tcp".to_owned()];
    let message = "port 80/tcp is below 1024, which Kubernetes gives to root alone";
    image.finds(&[("RUN-11", Warn, message)]);
    assert_eq!(image.judge_as(Profile::Disa).findings[0].severity, Block);
    image.config.ports = vec!["1024/tcp".to_owned()];
    image.passes();
}

fn env(variable: &str) -> Image {
    let mut image = Image::sound();
    image.config.env.push(variable.to_owned());
    image
}

#[test]
fn run_13_wants_the_certificates_that_are_named() {
    let missing = "SSL_CERT_FILE names /etc/ssl/cert.pem, which the image does not have";
    env("SSL_CERT_FILE=/etc/ssl/cert.pem").finds(&[("RUN-13", Warn, missing)]);
    let there = env("SSL_CERT_FILE=/etc/ssl/cert.pem");
    there.base.file("/etc/ssl/cert.pem", 0o644, "x");
    there.passes();
    let mut placed = Image::sound();
    placed.place(|layer| {
        layer.file("/etc/ssl/certs/ca-certificates.crt", 0o644, "x");
    });
    let message = "/etc/ssl/certs/ca-certificates.crt is placed: the image trusts what is in it";
    placed.finds(&[("RUN-13", Info, message)]);
}

#[test]
fn run_14_finds_checks_of_certificates_turned_off() {
    for variable in [
        "NODE_TLS_REJECT_UNAUTHORIZED=0",
        "PYTHONHTTPSVERIFY=0",
        "GIT_SSL_NO_VERIFY=true",
        "npm_config_strict_ssl=false",
        "PIP_TRUSTED_HOST=example.org",
    ] {
        let name = variable.split('=').next().unwrap();
        let message = format!("{name} turns the check of certificates off");
        env(variable).finds(&[("RUN-14", Block, &message)]);
    }
    env("NODE_TLS_REJECT_UNAUTHORIZED=1").passes();
    env("GIT_SSL_NO_VERIFY=").passes();
}

#[test]
fn run_15_wants_the_time_zone_that_is_named() {
    let message = "TZ names a zone, and there is no /usr/share/zoneinfo/Europe/Berlin";
    env("TZ=Europe/Berlin").finds(&[("RUN-15", Warn, message)]);
    let there = env("TZ=Europe/Berlin");
    there.base.file("/usr/share/zoneinfo/Europe/Berlin", 0o644, "TZif");
    there.passes();
    env("TZ=UTC").passes();
    env("TZ=CET-1CEST").passes();
}

#[test]
fn run_16_finds_scripts_that_nothing_can_run() {
    let script = |path: &str, line: &str| {
        let mut image = Image::sound();
        image.place(|layer| {
            layer.file(path, 0o755, line).file(format!("{path}2"), 0o755, line);
        });
        image
    };
    script("/app/run", "#!/usr/bin/env node\n").finds(&[(
        "RUN-16",
        Warn,
        "/app/run and 1 more need /usr/bin/env, which the image does not have",
    )]);
    let dependency = script("/app/node_modules/x/run", "#!/usr/bin/env node\n").judge();
    assert_eq!(dependency.findings[0].severity, Info);
    script("/app/run", "#!/usr/bin/node\n").passes();
    let with_env = script("/app/run", "#!/usr/bin/env python3\n");
    with_env.base.file("/usr/bin/env", 0o755, elf(AMD64, None));
    with_env.finds(&[(
        "RUN-16",
        Warn,
        "/app/run and 1 more need \"python3\", which the image does not have",
    )]);
}

#[test]
fn meta_checks_look_at_labels_history_and_dates() {
    let mut bare = Image::sound();
    bare.config.labels.remove("org.opencontainers.image.source");
    let message = "the image does not say where it comes from: no org.opencontainers.image.source";
    bare.finds(&[("META-01", Info, message)]);

    let label = ("com.docker.dhi.shell".to_owned(), String::new());
    let mut changed = Image::sound();
    changed.config.base.labels.extend([label.clone()]);
    let message = "the label com.docker.dhi.shell of the base is changed";
    changed.finds(&[("META-02", Warn, message)]);
    changed.config.labels.extend([label]);
    changed.passes();

    let mut history = Image::sound();
    history.config.history = vec!["ENV DB_PASSWORD=hunter2".to_owned()];
    history.finds(&[("META-03", Warn, "the history of the image shows a secret")]);
    history.config.history = vec!["ENV DB_HOST=db".to_owned()];
    history.passes();
    history.config.onbuild = vec!["RUN x".to_owned()];
    let message = "the image has 1 ONBUILD triggers, which run in other builds";
    history.finds(&[("META-03", Warn, message)]);

    let mut dated = Image::sound();
    dated.config.epoch = Some(1_700_000_000);
    dated.config.created = Some("2026-01-01T00:00:00Z".to_owned());
    let message = "the image is dated 2026-01-01T00:00:00Z, not SOURCE_DATE_EPOCH";
    dated.finds(&[("META-04", Info, message)]);
    dated.config.created = Some("2023-11-14T22:13:20Z".to_owned());
    dated.passes();
}

#[test]
fn sup_checks_look_at_where_things_come_from() {
    let mut image = Image::sound();
    image.config.base.name = "dhi.io/node:24".to_owned();
    image.finds(&[("SUP-01", Block, "the base dhi.io/node:24 is not pinned by a digest")]);
    image.config.base.name = format!("dhi.io/node:24@sha256:{}", "0".repeat(64));
    image.passes();

    let mut other = Image::sound();
    other.config.base.name = "alpine@sha256:0".to_owned();
    other.config.base.from_catalogue = false;
    let message = "the base alpine@sha256:0 is no Docker Hardened Image";
    other.finds(&[("SUP-02", Warn, message)]);
    let name = ("com.docker.dhi.name".to_owned(), "dhi/node".to_owned());
    other.config.labels.extend([name.clone()]);
    other.config.base.labels.extend([name]); // a mirror
    other.passes();

    let ends = |day: &str| {
        let mut image = Image::sound();
        let label = ("com.docker.dhi.date.end-of-life".to_owned(), day.to_owned());
        image.config.labels.extend([label.clone()]);
        image.config.base.labels.extend([label]);
        image
    };
    ends("2026-11-22").finds(&[("SUP-04", Block, "the base is past its end of life, 2026-11-22")]);
    let soon = "the base reaches its end of life in 1 days, on 2026-11-24";
    ends("2026-11-24").finds(&[("SUP-04", Warn, soon)]);
    ends("2028-01-01").passes();

    let mut args = Image::sound();
    args.config.build_args.insert("NPM_TOKEN".to_owned(), "s3cr3tvalue".to_owned());
    args.finds(&[("SUP-07", Block, "the build argument NPM_TOKEN holds a secret")]);
    args.config.build_args = [("VERSION".to_owned(), "1".to_owned())].into();
    args.passes();
}

#[test]
fn base_01_finds_replaced_programs_and_libraries() {
    for path in ["/usr/lib/libx.so.1", "/usr/lib/python3/x.py", "/opt/tool"] {
        let mode = if path == "/opt/tool" { 0o755 } else { 0o644 };
        let mut image = Image::sound();
        image.base.file(path, mode, "a");
        image.place(|layer| {
            layer.file(path, mode, "b");
        });
        image.finds(&[("BASE-01", Block, &format!("{path} of the base is replaced"))]);
        assert_eq!(image.judge().findings[0].origin, Origin::App { layer: 0 });
    }
    let mut near_miss = Image::sound();
    near_miss.base.file("/etc/nginx/nginx.conf", 0o644, "a").file("/srv/x.js", 0o644, "a");
    near_miss.place(|layer: &Rootfs| {
        layer.file("/etc/nginx/nginx.conf", 0o644, "b").file("/srv/x.js", 0o644, "b").file(
            "/usr/lib/liby.so.1",
            0o644,
            elf(ARM64, None),
        );
    });
    near_miss.passes();
}
