//! What every builder must do alike, and what those above and below a version must do instead.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use serde_json::Value;

use crate::builder::{Builder, has_graph_driver};
use crate::demo;
use crate::docker::DockerContainer;
use crate::support::ask::Ask;
use crate::support::build::{Build, Door, fresh_name};
use crate::support::command::Program;
use crate::support::container::{Container, numeric_user};
use crate::support::environment::environment;
use crate::support::image::{Image, json, text};
use crate::support::project::Project;
use crate::support::refusal::Refusal;
use crate::support::registry::{read_base, read_blob, read_image, read_manifest};

/// One line of the table for each builder that it suits.
pub struct Case {
    /// As it stands in the table.
    pub name: &'static str,
    /// Which builders it is for.
    pub suits: fn(&str) -> bool,
    /// Fails by a panic.
    pub run: fn(&Builder),
}

const fn case(name: &'static str, suits: fn(&str) -> bool, run: fn(&Builder)) -> Case {
    Case { name, suits, run }
}

/// All cases, in the order in which they run.
pub const CASES: &[Case] = &[
    case("floor", is_below, names_the_floor),
    case("minimal", is_above, |builder| example(builder, "minimal", "dhi.io/node:24")),
    case("medplum-server", has_network, |builder| {
        example(builder, "medplum-server", "dhi.io/node:24");
    }),
    case("static-web", has_network, |builder| example(builder, "static-web", "dhi.io/nginx:1")),
    case("placing", is_above, placing),
    case("dockerfile", is_above, dockerfile),
    case("refusal", is_above, refusal),
    case("unchanged", is_above, unchanged),
    case("check", is_above, check),
    case("limits", is_above, limits),
    case("without-attestations", is_above, without_attestations),
    case("evidence", is_above, evidence),
    case("cache-export", has_registry_cache, cache_export),
    case("own-image", is_remapped, own_image),
    case("demo", is_plain_engine, demo::changes_nothing_else),
    case("demo-bases", is_plain_engine, demo::says_why_the_real_bases_cannot_be_had),
];

/// BuildKit v0.12 stands for everything before v0.17.
fn is_below(builder: &str) -> bool {
    builder == "buildkit-0.12"
}

fn is_above(builder: &str) -> bool {
    !is_below(builder)
}

fn has_registry_cache(builder: &str) -> bool {
    is_above(builder) && !has_graph_driver(builder)
}

/// Whether its steps reach the network here.
fn has_network(builder: &str) -> bool {
    is_above(builder) && !is_remapped(builder)
}

fn is_remapped(builder: &str) -> bool {
    builder == "engine-userns"
}

fn is_plain_engine(builder: &str) -> bool {
    builder.starts_with("engine-") && builder != "engine-userns"
}

/// What is said of an image: our own document, and two forms that others read.
const EVIDENCE: [&str; 3] = [
    concat!(env!("CARGO_PKG_REPOSITORY"), "/attestation/hardening/v1"),
    "https://in-toto.io/attestation/test-result/v0.1",
    "https://scout.docker.com/tests/v0.1",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

fn names_the_floor(builder: &Builder) {
    let project = Project::new("base: node:24\nentrypoint: [node]\n");
    let by_argument = builder.build(project.path(), &project.spec());
    // By the syntax line, the builder's own Dockerfile frontend starts ours.
    let by_header = builder.build(project.path(), &project.spec()).through(Door::Header);
    for build in [by_argument, by_header] {
        let refusal = build.refused();
        let [mistake] = refusal.errors()[..] else { panic!("{refusal}") };
        assert_eq!(mistake.code, "BLD-01", "{refusal}");
        assert_eq!(
            mistake.message,
            "this builder is too old: hardpan needs BuildKit 0.17 or newer"
        );
        assert!(mistake.help.contains("docker buildx create"), "{refusal}");
        assert_eq!(refusal.marked, [1], "shown at the user's file: {refusal}");
        assert!(refusal.outcome.stderr.contains("hardpan.yaml:1"), "{refusal}");
    }
}

/// An example, with the main BuildKit's image as the oracle, started and asked.
fn example(builder: &Builder, name: &str, base: &str) {
    let folder = folder(name);
    let expected = expected(name);
    let build = builder.build(&folder, &folder.join("hardpan.yaml")).online().within(600);
    let (image, reference) = builder.push(build);
    same(builder, &image, &expected, &read_base(base));
    let ask = Ask::read(&folder);
    if builder.is_engine() {
        let mut container = DockerContainer::start(builder, &reference, &ask.writable());
        ask.ask(&mut container);
        let outcome = container.stop();
        assert_eq!(outcome.stdout.trim(), "0", "{outcome}");
    } else {
        let mut container = Container::start(&image, &ask.writable());
        ask.ask(&mut container);
        let outcome = container.stop();
        assert_eq!(outcome.code, Some(0), "{outcome}");
    }
}

/// What the main BuildKit makes of an example.
fn expected(name: &str) -> Image {
    static NAMES: LazyLock<Mutex<BTreeMap<String, String>>> = LazyLock::new(Mutex::default);
    let mut names = NAMES.lock().unwrap();
    let reference = names.entry(name.to_owned()).or_insert_with(|| {
        let folder = folder(name);
        if folder.join("pack").exists() {
            Program::new("sh").args([folder.join("pack")]).within(240).run().succeeded();
        }
        let reference = fresh_name();
        let build = Build::new(&folder, &folder.join("hardpan.yaml")).online().within(600);
        build.pushing_to(&reference).run().succeeded();
        reference
    });
    read_image(reference)
}

/// The same root file system and the same config, on the same base.
fn same(builder: &Builder, image: &Image, expected: &Image, base: &Image) {
    expected.listing().assert_same(&image.listing(), "the root file system");
    let config = |image: &Image| image.run().clone();
    assert_eq!(config(image), config(expected), "the config");
    assert_eq!(history(image), history(expected), "one line for each layer");
    numeric_user(image);
    let count = base.layers.len();
    assert_eq!(image.diff_ids()[..count], base.diff_ids(), "the base, untouched");
    if builder.can_merge() {
        assert_eq!(image.layers[..count], base.layers, "the very blobs of the base");
    }
    assert_eq!(image.layers.len(), expected.layers.len());
}

fn history(image: &Image) -> usize {
    let entries = image.config["history"].as_array().into_iter().flatten();
    entries.filter(|entry| entry["empty_layer"] != true).count()
}

/// Everything that older builders and graph drivers are given in another form.
fn placing(builder: &Builder) {
    let spec = "
        base: node:24
        build:
          - write: /opt/tool/data
            content: \"data\\n\"
            mode: \"0640\"
          - link: ../tool/data
            to: /opt/links/data
          - link: /usr/bin/node
            to: runtime
          - run: |
              mkdir -p many/deep
              ln -s ../x many/deep/up
              echo x > many/x
              chmod 4755 many/x
        image:
          - copy: /opt/tool
            from: build
          - copy: /opt/links/data
            from: build
          - copy: runtime
            from: build
          - copy: many
            from: build
            to: /usr/lib/many
          - link: ../lib/many/x
            to: /usr/bin/x
          - link: very/ä/long/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn
            to: /srv/long
          - mkdir: [/srv/empty, /var/lib/made]
            mode: \"0750\"
          - write: /etc/app/app.conf
            content: \"x\"
          - copy: a.txt
            to: /bin/
        writable: [data, /app]
        entrypoint: [node]
    ";
    let project = Project::new(spec).file_with_mode("a.txt", 0o600, "a");
    let expected = project.push();
    for path in ["/opt/links/data", "/usr/bin/x", "/srv/long", "/usr/lib/many/deep/up"] {
        assert_eq!(expected.listing().at(path).kind, 'l', "{path}");
    }
    let (image, _) = builder.push(builder.build(project.path(), &project.spec()));
    same(builder, &image, &expected, &read_base("dhi.io/node:24"));
}

/// A Dockerfile under the gate, with the main BuildKit's image as the oracle, and one that is refused.
fn dockerfile(builder: &Builder) {
    let write = |runtime: &str| {
        let bases = format!("{}/dhi", environment().registry);
        let text = format!(
            "# syntax={}\nFROM {bases}/node:24-dev AS build\nWORKDIR /src\n\
             RUN --network=none echo x > x && ln -s x y\nFROM {bases}/{runtime}\n\
             COPY --from=build /src/ /app/\nENTRYPOINT [\"node\"]\n",
            environment().syntax
        );
        Project::written("").file("Dockerfile", text)
    };
    let project = write("node:24");
    let file = project.path().join("Dockerfile");
    let expected = Build::new(project.path(), &file).push();
    let (image, _) = builder.push(builder.build(project.path(), &file));
    expected.listing().assert_same(&image.listing(), "the root file system");
    assert_eq!(image.run(), expected.run(), "the config");
    numeric_user(&image);
    let project = write("node:24-dev");
    let file = project.path().join("Dockerfile");
    let refusal = builder.build(project.path(), &file).refused();
    assert!(refusal.outcome.stderr.contains("SHL-"), "{refusal}");
}

fn refusal(builder: &Builder) {
    let project = Project::new(
        "base: node:24\nimage:\n  - copy: bin/▸dash\n    to: /usr/local/bin/dash\nentrypoint: [node]\n",
    );
    let project = project.program("bin/dash", "/bin/dash");
    let refusal = builder.build(project.path(), &project.spec()).refused();
    let line = project.marks[0].0;
    let errors = refusal.errors();
    assert!(errors.iter().any(|one| one.code.starts_with("SHL-")), "{refusal}");
    assert!(errors.iter().all(|one| one.place.0 == line), "{refusal}");
    assert_eq!(refusal.marked, [line, line + 1], "both lines of the item: {refusal}");
    let project = Project::new("base: node:24\n▸entrpoint: [node]\n");
    let refusal = builder.build(project.path(), &project.spec()).refused();
    assert_eq!(refusal.errors()[0].place, project.marks[0], "{refusal}");
    failing_step(builder);
}

fn failing_step(builder: &Builder) {
    let project = Project::new(
        "base: node:24\nbuild:\n  - run: exit 7\nimage:\n  - {copy: ., from: build}\nentrypoint: [node]\n",
    );
    let refusal: Refusal = builder.build(project.path(), &project.spec()).refused();
    assert_eq!(refusal.errors()[0].code, "BLD-02", "{refusal}");
    assert!(refusal.outcome.stderr.contains("exit code: 7"), "{refusal}");
    assert_eq!(refusal.marked, [4], "{refusal}");
}

fn unchanged(builder: &Builder) {
    let unique = fresh_name();
    let spec = "base: node:24\nbuild:\n  - copy: a\n  - run: date > stamp\nimage:\n  - {copy: ., from: build}\nentrypoint: [node]\n";
    let project = Project::new(spec).file("a", unique);
    let build = || builder.build(project.path(), &project.spec());
    assert!(!build().progress().run().is_empty());
    let again = build().progress();
    // The image is looked at again, since a step was run for it.
    let run: Vec<&str> =
        again.run().into_iter().filter(|name| !name.starts_with("[proof] ")).collect();
    assert_eq!(run, [""; 0], "all: {:?}", again.names());
}

fn check(builder: &Builder) {
    let call = |spec: &str| {
        let project = Project::new(spec);
        builder.build(project.path(), &project.spec()).args(["--call=check"]).run()
    };
    let good = call("base: node:24\nentrypoint: [node]\n").succeeded();
    assert!(good.stdout.contains("no warnings"), "{good}");
    let bad = call("base: node:24\nentrpoint: [node]\nuser: root\n").failed();
    for word in ["SPEC-01", "SPEC-11", "hardpan.yaml:3"] {
        assert!(bad.stdout.contains(word) || bad.stderr.contains(word), "no {word}: {bad}");
    }
}

/// A limit of a step needs BuildKit v0.31; a step without one does not.
fn limits(builder: &Builder) {
    let project = Project::new(
        "base: node:24\nbuild:\n  - run: echo > x\nimage:\n  - {copy: x, from: build}\nentrypoint: [node]\n",
    );
    let build = builder.build(project.path(), &project.spec()).args(["--resource=memory=512m"]);
    if builder.can_pass() {
        build.run().succeeded();
        return;
    }
    let refusal = build.refused();
    let [mistake] = refusal.errors()[..] else { panic!("{refusal}") };
    assert_eq!((mistake.code.as_str(), mistake.place.0), ("BLD-01", 4), "{refusal}");
    assert!(mistake.message.contains("`--resource`"), "{refusal}");
    assert!(mistake.message.contains("BuildKit 0.31"), "{refusal}");
    assert_eq!(refusal.marked, [4], "{refusal}");
}

/// One manifest, also in Docker's own media types, which attestations would not fit.
fn without_attestations(builder: &Builder) {
    let project = Project::new("base: node:24\nentrypoint: [node]\n");
    let build = || {
        let build = builder.build(project.path(), &project.spec());
        build.args(["--provenance=false", "--sbom=false"])
    };
    if builder.is_engine() {
        let (image, _) = builder.push(build());
        assert_eq!(image.index, Value::Null, "no attestation");
        return;
    }
    for media_types in ["true", "false"] {
        let name = fresh_name();
        let output = format!(
            "--output=type=image,name={name},push=true,oci-mediatypes={media_types},force-compression=true"
        );
        build().args([output]).run().succeeded();
        let image = read_image(&name);
        assert_eq!(image.index, Value::Null, "no attestation");
        let docker = text(&image.manifest["mediaType"]).contains("docker.distribution");
        assert_eq!(docker, media_types == "false");
    }
}

/// The evidence lies beside the provenance, of a spec as of a Dockerfile.
fn evidence(builder: &Builder) {
    if builder.is_engine() {
        return attested_by_an_engine(builder);
    }
    for (kind, text) in
        [("spec", "base: node:24\nentrypoint: [node]\n"), ("dockerfile", "FROM dhi.io/node:24\n")]
    {
        let project = Project::new(text);
        let build = builder.build(project.path(), &project.spec());
        let (image, name) = builder.push(build.args(["--provenance=mode=max"]));
        let found = predicates(&image, &name);
        let provenance =
            found.keys().filter(|kind| kind.starts_with("https://slsa.dev/provenance/"));
        assert_eq!(provenance.count(), 1, "{:?}", found.keys());
        let [document, result, tests] = EVIDENCE.map(|kind| &found[kind]);
        assert_eq!((&document["version"], &document["source"]["kind"]), (&1.into(), &kind.into()));
        assert_eq!(document["image"]["platform"], "linux/amd64");
        let findings = document["findings"].as_array().unwrap();
        assert!(findings.iter().all(|finding| finding["severity"] != "block"), "{document}");
        assert!(text_of(document).starts_with("runs as 1000:1000"), "{document}");
        assert_ne!(result["result"], "FAILED");
        assert_eq!(tests["results"]["summary"]["failed"], 0);
        if kind == "spec" {
            let checks = document["checks"].as_array().unwrap();
            let open = checks.iter().filter(|check| check["status"] == "not_evaluated");
            let open: Vec<&str> = open.map(|check| text(&check["id"])).collect();
            assert_eq!(open, ["SUP-03"], "signatures are verified by the client");
            assert_eq!(document["bases"][0]["name"], "dhi.io/node:24", "{document}");
        }
        let plain = builder.build(project.path(), &project.spec());
        let (image, _) = builder.push(plain.args(["--provenance=false"]));
        assert_eq!(image.index, Value::Null, "nothing is attached");
    }
}

fn text_of(document: &Value) -> &str {
    text(&document["summary"]["text"])
}

/// Its images keep attestations too, with the containerd image store.
fn attested_by_an_engine(builder: &Builder) {
    let project = Project::new("base: node:24\nentrypoint: [node]\n");
    let (image, name) = builder.push(builder.build(project.path(), &project.spec()));
    let keeps = builder.can_merge();
    assert_eq!(image.index != Value::Null, keeps);
    if keeps {
        let found = predicates(&image, &name);
        assert!(EVIDENCE.iter().all(|kind| found.contains_key(*kind)), "{:?}", found.keys());
    }
}

/// The statements that are attached to an image, by predicate type.
fn predicates(image: &Image, name: &str) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for entry in image.index["manifests"].as_array().into_iter().flatten() {
        if entry["annotations"]["vnd.docker.reference.type"] != "attestation-manifest" {
            continue;
        }
        let manifest = image.blob(text(&entry["digest"]));
        for layer in json(&manifest)["layers"].as_array().unwrap() {
            let statement = json(&image.blob(text(&layer["digest"])));
            let kind = text(&layer["annotations"]["in-toto.io/predicate-type"]).to_owned();
            assert_eq!(statement["predicateType"], kind, "of {name}");
            found.insert(kind, statement["predicate"].clone());
        }
    }
    found
}

/// A cache export carries the proof. Where it is what the image depends on, an empty builder runs
/// nothing of it again. Older builders lose links of what they import
/// (cache/remotecache/v1/cachestorage.go before v0.34) and look again; there what was exported is
/// counted.
fn cache_export(builder: &Builder) {
    let unique = fresh_name();
    let spec = "base: node:24\nimage:\n  - copy: a\nentrypoint: [node]\n";
    let project = Project::new(spec).file("a", unique);
    let build = |provenance: &str| {
        let build = builder.build(project.path(), &project.spec());
        build.args([format!("--provenance={provenance}")])
    };
    let export = |provenance: &str| {
        let cache = fresh_name().replace("tests/image", "tests/cache");
        let to = format!("--cache-to=type=registry,ref={cache},mode=max");
        build(provenance).args([to]).pushing_to(&fresh_name()).run().succeeded();
        cache
    };
    let cache = export("mode=min");
    if !builder.can_pass() {
        let plain = export("false");
        // Two looks and the document.
        assert_eq!(results_in(&cache), results_in(&plain) + 3);
    }
    builder.prune();
    let from = format!("--cache-from=type=registry,ref={cache}");
    let again = build("mode=min").args([from]).pushing_to(&fresh_name()).progress();
    let run = again.run().into_iter();
    let run: Vec<&str> = run.filter(|name| !name.starts_with("[proof] ")).collect();
    assert_eq!(run, [""; 0], "{:?}", again.names());
}

/// With user namespaces hardpan may not read which image it is, and asks for it by name.
fn own_image(builder: &Builder) {
    let project = Project::new("base: node:24\nentrypoint: [node]\n");
    let progress = builder.build(project.path(), &project.spec()).progress();
    let asked = "[internal] load metadata for ".to_owned() + &environment().syntax;
    assert!(progress.names().contains(&asked.as_str()), "{:?}", progress.names());
    let proof = progress.vertex("inspect the image");
    assert!(proof.error.is_empty() && (proof.started || proof.cached), "{proof:?}");
}

/// How many steps of an exported cache come with their results.
fn results_in(cache: &str) -> usize {
    let manifest = read_manifest(cache);
    let is_config = |entry: &&Value| text(&entry["mediaType"]).contains("cacheconfig");
    let entries = manifest["manifests"].as_array().into_iter().flatten();
    let config = entries.chain([&manifest["config"]]).find(is_config).expect("a config");
    let config = json(&read_blob(cache, text(&config["digest"])));
    let records = config["records"].as_array().unwrap();
    records.iter().filter(|record| record["layers"].is_array()).count()
}
