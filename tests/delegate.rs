//! A Dockerfile through a builder in this process: what Docker's frontend is asked with, and that all
//! of its answer goes back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail here")]

#[path = "inspect/rootfs.rs"]
#[allow(dead_code, reason = "written for more than this test")]
mod rootfs;
mod support;

use std::collections::BTreeMap;
use std::ffi::OsString;

use hardpan::frontend;
use hardpan::harden::Config;
use hardpan::inspect::inventory;
use hardpan::llb::{Constraints, Graph};
use hardpan::options::Options;
use hardpan::proto::frontend::{self as wire, Ref, SolveRequest, SolveResponse, result};
use hardpan::proto::{Status, pb};
use prost::Message as _;
use rootfs::{AMD64, Rootfs, elf};
use support::fake_gateway::{self as fake, Call, Calls, Script};

const CONFIG: &str = r#"{"os":"linux","architecture":"amd64","z":1.50,"config":{"User":"node","Env":["PATH=/usr/bin"],"Cmd":["app"],"X":[1, 2]}}"#;

/// What an inspection of the image answers.
fn inspected() -> Vec<u8> {
    inspected_with("")
}

/// The same with more groups.
fn inspected_with(groups: &str) -> Vec<u8> {
    let root = Rootfs::new();
    root.file("/etc/passwd", 0o644, "root:x:0:0::/:\nnode:x:1000:1001::/:\n")
        .file("/etc/group", 0o644, format!("root:x:0:\n{groups}"))
        .file("/usr/lib/os-release", 0o644, "ID=debian\n")
        .file("/var/lib/dpkg/status.d/app", 0o644, "Package: app\n")
        .file("/usr/bin/app", 0o755, elf(AMD64, None));
    let out = tempfile::tempdir().unwrap();
    let words = |word: &str| vec![word.to_owned()];
    let config = Config {
        user: "node".to_owned(),
        cmd: words("app"),
        env: words("PATH=/usr/bin"),
        ..Config::default()
    };
    let config = serde_json::to_string(&config.started()).unwrap();
    let arguments = ["--base".into(), root.path().as_os_str().to_owned(), "--config".into()];
    let more = [config.into(), "--rules".into(), "1".into(), "--out".into()];
    let arguments = arguments.into_iter().chain(more).chain([out.path().as_os_str().to_owned()]);
    let _ = inventory::run(arguments);
    std::fs::read(out.path().join(inventory::FILE)).unwrap()
}

fn vertex(identifier: &str) -> pb::Definition {
    let source = pb::SourceOp { identifier: identifier.to_owned(), ..pb::SourceOp::default() };
    let mut graph = Graph::new();
    let output = graph.source_op(source, &Constraints::default());
    graph.marshal(output, &[])
}

fn attestations() -> BTreeMap<String, wire::Attestations> {
    let one = wire::Attestation {
        in_toto_predicate_type: "https://spdx.dev/Document".to_owned(),
        path: "/sbom".to_owned(),
        r#ref: Some(Ref { id: "scanned".to_owned(), def: None }),
        ..wire::Attestation::default()
    };
    [("linux/amd64".to_owned(), wire::Attestations { attestation: vec![one] })].into()
}

/// What Docker's frontend makes of any Dockerfile; `None`: it does not say of what.
fn made(definition: Option<pb::Definition>) -> SolveResponse {
    let metadata = [
        ("containerimage.config", CONFIG),
        ("containerimage.base.config", "{\"base\":1}"),
        ("refs.platforms", "{\"Platforms\":[]}"),
        ("source.date.epoch", "7"),
        ("some.later.key", "x"),
    ];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec()));
    let image = Ref { id: "made".to_owned(), def: definition };
    let result = wire::Result {
        result: Some(result::Result::Ref(image)),
        metadata: metadata.into(),
        attestations: attestations(),
    };
    SolveResponse { result: Some(result) }
}

fn mentions(request: &SolveRequest, word: &str) -> bool {
    let definition = request.definition.clone().unwrap_or_default();
    let bytes = definition.def.concat();
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

/// A builder that knows a Dockerfile and hardpan's own image.
fn script(definition: Option<pb::Definition>) -> Script {
    let source = "docker-image://example.test/hardpan:1".to_owned();
    let digest = format!("sha256:{}", "1".repeat(64));
    let file = |id: &str, name: &str| (id.to_owned(), name.to_owned());
    Script {
        images: [(source, Ok(fake::image(&digest, "{}")))].into(),
        inputs: [("tools".to_owned(), vertex("docker-image://tools"))].into(),
        files: [
            (file("file", "Dockerfile"), b"FROM base AS app\n".to_vec()),
            (file("looked", "inventory.json"), inspected()),
        ]
        .into(),
        solve: Some(Box::new(move |request| {
            Ok(match request.frontend.as_str() {
                "dockerfile.v0" => made(definition.clone()),
                _ if mentions(request, "local://dockerfile") => fake::one_ref("file"),
                _ if mentions(request, "local://") => fake::one_ref("context"),
                // The pass-through has its id; without one this is the inspection alone.
                _ if request.definition.as_ref().unwrap().def.iter().any(|op| {
                    let op = pb::Op::decode(op.as_slice()).unwrap();
                    matches!(op.op, Some(pb::op::Op::Passthrough(_)))
                }) =>
                {
                    fake::one_ref("passed")
                }
                _ => fake::one_ref("looked"),
            })
        })),
        ..Script::default()
    }
}

async fn build(script: Script, options: &[&str]) -> (Result<wire::Result, Status>, Calls) {
    let (gateway, calls) = fake::start(script).await;
    let environment = options.iter().enumerate().map(|(index, option)| {
        (OsString::from(format!("BUILDKIT_FRONTEND_OPT_{index}")), OsString::from(option))
    });
    let (options, mistakes) = Options::parse(environment.collect::<Vec<_>>());
    let answer = frontend::run(&gateway, options, mistakes).await;
    (answer.map(Into::into), calls)
}

fn asked(calls: &Calls) -> Vec<SolveRequest> {
    calls.solved().into_iter().filter(|solve| solve.frontend == "dockerfile.v0").collect()
}

const SOURCE: &str = "source=example.test/hardpan:1";

#[tokio::test]
async fn docker_is_asked_with_everything_but_what_is_ours() {
    let options = [
        SOURCE,
        "target=app",
        "platform=linux/amd64",
        "build-arg:A=1=2",
        "build-arg:HARDPAN_PROOF=fresh",
        "build-arg:HARDPAN_INPUT=dockerfile",
        "build-arg:BUILDKIT_SBOM_SCAN_STAGE=true",
        "context:tools=input:tools",
        "attest:sbom=generator=scanner",
        "cache-imports=[{\"Type\":\"registry\",\"Attrs\":{\"ref\":\"r\"}}]",
        "no-cache=",
        "label:a=b",
        "something:new=x",
    ];
    let (answer, calls) =
        build(script(Some(vertex("docker-image://base@sha256:0"))), &options).await;
    answer.unwrap();
    let mut all = asked(&calls).into_iter();
    let asked = all.next().unwrap();
    // Where findings are placed is asked for apart.
    assert!(all.all(|one| one.frontend_opt["requestid"] == "frontend.targets"));
    let mut expected: BTreeMap<String, String> = options
        .iter()
        .filter(|option| !option.contains("HARDPAN"))
        .map(|option| option.split_once('=').unwrap())
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    expected.insert("cmdline".to_owned(), "example.test/hardpan:1".to_owned());
    assert_eq!(asked.frontend_opt, expected);
    assert_eq!(asked.frontend_inputs.keys().collect::<Vec<_>>(), ["tools"]);
    assert!(asked.allow_result_return && asked.allow_result_array_ref);
    let last = calls.solved().pop().unwrap();
    assert_eq!(last.cache_imports[0].attrs["ref"], "r", "ours are solved with the caches, too");
}

#[tokio::test]
async fn a_command_line_that_is_there_stays() {
    let options = [SOURCE, "cmdline=example.test/hardpan:1 more"];
    let (_, calls) = build(script(Some(vertex("docker-image://base@sha256:0"))), &options).await;
    assert_eq!(asked(&calls)[0].frontend_opt["cmdline"], "example.test/hardpan:1 more");
}

#[tokio::test]
async fn all_of_the_answer_goes_back_but_the_user_and_the_ref() {
    let definition = vertex("docker-image://base@sha256:0");
    let SolveResponse { result: Some(made) } = made(Some(definition.clone())) else { panic!() };
    for (passes, expected) in [(true, "passed"), (false, "made")] {
        let mut script = script(Some(definition.clone()));
        if !passes {
            script.pong.llb_caps.retain(|cap| cap.id != "passthroughop");
        }
        let (answer, calls) = build(script, &[SOURCE]).await;
        let answer = answer.unwrap();
        let only = Ref { id: expected.to_owned(), def: None };
        assert_eq!(answer.result, Some(result::Result::Ref(only)), "passes {passes}");
        assert_eq!(answer.attestations, attestations());
        let mut metadata = made.metadata.clone();
        let config = CONFIG.replace("\"User\":\"node\"", "\"User\":\"1000:1001\"");
        metadata.insert("containerimage.config".to_owned(), config.into_bytes());
        assert_eq!(answer.metadata, metadata, "passes {passes}");
        assert!(calls.solved().iter().any(|solve| mentions(solve, "inventory")), "inspected");
    }
}

/// The types of what is said of the image, and how each is marked.
fn said(result: &wire::Result) -> Vec<(String, String, bool)> {
    assert_eq!(result.attestations.keys().collect::<Vec<_>>(), ["linux/amd64"]);
    let all = result.attestations["linux/amd64"].attestation.iter();
    let one = |one: &wire::Attestation| {
        assert!(one.r#ref.as_ref().is_some_and(|found| found.def.is_none()), "{one:?}");
        let is_inline = one.metadata.get("inline-only").is_some_and(|value| value == b"true");
        (one.in_toto_predicate_type.clone(), one.path.clone(), is_inline)
    };
    all.map(one).collect()
}

#[tokio::test]
async fn the_evidence_lies_beside_what_docker_attests() {
    let spdx = ("https://spdx.dev/Document".to_owned(), "/sbom".to_owned(), false);
    let ours = |is_inline| {
        let all = [
            ("https://github.com/hardpan/hardpan/attestation/hardening/v1", "/hardening.json"),
            ("https://in-toto.io/attestation/test-result/v0.1", "/hardening.test-result.json"),
            ("https://scout.docker.com/tests/v0.1", "/hardening.ctrf.json"),
        ];
        let ours = all.map(|(kind, path)| (kind.to_owned(), path.to_owned(), is_inline));
        [spdx.clone()].into_iter().chain(ours).collect::<Vec<_>>()
    };
    for (options, expected) in [
        (&[][..], vec![spdx.clone()]),
        (&["attest:provenance=mode=min"], ours(true)),
        (&["attest:provenance=mode=min", "build-arg:HARDPAN_EVIDENCE=never"], vec![spdx.clone()]),
        (&["build-arg:HARDPAN_EVIDENCE=always"], ours(false)),
    ] {
        for passes in [true, false] {
            let mut script = script(Some(vertex("docker-image://base@sha256:0")));
            if !passes {
                script.pong.llb_caps.retain(|cap| cap.id != "passthroughop");
            }
            let (answer, calls) = build(script, &[&[SOURCE], options].concat()).await;
            assert_eq!(said(&answer.unwrap()), expected, "{options:?} {passes}");
            let written = calls.solved().into_iter().find(|one| mentions(one, "hardening.json"));
            assert_eq!(written.is_some(), expected.len() > 1);
            // Where nothing else carries the inspection into a cache, its answer goes along.
            let goes_along = written.is_some_and(|one| mentions(&one, "/probes/0/"));
            assert_eq!(goes_along, !passes && expected.len() > 1, "{options:?} {passes}");
        }
    }
}

#[tokio::test]
async fn a_report_takes_the_place_of_the_image() {
    let report = ["build-arg:HARDPAN_OUTPUT=report", "attest:provenance=mode=min"];
    let (answer, calls) = usual(&report).await;
    let answer = answer.unwrap();
    assert_eq!(answer.attestations, BTreeMap::new(), "nothing is said in its favour");
    let config = String::from_utf8_lossy(&answer.metadata["containerimage.config"]);
    assert!(config.contains("this-is-a-stage-and-no-app") && !config.contains("node"), "{config}");
    let last = calls.solved().pop().unwrap();
    assert!(mentions(&last, "/hardening.html") && mentions(&last, "inventory"), "{last:?}");
    let request = &asked(&calls)[0].frontend_opt;
    assert!(!request.keys().any(|key| key.contains("HARDPAN")), "{request:?}");
}

#[tokio::test]
async fn a_call_for_the_report_is_ours_to_answer() {
    let (answer, calls) = usual(&["requestid=frontend.report"]).await;
    let answer = answer.unwrap();
    assert_eq!((answer.result, answer.attestations.len()), (None, 0));
    assert_eq!(answer.metadata["result.statuscode"], b"0");
    let json: serde_json::Value = serde_json::from_slice(&answer.metadata["result.json"]).unwrap();
    assert_eq!(json[0]["source"]["kind"], "dockerfile");
    assert_eq!(asked(&calls)[0].frontend_opt.get("requestid"), None, "Docker's is asked to build");
}

#[tokio::test]
async fn an_image_that_cannot_be_inspected_is_no_image() {
    for definition in [None, Some(pb::Definition::default())] {
        let (answer, _) = build(script(definition), &[SOURCE]).await;
        let message = answer.unwrap_err().message;
        assert!(
            message.contains("BLD-03") && message.contains("what the image is made of"),
            "{message}"
        );
    }
    let mut broken = script(Some(vertex("docker-image://base@sha256:0")));
    broken.files.remove(&("looked".to_owned(), "inventory.json".to_owned()));
    assert!(build(broken, &[SOURCE]).await.0.is_err());
}

#[tokio::test]
async fn a_call_is_docker_s_to_answer() {
    let (answer, calls) =
        build(script(None), &[SOURCE, "requestid=frontend.outline", "cmdline=x"]).await;
    assert_eq!(answer.unwrap().metadata["some.later.key"], b"x");
    assert_eq!(asked(&calls)[0].frontend_opt["requestid"], "frontend.outline");
    assert!(!calls.solved().iter().any(|solve| mentions(solve, "inventory")));
}

#[tokio::test]
async fn a_check_tells_what_is_known_without_an_image_beside_docker_s_findings() {
    let docker = br#"{"warnings": [{"ruleName": "X", "location": {"sourceIndex": 0, "ranges": []}}], "sources": [{"filename": "Dockerfile"}]}"#;
    let check = async |json: &[u8], options: &[&str]| {
        let mut script = script(None);
        let (json, rest) = (json.to_vec(), script.solve.take().unwrap());
        script.solve = Some(Box::new(move |request| {
            let mut answer = rest(request)?;
            if let Some(result) = &mut answer.result {
                result.metadata.insert("result.json".to_owned(), json.clone());
                result.metadata.insert("result.txt".to_owned(), b"WARNING: X\n".to_vec());
            }
            Ok(answer)
        }));
        let options = [&[SOURCE, "requestid=frontend.lint"], options].concat();
        build(script, &options).await.0.unwrap().metadata
    };
    let untouched = check(docker, &[]).await;
    assert_eq!(untouched["result.json"], docker);
    assert_eq!(untouched["some.later.key"], b"x");
    let required = "build-arg:HARDPAN_REQUIRE=test";
    for json in [&docker[..], br#"{"warnings": null, "sources": null}"#] {
        let told = check(json, &[required]).await;
        let json: serde_json::Value = serde_json::from_slice(&told["result.json"]).unwrap();
        let warnings = json["warnings"].as_array().unwrap();
        let ours = warnings.last().unwrap();
        assert_eq!(ours["ruleName"], "TEST-04");
        let source = usize::try_from(ours["location"]["sourceIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(json["sources"][source]["filename"], "Dockerfile");
        assert_eq!(source + 1, warnings.len(), "each has its own");
        assert!(json["buildError"]["message"].as_str().unwrap().contains("1 error"), "{json}");
        assert_eq!(told["result.statuscode"], b"1");
        let text = String::from_utf8(told["result.txt"].clone()).unwrap();
        assert!(text.starts_with("WARNING: X\n") && text.contains("error[TEST-04]"), "{text}");
    }
}

#[tokio::test]
async fn an_answer_to_a_call_brings_no_image() {
    let script = script(Some(vertex("docker-image://base@sha256:0")));
    let (answer, _) = build(script, &[SOURCE, "requestid=frontend.outline"]).await;
    let answer = answer.unwrap();
    assert_eq!(answer.result, None);
    assert_eq!(answer.attestations, BTreeMap::new());
    assert!(!answer.metadata.keys().any(|key| key.starts_with("containerimage.")));
}

fn warned(calls: &Calls) -> Vec<Call> {
    calls.all().into_iter().filter(|call| matches!(call, Call::Warn(_))).collect()
}

/// A build of the usual Dockerfile.
async fn usual(options: &[&str]) -> (Result<wire::Result, Status>, Calls) {
    build(script(Some(vertex("docker-image://base@sha256:0"))), &[&[SOURCE], options].concat())
        .await
}

#[tokio::test]
async fn only_linux_is_built_for() {
    let (answer, calls) = usual(&["platform=windows/amd64"]).await;
    let message = answer.unwrap_err().message;
    assert!(message.contains("OPT-01") && message.contains("not for \"windows\""), "{message}");
    assert!(asked(&calls).is_empty(), "nothing is converted");
    for (is, other) in [("linux", "windows"), ("amd64", "foo")] {
        let mut script = script(Some(vertex("docker-image://base@sha256:0")));
        let config = CONFIG.replace(&format!("\"{is}\""), &format!("\"{other}\""));
        let mut made = made(Some(vertex("docker-image://base@sha256:0")));
        let result = made.result.as_mut().unwrap();
        result.metadata.insert("containerimage.config".to_owned(), config.into_bytes());
        let rest = script.solve.take().unwrap();
        script.solve = Some(Box::new(move |request| match request.frontend.as_str() {
            "dockerfile.v0" => Ok(made.clone()),
            _ => rest(request),
        }));
        let message = build(script, &[SOURCE]).await.0.unwrap_err().message;
        let words = match other {
            "foo" => "the machine of linux/foo is not known",
            _ => "images are made for linux, not for \"windows\"",
        };
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn nobody_else_says_what_hardpan_says_of_an_image() {
    let (answer, calls) = usual(&["label:io.hardpan.stage=x"]).await;
    let message = answer.unwrap_err().message;
    assert!(message.contains("\"io.hardpan.stage\" is hardpan's own"), "{message}");
    assert!(asked(&calls).is_empty());
    usual(&["label:io.hardpanel=x"]).await.0.unwrap();
}

#[tokio::test]
async fn the_rules_for_warnings_hold_for_those_of_the_gate() {
    let build = async |rules: &str| {
        let mut script = script(Some(vertex("docker-image://base@sha256:0")));
        let inventory = ("looked".to_owned(), "inventory.json".to_owned());
        script.files.insert(inventory, inspected_with("staff:x:50:node\n"));
        let option = format!("build-arg:BUILDKIT_DOCKERFILE_CHECK={rules}");
        build(script, &[SOURCE, &option]).await
    };
    for (rules, count) in [("", 1), ("skip=NoSuchRule", 1), ("skip=all", 0)] {
        let (answer, calls) = build(rules).await;
        answer.unwrap();
        assert_eq!(warned(&calls).len(), count, "{rules}");
    }
    let (answer, _) = build("error=true").await;
    let message = answer.unwrap_err().message;
    assert!(message.contains("makes this warning an error"), "{message}");
    assert!(build("error=true;skip=all").await.0.is_ok());
}
