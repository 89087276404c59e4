//! Files that are made to hurt whoever reads them, each answered by one clear finding or none.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::time::{Duration, Instant};

use hardpan::harden::{Judgement, Severity, Status};
use proptest::prelude::*;
use rustix::fs::XattrFlags;

use crate::image::Image;
use crate::rootfs::{AMD64, Rootfs, elf};

/// Nothing here may take longer, on a slow machine in a debug build.
const LIMIT: Duration = Duration::from_secs(60);
/// What the frontend reads of an answer.
const MAX_ANSWER: usize = 64 << 20;
/// Where the libraries of this machine are.
const HOST: &str = "/lib/x86_64-linux-gnu";

fn status<'a>(judgement: &'a Judgement, check: &str) -> &'a Status {
    &judgement.checks.iter().find(|(id, _)| id.0 == check).unwrap().1
}

/// All messages are one line of plain text of a length that people read.
#[track_caller]
fn readable(judgement: &Judgement) {
    for finding in &judgement.findings {
        let texts = [Some(&finding.message), finding.path.as_ref(), finding.entry.as_ref()];
        for text in texts.into_iter().flatten() {
            assert!(!text.chars().any(char::is_control), "{text:?}");
            assert!(text.len() < 40 << 10, "{} bytes", text.len());
        }
    }
}

/// Real programs, small and with all that is followed: a loader, libraries, versions, a search path.
fn samples() -> Vec<Vec<u8>> {
    let read = |path: &str| std::fs::read(path).unwrap();
    vec![read("/bin/true"), read(&format!("{HOST}/libselinux.so.1")), elf(AMD64, Some("/lib/x"))]
}

/// An image that starts a program, and has a library and a plug-in with the same bytes.
fn starting(program: &[u8]) -> Image {
    let mut image = Image::sound();
    let libc = std::fs::read(format!("{HOST}/libc.so.6")).unwrap();
    image.base.file("/usr/lib/x86_64-linux-gnu/libc.so.6", 0o644, libc);
    image.base.file("/usr/lib/libx.so.1", 0o644, program);
    image.place(|layer| {
        layer.file("/app/x", 0o755, program).file("/app/plugin.node", 0o644, program).file(
            "/app/libx.so.1",
            0o644,
            program,
        );
    });
    image.config.env.push("LD_LIBRARY_PATH=/app".to_owned());
    image.entrypoint(&["/app/x"]);
    image
}

/// Where the numbers of an ELF file are that say where others are: its header, its program headers
/// and what the dynamic section holds.
fn places(program: &[u8]) -> Vec<usize> {
    let word = |at: usize| {
        let bytes = program.get(at..at + 8).map(|bytes| bytes.try_into().unwrap());
        usize::try_from(bytes.map_or(0, u64::from_le_bytes)).unwrap_or(0)
    };
    let count = usize::from(program[56]).min(16);
    let mut places: Vec<usize> = (4..64 + count * 56).collect();
    for header in 0..count {
        let at = 64 + header * 56;
        // PT_DYNAMIC, PT_INTERP and the start of what is loaded, where the tables of names are.
        if matches!(program.get(at), Some(1..=3)) {
            let (from, size) = (word(at + 8), word(at + 32));
            places.extend(from..from.saturating_add(size.min(4_096)).min(program.len()));
        }
    }
    places.retain(|place| *place < program.len());
    places
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn damaged_programs_end_in_an_answer(
        sample in 0..3_usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..24),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut program = samples().swap_remove(sample);
        let places = places(&program);
        for (index, byte, kind) in changes {
            let place = places[index.index(places.len())];
            match kind {
                0 => program[place] = byte,
                1 => program[place] ^= 1 << (byte & 7),
                _ => {
                    let end = (place + 8).min(program.len());
                    program[place..end].fill(if byte & 1 == 0 { 0xff } else { 0 });
                }
            }
        }
        if let Some(cut) = cut {
            program.truncate(cut.index(program.len()));
        }
        let start = Instant::now();
        readable(&starting(&program).judge());
        prop_assert!(start.elapsed() < LIMIT);
    }

    #[test]
    fn any_bytes_are_some_passwd(text in proptest::collection::vec(any::<u8>(), 0..2_000), user in ".{0,20}") {
        let mut image = Image::sound();
        image.base.file("/etc/passwd", 0o644, &text).file("/etc/group", 0o644, &text);
        image.base.file("/etc/shadow", 0o600, &text).file("/etc/shells", 0o644, &text);
        image.user(&user.replace('\0', ""));
        readable(&image.judge());
    }

    #[test]
    fn any_first_line_is_some_script(line in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut image = Image::sound();
        image.base.file("/usr/bin/env", 0o755, elf(AMD64, None));
        image.place(|layer| {
            layer.file("/app/run", 0o755, [b"#!", line.as_slice()].concat());
        });
        image.entrypoint(&["/app/run"]);
        readable(&image.judge());
    }
}

#[test]
fn damaged_libraries_and_caches_are_no_reason_to_stop() {
    let image = starting(&std::fs::read("/bin/true").unwrap());
    image.base.file("/etc/ld.so.cache", 0o644, vec![0xff; 70_000]);
    readable(&image.judge());
    let damaged = b"\x7fELF\x02\x01\x01".repeat(2_000);
    image.base.file("/usr/lib/x86_64-linux-gnu/libc.so.6", 0o644, damaged);
    let judgement = image.judge();
    assert!(matches!(status(&judgement, "RUN-06"), Status::Found(..)), "{judgement:#?}");
    readable(&judgement);
}

#[test]
fn a_line_of_ten_megabytes_makes_accounts_unusable_as_for_an_engine() {
    for file in ["/etc/passwd", "/etc/group"] {
        let image = Image::sound();
        let line = format!("x:{}:1:1:::\n", "y".repeat((10 << 20) - 200));
        image.base.file(file, 0o644, format!("root:x:0:0:::\nnode:x:1000:1000:::\n{line}"));
        let judgement = image.judge();
        let found: Vec<_> = judgement.blocking().map(|finding| finding.check.0).collect();
        assert_eq!(found, ["USR-05"], "{file}");
        assert!(judgement.findings[0].message.contains("is too long"), "{judgement:#?}");
        readable(&judgement);
    }
    let image = Image::sound();
    image.base.file("/etc/shadow", 0o600, vec![b':'; 11 << 20]);
    let judgement = image.judge();
    assert!(matches!(status(&judgement, "USR-07"), Status::NotEvaluated(_)), "{judgement:#?}");
}

#[test]
fn four_gigabytes_of_nothing_are_not_read() {
    let start = Instant::now();
    let big = |path: &str, head: &[u8]| {
        let mut image = Image::sound();
        image.place(|layer| {
            layer.sparse(path, head, 4 << 30);
        });
        image
    };
    // Called like a shell, and a program: told by its name.
    big("/app/bin/bash", &elf(AMD64, None)).blocks(&["SHL-02"]);
    // Called like one, and no program.
    big("/app/bin/sh", b"text").passes();
    // What it starts with is read.
    big("/app/.npmrc", b"//r.example/:_authToken=s3cr3tvalue\n").blocks(&["SEC-02"]);
    big("/app/.npmrc", b"\n").passes();
    big("/app/id_rsa", b"\n").passes();
    big("/app/.env", b"A=b\n").passes();
    // As entrypoint: of zeros, and with a line without an end.
    let mut empty = big("/app/run", b"");
    empty.entrypoint(&["/app/run"]).blocks(&["RUN-04"]);
    let mut script = big("/app/run", b"#!/usr/bin/node");
    script.entrypoint(&["/app/run"]);
    readable(&script.judge());
    // As the file that the runtime starts with.
    let mut app = big("/app/main.js", b"serve()");
    app.entrypoint(&["node", "main.js"]).passes();
    // As accounts: more than an engine reads.
    for (file, check) in [("/etc/passwd", "USR-05"), ("/etc/group", "USR-05")] {
        let image = Image::sound();
        image.base.sparse(file, b"root:x:0:0:::\n", 4 << 30);
        let judgement = image.judge();
        assert_eq!(judgement.findings[0].check.0, check, "{judgement:#?}");
        readable(&judgement);
    }
    for file in ["/etc/shadow", "/etc/shells", "/etc/ld.so.cache", "/usr/lib/os-release"] {
        let image = Image::sound();
        image.base.sparse(file, b"x", 4 << 30);
        readable(&image.judge());
    }
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
}

#[test]
fn names_that_are_no_text_have_a_finding_each() {
    let mut image = Image::sound();
    let dash = std::fs::read("/bin/dash").unwrap();
    let names: [&[u8]; 4] = [b"\xff\xfe", b"\x1b]8;;http://x\x07", b"a\r\nb", b"\xf0\x9f\x98"];
    image.place(|layer| {
        for name in names {
            layer.file([b"/app/", name].concat(), 0o755, &dash);
        }
    });
    let judgement = image.judge();
    assert_eq!(judgement.blocking().count(), names.len());
    readable(&judgement);
    // In the config: a path, a variable, a port, a label.
    let mut image = Image::sound();
    let trick = "\u{1b}[31m\n\u{202e}".to_owned();
    image.entrypoint(&[&format!("/app/{trick}")]).user(&trick);
    let config = &mut image.config;
    config.volumes = vec![format!("/proc/{trick}")];
    config.ports = vec![format!("22/{trick}")];
    config.env.push(format!("PATH=/bin:{trick}"));
    config.env.push(format!("{trick}_TOKEN=s3cr3tvalue"));
    config.labels.insert(format!("{trick}.token"), "s3cr3tvalue".to_owned());
    config.build_args.insert(format!("{trick}_TOKEN"), "s3cr3tvalue".to_owned());
    config.workdir = format!("/{trick}");
    config.healthcheck = vec!["CMD".to_owned(), trick.clone()];
    let lineage = &mut config.making.as_mut().unwrap().lineage;
    lineage.files = vec![format!("https://x/{trick}")];
    lineage.ran = vec![trick.clone()];
    let judgement = image.judge();
    assert!(judgement.findings.len() > 8, "{judgement:#?}");
    for finding in &judgement.findings {
        assert!(!finding.message.chars().any(char::is_control), "{:?}", finding.message);
        assert!(!finding.message.contains('\u{202e}'), "{:?}", finding.message);
        assert!(!finding.message.contains("s3cr3tvalue"));
    }
}

#[test]
fn more_findings_than_a_report_holds_are_counted() {
    let mut image = Image::sound();
    image.place(|layer| {
        for number in 0..1_500 {
            layer.file(format!("/srv/{number:04}"), 0o666, "x");
        }
    });
    let judgement = image.judge();
    let found: Vec<_> =
        judgement.findings.iter().filter(|finding| finding.check.0 == "PRV-03").collect();
    assert_eq!(found.len(), 1_000);
    assert!(found.iter().all(|finding| finding.severity == Severity::Block));
    assert!(judgement.findings.iter().any(|finding| {
        finding.check.0 == "PRV-03" && (finding.more || finding.message.contains("there are more"))
    }));
}

/// Every file is in as many lists as a file can be, under the longest name that says least.
fn crowd(layer: &Rootfs, folder: &str, count: usize) {
    let capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let program = [elf(AMD64, Some("/lib/none")), b"\0GNU bash, version".to_vec()].concat();
    for number in 0..count {
        let name = [&[0xff; 240][..], number.to_string().as_bytes(), b".so"].concat();
        let path = [folder.as_bytes(), b"/", &name].concat();
        layer.file(&path, 0o755, &program);
        let place = layer.path().join(folder.trim_start_matches('/'));
        let place = place.join(OsStr::from_bytes(&name));
        std::os::unix::fs::chown(&place, Some(1000), Some(1000)).unwrap();
        rustix::fs::setxattr(&place, "security.capability", &capability, XattrFlags::empty())
            .unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o6777);
        std::fs::set_permissions(&place, mode).unwrap();
    }
}

#[test]
fn an_answer_is_bounded_however_much_there_is_to_tell() {
    let mut image = Image::sound();
    let folder = format!("/{}", ["d".repeat(200).as_str(); 8].join("/"));
    crowd(&image.base, &folder, 1_100);
    image.place(|layer| crowd(layer, &folder, 1_100));
    let json = image.json();
    assert!(json.len() < MAX_ANSWER / 2, "{} bytes", json.len());
    let inventory = image.inventory();
    for (what, is_cut) in [
        ("shells", inventory.shells.truncated),
        ("set id", inventory.set_id.truncated),
        ("writable", inventory.world_writable.truncated),
        ("replaced", inventory.replaced.truncated),
    ] {
        assert!(is_cut, "{what}");
    }
    let judgement = image.judge();
    let failed = |check: &str| matches!(status(&judgement, check), Status::Found(..));
    assert!(failed("PRV-01") && failed("PRV-02") && failed("PRV-03") && failed("BASE-01"));
    assert!(!matches!(status(&judgement, "SHL-03"), Status::Passed));
}

#[test]
fn more_paths_than_are_looked_up_hide_nothing() {
    let many = |change: fn(&mut Image)| {
        let mut image = Image::sound();
        image.base.folder("/a", 0o755).owner("/a", 1000, 1000);
        image.config.volumes = (0..1_100).map(|number| format!("/a/{number}")).collect();
        change(&mut image);
        image.judge()
    };
    let judgement = many(|image| {
        image.base.file("/etc/ld.so.preload", 0o644, "/app/x.so").owner("/etc/passwd", 1000, 0);
    });
    let found: Vec<_> = judgement.blocking().map(|finding| finding.check.0).collect();
    assert_eq!(found, ["PRV-07", "PRV-08"], "what every image is asked comes first");
    assert!(matches!(status(&judgement, "RUN-10"), Status::NotEvaluated(_)));
    let judgement = many(|image| {
        image.base.file("/opt/login", 0o755, elf(AMD64, None));
        image.base.file("/etc/passwd", 0o644, "root:x:0:0::/root:/opt/login\n");
    });
    assert!(matches!(status(&judgement, "USR-08"), Status::NotEvaluated(_)));
}

#[test]
fn more_accounts_than_are_told_hide_nothing() {
    let lines = |last: &str| {
        let mut text = "root:x:0:0:::\nnode:x:1000:1000:::\n".to_owned();
        text.extend((2_000..3_100).map(|id| format!("u{id}:x:{id}:{id}:::\n")));
        text + last
    };
    let image = Image::sound();
    image.base.file("/etc/passwd", 0o644, lines("toor::0:0:::\n"));
    let judgement = image.judge();
    for check in ["USR-03", "USR-06", "USR-07", "USR-08", "USR-09"] {
        assert!(matches!(status(&judgement, check), Status::NotEvaluated(_)), "{check}");
    }
    let image = Image::sound();
    let mut shadow = String::new();
    shadow.extend((0..1_100).map(|id| format!("u{id}:*:1::::::\n")));
    image.base.file("/etc/shadow", 0o600, shadow + "root::1::::::\n");
    assert!(matches!(status(&image.judge(), "USR-07"), Status::NotEvaluated(_)));
    let image = Image::sound();
    image.base.file("/etc/passwd", 0o644, "root:x:0:0::/root:none\nnode:x:1000:1000:::none\n");
    image.passes(); // a shell that is no path
}
