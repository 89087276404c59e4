//! A real BuildKit takes every kind of op that the builder makes, and does what it says.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

mod support {
    #![allow(unreachable_pub, dead_code, reason = "shared by several test programs")]
    pub mod buildctl;
    pub mod tar;
}

use hardpan::llb::{
    Access, Constraints, ContentCache, Copy, Exec, FileOps, Graph, Image, MakeFile, Mount,
    MountKind, Network, Output, Sharing, Source, caps,
};
use hardpan::proto::pb;
use support::buildctl::solve;
use support::tar::Tree;

const SCRIPT: &str = r#"
    test "$A" = "b c"
    test "$PWD" = /work
    test ! -w /ro/etc
    test "$(cat /ro/etc/seed)" = seed
    test "$(cat /part/seed)" = seed
    echo changed > /part/seed
    df /mem | grep -q tmpfs
    test -d /cache
    test "$(ls /sys/class/net)" = lo
    id -u > /out/uid
    echo root > /made
    exit 3
"#;

fn platform() -> Constraints {
    let platform = pb::Platform {
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
        ..Default::default()
    };
    Constraints { platform: Some(platform), ..Constraints::named("[test] everything") }
}

fn file(graph: &mut Graph, path: &str, text: &str) -> Output {
    let mut ops = FileOps::on(Output::SCRATCH);
    let data = text.as_bytes().to_vec();
    ops.make_file(MakeFile { path: path.to_owned(), mode: 0o600, data, ..MakeFile::default() });
    graph.file(&ops, &Constraints::default())
}

#[test]
fn every_kind_of_op_runs() {
    let mut graph = Graph::new();
    let image = Image { reference: "dhi.io/debian-base:trixie-dev".to_owned(), ..Image::default() };
    let image = graph.source(&Source::Image(image), &platform());
    let seed = file(&mut graph, "/seed", "seed");
    let mut ops = FileOps::on(Output::SCRATCH);
    ops.copy(
        seed,
        Copy {
            from: "/".to_owned(),
            to: "/etc".to_owned(),
            make_parents: true,
            contents: true,
            ..Copy::default()
        },
    );
    let etc = graph.file(&ops, &Constraints::default());
    let mount = |target: &str, kind| Mount { target: target.to_owned(), kind };
    let exec = Exec {
        args: vec!["/bin/sh".to_owned(), "-ec".to_owned(), SCRIPT.to_owned()],
        env: vec![("A".to_owned(), "b c".to_owned())],
        cwd: "/work".to_owned(),
        network: Network::None,
        valid_exit_codes: vec![3],
        mounts: vec![
            Mount::output("/out", Output::SCRATCH),
            Mount::read_only("/ro", etc).content_cache(ContentCache::Off),
            Mount::bind("/part", etc, Access::Discard).at("/etc"),
            mount("/mem", MountKind::Tmpfs { size: 1 << 20 }),
            mount(
                "/cache",
                MountKind::Cache {
                    id: "hardpan-test".to_owned(),
                    sharing: Sharing::Locked,
                    from: (Output::SCRATCH, String::new()),
                },
            ),
            Mount::output("/", image),
        ],
        ..Exec::default()
    };
    let outputs = graph.exec(&exec, &platform());
    let [out, after] = outputs.as_slice() else { panic!("two mounts have an output") };
    let changed = graph.diff(image, *after, &Constraints::default());
    let other = file(&mut graph, "/other", "other");
    let merged = graph.merge(&[changed, *out, other], &Constraints::default());
    let result = graph.passthrough(merged, &[seed], &Constraints::default());
    let folder = tempfile::tempdir().unwrap();
    let tree = solve(&graph, result, folder.path()).unwrap();
    let expected = r"
        f 0644 0:0 made root\x0a
        f 0600 0:0 other other
        f 0644 0:0 uid 0\x0a
        d 0755 0:0 work
    ";
    assert_eq!(Tree::parse(expected).difference(&tree), "");

    let definition = graph.marshal(result, &[]);
    let mut again = Graph::new();
    let imported = again.import(&definition).unwrap();
    assert_eq!(solve(&again, imported, folder.path()).unwrap(), tree);
    assert_eq!(caps::unsupported(&definition, |cap| cap != caps::MERGE), [caps::MERGE]);
}
