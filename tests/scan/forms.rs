//! The same image in every form gives the same findings; a file system without a config says what
//! cannot be known.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::archive::{Image, Pack, Place, Scan, archived, hardpan, read, scan};
use crate::rootfs::Rootfs;

/// A sound one with one defect of each kind that a form could lose.
fn defective() -> Rootfs {
    let root = Rootfs::sound();
    root.file("/usr/bin/su", 0o4755, "not a program")
        .file("/app/.npmrc", 0o600, "//r.example/:_authToken=npm_s3cr3tvalue")
        .owner("/app/.npmrc", 1000, 1000)
        .program("/usr/bin/busybee", "/bin/dash")
        .file("/app/run", 0o755, "#!/usr/bin/perl\n")
        .special("/app/device", rustix::fs::FileType::CharacterDevice);
    root
}

const DEFECTS: [(&str, &str); 4] = [
    ("SHL-03", "/usr/bin/busybee"),
    ("PRV-01", "/usr/bin/su"),
    ("PRV-05", "/app/device"),
    ("SEC-02", "/app/.npmrc"),
];

fn defects() -> Vec<(String, String)> {
    DEFECTS.map(|(check, path)| (check.to_owned(), path.to_owned())).to_vec()
}

fn all_forms(image: &Image) -> Vec<(&'static str, Place)> {
    let packed = |pack| image.clone().pack(pack);
    vec![
        ("oci-layout", image.layout()),
        ("oci-layout", packed(Pack::Gzip).layout()),
        ("oci-layout", packed(Pack::Zstd).layout()),
        ("oci-tar", archived(image.layout().folder)),
        ("oci-tar", archived(packed(Pack::Zstd).layout().folder)),
        ("docker-tar", image.old_docker()),
        ("docker-tar", packed(Pack::Gzip).docker()),
    ]
}

#[test]
fn every_form_of_an_image_gives_the_same_findings() {
    let root = defective();
    let mut expected = None;
    for (kind, place) in all_forms(&Image::of(root.path())) {
        let scan = scan(&place.path, &[]);
        assert_eq!((scan.code, &*scan.said), (1, ""), "{kind}");
        assert_eq!(scan.report["source"]["kind"], kind);
        assert_eq!(scan.blocking(), defects(), "{kind}");
        let found = scan.found();
        assert_eq!(expected.get_or_insert(found.clone()), &found, "{kind}");
    }
    let config = root.path().with_extension("json");
    fs::write(&config, Image::of(root.path()).config()).unwrap();
    let tar = Place { path: config.with_extension("tar"), folder: tempfile::tempdir().unwrap() };
    fs::write(&tar.path, crate::archive::tar_of(root.path())).unwrap();
    for (kind, path) in [("directory", root.path()), ("tar", &*tar.path)] {
        let scan = scan(path, &["--config", config.to_str().unwrap()]);
        assert_eq!(scan.report["source"]["kind"], kind);
        assert_eq!(Some(scan.found()), expected, "{kind}");
    }
    fs::remove_file(config).unwrap();
    fs::remove_file(tar.path).unwrap();
}

#[test]
fn a_sound_image_passes_in_every_form() {
    for (kind, place) in all_forms(&Image::sound()) {
        let scan = scan(&place.path, &[]);
        assert_eq!((scan.code, scan.found(), &*scan.said), (0, vec![], ""), "{kind}");
        assert_eq!(scan.report["result"], "passed", "{kind}");
    }
}

#[test]
fn an_archive_may_be_packed_as_a_whole() {
    let place = archived(Image::of(defective().path()).layout().folder);
    let packed = place.path.with_extension("gz");
    let output = Command::new("gzip").arg("-c").arg(&place.path).output().unwrap();
    fs::write(&packed, output.stdout).unwrap();
    assert_eq!(scan(&packed, &[]).blocking(), defects());
}

#[test]
fn a_user_of_the_config_is_judged() {
    for user in ["0", "", "root", "0:0", "00"] {
        let mut image = Image::sound();
        image.config["User"] = json!(user);
        let scan = scan(&image.layout().path, &[]);
        assert_eq!(scan.code, 1);
        assert!(scan.blocking().contains(&("USR-01".to_owned(), String::new())), "{user:?}");
    }
}

#[test]
fn without_a_config_nothing_is_said_about_it() {
    let root = Rootfs::sound();
    let plain = scan(root.path(), &[]);
    assert_eq!((plain.code, plain.found()), (0, vec![]));
    for check in ["USR-01", "USR-03", "RUN-01", "PRV-07", "META-01", "SEC-03", "SUP-07"] {
        assert_eq!(plain.status(check), "not_evaluated", "{check}");
    }
    assert_eq!(plain.status("SHL-03"), "passed");
    // What files show counts all the same.
    root.file("/etc/passwd", 0o644, "root:x:0:0:::\n77:x:77:77:::\n").file(
        "/etc/ld.so.preload",
        0o644,
        "/app/x.so\n",
    );
    let scan = scan(root.path(), &[]);
    let found: Vec<_> = scan.blocking().into_iter().map(|(check, _)| check).collect();
    assert_eq!((scan.code, found), (1, vec!["USR-03".to_owned(), "PRV-08".to_owned()]));
}

#[test]
fn a_config_belongs_to_a_file_system_without_one() {
    let place = Image::sound().layout();
    let blob = place.path.join("index.json");
    let scan = scan(&place.path, &["--config", blob.to_str().unwrap()]);
    assert_eq!(scan.code, 2);
    assert!(scan.said.ends_with("the image has a config of its own\n"), "{}", scan.said);
}

#[test]
fn the_report_goes_where_it_is_told_to() {
    let place = Image::of(defective().path()).layout();
    let file = place.folder.path().join("report.json");
    let path = place.path.to_str().unwrap();
    let words = ["scan", "--format", "json", "--output", file.to_str().unwrap(), path];
    let output = hardpan(&words);
    assert_eq!((output.status.code(), output.stdout), (Some(1), vec![]));
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(report["result"], "failed");
    let nowhere = ["scan", "--output", "/nowhere/report", path];
    let output = hardpan(&nowhere);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("error: cannot write /nowhere/report: No such file"), "{said}");
}

#[test]
fn reports_come_in_all_forms() {
    let root = defective();
    let path = root.path().to_str().unwrap();
    for (form, sign) in [
        ("text", "SEC-02 a file with credentials (1 finding, blocking)"),
        ("sarif", "\"version\": \"2.1.0\""),
        ("junit", "<testsuite"),
        ("markdown", "| "),
        ("html", "<!doctype html>"),
    ] {
        let output = hardpan(&["scan", "--format", form, path]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{form}");
        assert!(text.to_lowercase().contains(&sign.to_lowercase()), "{form}: {text}");
        assert!(text.contains("/usr/bin/busybee"), "{form}");
        // What nobody can know blocks nothing.
        assert!(!text.contains("undecided"), "{form}: {text}");
    }
    let unknown = hardpan(&["scan", "--format", "pdf", path]);
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn a_link_to_a_folder_is_that_folder() {
    let root = defective();
    let place = tempfile::tempdir().unwrap();
    let link = place.path().join("link");
    std::os::unix::fs::symlink(root.path(), &link).unwrap();
    assert_eq!(scan(&link, &[]).blocking(), defects());
}

#[test]
fn profiles_weigh_differently() {
    let root = Rootfs::sound();
    root.file("/usr/bin/curl", 0o755, "a tool");
    let place = Image::of(root.path()).layout();
    let plain = scan(&place.path, &[]);
    assert_eq!((plain.code, &plain.report["profile"]), (0, &json!("standard")));
    let strict = scan(&place.path, &["--profile", "strict"]);
    assert_eq!((strict.code, &strict.report["profile"]), (1, &json!("strict")));
    // Nobody decides anything where nothing is asked for, and a scan never takes waivers.
    assert_eq!(plain.report["policy"], json!(null));
    let asked = scan(&place.path, &["--profile", "standard"]);
    for (scan, profile) in [(&strict, "strict"), (&asked, "standard")] {
        assert_eq!(scan.report["profile"], profile);
        assert_eq!(scan.report["policy"]["source"], "option", "{profile}");
        assert_eq!(scan.report["policy"]["waivers"], "forbid", "{profile}");
    }
    let text = hardpan(&["scan", place.path.to_str().unwrap()]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(!text.contains("policy from") && !text.contains("waivers"), "{text}");
    let unknown = scan(&place.path, &["--profile", "lax"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.said.contains("standard, strict, openshift, disa"), "{}", unknown.said);
}

/// Scans as somebody who owns nothing; only root can.
fn as_nobody(path: &Path) -> Scan {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hardpan"));
    command.args(["scan", "--format", "json"]).arg(path).uid(65_534).gid(65_534);
    read(&command.output().unwrap())
}

#[test]
fn nobody_needs_rights_to_scan_an_archive() {
    let root = defective();
    root.file("/etc/shadow", 0o600, "root::0:::::\n");
    for place in [Image::of(root.path()).layout(), Image::of(root.path()).old_docker()] {
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(place.folder.path(), open).unwrap();
        let found = as_nobody(&place.path);
        assert_eq!(found.found(), scan(&place.path, &[]).found());
        assert!(found.blocking().contains(&("USR-07".to_owned(), "/etc/shadow".to_owned())));
    }
}

#[test]
fn what_may_not_be_read_is_told() {
    let root = Rootfs::sound();
    root.file("/app/.npmrc", 0o600, "//r.example/:_authToken=npm_s3cr3tvalue");
    let found = as_nobody(root.path());
    assert_eq!((found.code, found.status("SEC-02")), (1, "not_evaluated".to_owned()), "{found:?}");
    let says = "note: SEC-02 cannot be decided (a file with credentials): /app/.npmrc was not ";
    assert!(found.said.contains(says), "{found:?}");
    // Whatever lies in a folder that cannot be listed, it is not proven to be no shell.
    root.folder("/secret", 0o700).file("/secret/id_rsa", 0o600, "x");
    let found = as_nobody(root.path());
    assert_eq!(found.blocking(), [("SHL-02".to_owned(), "/secret".to_owned())]);
    for check in ["SHL-03", "PRV-01", "PKG-08", "SEC-01"] {
        assert_eq!(found.status(check), "not_evaluated", "{check} has not seen /secret");
    }
    assert_eq!(as_nobody(Rootfs::sound().path()).status("SHL-03"), "passed");
}

#[test]
fn of_nothing_nothing_is_proven() {
    let empty = tempfile::tempdir().unwrap();
    let found = scan(empty.path(), &[]);
    assert_eq!(found.code, 2, "{found:?}");
    assert!(found.said.contains("it holds no file"), "{found:?}");
    fs::write(empty.path().join("file"), "x").unwrap();
    assert_eq!(scan(empty.path(), &[]).code, 0);
}
