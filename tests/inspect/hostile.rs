//! Root file systems that are made to hurt.

use std::time::{Duration, Instant};

use hardpan::harden::Policy;
use hardpan::inspect::evidence::{Inventory, Part};
use rustix::fs::{CWD, FileType, Mode, OFlags, mkdirat, openat};

use crate::image::Image;
use crate::policy::waiver;
use crate::rootfs::{AMD64, elf};

/// Nothing here may take longer, on a slow machine in a debug build.
const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn links_never_lead_out() {
    let mut image = Image::sound();
    image
        .base
        .link("/a", "/a")
        .link("/b", "c")
        .link("/c", "b")
        .link("/app/out", "../../../../../../../../bin/bash")
        .link("/app/absolute", "/bin/bash")
        .link("/app/proc", "/proc/self/exe")
        .link("/app/root", "/proc/self/root/bin/bash");
    for path in ["/app/out", "/app/absolute", "/app/proc", "/app/root", "/a", "/b"] {
        image.entrypoint(&[path]);
        let findings = image.judge().findings;
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].check.0, "RUN-01", "{path}");
    }
}

#[test]
fn pipes_and_devices_are_never_opened() {
    let start = Instant::now();
    let mut image = Image::sound();
    image
        .base
        .special("/usr/bin/bash", FileType::Fifo)
        .special("/usr/bin/sh", FileType::CharacterDevice)
        .special("/app/program", FileType::Fifo);
    std::fs::remove_file(image.base.path().join("etc/passwd")).unwrap();
    image.base.special("/etc/passwd", FileType::Fifo);
    image.entrypoint(&["/app/program"]);
    image.blocks(&["PRV-05", "RUN-01"]);
    assert!(start.elapsed() < LIMIT);
}

#[test]
fn a_hundred_thousand_files_are_counted() {
    let start = Instant::now();
    let mut image = Image::sound();
    image.place(|layer| {
        for number in 0..100_000 {
            layer.file(format!("/app/d{}/{number}", number / 1_000), 0o644, "");
        }
    });
    assert_eq!(image.inventory().layers[1].files, 100_000);
    assert!(start.elapsed() < LIMIT);
}

#[test]
fn many_names_that_two_layers_have_are_counted_once() {
    let mut image = Image::sound();
    for number in 0..20_000 {
        image.base.file(format!("/app/all/{number}"), 0o644, "");
    }
    image.place(|layer| {
        for number in 10_000..30_000 {
            layer.file(format!("/app/all/{number}"), 0o600, "");
        }
    });
    let inventory = image.inventory();
    let alone = Image::sound().inventory().layers[0].files;
    assert_eq!(inventory.layers[0].files, alone + 10_000);
    assert_eq!(inventory.layers[1].files, 20_000);
    let changed = &inventory.changed;
    assert_eq!((changed.items.len(), changed.total, changed.truncated), (1_000, 10_000, true));
    assert_eq!(changed.items[0].path, "/app/all/10000");
}

#[test]
fn what_is_too_much_of_one_kind_is_said() {
    let mut image = Image::sound();
    let long = "x".repeat(200);
    image.place(|layer| {
        for number in 0..20_500 {
            layer.file(format!("/app/{long}{number}/.npmrc"), 0o644, "_authToken=s3cr3tvalue");
        }
    });
    let json = image.json();
    assert_eq!(json, image.json(), "whatever thread sees what");
    let inventory = Inventory::from_json(&json).unwrap();
    let gaps = &inventory.not_evaluated.items;
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!((gaps[0].path.as_str(), gaps[0].part), ("/", Part::Secrets));
    let secrets = &inventory.secrets;
    assert!(secrets.truncated && secrets.total > 10_000, "{}", secrets.total);
    assert!(secrets.items.len() <= 1_000 && json.len() < 2 << 20, "{}", json.len());
}

#[test]
fn ten_thousand_names_of_one_program_are_one_program() {
    let image = Image::sound();
    image.base.program("/app/0", "/bin/dash");
    for number in 1..10_000 {
        image.base.hard_link(&format!("/app/{number}"), "/app/0");
    }
    let shells = image.inventory().shells;
    assert_eq!((shells.total, shells.items.len()), (1, 1));
    assert_eq!((shells.items[0].aliases.len(), shells.items[0].more_aliases), (16, 9_983));
}

#[test]
fn a_shell_is_found_where_the_parts_of_a_large_file_meet() {
    let shell = std::fs::read("/bin/dash").unwrap();
    let mut image = Image::sound();
    image.place(|layer| {
        layer.file("/app/a", 0o755, &shell);
    });
    let traces = |image: &Image| image.inventory().shells.items.remove(0).traces;
    let expected = traces(&image);
    // A part has 8 MiB: the words of the shell lie before, across and behind its end.
    for back in [0, shell.len() / 4, shell.len() / 2, shell.len() - shell.len() / 4, shell.len()] {
        let mut large = elf(AMD64, None);
        large.resize((8 << 20) - back, b'x');
        large.extend(&shell);
        large.resize(17 << 20, b'x');
        let mut image = Image::sound();
        image.place(|layer| {
            layer.file("/app/a", 0o755, &large);
        });
        assert_eq!(traces(&image), expected, "{back}");
    }
}

#[test]
fn folders_beyond_the_longest_path_are_looked_into() {
    let image = Image::sound();
    let name = "d".repeat(200);
    let mut folder = openat(CWD, image.base.path(), OFlags::DIRECTORY, Mode::empty()).unwrap();
    for _ in 0..40 {
        mkdirat(&folder, &*name, Mode::from(0o755)).unwrap();
        folder = openat(&folder, &*name, OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
    let flags = OFlags::CREATE | OFlags::WRONLY;
    let file = openat(&folder, "hidden", flags, Mode::from(0o755)).unwrap();
    let shell = std::fs::read("/bin/dash").unwrap();
    std::io::Write::write_all(&mut std::fs::File::from(file), &shell).unwrap();
    let inventory = image.inventory();
    assert_eq!(inventory.not_evaluated.items, []);
    assert_eq!(inventory.shells.total, 1);
    assert!(inventory.shells.items[0].path.len() > 8_000);
}

#[test]
fn what_lies_too_deep_is_said_and_refused() {
    let image = Image::sound();
    let mut folder = openat(CWD, image.base.path(), OFlags::DIRECTORY, Mode::empty()).unwrap();
    for _ in 0..1_100 {
        mkdirat(&folder, "d", Mode::from(0o755)).unwrap();
        folder = openat(&folder, "d", OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
    let inventory = image.inventory();
    let gap = &inventory.not_evaluated.items[0];
    assert_eq!((gap.part, &*gap.reason), (Part::Folder, "it lies too deep"));
    assert_eq!(image.judge().blocking().map(|f| f.check.0).collect::<Vec<_>>(), ["SHL-02"]);
    // Whoever waives that has not seen what is in there.
    let policy = Policy { waivers: vec![waiver("/**")], ..Policy::default() };
    let judgement = image.judge_by(&policy);
    assert_eq!(judgement.blocking().count(), 0);
    let undecided: Vec<_> = judgement.undecided().map(|(check, _)| check.id.0).collect();
    assert!(["PRV-01", "SEC-01"].iter().all(|id| undecided.contains(id)), "{undecided:?}");
    assert!(judgement.refuses());
}

#[test]
fn names_are_shown_without_their_tricks() {
    let mut image = Image::sound();
    let dash = std::fs::read("/bin/dash").unwrap();
    image.place(|layer| {
        layer.file(b"/app/\x1b[2J\nfake: ok\xff", 0o755, &dash);
        layer.file("/app/x\u{202e}gpj", 0o755, &dash);
    });
    let judgement = image.judge();
    let paths: Vec<_> = judgement.blocking().map(|f| f.path.clone().unwrap()).collect();
    assert_eq!(paths, ["/app/\\u{1b}[2J\\nfake: ok\\xff", "/app/x\\u{202e}gpj"]);
    let clean = |text: &str| text.chars().all(|c| !c.is_control());
    assert!(judgement.findings.iter().all(|finding| clean(&finding.message)));
}

#[test]
fn words_of_the_config_are_shown_without_their_tricks() {
    let mut image = Image::sound();
    image.user("\x1b[31m\n").entrypoint(&["\x1b]0;x\x07", "a"]);
    for finding in image.judge().findings {
        assert!(!finding.message.chars().any(char::is_control), "{:?}", finding.message);
    }
}

#[test]
fn holes_are_not_read_for_ever() {
    let start = Instant::now();
    let mut image = Image::sound();
    image.place(|layer| {
        layer.sparse("/app/holes", &elf(AMD64, None), 4 << 30).sparse(
            "/app/data",
            b"no program",
            4 << 30,
        );
    });
    image.entrypoint(&["/app/holes"]).passes();
    // Padding hides nothing.
    image.place(|layer| {
        layer.sparse("/app/padded", &std::fs::read("/bin/dash").unwrap(), 4 << 30);
    });
    assert_eq!(image.judge().findings[0].check.0, "SHL-03");
    assert!(start.elapsed() < LIMIT);
}

#[test]
fn damaged_programs_are_told_as_such() {
    let whole = elf(AMD64, Some("/lib64/ld-linux-x86-64.so.2"));
    let with = |offset: usize, bytes: &[u8]| {
        let mut file = whole.clone();
        file[offset..offset + bytes.len()].copy_from_slice(bytes);
        file
    };
    let cases = [
        whole[..20].to_vec(),
        b"\x7fELF".to_vec(),
        with(4, &[9]),             // no such class
        with(5, &[7]),             // no such byte order
        with(32, &[0xff; 8]),      // program headers beyond the end
        with(56, &[0xff, 0xff]),   // their count stands elsewhere
        with(54, &[1]),            // of a wrong size
        with(64 + 32, &[0xff; 8]), // a loader of any length
        with(64 + 8, &[0xff; 8]),  // that lies beyond the end
    ];
    for (index, content) in cases.iter().enumerate() {
        let mut image = Image::sound();
        image.base.file("/app/x", 0o755, content);
        image.entrypoint(&["/app/x"]);
        let findings = image.judge().findings;
        assert_eq!(findings.len(), 1, "{index}: {findings:?}");
        assert_eq!(findings[0].check.0, "RUN-05", "{index}");
    }
}

#[test]
fn any_bytes_are_some_program() {
    let mut image = Image::sound();
    image.entrypoint(&["/app/x"]);
    let whole = elf(AMD64, Some("/lib64/ld-linux-x86-64.so.2"));
    for seed in 0..60_u64 {
        let mut content = whole.clone();
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for _ in 0..12 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let place = usize::try_from(state >> 33).unwrap() % 152;
            content[place] = state.to_le_bytes()[3];
        }
        image.base.file("/app/x", 0o755, content);
        image.judge(); // ends, whatever it says
    }
}
