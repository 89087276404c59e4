//! Docker's own Dockerfile frontend judges the tests before the tests judge hardpan: an ordinary
//! Dockerfile goes through the same building, reading back, starting and asking. And where both can
//! say the same, both give the same root file system.

use crate::support::ask::Ask;
use crate::support::container::Container;
use crate::support::project::Project;
use crate::support::registry::read_base;

#[test]
fn a_dockerfile_of_the_smallest_example_passes() {
    let folder = crate::examples::folder("minimal");
    let server = std::fs::read(folder.join("server.mjs")).unwrap();
    let dockerfile = "FROM dhi.io/node:24\nUSER 1000:1000\nCOPY server.mjs ./\nENTRYPOINT [\"node\", \"server.mjs\"]\n";
    let image = Project::written(dockerfile).file("server.mjs", server).push();
    let base = read_base("dhi.io/node:24");
    assert_eq!(image.layers[..base.layers.len()], base.layers);
    let differences = base.listing().differences(&image.listing());
    assert_eq!(differences.len(), 1, "{differences:?}");
    assert!(differences[0].starts_with("+ /app/server.mjs - 0644 0:0 "), "{differences:?}");
    let ask = Ask::read(&folder);
    let mut container = Container::start(&image, &ask.writable());
    ask.ask(&mut container);
    assert_eq!(container.stop().code, Some(0));
}

#[test]
fn plain_copies_of_a_dockerfile_give_the_same_root_file_system() {
    let files = |project: Project| {
        project
            .file("a.txt", "a")
            .file("dir/in/c.txt", "c")
            .file_with_mode("run.mjs", 0o755, "r")
            .link("dir/l", "in")
    };
    let spec = files(Project::new(
        "
        base: node:24
        image:
          - copy: a.txt
          - copy: dir
            to: /srv/dir
          - copy: run.mjs
            to: /bin/
          - copy: [a.txt, run.mjs]
            to: /usr/local/share/x/
        entrypoint: [node]
        ",
    ));
    let dockerfile = files(Project::written(
        "FROM dhi.io/node:24\nCOPY a.txt ./\nCOPY dir /srv/dir\nCOPY run.mjs /bin/\nCOPY a.txt run.mjs /usr/local/share/x/\n",
    ));
    dockerfile
        .push()
        .listing()
        .assert_same(&spec.push().listing(), "plain copies (-) and the spec (+)");
}
