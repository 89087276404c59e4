//! How files get onto a base: by file ops that a real BuildKit runs, compared by full listings.
//!
//! Each case is solved twice, as layers merged over the base and as the same actions copied onto
//! it, which is what a daemon without merge gets. Both must give the same root file system, and no
//! folder, link, mode or owner of the base may change. Where the daemon does something that placing
//! files has to know about, a test says so.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod support {
    #![allow(unreachable_pub, reason = "shared by several test programs")]
    pub mod buildctl;
    pub mod lab;
    pub mod tar;
}

use hardpan::llb::{
    Constraints, Copy, FileOps, Image, MakeDir, MakeFile, MakeLink, Output, Owner, Source,
};
use hardpan::proto::pb;
use support::lab::{Lab, Layer, Outcome, around, folders, place, through, words};
use support::tar::{Tree, escape};

const BASE: &str = "
    d 0755 0:0 app
    l 0:0 bin -> usr/bin
    l 0:0 data -> /srv/data
    d 0755 0:0 etc
    f 0644 0:0 etc/passwd root
    d 0755 0:0 home
    d 0750 1000:1000 home/node
    f 0640 1000:1000 home/node/keep kept
    l 0:0 lib -> usr/lib
    d 0755 0:0 opt
    d 0700 0:0 root
    f 0600 0:0 root/.profile profile
    d 0755 0:0 run
    d 0755 0:0 srv
    d 0750 33:33 srv/data
    d 1777 0:0 tmp
    d 0755 0:0 usr
    d 0755 0:0 usr/bin
    f 0755 0:0 usr/bin/env env
    d 0755 0:0 usr/lib
    f 0644 0:0 usr/lib/libc.so libc
    d 0755 0:0 var
    d 2775 0:8 var/mail
    l 0:0 var/run -> /run
";
const NODE: Owner = Owner { uid: 1000, gid: 1000 };

/// Places files in both ways; both must give the base with exactly the expected lines changed.
#[track_caller]
fn check(source: &str, layers: &[Layer<'_>], expected: &str) {
    let Outcome { merged, copied } = Lab::new(BASE, source).place(layers);
    let expected = Tree::parse(BASE).with(expected);
    assert_eq!(expected.difference(&merged.unwrap()), "", "merged, - is missing, + is too much");
    assert_eq!(expected.difference(&copied.unwrap()), "", "copied, - is missing, + is too much");
}

/// Copies to a destination of the base as a layer does, the folders around it set last.
fn item(ops: &mut FileOps, source: Output, from: &str, to: &str) {
    let base = Tree::parse(BASE);
    let to = through(&base, to);
    ops.copy(source, place(from, &to)).set_folders(&around(&base, &to));
}

#[test]
fn the_base_comes_through_as_it_was_written() {
    check("d 0755 5:5 any", &[], "");
}

#[test]
fn modes_and_owners_are_normal_and_the_rest_is_kept() {
    let long = "n".repeat(250);
    let source = r"
        d 0777 5:5 t
        d 0700 5:5 t/bin
        f 6777 5:5 t/bin/tool tool
        f 0755 5:5 t/cap x {security.capability=\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00}
        l 5:5 t/dangling -> nowhere
        d 0755 5:5 t/empty
        f 0600 5:5 t/first one
        l 5:5 t/link -> empty
        f 0000 5:5 t/none x
        f 0644 5:5 t/not\xff\xfeutf8 bytes
        p 0666 5:5 t/pipe
        h t/second -> t/first
        d 3777 5:5 t/shared
        f 0111 5:5 t/x-only x
        d 0000 5:5 t/zero
    ";
    let expected = r"
        d 0755 0:0 usr/src
        d 0755 0:0 usr/src/t
        d 0755 0:0 usr/src/t/bin
        f 0755 0:0 usr/src/t/bin/tool tool
        f 0755 0:0 usr/src/t/cap x {security.capability=\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00}
        l 0:0 usr/src/t/dangling -> nowhere
        d 0755 0:0 usr/src/t/empty
        f 0644 0:0 usr/src/t/first one
        l 0:0 usr/src/t/link -> empty
        f 0444 0:0 usr/src/t/none x
        f 0644 0:0 usr/src/t/not\xff\xfeutf8 bytes
        p 0644 0:0 usr/src/t/pipe
        h usr/src/t/second -> usr/src/t/first
        d 0755 0:0 usr/src/t/shared
        f 0555 0:0 usr/src/t/x-only x
        d 0555 0:0 usr/src/t/zero
    ";
    let source = format!("{source}\n d 0755 5:5 t/{long}\n f 0644 5:5 t/{long}/{long} deep");
    let expected = format!(
        "{expected}\n d 0755 0:0 usr/src/t/{long}\n f 0644 0:0 usr/src/t/{long}/{long} deep"
    );
    check(&source, &[&|ops, source| item(ops, source, "/t", "/usr/src/t")], &expected);
}

#[test]
fn where_the_rules_agree_a_plain_copy_gives_the_same() {
    let source = "d 0755 5:5 t\n d 0755 5:5 t/lib\n f 0644 5:5 t/lib/a.js a\n f 0755 5:5 t/run run\n l 5:5 t/l -> run";
    for to in [
        "/usr/src/app",
        "/usr/src/app/",
        "/app",
        "/app/",
        "/bin/",
        "/data/x/y",
        "/tmp/x/",
        "/root/.config/",
    ] {
        let mut lab = Lab::new(BASE, source);
        // as docker/dockerfile copies without --link
        let plain = Copy { mode: None, ..place("/t", to) };
        let copied = lab
            .place(&[&|ops, source| {
                ops.copy(source, plain.clone());
            }])
            .copied
            .unwrap();
        let ours = lab.place(&[&|ops, source| item(ops, source, "/t", to)]);
        assert_eq!(copied.difference(&ours.merged.unwrap()), "", "{to}");
        assert_eq!(copied.difference(&ours.copied.unwrap()), "", "{to}");
    }
}

#[test]
fn destinations_go_through_links_and_parents_stay_as_they_are() {
    let source = "f 0600 5:5 f x";
    let cases = [
        ("/bin/", "f 0644 0:0 usr/bin/f x"),
        ("/bin", "f 0644 0:0 usr/bin/f x"),
        ("/var/run/a/b", "d 0755 0:0 run/a\n f 0644 0:0 run/a/b x"),
        ("/data/new/", "d 0755 0:0 srv/data/new\n f 0644 0:0 srv/data/new/f x"),
        ("/root/", "f 0644 0:0 root/f x"),
        ("/home/node/.x/y", "d 0755 0:0 home/node/.x\n f 0644 0:0 home/node/.x/y x"),
        ("/tmp/x/", "d 0755 0:0 tmp/x\n f 0644 0:0 tmp/x/f x"),
        ("/var/mail/f", "f 0644 0:0 var/mail/f x"),
        ("/opt", "f 0644 0:0 opt/f x"),
        ("/", "f 0644 0:0 f x"),
    ];
    for (to, expected) in cases {
        check(source, &[&|ops, source| item(ops, source, "/f", to)], expected);
    }
}

#[test]
fn without_facts_a_layer_changes_the_base() {
    let layer: Layer<'_> = &|ops, source| {
        ops.copy(source, place("/f", "/bin/f")).copy(source, place("/f", "/root/f"));
    };
    let merged = Lab::new(BASE, "f 0600 5:5 f x").place(&[layer]).merged.unwrap();
    let expected = Tree::parse(BASE).with(
        "
        d 0755 0:0 bin
        f 0644 0:0 bin/f x
        d 0755 0:0 root
        f 0644 0:0 root/f x
    ",
    );
    assert_eq!(expected.difference(&merged), "");
}

const POURED: &str = "
    d 0700 5:5 r
    d 0700 5:5 r/etc
    f 0600 5:5 r/etc/app.conf conf
    d 0777 5:5 r/home
    d 0777 5:5 r/home/node
    f 0600 5:5 r/home/node/x x
    d 0755 5:5 r/root
    f 0600 5:5 r/root/x x
    d 0755 5:5 r/tmp
    f 0600 5:5 r/tmp/x x
    d 0755 5:5 r/var
    d 0755 5:5 r/var/mail
    f 0600 5:5 r/var/mail/x x
";

#[test]
fn a_tree_poured_over_the_base_changes_no_folder_of_it() {
    let expected = "
        f 0644 0:0 etc/app.conf conf
        f 0644 0:0 home/node/x x
        f 0644 0:0 root/x x
        f 0644 0:0 tmp/x x
        f 0644 0:0 var/mail/x x
    ";
    check(POURED, &[&|ops, source| item(ops, source, "/r", "/")], expected);
}

#[test]
fn folders_that_are_made_first_are_changed_by_the_copy() {
    let root = MakeDir { path: "/root".to_owned(), mode: 0o700, ..MakeDir::default() };
    let layer: Layer<'_> = &|ops, source| {
        ops.make_dir(root.clone()).copy(source, place("/r", "/"));
    };
    let Outcome { merged, copied } = Lab::new(BASE, POURED).place(&[layer]);
    for tree in [merged.unwrap(), copied.unwrap()] {
        assert_eq!((tree.0["root"].mode, tree.0["tmp"].mode), (0o755, 0o755));
        assert_eq!(tree.0["home/node"].owner, (0, 0));
    }
}

#[test]
fn a_tree_can_be_poured_over_links_of_the_base() {
    let over_links: Layer<'_> = &|ops, source| {
        ops.copy(
            source,
            Copy { exclude: vec!["bin".to_owned(), "lib".to_owned()], ..place("/r", "/") },
        );
        for link in ["bin", "lib"] {
            let (first, rest) = link.split_at(1);
            let children = format!("/r/[{first}]{rest}/*");
            let optional = Copy {
                wildcard: true,
                allow_no_match: true,
                contents: false,
                ..place(&children, "/x")
            };
            ops.copy(source, Copy { to: format!("/usr/{link}/"), ..optional });
        }
    };
    let source = "
        d 0755 5:5 r
        d 0755 5:5 r/bin
        f 0755 5:5 r/bin/tool tool
        d 0755 5:5 r/bin/more
        f 0755 5:5 r/bin/more/tool tool
        l 5:5 r/lib -> opt/lib
        f 0644 5:5 r/file x
    ";
    let expected = "
        f 0644 0:0 file x
        d 0755 0:0 usr/bin/more
        f 0755 0:0 usr/bin/more/tool tool
        f 0755 0:0 usr/bin/tool tool
    ";
    check(source, &[over_links], expected);
}

#[test]
fn a_link_of_the_base_may_lie_below_a_folder_that_the_source_lacks() {
    let layer: Layer<'_> = &|ops, source| {
        let here = ops.here();
        let var = MakeDir { path: "/var".to_owned(), mode: 0o755, ..MakeDir::default() };
        let aside = Copy { include: vec!["var/run".to_owned()], ..place("/r", "/") };
        let aside = ops.restart(Output::SCRATCH).make_dir(var).copy(source, aside).here();
        ops.restart(here)
            .copy(source, Copy { exclude: vec!["var/run".to_owned()], ..place("/r", "/") });
        let children = Copy {
            wildcard: true,
            allow_no_match: true,
            contents: false,
            ..place("/var/[r]un/*", "/run/")
        };
        ops.copy(aside, children);
    };
    check("d 0755 5:5 r\n f 0644 5:5 r/file x", &[layer], "f 0644 0:0 file x");
    let source = "
        d 0755 5:5 r
        d 0755 5:5 r/var
        d 0755 5:5 r/var/run
        f 0644 5:5 r/var/run/pid x
        f 0644 5:5 r/var/more x
    ";
    check(source, &[layer], "f 0644 0:0 run/pid x\n f 0644 0:0 var/more x");
}

#[test]
fn files_take_a_mode_and_folders_stay_passable() {
    let source = "d 0777 5:5 m\n d 0700 5:5 m/d\n f 0755 5:5 m/d/run x\n f 6600 5:5 m/plain x";
    let cases = [
        ("u=rw,go=r", "0644", "0755"),
        ("u=rw,g=r,o=", "0640", "0751"),
        ("u=rwx,go=rx", "0755", "0755"),
        ("u=rwx,g=rx,o=", "0750", "0751"),
        ("a=r", "0444", "0555"),
        ("u=r,go=", "0400", "0511"),
    ];
    for (mode, file, folder) in cases {
        let layer: Layer<'_> = &|ops, source| {
            let here = ops.here();
            let bare = ops
                .restart(Output::SCRATCH)
                .copy(source, Copy { mode: Some(words("a-x")), ..place("/m", "/m") })
                .here();
            ops.restart(here);
            ops.copy(
                bare,
                Copy { mode: Some(words(&format!("{mode},a-st,a+X"))), ..place("/m", "/n/") },
            );
        };
        let expected = format!(
            "d 0755 0:0 n
             d {folder} 0:0 n/d
             f {file} 0:0 n/d/run x
             f {file} 0:0 n/plain x"
        );
        check(source, &[layer], &expected);
    }
    let group = Copy { mode: Some(words("go-w,a-st,a+rX,g=u")), ..place("/m", "/n/") };
    let expected = "d 0755 0:0 n\n d 0775 0:0 n/d\n f 0775 0:0 n/d/run x\n f 0664 0:0 n/plain x";
    check(
        source,
        &[&|ops, source| {
            ops.copy(source, group.clone());
        }],
        expected,
    );
}

const SOURCES: &str = r"
    d 0755 5:5 w
    l 5:5 w/link -> src
    d 0755 5:5 w/src
    f 0644 5:5 w/src/a.js a
    f 0644 5:5 w/src/b.ts b
    d 0700 5:5 w/src/lib
    f 0600 5:5 w/src/lib/c.js c
    d 0755 5:5 w/src/lib/deep
    f 0644 5:5 w/src/lib/deep/d.js d
    f 0644 5:5 w/star*[q] star
";

#[test]
fn patterns_keep_paths() {
    let owned = |patterns: &[&str]| {
        patterns.iter().map(|pattern| (*pattern).to_owned()).collect::<Vec<_>>()
    };
    let a = "d 0755 0:0 n/src\n f 0644 0:0 n/src/a.js a\n";
    let c = "d 0755 0:0 n/src/lib\n f 0644 0:0 n/src/lib/c.js c\n";
    let d = "d 0755 0:0 n/src/lib/deep\n f 0644 0:0 n/src/lib/deep/d.js d\n";
    let cases: [(&[&str], &[&str], String); 8] = [
        (&["**/*.js"], &[], [a, c, d].concat()),
        (&["src/**/*.js"], &["**/deep"], [a, c].concat()),
        (&["src/*.js"], &[], a.to_owned()),
        (&["src/lib"], &["src/lib/deep"], format!("d 0755 0:0 n/src\n {c}")),
        (&["src/a.js"], &["a.js"], a.to_owned()), // an exclusion is anchored
        (&["link/a.js"], &[], String::new()),     // and a pattern does not go through links
        (&[r"star\*\[q\]"], &[], "f 0644 0:0 n/star*[q] star".to_owned()),
        (&["src/*.none"], &[], String::new()),
    ];
    for (include, exclude, expected) in cases {
        let copy = Copy { include: owned(include), exclude: owned(exclude), ..place("/w", "/n/") };
        check(
            SOURCES,
            &[&|ops, source| {
                ops.copy(source, copy.clone());
            }],
            &format!("d 0755 0:0 n\n {expected}"),
        );
    }
}

#[test]
fn a_pattern_can_be_made_to_match() {
    let must_match = |ops: &mut FileOps, source: Output, pattern: &str| {
        let here = ops.here();
        let found = Copy { include: vec![pattern.to_owned()], ..place("/w", "/") };
        let found = ops.restart(Output::SCRATCH).copy(source, found).here();
        ops.restart(here)
            .copy(found, Copy { wildcard: true, contents: false, ..place("/*", "/etc/") });
    };
    let expected = "
        d 0755 0:0 etc/src
        d 0755 0:0 etc/src/lib
        f 0644 0:0 etc/src/lib/c.js c
    ";
    check(SOURCES, &[&|ops, source| must_match(ops, source, "**/c.js")], expected);
    let Outcome { merged, copied } =
        Lab::new(BASE, SOURCES).place(&[&|ops, source| must_match(ops, source, "**/z.js")]);
    for refused in [merged.unwrap_err(), copied.unwrap_err()] {
        assert!(refused.ends_with("/* not found"), "{refused}");
    }
}

#[test]
fn a_literal_name_may_be_missing_if_written_as_a_pattern() {
    for (name, expected) in [
        (r"[\s]tar[\*][\[]q]", "d 0755 0:0 n\n f 0644 0:0 n/star*[q] star"),
        ("[n]one", "d 0755 0:0 n"),
    ] {
        let layer: Layer<'_> = &|ops, source| {
            ops.make_dir(MakeDir { path: "/n".to_owned(), mode: 0o755, ..MakeDir::default() });
            ops.copy(
                source,
                Copy {
                    wildcard: true,
                    allow_no_match: true,
                    ..place(&format!("/w/{name}"), "/n/")
                },
            );
        };
        check(SOURCES, &[layer], expected);
    }
}

/// A tree whose writable path belongs to the user, the rest to root.
fn with_writable(ops: &mut FileOps, source: Output, (from, to, writable): (&str, &str, &str)) {
    let only = vec![writable.to_owned()];
    ops.copy(source, Copy { exclude: vec!["*".to_owned()], ..place(from, to) })
        .copy(source, Copy { include: only.clone(), owner: Some(NODE), ..place(from, to) })
        .copy(source, Copy { exclude: only, ..place(from, to) });
}

#[test]
fn a_writable_path_belongs_to_the_user_and_nothing_else_does() {
    let source = "
        d 0700 5:5 w
        d 0700 5:5 w/a
        d 0777 5:5 w/a/b
        d 0700 5:5 w/a/b/data
        f 0600 5:5 w/a/b/data/seed seed
        f 0600 5:5 w/a/b/other other
    ";
    let at = |place: &str, owner: &str| {
        format!(
            "d 0755 0:0 {place}/a
             d 0755 0:0 {place}/a/b
             d 0755 {owner} {place}/a/b/data
             f 0644 {owner} {place}/a/b/data/seed seed
             f 0644 0:0 {place}/a/b/other other\n"
        )
    };
    let new = |owner: &str| format!("d 0755 0:0 srv/app\n{}", at("srv/app", owner));
    let cases = [
        (("/w", "/srv/app", "a/b/data"), new("1000:1000")),
        (("/w", "/app/", "a/b/data"), at("app", "1000:1000")),
        (("/w", "/srv/app", "a/none"), new("0:0")),
        (("/w/a/b/other", "/srv/app", "a/b/data"), "f 0644 0:0 srv/app other".to_owned()),
    ];
    for (case, expected) in cases {
        check(source, &[&|ops, source| with_writable(ops, source, case)], &expected);
    }
}

#[test]
fn an_empty_writable_folder_gives_way_to_what_is_placed() {
    let source = "
        f 0600 5:5 file seed
        d 0700 5:5 folder
        f 0600 5:5 folder/seed seed
    ";
    let given = "d 0755 0:0 srv/app\n ";
    let cases = [
        ("/file", "f 0644 1000:1000 srv/app/data seed"),
        ("/folder", "d 0755 1000:1000 srv/app/data\n f 0644 1000:1000 srv/app/data/seed seed"),
        ("", "d 0755 1000:1000 srv/app/data"),
    ];
    for (from, expected) in cases {
        let above = folders("d 0755 0:0 srv\n d 0755 0:0 srv/app");
        let path = "/srv/app/data".to_owned();
        let dir =
            MakeDir { path: path.clone(), mode: 0o755, owner: Some(NODE), ..MakeDir::default() };
        let parents = MakeDir {
            path: "/srv/app".to_owned(),
            mode: 0o755,
            make_parents: true,
            ..MakeDir::default()
        };
        let make: Layer<'_> = &|ops, _| {
            ops.make_dir(parents.clone()).make_dir(dir.clone()).set_folders(&above);
        };
        let item: Layer<'_> = &|ops, source| {
            if !from.is_empty() {
                ops.copy(source, Copy { owner: Some(NODE), ..place(from, &path) });
            }
            ops.set_folders(&above);
        };
        let expected = Tree::parse(BASE).with(&format!("{given}{expected}"));
        let mut lab = Lab::new(BASE, source);
        // merged, what comes later wins; copied, mkdir leaves alone what is there
        let merged = lab.place(&[make, item]).merged.unwrap();
        let copied = lab.place(&[item, make]).copied.unwrap();
        assert_eq!(expected.difference(&merged), "", "{from}");
        assert_eq!(expected.difference(&copied), "", "{from}");
    }
}

#[test]
fn set_folders_reaches_folders_of_the_base() {
    let given = folders(
        "d 0755 1000:1000 app\n d 3770 4294967294:7 tmp\n d 0700 0:0 new\n d 0711 9:9 new/sub",
    );
    let expected =
        "d 0755 1000:1000 app\n d 3770 4294967294:7 tmp\n d 0700 0:0 new\n d 0711 9:9 new/sub";
    check(
        "",
        &[&|ops, _| {
            ops.set_folders(&given);
        }],
        expected,
    );
    // which mkdir does not
    let mkdir =
        MakeDir { path: "/app".to_owned(), mode: 0o700, owner: Some(NODE), ..MakeDir::default() };
    let copied = Lab::new(BASE, "")
        .place(&[&|ops, _| {
            ops.make_dir(mkdir.clone());
        }])
        .copied
        .unwrap();
    assert_eq!(Tree::parse(BASE).difference(&copied), "");
}

#[test]
fn archives_are_unpacked_aside_and_copied() {
    let archive = Tree::parse(
        "
        d 0777 7:7 pkg
        f 6755 7:7 pkg/run run
        f 0600 7:7 pkg/one data
        h pkg/two -> pkg/one
        l 7:7 pkg/link -> one
    ",
    );
    let bytes = escape(&archive.to_tar());
    let source = format!("f 0644 5:5 a.tar {bytes}\n f 0600 5:5 plain plain");
    let unpack = |ops: &mut FileOps, source: Output, from: &str| {
        let here = ops.here();
        let aside = Copy {
            from: from.to_owned(),
            to: "/x/".to_owned(),
            unpack: true,
            make_parents: true,
            ..Copy::default()
        };
        let aside = ops.restart(Output::SCRATCH).copy(source, aside).here();
        ops.restart(here).copy(aside, place("/x", "/app/"));
    };
    let expected = "
        d 0755 0:0 app/pkg
        f 0755 0:0 app/pkg/run run
        l 0:0 app/pkg/link -> one
        f 0644 0:0 app/pkg/one data
        h app/pkg/two -> app/pkg/one
    ";
    check(&source, &[&|ops, source| unpack(ops, source, "/a.tar")], expected);
    check(&source, &[&|ops, source| unpack(ops, source, "/plain")], "f 0644 0:0 app/plain plain");
}

#[test]
fn later_layers_win() {
    let source =
        "f 0644 5:5 a a\n f 0644 5:5 b b\n d 0755 5:5 h\n f 0644 5:5 h/one one\n h h/two -> h/one";
    let a: Layer<'_> = &|ops, source| item(ops, source, "/a", "/opt/x");
    let b: Layer<'_> = &|ops, source| item(ops, source, "/b", "/opt/x");
    let (twins, over) = (
        |ops: &mut FileOps, source| item(ops, source, "/h", "/opt/"),
        |ops: &mut FileOps, source| item(ops, source, "/a", "/opt/one"),
    );
    check(source, &[a, b], "f 0644 0:0 opt/x b");
    check(source, &[b, a], "f 0644 0:0 opt/x a");
    check(source, &[&twins, &over], "f 0644 0:0 opt/one a\n f 0644 0:0 opt/two one");
}

#[test]
fn a_merge_replaces_silently_what_a_copy_refuses() {
    let source = "
        d 0755 5:5 file
        f 0644 5:5 file/etc x
        d 0755 5:5 folder
        d 0755 5:5 folder/bin
        d 0755 5:5 deep
        d 0755 5:5 deep/etc
        d 0755 5:5 deep/etc/passwd
        d 0755 5:5 link
        l 5:5 link/etc -> opt
    ";
    let cases = [
        ("/file", "- etc/passwd\n f 0644 0:0 etc x", "cannot replace to directory"),
        ("/link", "- etc/passwd\n l 0:0 etc -> opt", "cannot replace to directory"),
        ("/folder", "d 0755 0:0 bin", "cannot copy to non-directory"),
        ("/deep", "d 0755 0:0 etc/passwd", "cannot copy to non-directory"),
    ];
    for (from, expected, words) in cases {
        let layer: Layer<'_> = &|ops, source| {
            ops.copy(source, place(from, "/"));
        };
        let Outcome { merged, copied } = Lab::new(BASE, source).place(&[layer]);
        assert_eq!(Tree::parse(BASE).with(expected).difference(&merged.unwrap()), "", "{from}");
        let refused = copied.unwrap_err();
        assert!(refused.contains(words), "{from}: {refused}");
    }
}

#[test]
fn links_and_files_replace_each_other() {
    let source =
        "d 0755 5:5 r\n d 0755 5:5 r/etc\n l 5:5 r/etc/passwd -> shadow\n f 0644 5:5 r/data x";
    let expected = "l 0:0 etc/passwd -> shadow\n f 0644 0:0 data x";
    check(source, &[&|ops, source| item(ops, source, "/r", "/")], expected);
}

#[test]
fn made_files_and_links_need_their_parents() {
    let dir = MakeDir {
        path: "/opt/a/b".to_owned(),
        mode: 0o755,
        make_parents: true,
        ..MakeDir::default()
    };
    let file = MakeFile {
        path: "/opt/a/b/f".to_owned(),
        mode: 0o644,
        data: b"text".to_vec(),
        ..MakeFile::default()
    };
    let link =
        MakeLink { path: "/opt/a/l".to_owned(), target: "b/f".to_owned(), ..MakeLink::default() };
    let all: Layer<'_> = &|ops, _| {
        ops.make_dir(dir.clone()).make_file(file.clone()).make_link(link.clone());
    };
    let expected =
        "d 0755 0:0 opt/a\n d 0755 0:0 opt/a/b\n f 0644 0:0 opt/a/b/f text\n l 0:0 opt/a/l -> b/f";
    check("", &[all], expected);
    let Outcome { merged, copied } = Lab::new(BASE, "").place(&[&|ops, _| {
        ops.make_file(file.clone());
    }]);
    for refused in [merged.unwrap_err(), copied.unwrap_err()] {
        assert!(refused.contains("no such file or directory"), "{refused}");
    }
}

#[test]
fn a_placed_layer_can_hold_whiteouts() {
    // both have to be refused by whoever looks at the layers: neither is what it seems
    let source = "
        d 0755 5:5 device
        d 0755 5:5 device/etc
        c 0644 5:5 device/etc/passwd
        d 0755 5:5 name
        d 0755 5:5 name/etc
        f 0644 5:5 name/etc/.wh.passwd x
    ";
    let mut lab = Lab::new(BASE, source);
    let device: Layer<'_> = &|ops, source| {
        ops.copy(source, place("/device", "/"));
    };
    let merged = lab.place(&[device]).merged.unwrap();
    assert_eq!(
        Tree::parse(BASE).with("- etc/passwd").difference(&merged),
        "",
        "the device deletes"
    );
    let mut ops = FileOps::on(Output::SCRATCH);
    device(&mut ops, lab.source);
    let alone = lab.graph.file(&ops, &Constraints::default());
    assert_eq!(
        lab.solve(alone).unwrap().0["etc/passwd"].kind,
        'c',
        "but it is seen in the layer alone"
    );
    // BuildKit's own mounts show a plain file; whoever unpacks the exported layer deletes
    let name: Layer<'_> = &|ops, source| item(ops, source, "/name", "/");
    check(source, &[name], "f 0644 0:0 etc/.wh.passwd x");
}

#[test]
fn a_published_base_keeps_its_folders() {
    let mut lab = Lab::new("", "d 0700 5:5 t\n f 0755 5:5 t/tool tool");
    let platform = pb::Platform {
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
        ..Default::default()
    };
    let image = Image { reference: "dhi.io/debian-base:trixie".to_owned(), ..Image::default() };
    let with = Constraints { platform: Some(platform), ..Constraints::default() };
    lab.base = lab.graph.source(&Source::Image(image), &with);
    let base = lab.solve(lab.base).unwrap();
    for (link, folder) in [("bin", "usr/bin"), ("lib", "usr/lib"), ("var/run", "/run")] {
        assert_eq!((base.0[link].kind, base.0[link].text.as_str()), ('l', folder));
    }
    let destinations =
        ["/bin/", "/lib/x/", "/var/run/x/", "/root/", "/tmp/x/", "/etc/", "/usr/src/app", "/"];
    let layers = destinations.map(|to| {
        let (to, base) = (through(&base, to), &base);
        move |ops: &mut FileOps, source| {
            ops.copy(source, place("/t", &to)).set_folders(&around(base, &to));
        }
    });
    let layers: Vec<Layer<'_>> = layers.iter().map(|layer| layer as Layer<'_>).collect();
    let Outcome { merged, copied } = lab.place(&layers);
    let expected = base.with(
        "
        f 0755 0:0 usr/bin/tool tool
        d 0755 0:0 usr/lib/x
        f 0755 0:0 usr/lib/x/tool tool
        d 0755 0:0 run/x
        f 0755 0:0 run/x/tool tool
        f 0755 0:0 root/tool tool
        d 0755 0:0 tmp/x
        f 0755 0:0 tmp/x/tool tool
        f 0755 0:0 etc/tool tool
        d 0755 0:0 usr/src
        d 0755 0:0 usr/src/app
        f 0755 0:0 usr/src/app/tool tool
        f 0755 0:0 tool tool
    ",
    );
    assert_eq!(expected.difference(&merged.unwrap()), "");
    assert_eq!(expected.difference(&copied.unwrap()), "");
}
