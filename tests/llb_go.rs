//! The same ops as BuildKit's Go client builds them must come out with the same digests, metadata
//! and source positions: a user's cache then survives a move between frontends, and nothing about
//! the wire format is guessed.
//!
//! tests/golden/llb-go.txt is made by `go generate` in tests/golden/llb-go.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on ends")]

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use hardpan::diagnostic::{Position, Span};
use hardpan::llb::{
    Access, Bind, Constraints, ContentCache, Copy, Exec, FileOps, Git, Graph, HostIp, Http, Image,
    Local, Location, MakeDir, MakeFile, MakeLink, Mode, Mount, MountKind, Network, OciLayout,
    Output, Owner, Remove, ResolveMode, SecretEnv, SecretMount, Security, Sharing, Source,
    SshMount, Ulimit,
};
use hardpan::proto::pb;
use prost::Message as _;

const GOLDEN: &str = include_str!("golden/llb-go.txt");
const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const TIME: Option<i64> = Some(1_700_000_000_000_000_005);

/// What we ask for and the Go client forgets: its file ops look at their actions too early
/// (client/llb/fileop.go:831), its execs know no cap for these two.
const FORGOTTEN: [&str; 7] = [
    "exec.meta.cgroup.parent",
    "exec.mount.bind.readwrite-nooutput",
    "file.copy.alwaysreplaceexistingdestpaths",
    "file.copy.includeexcludepatterns",
    "file.copy.requiredpaths",
    "file.rm.wildcard",
    "file.symlink.create",
];

fn platform(architecture: &str, variant: &str) -> pb::Platform {
    pb::Platform {
        os: "linux".to_owned(),
        architecture: architecture.to_owned(),
        variant: variant.to_owned(),
        ..Default::default()
    }
}

fn plain() -> Constraints {
    Constraints { platform: Some(platform("amd64", "")), ..Constraints::default() }
}

fn named(name: &str) -> Constraints {
    Constraints { name: Some(name.to_owned()), ..plain() }
}

fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn golden() -> BTreeMap<&'static str, pb::Definition> {
    let decode = |line: &'static str| {
        let (name, base64) = line.split_once(' ').unwrap_or((line, ""));
        let bytes = base64::engine::general_purpose::STANDARD.decode(base64).unwrap();
        (name, pb::Definition::decode(bytes.as_slice()).unwrap())
    };
    GOLDEN.lines().map(decode).collect()
}

/// A graph with the two sources that most cases start from.
struct Start {
    graph: Graph,
    image: Output,
    local: Output,
}

impl Start {
    fn new() -> Self {
        let mut graph = Graph::new();
        let image =
            Image { reference: "docker.io/library/alpine:3.22".to_owned(), ..Image::default() };
        let image = graph.source(&Source::Image(image), &plain());
        let local = Local {
            name: "context".to_owned(),
            session: Some("session".to_owned()),
            ..Local::default()
        };
        let local = graph.source(&Source::Local(local), &plain());
        Self { graph, image, local }
    }

    fn file(&mut self, base: Output, actions: impl Fn(&mut FileOps)) -> Output {
        let mut ops = FileOps::on(base);
        actions(&mut ops);
        self.graph.file(&ops, &plain())
    }

    #[track_caller]
    fn check(&self, name: &str, output: Output) {
        compare(name, &self.graph.marshal(output, &[]));
    }
}

#[track_caller]
fn check_source(name: &str, source: &Source) {
    let mut start = Start::new();
    let output = start.graph.source(source, &plain());
    start.check(name, output);
}

#[track_caller]
fn compare(name: &str, ours: &pb::Definition) {
    let go = &golden()[name];
    let text = |definition| {
        let mut graph = Graph::new();
        let output = graph.import(definition).unwrap();
        graph.to_text(output)
    };
    assert_eq!(text(ours), text(go), "{name}");
    let ops = |definition: &pb::Definition| definition.def.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(ops(ours), ops(go), "{name}: the same text, but other bytes");
    assert_eq!(ours.def.last(), go.def.last(), "{name}: the end");
    assert_eq!(
        ours.metadata.keys().collect::<Vec<_>>(),
        go.metadata.keys().collect::<Vec<_>>(),
        "{name}"
    );
    for (digest, metadata) in &ours.metadata {
        let mut metadata = metadata.clone();
        metadata.caps.retain(|cap, _| {
            go.metadata[digest].caps.contains_key(cap) || !FORGOTTEN.contains(&cap.as_str())
        });
        assert_eq!(metadata, go.metadata[digest], "{name}: {digest}");
    }
    let sources = |definition: &pb::Definition| {
        let source = definition.source.clone().unwrap_or_default();
        // Go lists vertices without a place, too
        let located =
            source.locations.into_iter().filter(|(_, locations)| !locations.locations.is_empty());
        (located.collect::<Vec<_>>(), source.infos)
    };
    assert_eq!(sources(ours), sources(go), "{name}");
}

#[test]
fn every_golden_definition_is_imported_unchanged() {
    for (name, definition) in golden() {
        let mut graph = Graph::new();
        let output = graph.import(&definition).unwrap();
        compare(name, &graph.marshal(output, &[]));
    }
}

#[test]
fn images() {
    let start = Start::new();
    start.check("image", start.image);
    let reference = "docker.io/library/alpine:3.22".to_owned();
    check_source(
        "image-local",
        &Source::Image(Image { reference, resolve_mode: ResolveMode::Local, ..Image::default() }),
    );
    let mut graph = Graph::new();
    let image = Image {
        reference: format!("dhi.io/node@{EMPTY}"),
        resolve_mode: ResolveMode::Pull,
        record_type: Some("internal".to_owned()),
        ..Image::default()
    };
    let group = pb::ProgressGroup { id: "group".to_owned(), name: "name".to_owned(), weak: true };
    let with = Constraints {
        ignore_cache: true,
        progress_group: Some(group),
        platform: Some(platform("arm", "v7")),
        workers: strings(&["worker==1"]),
        export_cache: Some(true),
        ..Constraints::named("[internal] load")
    };
    let output = graph.source(&Source::Image(image), &with);
    compare("image-options", &graph.marshal(output, &[]));
    let layout = OciLayout {
        reference: format!("name@{EMPTY}"),
        session: Some("session".to_owned()),
        store: Some("store".to_owned()),
        layer_limit: Some(2),
    };
    check_source("oci-layout", &Source::OciLayout(layout));
}

#[test]
fn local_folders() {
    let start = Start::new();
    start.check("local-session", start.local);
    let local = || Local {
        name: "context".to_owned(),
        session: Some("session".to_owned()),
        ..Local::default()
    };
    let unique = Local { session: None, unique: Some("unique".to_owned()), ..local() };
    check_source("local-unique", &Source::Local(unique));
    check_source(
        "local-metadata",
        &Source::Local(Local { metadata_only_except: Some(Vec::new()), ..local() }),
    );
    let all = Local {
        include: strings(&["a<b", "**/*.go"]),
        exclude: strings(&["!c&d", "e\"f"]),
        follow: strings(&["g", "h"]),
        shared_key_hint: Some("hint".to_owned()),
        differ: Some("metadata".to_owned()),
        metadata_only_except: Some(strings(&["i"])),
        ..local()
    };
    check_source("local-all", &Source::Local(all));
}

#[test]
fn git_and_http() {
    let git = |url: &str| Git { url: url.to_owned(), ..Git::default() };
    let tag =
        Git { reference: "v0.34.2".to_owned(), ..git("https://github.com/moby/buildkit.git") };
    check_source("git", &Source::Git(tag));
    let all = Git {
        reference: "main".to_owned(),
        subdir: "sub/dir".to_owned(),
        checksum: Some("0123456789012345678901234567890123456789".to_owned()),
        keep_git_dir: true,
        skip_submodules: true,
        mtime: Some("commit".to_owned()),
        auth_header_secret: Some("header".to_owned()),
        auth_token_secret: Some("token".to_owned()),
        fetch_by_commit: true,
        advice: true,
        ..git("https://user@example.com:8443//a/b.git")
    };
    check_source("git-all", &Source::Git(all));
    let ssh = Git {
        known_ssh_hosts: Some("example.com ssh-ed25519 AAAA\n".to_owned()),
        ssh_agent: Some("agent".to_owned()),
        ..git("git@example.com:a/b.git")
    };
    check_source("git-ssh", &Source::Git(ssh));
    let http = || Http { url: "https://example.com/file".to_owned(), ..Http::default() };
    check_source("http", &Source::Http(http()));
    let all = Http {
        checksum: Some(EMPTY.to_owned()),
        filename: Some("name".to_owned()),
        mode: 0o755,
        uid: 7,
        gid: 8,
        auth_header_secret: Some("header".to_owned()),
        ..http()
    };
    check_source("http-all", &Source::Http(all));
}

fn exec(mounts: Vec<Mount>) -> Exec {
    Exec { args: strings(&["true"]), cwd: "/".to_owned(), mounts, ..Exec::default() }
}

#[test]
fn execs() {
    let mut start = Start::new();
    let make = Exec {
        args: strings(&["/bin/sh", "-c", "make"]),
        cwd: "/src".to_owned(),
        ..exec(vec![Mount::output("/", start.image)])
    };
    let outputs = start.graph.exec(&make, &named("[build 1/2] RUN make"));
    start.check("exec", outputs[0]);

    let proxy = pb::ProxyEnv {
        http_proxy: "http://p".to_owned(),
        no_proxy: "n".to_owned(),
        ..Default::default()
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let all = Exec {
        env: vec![pair("A", "1"), pair("B", "x y")],
        cwd: "/work".to_owned(),
        user: "1000:1000".to_owned(),
        hostname: "host".to_owned(),
        network: Network::None,
        security: Security::Insecure,
        proxy: Some(proxy),
        extra_hosts: vec![HostIp { host: "db".to_owned(), ip: "10.0.0.1".to_owned() }],
        ulimits: vec![Ulimit { name: "nofile".to_owned(), soft: 1024, hard: 2048 }],
        cgroup_parent: "parent".to_owned(),
        valid_exit_codes: vec![0, 3],
        ..exec(vec![Mount::output("/", start.image)])
    };
    let resources = Some(pb::LinuxResources { memory: 1 << 20, ..Default::default() });
    let outputs = start.graph.exec(&all, &Constraints { resources, ..plain() });
    start.check("exec-all", outputs[0]);
}

#[test]
fn mounts_of_every_kind() {
    let mut start = Start::new();
    let mount = |target: &str, kind: MountKind| Mount { target: target.to_owned(), kind };
    let cache = |id: &str, sharing, from: (Output, &str)| {
        let (output, path) = from;
        MountKind::Cache { id: id.to_owned(), sharing, from: (output, path.to_owned()) }
    };
    let secret = SecretMount { id: "a".to_owned(), owner: (1, 2), mode: 0o440, optional: true };
    let agent =
        |id: &str, owner, mode, optional| SshMount { id: id.to_owned(), owner, mode, optional };
    let discard = Bind {
        from: start.local,
        path: String::new(),
        access: Access::Discard,
        content_cache: ContentCache::On,
    };
    let exec = Exec {
        secret_env: vec![SecretEnv { id: "b".to_owned(), name: "ID".to_owned(), optional: false }],
        ..exec(vec![
            mount("", MountKind::Ssh(agent("default", (0, 0), 0o600, true))),
            Mount::output("/zz", Output::SCRATCH),
            mount("/tmp", MountKind::Tmpfs { size: 64 }),
            mount("/run", MountKind::Tmpfs { size: 0 }),
            Mount::read_only("/ro", start.local).at("/sub").content_cache(ContentCache::Off),
            mount("/rw", MountKind::Bind(discard)),
            mount("/cache", cache("id", Sharing::Locked, (Output::SCRATCH, ""))),
            mount("/cache2", cache("id2", Sharing::Private, (start.local, "/seed"))),
            mount("/run/secrets/a", MountKind::Secret(secret)),
            mount("/agent", MountKind::Ssh(agent("other", (3, 4), 0o666, false))),
            Mount::read_only("/", start.image),
        ])
    };
    let outputs = start.graph.exec(&exec, &plain());
    assert_eq!(outputs.len(), 1);
    start.check("exec-mounts", outputs[0]);
}

#[test]
fn outputs_are_given_in_the_callers_order() {
    let mut start = Start::new();
    let mounts = vec![
        Mount::output("/out", Output::SCRATCH),
        Mount::output("/", start.image),
        Mount::output("/b", start.local),
    ];
    let outputs = start.graph.exec(&exec(mounts), &plain());
    let merged = start.graph.merge(&[outputs[1], outputs[2], outputs[0]], &plain());
    start.check("exec-outputs", merged);
}

#[test]
fn file_actions() {
    let mut start = Start::new();
    let image = start.image;
    let dir = |path: &str, mode| MakeDir { path: path.to_owned(), mode, ..MakeDir::default() };
    let file = |path: &str, mode| MakeFile { path: path.to_owned(), mode, ..MakeFile::default() };
    let output = start.file(Output::SCRATCH, |ops| {
        ops.make_dir(dir("/app", 0o700));
    });
    start.check("mkdir", output);
    let output = start.file(image, |ops| {
        ops.make_file(file("/empty", 0o644));
    });
    start.check("mkfile", output);
    let output = start.file(image, |ops| {
        ops.make_link(MakeLink {
            path: "/link".to_owned(),
            target: "target".to_owned(),
            ..MakeLink::default()
        });
    });
    start.check("symlink", output);
    let output = start.file(image, |ops| {
        ops.remove(Remove { path: "/etc/motd".to_owned(), ..Remove::default() });
    });
    start.check("rm", output);
    let output = start.file(start.local, |ops| {
        let owner = |uid, gid| Some(Owner { uid, gid });
        ops.make_dir(MakeDir {
            make_parents: true,
            owner: owner(1000, 0),
            time: TIME,
            ..dir("/a/b", 0o755)
        });
        let data = vec![0, 255, b'x'];
        ops.make_file(MakeFile { data, owner: owner(1, 2), time: TIME, ..file("/a/b/c", 0o640) });
        let (path, target) = ("/a/link".to_owned(), "b/c".to_owned());
        ops.make_link(MakeLink { path, target, owner: owner(3, 4), time: TIME });
        ops.remove(Remove { path: "/a/b/*".to_owned(), allow_missing: true, wildcard: true });
        ops.copy(image, Copy { mode: Some(Mode::Bits(0o4755)), ..copy("/etc/os-release", "/a/") });
    });
    start.check("chain", output);
}

fn copy(from: &str, to: &str) -> Copy {
    Copy { from: from.to_owned(), to: to.to_owned(), ..Copy::default() }
}

#[test]
fn copies() {
    let mut start = Start::new();
    let (image, local) = (start.image, start.local);
    let output = start.file(image, |ops| {
        ops.copy(local, copy("/", "/app"));
    });
    start.check("copy", output);
    let output = start.file(image, |ops| {
        ops.copy(image, copy("/a", "/b"))
            .copy(local, copy("/c", "/d"))
            .copy(image, copy("/e", "/f"));
    });
    start.check("copy-self", output);
    let mut ops = FileOps::on(image);
    ops.copy(
        local,
        Copy {
            owner: Some(Owner { uid: 0, gid: 65532 }),
            mode: Some(Mode::Words("go-w,a-st,a+rX".to_owned())),
            follow_link: true,
            contents: true,
            unpack: true,
            make_parents: true,
            wildcard: true,
            allow_no_match: true,
            include: strings(&["*.go", "a"]),
            exclude: strings(&["b"]),
            required: strings(&["/src/a"]),
            replace: true,
            time: TIME,
            ..copy("/src", "/dst/")
        },
    );
    let output = start.graph.file(&ops, &named("COPY"));
    start.check("copy-all", output);
    let output = start.file(image, |ops| {
        ops.make_dir(MakeDir { path: "/a".to_owned(), mode: 0o755, ..MakeDir::default() });
        let here = ops.here();
        let (path, data) = ("/f".to_owned(), b"x".to_vec());
        let side = ops.restart(Output::SCRATCH).make_file(MakeFile {
            path,
            mode: 0o600,
            data,
            ..MakeFile::default()
        });
        let side = side.here();
        ops.restart(here).copy(side, copy("/f", "/a/f"));
    });
    start.check("side", output);
}

#[test]
fn ops_on_whole_file_systems() {
    let mut start = Start::new();
    let (image, local) = (start.image, start.local);
    let merged = start.graph.merge(&[image, local, image], &named("merge"));
    start.check("merge", merged);
    let upper = start.file(image, |ops| {
        ops.make_dir(MakeDir { path: "/app".to_owned(), mode: 0o700, ..MakeDir::default() });
    });
    let diff = start.graph.diff(image, upper, &plain());
    start.check("diff", diff);
    let diff = start.graph.diff(image, Output::SCRATCH, &plain());
    start.check("diff-empty", diff);
    let passthrough = start.graph.passthrough(upper, &[image, local], &plain());
    start.check("passthrough", passthrough);
    start.check("scratch", Output::SCRATCH);
}

#[test]
fn places_in_the_spec() {
    let at = |column| Position { line: 1, column };
    let locations = vec![Location { file: 0, spans: vec![Span { start: at(7), end: at(8) }] }];
    let with = Constraints { locations, ..plain() };
    let mut graph = Graph::new();
    let image = Image { reference: "docker.io/library/alpine:3.22".to_owned(), ..Image::default() };
    let image = graph.source(&Source::Image(image), &with);
    let mut ops = FileOps::on(image);
    ops.make_dir(MakeDir { path: "/app".to_owned(), mode: 0o700, ..MakeDir::default() });
    let output = graph.file(&ops, &with);
    let file = pb::SourceInfo {
        filename: "app.yaml".to_owned(),
        data: b"base: a\n".to_vec(),
        language: "YAML".to_owned(),
        definition: None,
    };
    compare("located", &graph.marshal(output, &[file]));
}
