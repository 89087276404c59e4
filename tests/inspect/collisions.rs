//! `hardpan collisions`.

use std::process::ExitCode;

use hardpan::inspect::collisions::{self, Collisions};
use hardpan::inspect::entry::Kind;

use crate::rootfs::Rootfs;

fn collide(base: &Rootfs, source: &Rootfs, destination: &str) -> Collisions {
    let out = tempfile::tempdir().unwrap();
    let arguments = [
        "--base".into(),
        base.path().as_os_str().to_owned(),
        "--source".into(),
        source.path().as_os_str().to_owned(),
        "--destination".into(),
        destination.into(),
        "--out".into(),
        out.path().as_os_str().to_owned(),
    ];
    assert_eq!(collisions::run(arguments.into_iter()), ExitCode::SUCCESS);
    let json = std::fs::read(out.path().join(collisions::FILE)).unwrap();
    Collisions::from_json(&json).unwrap()
}

#[test]
fn lists_folders_links_and_other_kinds_that_both_have() {
    let base = Rootfs::new();
    base.folder("/usr", 0o755)
        .folder("/usr/bin", 0o775)
        .link("/bin", "usr/bin")
        .file("/usr/bin/tool", 0o755, "old")
        .folder("/usr/bin/sub", 0o711)
        .folder("/etc", 0o755)
        .file("/etc/same", 0o644, "old")
        .file("/etc/conf", 0o644, "old")
        .folder("/opt", 0o700)
        .link("/nowhere", "/missing")
        .folder("/only-base", 0o755);
    let source = Rootfs::new();
    source
        .file("/bin/sub/file", 0o755, "new")
        .file("/bin/tool", 0o755, "new")
        .file("/etc/same", 0o644, "new")
        .file("/etc/conf/part", 0o644, "new")
        .file("/opt", 0o644, "a file over a folder")
        .folder("/nowhere", 0o755)
        .folder("/only-source", 0o755);
    let found = collide(&base, &source, "/");
    let shown: Vec<_> = found
        .entries
        .iter()
        .map(|c| (&*c.path, &*c.at, c.base.attributes.kind, c.source, c.leads_to.as_deref()))
        .collect();
    let expected = [
        ("bin", "/bin", Kind::Link, Kind::Folder, Some("/usr/bin")),
        ("bin/sub", "/usr/bin/sub", Kind::Folder, Kind::Folder, None),
        ("etc", "/etc", Kind::Folder, Kind::Folder, None),
        ("etc/conf", "/etc/conf", Kind::File, Kind::Folder, None),
        ("nowhere", "/nowhere", Kind::Link, Kind::Folder, Some("/missing")),
        ("opt", "/opt", Kind::Folder, Kind::File, None),
    ];
    assert_eq!(shown, expected);
    assert_eq!(found.entries[1].base.attributes.mode, 0o711);
    assert_eq!(
        (found.entries[0].leads_to_kind, found.entries[4].leads_to_kind),
        (Some(Kind::Folder), None)
    );
    let through = found.entries[0].leads_through.iter().map(|folder| (&*folder.path, folder.mode));
    assert_eq!(through.skip(1).collect::<Vec<_>>(), [("/usr", 0o755), ("/usr/bin", 0o775)]);
    assert!(found.entries.iter().skip(1).all(|entry| entry.leads_through.is_empty()));
    assert!(!found.truncated);
}

#[test]
fn pours_through_a_link_at_the_destination() {
    let base = Rootfs::new();
    base.folder("/run/app", 0o750).link("/var/run", "/run");
    let source = Rootfs::new();
    source.folder("/app", 0o755);
    let found = collide(&base, &source, "/var/run");
    assert_eq!((&*found.entries[0].path, &*found.entries[0].at), ("app", "/run/app"));
    assert!(collide(&base, &source, "/new/place").entries.is_empty());
}

#[test]
fn circles_of_links_end() {
    let base = Rootfs::new();
    base.folder("/a", 0o755).link("/a/up", "..").link("/a/loop", "loop");
    let source = Rootfs::new();
    source.folder("/a/up/a/up/a", 0o755).folder("/a/loop", 0o755);
    let found = collide(&base, &source, "/");
    let paths: Vec<_> = found.entries.iter().map(|c| &*c.path).collect();
    assert_eq!(paths, ["a", "a/loop", "a/up", "a/up/a", "a/up/a/up", "a/up/a/up/a"]);
    assert_eq!(found.entries[1].leads_to, None);
}

#[test]
fn stops_at_ten_thousand_and_says_so() {
    let (base, source) = (Rootfs::new(), Rootfs::new());
    for number in 0..10_001 {
        base.folder(format!("/d/{number}"), 0o755);
        source.folder(format!("/d/{number}"), 0o755);
    }
    let found = collide(&base, &source, "/");
    assert_eq!((found.entries.len(), found.truncated), (10_000, true));
}
