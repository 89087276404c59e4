//! What is made of what a builder can do and what it hides, against a builder in this process. The
//! real ones are in tests/matrix.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail here")]

mod support;

use std::collections::BTreeMap;
use std::ffi::OsString;

use hardpan::frontend;
use hardpan::options::Options;
use hardpan::proto::moby::buildkit::v1::apicaps::ApiCap;
use hardpan::proto::{Status, pb};
use prost::Message as _;
use support::fake_gateway::{self as fake, Calls, Script};

const SPEC: &str = "base: node:24\nentrypoint: [node]\n";
const SOURCE: &str = "source=ghcr.io/hardpan/hardpan:1";
const NODE: &str = r#"{"architecture":"amd64","os":"linux","config":{"User":"node","Env":["PATH=/bin"],
    "Labels":{"com.docker.dhi.name":"dhi/node","com.docker.dhi.version":"24.18.0-debian13"}},
    "rootfs":{"type":"layers","diff_ids":[]}}"#;

fn digest(digit: &str) -> String {
    format!("sha256:{}", digit.repeat(64))
}

/// A builder that has the spec, its base and the images named.
fn script(images: &[&str]) -> Script {
    let image =
        |name: &&str| (format!("docker-image://{name}"), Ok(fake::image(&digest("2"), "{}")));
    let base = ("docker-image://dhi.io/node:24".to_owned(), Ok(fake::image(&digest("1"), NODE)));
    let mut pong = fake::modern_pong();
    let more = [
        "constraints",
        "exec.meta.network",
        "exec.meta.setsdefaultpath",
        "exec.mount.bind",
        "meta.description",
        "platform",
    ];
    let cap = |id: &str| ApiCap { id: id.to_owned(), enabled: true, ..ApiCap::default() };
    pong.llb_caps.extend(more.map(cap));
    Script {
        pong,
        images: images.iter().map(image).chain([base]).collect(),
        files: BTreeMap::from([(
            ("ref-1".to_owned(), "hardpan.yaml".to_owned()),
            SPEC.as_bytes().to_vec(),
        )]),
        // Whatever is asked for, the spec is in it; no look at an image ever gives anything.
        solve: Some(Box::new(|_| Ok(fake::one_ref("ref-1")))),
        ..Script::default()
    }
}

/// Builds; the fake never gets to the end of it.
async fn build(script: Script, options: &[&str]) -> (Status, Calls) {
    let (gateway, calls) = fake::start(script).await;
    let all = options.iter().copied().chain(["filename=hardpan.yaml"]).enumerate();
    let all = all.map(|(index, option)| {
        (OsString::from(format!("BUILDKIT_FRONTEND_OPT_{index}")), OsString::from(option))
    });
    let workers = r#"[{"id":"w","platforms":[{"os":"linux","architecture":"amd64"}]}]"#;
    let workers = [(OsString::from("BUILDKIT_WORKERS"), OsString::from(workers))];
    let (options, mistakes) = Options::parse(all.chain(workers).collect::<Vec<_>>());
    let Err(status) = Box::pin(frontend::run(&gateway, options, mistakes)).await else {
        panic!("the fake cannot build");
    };
    (status, calls)
}

/// The images in everything that was solved.
fn sources(calls: &Calls) -> Vec<String> {
    let definitions = calls.solved().into_iter().filter_map(|solve| solve.definition);
    let ops = definitions.flat_map(|definition| definition.def);
    let sources = ops.filter_map(|op| match pb::Op::decode(op.as_slice()).unwrap().op {
        Some(pb::op::Op::Source(source)) => Some(source.identifier),
        _ => None,
    });
    sources.collect()
}

fn has_place(status: &Status) -> bool {
    status.details.iter().any(|detail| {
        detail.type_url.ends_with("errdefs.Source+json")
            && String::from_utf8_lossy(&detail.value).contains("hardpan.yaml")
    })
}

#[tokio::test]
async fn a_builder_below_the_floor_is_refused_at_the_users_file() {
    let mut script = script(&[]);
    script.pong.llb_caps.retain(|cap| cap.id != "exec.validexitcode");
    let (status, calls) = build(script, &[SOURCE]).await;
    let message = "error[BLD-01]: this builder is too old: hardpan needs BuildKit 0.17 or newer";
    assert!(status.message.starts_with(message), "{}", status.message);
    assert!(has_place(&status), "{status:?}");
    assert_eq!(calls.solved().len(), 1, "nothing but the spec was asked for");
}

#[tokio::test]
async fn a_builder_below_the_floor_is_refused_even_if_the_file_cannot_be_read() {
    let mut script = Script { files: BTreeMap::new(), ..script(&[]) };
    script.pong.llb_caps.clear();
    let (status, _) = build(script, &[SOURCE]).await;
    assert!(status.message.contains("hardpan needs BuildKit 0.17"), "{}", status.message);
}

#[tokio::test]
async fn the_image_of_hardpan_is_looked_up_where_the_builder_hides_it() {
    let pinned = |name: &str| format!("docker-image://{name}@{}", digest("2"));
    let (status, calls) = build(script(&["ghcr.io/hardpan/hardpan:1"]), &[SOURCE]).await;
    let expected = pinned("ghcr.io/hardpan/hardpan:1");
    assert!(sources(&calls).contains(&expected), "{:?}: {}", sources(&calls), status.message);

    let context = "context:ghcr.io/hardpan/hardpan:1=docker-image://example.test/fe:2";
    let (_, calls) = build(script(&["example.test/fe:2"]), &[SOURCE, context]).await;
    let expected = pinned("example.test/fe:2");
    assert!(sources(&calls).contains(&expected), "what took its place: {:?}", sources(&calls));
}

#[tokio::test]
async fn refuses_to_go_on_without_the_image_of_hardpan() {
    let local = "context:ghcr.io/hardpan/hardpan:1=local:folder";
    for options in [&[SOURCE][..], &[], &[SOURCE, local]] {
        let (status, calls) = build(script(&[]), options).await;
        assert!(status.message.contains("error[BLD-03]"), "{}", status.message);
        assert!(status.message.contains("needed to look at the result"), "{}", status.message);
        assert!(has_place(&status), "{status:?}");
        assert!(sources(&calls).iter().all(|source| source.starts_with("local://")));
    }
}
