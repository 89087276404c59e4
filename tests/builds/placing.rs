//! Where files go and what becomes of them: specs built, the image compared with its base path by
//! path. Every change must be expected, so nothing of the base may change either.

use crate::support::image::{Image, digest};
use crate::support::listing::Node;
use crate::support::project::Project;
use crate::support::registry::read_base;

const BASE: &str = "dhi.io/node:24";

/// What an image adds to and changes of its base, a line for each path: `PATH KIND MODE OWNER`,
/// then the target of a link, or `=CONTENT` of a short file.
fn changes(image: &Image, contents: &[&str]) -> Vec<String> {
    let (base, listing) = (read_base(BASE).listing(), image.listing());
    for (path, node) in &base.nodes {
        assert_eq!(listing.at(path).kind, node.kind, "/{path} of the base");
    }
    let changed = listing.nodes.iter().filter(|(path, node)| base.nodes.get(*path) != Some(node));
    changed.map(|(path, node)| format!("/{path} {}", describe(node, contents))).collect()
}

fn describe(node: &Node, contents: &[&str]) -> String {
    let Node { kind, mode, uid, gid, link, .. } = node;
    let known = contents.iter().find(|content| digest(content.as_bytes()) == node.content);
    let what = match (kind, known) {
        ('l', _) => return format!("l {uid}:{gid} -> {link}"),
        ('-', Some(content)) => format!(" ={content}"),
        _ => String::new(),
    };
    format!("{kind} {mode:04o} {uid}:{gid}{what}")
}

/// Lines as they are to be, indented and in any order.
#[track_caller]
fn assert_changes(project: &Project, contents: &[&str], expected: &str) -> Image {
    let image = project.push();
    let mut expected: Vec<&str> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut found = changes(&image, contents);
    expected.sort_unstable();
    found.sort_unstable();
    let missing: Vec<_> =
        expected.iter().filter(|line| !found.iter().any(|other| other == *line)).collect();
    let surplus: Vec<_> = found.iter().filter(|line| !expected.contains(&line.as_str())).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "missing {missing:#?}\ntoo much {surplus:#?}"
    );
    image
}

#[test]
fn copies_keep_their_path_or_go_where_they_are_told() {
    let project = Project::new(
        "
        base: node:24
        image:
          - copy: a.txt
          - copy: dir/in
          - copy: a.txt
            to: /srv/renamed
          - copy: a.txt
            to: /srv/into/
          - copy: dir
            to: /srv/contents
          - copy: [a.txt, b.txt]
            to: /srv/list
          - copy: \"*.md\"
            to: /srv/docs/
          - copy: src/**/*.js
          - copy: src/./x/y.js
            to: /srv/pivot
            parents: true
          - copy: dir
            to: /srv/left-out
            exclude: [\"**/*.tmp\"]
          - copy: nothing*.here
            optional: true
          - copy: a.txt
            to: relative/place
        entrypoint: [node]
        ",
    )
    .file("a.txt", "a")
    .file("b.txt", "b")
    .file("dir/in/c.txt", "c")
    .file("dir/in/d.tmp", "d")
    .file("one.md", "1")
    .file("two.md", "2")
    .file("src/x/y.js", "y")
    .file("src/z.js", "z")
    .file("src/z.ts", "t")
    .file("unrelated", "u");
    assert_changes(
        &project,
        &["a", "b", "c", "d", "1", "2", "y", "z"],
        "
        /app/a.txt - 0644 0:0 =a
        /app/dir d 0755 0:0
        /app/dir/in d 0755 0:0
        /app/dir/in/c.txt - 0644 0:0 =c
        /app/dir/in/d.tmp - 0644 0:0 =d
        /srv/renamed - 0644 0:0 =a
        /srv/into d 0755 0:0
        /srv/into/a.txt - 0644 0:0 =a
        /srv/contents d 0755 0:0
        /srv/contents/in d 0755 0:0
        /srv/contents/in/c.txt - 0644 0:0 =c
        /srv/contents/in/d.tmp - 0644 0:0 =d
        /srv/list d 0755 0:0
        /srv/list/a.txt - 0644 0:0 =a
        /srv/list/b.txt - 0644 0:0 =b
        /srv/docs d 0755 0:0
        /srv/docs/one.md - 0644 0:0 =1
        /srv/docs/two.md - 0644 0:0 =2
        /app/src d 0755 0:0
        /app/src/x d 0755 0:0
        /app/src/x/y.js - 0644 0:0 =y
        /app/src/z.js - 0644 0:0 =z
        /srv/pivot d 0755 0:0
        /srv/pivot/x d 0755 0:0
        /srv/pivot/x/y.js - 0644 0:0 =y
        /srv/left-out d 0755 0:0
        /srv/left-out/in d 0755 0:0
        /srv/left-out/in/c.txt - 0644 0:0 =c
        /app/relative d 0755 0:0
        /app/relative/place - 0644 0:0 =a
        ",
    );
}

#[test]
fn modes_are_readable_by_all_and_writable_by_root() {
    let project = Project::new(
        "
        base: node:24
        image:
          - copy: private
          - copy: open
          - copy: setuid
          - copy: folder
          - copy: private
            to: /srv/given
            mode: 0550
          - copy: folder
            to: /srv/folder
            mode: 0444
          - write: /srv/written
            content: w
          - write: /srv/tool
            content: w
            mode: 0755
          - mkdir: [/srv/made, /srv/below/made]
          - link: ../app/open
            to: /srv/linked
        entrypoint: [node]
        ",
    )
    .file_with_mode("private", 0o600, "p")
    .file_with_mode("open", 0o777, "o")
    .file_with_mode("setuid", 0o4755, "s")
    .folder("folder", 0o700)
    .file_with_mode("folder/run", 0o700, "r")
    .link("folder/link", "run");
    assert_changes(
        &project,
        &["p", "o", "s", "r", "w"],
        "
        /app/private - 0644 0:0 =p
        /app/open - 0755 0:0 =o
        /app/setuid - 0755 0:0 =s
        /app/folder d 0755 0:0
        /app/folder/run - 0755 0:0 =r
        /app/folder/link l 0:0 -> run
        /srv/given - 0550 0:0 =p
        /srv/folder d 0755 0:0
        /srv/folder/run - 0444 0:0 =r
        /srv/folder/link l 0:0 -> run
        /srv/written - 0644 0:0 =w
        /srv/tool - 0755 0:0 =w
        /srv/made d 0755 0:0
        /srv/below d 0755 0:0
        /srv/below/made d 0755 0:0
        /srv/linked l 0:0 -> ../app/open
        ",
    );
}

#[test]
fn destinations_go_through_the_links_of_the_base() {
    let project = Project::new(
        "
        base: node:24
        image:
          - copy: a
            to: /bin/tool
          - copy: a
            to: /lib/tool/
          - copy: a
            to: /var/run/tool
          - copy: tree
            to: /
          - copy: a
            to: /tmp/../srv/up
        entrypoint: [node]
        ",
    )
    .file("a", "a")
    .file("tree/bin/poured", "a")
    .file("tree/etc/poured.conf", "a");
    assert_changes(
        &project,
        &["a"],
        "
        /usr/bin/tool - 0644 0:0 =a
        /usr/lib/tool d 0755 0:0
        /usr/lib/tool/a - 0644 0:0 =a
        /run/tool - 0644 0:0 =a
        /usr/bin/poured - 0644 0:0 =a
        /etc/poured.conf - 0644 0:0 =a
        /srv/up - 0644 0:0 =a
        ",
    );
}

#[test]
fn stages_and_images_give_their_files() {
    let project = Project::new(
        "
        base: node:24
        workdir: /usr/src/app
        build:
          deps:
            - run: mkdir -p node_modules && printf m > node_modules/m
          web:
            base: deps
            steps:
              - copy: a
              - run: mkdir dist && cat a node_modules/m > dist/out && chown -R 1000:1000 dist && chmod 0777 dist
        image:
          - copy: node_modules
            from: deps
          - copy: dist
            from: web
            to: /srv/dist
          - copy: /usr/src/app/a
            from: web
          - copy: /etc/os-release
            from: static:20250419
            to: /srv/release
        entrypoint: [node]
        ",
    )
    .file("a", "a");
    let image = assert_changes(
        &project,
        &["a", "m", "am"],
        "
        /usr/src/app d 0755 0:0
        /usr/src/app/node_modules d 0755 0:0
        /usr/src/app/node_modules/m - 0644 0:0 =m
        /usr/src/app/a - 0644 0:0 =a
        /srv/dist d 0755 0:0
        /srv/dist/out - 0644 0:0 =am
        /srv/release l 0:0 -> ../usr/lib/os-release
        ",
    );
    assert_eq!(image.run()["WorkingDir"], "/usr/src/app");
}

#[test]
fn writable_paths_belong_to_the_user_and_nothing_else_does() {
    let project = Project::new(
        "
        base: node:24
        image:
          - copy: seed
            to: /srv/data/seed
          - write: /srv/settings.json
            content: '{}'
        writable:
          - /srv/data
          - /srv/settings.json
          - cache
          - {path: /srv/shared, mode: 0770, group: 0}
          - .
        entrypoint: [node]
        ",
    )
    .file("seed/one", "1");
    assert_changes(
        &project,
        &["1", "{}"],
        "
        /app d 0755 1000:1000
        /app/cache d 0755 1000:1000
        /srv/data d 0755 1000:1000
        /srv/data/seed d 0755 1000:1000
        /srv/data/seed/one - 0644 1000:1000 =1
        /srv/settings.json - 0644 1000:1000 ={}
        /srv/shared d 0770 1000:0
        ",
    );
}

#[test]
fn archives_are_unpacked_as_in_a_dockerfile() {
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |kind: tar::EntryType, path: &str, mode: u32, link: &str, content: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(501);
        header.set_gid(20);
        header.set_mtime(1);
        header.set_size(content.len() as u64);
        if link.is_empty() {
            tar.append_data(&mut header, path, content.as_bytes()).unwrap();
        } else {
            tar.append_link(&mut header, path, link).unwrap();
        }
    };
    add(tar::EntryType::Directory, "pkg/", 0o700, "", "");
    add(tar::EntryType::Regular, "pkg/file", 0o660, "", "f");
    add(tar::EntryType::Regular, "pkg/setuid", 0o4777, "", "s");
    add(tar::EntryType::Symlink, "pkg/link", 0o777, "file", "");
    let bytes = tar.into_inner().unwrap();
    let project = Project::new(
        "
        base: node:24
        image:
          - add: app.tar
          - add: app.tar
            to: /srv/there
        entrypoint: [node]
        ",
    )
    .file("app.tar", bytes);
    let lines = |at: &str| {
        format!(
            "{at}/pkg d 0755 0:0\n{at}/pkg/file - 0644 0:0 =f\n{at}/pkg/setuid - 0755 0:0 =s\n{at}/pkg/link l 0:0 -> file\n"
        )
    };
    let expected = format!("{}{}/srv/there d 0755 0:0", lines("/app"), lines("/srv/there"));
    assert_changes(&project, &["f", "s"], &expected);
}

#[test]
fn later_items_win() {
    let project = Project::new(
        "
        base: node:24
        image:
          - copy: one
            to: /srv/tree
          - copy: two
            to: /srv/tree
          - write: /srv/tree/b
            content: last
        entrypoint: [node]
        ",
    )
    .file("one/a", "1")
    .file("one/b", "1")
    .file("two/a", "2");
    assert_changes(
        &project,
        &["1", "2", "last"],
        "
        /srv/tree d 0755 0:0
        /srv/tree/a - 0644 0:0 =2
        /srv/tree/b - 0644 0:0 =last
        ",
    );
}
