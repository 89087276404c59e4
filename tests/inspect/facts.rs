//! `hardpan facts`.

use std::process::ExitCode;

use hardpan::inspect::entry::Kind;
use hardpan::inspect::facts::{self, Destination, Facts};

use crate::rootfs::Rootfs;

fn facts_of(base: &Rootfs, destinations: &[&str]) -> Facts {
    let out = tempfile::tempdir().unwrap();
    let mut arguments = vec![
        "--base".into(),
        base.path().as_os_str().to_owned(),
        "--out".into(),
        out.path().as_os_str().to_owned(),
    ];
    for destination in destinations {
        arguments.extend(["--destination".into(), destination.into()]);
    }
    assert_eq!(facts::run(arguments.into_iter()), ExitCode::SUCCESS);
    Facts::from_json(&std::fs::read(out.path().join(facts::FILE)).unwrap()).unwrap()
}

fn destination(base: &Rootfs, path: &str) -> Destination {
    facts_of(base, &[path]).destinations.remove(0)
}

/// A base as Debian has it.
fn debian() -> Rootfs {
    let base = Rootfs::new();
    base.folder("/usr/bin", 0o755)
        .link("/bin", "usr/bin")
        .folder("/tmp", 0o1777)
        .folder("/root", 0o700)
        .folder("/run", 0o755)
        .folder("/var", 0o755)
        .link("/var/run", "/run")
        .folder("/app", 0o750)
        .owner("/app", 1000, 1001)
        .file(
            "/etc/passwd",
            0o644,
            "root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1001::/home/node:/bin/sh\n",
        )
        .file("/etc/group", 0o644, "root:x:0:\nnode:x:1001:\n")
        .file("/etc/os-release", 0o644, "ID=debian\nVERSION_ID=\"13\"\n");
    base
}

#[test]
fn knows_accounts_and_release() {
    let facts = facts_of(&debian(), &[]);
    let node = facts.accounts.identify("node").unwrap();
    assert_eq!((node.uid, node.gid), (1000, 1001));
    assert_eq!(facts.os_release["VERSION_ID"], "13");
}

#[test]
fn places_destinations_through_the_links_of_the_base() {
    let base = debian();
    let cases = [
        ("/bin/tool", "/usr/bin/tool", None),
        ("/bin/", "/bin", Some("/usr/bin")),
        ("/var/run/app/pid", "/run/app/pid", None),
        ("/var/run", "/var/run", Some("/run")),
        ("/srv/new/deep/file", "/srv/new/deep/file", None),
        ("/app", "/app", None),
        ("/", "/", None),
        ("/bin/../../../etc/passwd", "/etc/passwd", None),
    ];
    for (asked, place, followed) in cases {
        let found = destination(&base, asked);
        assert_eq!(found.place.path, place, "{asked}");
        assert_eq!(found.followed.map(|place| place.path).as_deref(), followed, "{asked}");
        assert_eq!(found.trouble, None, "{asked}");
    }
}

#[test]
fn tells_every_ancestor_as_the_base_has_it() {
    let base = debian();
    base.folder("/root/a", 0o711).owner("/root/a", 5, 6).folder("/root/a/b", 0o2755);
    let found = destination(&base, "/root/a/b/missing/c");
    let ancestors: Vec<_> =
        found.place.ancestors.iter().map(|a| (&*a.path, a.mode, a.uid, a.gid)).collect();
    let expected = [
        ("/", 0o755, 0, 0),
        ("/root", 0o700, 0, 0),
        ("/root/a", 0o711, 5, 6),
        ("/root/a/b", 0o2755, 0, 0),
    ];
    assert_eq!(ancestors, expected);
    assert_eq!(found.place.entry, None);
    let below_tmp = destination(&base, "/tmp/x");
    assert_eq!(below_tmp.place.ancestors.last().unwrap().mode, 0o1777);
}

#[test]
fn tells_what_is_there_and_what_it_holds() {
    let base = debian();
    base.folder("/var/lib/x", 0o755).file("/srv/file", 0o600, "x").link("/srv/out", "../../../etc");
    let app = destination(&base, "/app").place;
    let entry = app.entry.unwrap();
    assert_eq!(
        (entry.attributes.mode, entry.attributes.uid, entry.attributes.gid),
        (0o750, 1000, 1001)
    );
    assert!(!app.holds.may_collide());
    let var = destination(&base, "/var").place;
    assert!(var.holds.folders && var.holds.links && !var.holds.files);
    let file = destination(&base, "/srv/file");
    assert_eq!(file.place.entry.as_ref().unwrap().attributes.kind, Kind::File);
    assert_eq!(file.folder(), None);
    let link = destination(&base, "/srv/out");
    assert_eq!(link.place.entry.as_ref().unwrap().target.as_deref(), Some("../../../etc"));
    assert_eq!(link.folder().unwrap().path, "/etc");
    assert_eq!(link.folder().unwrap().ancestors.len(), 1);
}

#[test]
fn a_link_to_nothing_leads_to_a_place_without_an_entry() {
    let base = debian();
    base.link("/data", "/var/lib/data");
    let found = destination(&base, "/data");
    let followed = found.followed.clone().unwrap();
    assert_eq!((followed.path.as_str(), followed.entry.clone()), ("/var/lib/data", None));
    assert_eq!(found.folder(), None);
}

#[test]
fn says_why_a_destination_is_impossible() {
    let base = debian();
    base.link("/loop", "loop2").link("/loop2", "/loop").link("/self/link", "link/x");
    let cases = [
        ("/etc/passwd/x", "/etc/passwd is not a folder"),
        ("/loop/x", "too many links"),
        ("/loop", "too many links"),
        ("/self/link/y", "too many links"),
    ];
    for (asked, trouble) in cases {
        assert_eq!(destination(&base, asked).trouble.as_deref(), Some(trouble), "{asked}");
    }
    let long = "/a".repeat(5_000);
    assert_eq!(destination(&base, &long).trouble.as_deref(), Some("too many names in one path"));
}

#[test]
fn never_leaves_the_base() {
    let base = debian();
    base.link("/escape", "/../../../../../../etc/hostname")
        .link("/proc-escape", "/proc/self/root/etc");
    let found = destination(&base, "/escape");
    assert_eq!(found.followed.unwrap().path, "/etc/hostname");
    assert_eq!(destination(&base, "/escape/../passwd").trouble, None);
    let through_proc = destination(&base, "/proc-escape/x").place;
    assert_eq!(through_proc.path, "/proc/self/root/etc/x");
    assert_eq!(through_proc.entry, None);
}

#[test]
fn what_is_no_file_is_no_passwd() {
    let base = Rootfs::new();
    base.special("/etc/passwd", rustix::fs::FileType::Fifo).link("/etc/group", "group");
    let facts = facts_of(&base, &[]);
    assert!(facts.accounts.users.is_empty() && facts.accounts.passwd_trouble.is_none());
    let large = Rootfs::new();
    large.file("/etc/passwd", 0o644, vec![b'\n'; (10 << 20) + 1]);
    let trouble = facts_of(&large, &[]).accounts.passwd_trouble.unwrap();
    assert_eq!(trouble, "/etc/passwd cannot be read: it is larger than 10485760 bytes");
}

#[test]
fn refuses_facts_of_another_release() {
    let error = Facts::from_json(br#"{"version":2}"#).unwrap_err();
    assert!(error.to_string().starts_with("the facts of the base are not readable"));
    let other = br#"{"version":2,"accounts":{"users":[],"groups":[],"truncated":false},"os_release":{},"destinations":[]}"#;
    let error = Facts::from_json(other).unwrap_err();
    assert_eq!(error.to_string(), "the facts of the base have version 2, this release reads 1");
}

#[test]
fn a_base_that_is_not_there_is_a_fault() {
    let arguments = ["--base", "/does/not/exist", "--out", "/tmp"].map(Into::into);
    assert_eq!(facts::run(arguments.into_iter()), ExitCode::from(2));
}
