//! Every folder of examples/: built by its own syntax line, pushed, read back, started under the
//! runtime contract and asked.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::ask::Ask;
use crate::support::bake::Bake;
use crate::support::build::{Build, Door, fresh_name};
use crate::support::command::Program;
use crate::support::container::{Container, numeric_user};
use crate::support::daemon::runs_arm64;
use crate::support::environment::environment;
use crate::support::image::{Image, text};
use crate::support::progress::Progress;
use crate::support::registry::{read_base, read_image};

const BOTH: [&str; 2] = ["amd64", "arm64"];

pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

/// Builds an example and gives its image, after checking all that every image keeps to.
fn built(name: &str, base: &str) -> Image {
    built_for(name, base, &["amd64"])
}

/// The same for some architectures; gives the image for amd64, which knows the others.
fn built_for(name: &str, base: &str, architectures: &[&str]) -> Image {
    let folder = folder(name);
    let platforms: Vec<String> = architectures.iter().map(|one| format!("linux/{one}")).collect();
    let build = Build::new(&folder, &folder.join("hardpan.yaml")).online().within(500);
    let image = build.args([format!("--platform={}", platforms.join(","))]).push();
    for architecture in architectures {
        stands_on(&image.on(architecture), &read_base(base).on(architecture));
        assert_eq!(image.on(architecture).config["architecture"], **architecture);
    }
    image
}

/// What can be run here; images for arm64 are built and proven everywhere, but steps that run on it
/// and the images themselves need QEMU.
fn runnable() -> &'static [&'static str] {
    if runs_arm64() { &["amd64", "arm64"] } else { &["amd64"] }
}

/// What the runtime contract and the scanners of a base rely on.
fn stands_on(image: &Image, base: &Image) {
    let count = base.layers.len();
    assert!(image.layers.len() > count, "layers of its own");
    assert_eq!(image.layers[..count], base.layers, "the base's layers, untouched");
    assert_eq!(image.diff_ids()[..count], base.diff_ids());
    let (uid, gid) = numeric_user(image);
    assert!(uid > 0 && gid > 0, "{uid}:{gid}");
    assert!(!image.words("Entrypoint").is_empty());
    assert!(image.run()["Cmd"].is_array() || image.run()["Cmd"].is_null());
    for (name, value) in base.run()["Labels"].as_object().unwrap() {
        assert_eq!(&image.run()["Labels"][name], value, "label {name}");
    }
    assert_eq!(image.config["os"], "linux");
    let history = image.config["history"].as_array().unwrap();
    let with_layer = history.iter().filter(|entry| entry["empty_layer"] != true).count();
    assert_eq!(with_layer, image.layers.len(), "one entry of the history for each layer");
    assert!(history.iter().skip(count).all(|entry| !text(&entry["created_by"]).is_empty()));
    nothing_of_the_base_changed(image, base);
}

/// Type, mode and owner; what `writable` gives away is new or said in the spec.
fn nothing_of_the_base_changed(image: &Image, base: &Image) {
    let (listing, below) = (image.listing(), base.listing());
    for (path, node) in &below.nodes {
        assert_eq!(listing.at(path), node, "/{path} of the base");
    }
}

/// Starts the image as it is, asks everything, and stops it.
fn answers(name: &str, image: &Image) {
    answers_to(&Ask::read(&folder(name)), image);
}

fn answers_to(ask: &Ask, image: &Image) {
    let mut container = Container::start(image, &ask.writable());
    ask.ask(&mut container);
    let outcome = container.stop();
    assert_eq!(outcome.code, Some(0), "{outcome}");
}

#[test]
fn every_example_has_a_test() {
    let found: BTreeSet<String> = fs::read_dir(folder(""))
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(
        found,
        [
            "dockerfile-node",
            "go-api",
            "medplum-server",
            "minimal",
            "python-api",
            "rust-api",
            "shop",
            "static-web"
        ]
        .map(str::to_owned)
        .into()
    );
}

#[test]
fn minimal() {
    let image = built_for("minimal", "dhi.io/node:24", &BOTH);
    assert_eq!(image.words("Entrypoint"), ["node", "server.mjs"]);
    assert_eq!(image.words("Cmd"), [""; 0]);
    for architecture in runnable() {
        answers("minimal", &image.on(architecture));
    }
}

#[test]
fn medplum_server() {
    Program::new("sh").args([folder("medplum-server").join("pack")]).within(240).run().succeeded();
    let spec = fs::read_to_string(folder("medplum-server").join("hardpan.yaml")).unwrap();
    assert!(
        spec.lines().filter(|line| !line.trim().is_empty()).count() <= 20,
        "the spec stays short"
    );
    let image = built_for("medplum-server", "dhi.io/node:24", runnable());
    assert_eq!(image.run()["WorkingDir"], "/usr/src/medplum");
    assert_eq!(image.run()["User"], "1000:1000");
    assert!(image.words("Env").contains(&"NODE_ENV=production"));
    assert!(
        image.run()["ExposedPorts"]["8103/tcp"].is_object()
            && image.run()["ExposedPorts"]["5000/tcp"].is_object()
    );
    let listing = image.listing();
    assert_eq!(
        (listing.at("/usr/src/medplum").uid, listing.at("/usr/src/medplum/binary").uid),
        (0, 1000)
    );
    assert!(!listing.has("/usr/src/medplum/package-lock.json"));
    for architecture in runnable() {
        answers("medplum-server", &image.on(architecture));
    }
}

#[test]
fn static_web() {
    let image = built_for("static-web", "dhi.io/nginx:1", &BOTH);
    assert_eq!(image.run()["User"], "65532:65532");
    assert!(!image.listing().has("/src"), "what built it stays behind");
    for architecture in runnable() {
        answers("static-web", &image.on(architecture));
    }
}

#[test]
fn go_api() {
    let image = built_for("go-api", "dhi.io/static:20250419", &BOTH);
    assert_eq!(image.words("Entrypoint"), ["/subnets"]);
    for architecture in runnable() {
        answers("go-api", &image.on(architecture));
    }
}

#[test]
fn rust_api() {
    let image = built_for("rust-api", "dhi.io/static:20250419-glibc", &BOTH);
    assert_eq!(image.words("Entrypoint"), ["/contrast"]);
    for architecture in runnable() {
        answers("rust-api", &image.on(architecture));
    }
}

#[test]
fn python_api() {
    let image = built("python-api", "dhi.io/python:3.13");
    answers("python-api", &image);
}

/// Both apps by one call, from a bake file and from a compose file.
#[test]
fn shop() {
    let folder = folder("shop");
    let baked = |file: &str, release: &str| {
        let (web, api) = (fresh_name(), fresh_name());
        let bake = Bake::new(&folder).args(["-f", file]).env("PRICE_KEY", "a key of the test");
        // The tag in the syntax line may be somebody else's by now.
        let syntax = format!("--set=*.args.BUILDKIT_SYNTAX={}", environment().syntax);
        let bake = bake.args([syntax]).env("RELEASE", release);
        let bake = bake.online(&["id=price_key,env=PRICE_KEY"]);
        let progress = bake.pushing("web", &web).pushing("api", &api).progress();
        (read_image(&web), read_image(&api), progress)
    };
    let (web, api, progress) = baked("docker-bake.hcl", "dev");
    let runs = |progress: &Progress, text: &str| {
        progress.run().iter().filter(|name| name.contains(text)).count()
    };
    for step in ["RUN npm ci", "RUN npm run build", "RUN node dist/prices.mjs"] {
        assert!(runs(&progress, step) <= 1, "{step} in {:?}", progress.run());
    }
    for (name, image) in [("web", &web), ("api", &api)] {
        stands_on(image, &read_base("dhi.io/node:24"));
        assert!(!image.listing().has("/srv/shop/node_modules"), "what built it stays behind");
        answers_to(&Ask::of_app(&folder, name), image);
    }
    assert_eq!(web.file("/srv/shop/prices/list.sig"), api.file("/srv/shop/prices/list.sig"));
    let release = fresh_name();
    let (web, api, progress) = baked("compose.yaml", &release.replace(['/', ':'], "-"));
    assert_eq!(runs(&progress, "RUN node dist/prices.mjs"), 1, "{:?}", progress.run());
    assert_eq!(runs(&progress, "RUN npm"), 0, "only what mentions the release");
    for image in [&web, &api] {
        let version = &image.run()["Labels"]["org.opencontainers.image.version"];
        assert!(text(version).contains("examples.shop"), "{version}");
        assert!(image.file("/srv/shop/prices/list.json").contains(text(version)));
    }
}

#[test]
fn shop_without_its_secret_is_refused_at_the_step_that_needs_it() {
    let folder = folder("shop");
    let build = Build::new(&folder, &folder.join("hardpan.yaml")).through(Door::Argument);
    // Another currency: the list must not be known from a build with the secret.
    let build = build.args(["--target=api"]).build_arg("CURRENCY=SEK").online().within(300);
    let refusal = build.refused();
    let errors = refusal.errors();
    assert_eq!(errors.len(), 1, "{refusal}");
    assert_eq!(errors[0].code, "OPT-03");
    assert!(errors[0].message.contains("price_key"), "{refusal}");
}

#[test]
fn dockerfile_node() {
    let folder = folder("dockerfile-node");
    let build = Build::new(&folder, &folder.join("Dockerfile")).within(300);
    let image = build.online_on("dhi.io/node:24-dev").push();
    let base = read_base("dhi.io/node:24");
    assert_eq!(image.layers[..base.layers.len()], base.layers);
    assert_eq!(image.run()["User"], "1000:1000");
    assert_eq!(image.run()["Healthcheck"]["Test"][1], "node");
    answers("dockerfile-node", &image);
}
