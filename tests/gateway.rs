//! The gateway against a builder in this process, over real HTTP/2 frames: what is asked, what is
//! made of the answers, and what happens when the builder says nonsense or goes away.

#![allow(clippy::unwrap_used, reason = "a test may fail here")]

mod support;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use hardpan::diagnostic::{Code, Diagnostic, Span};
use hardpan::gateway::{
    self, EntryKind, Error, Gateway, Graph, ImageQuery, Refs, SOURCE_META, Solve, Solved,
    SourceFile, Warning, detail, status,
};
use hardpan::options::CacheImport;
use hardpan::platform::Platform;
use hardpan::proto::frontend::{self as wire, Ref, RefMap, SolveResponse, result};
use hardpan::proto::{Status, fsutil::types::Stat, google::protobuf::Any, pb};
use support::fake_gateway::{self as fake, Call, Script};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn amd64() -> Platform {
    Platform::new("linux", "amd64", "")
}

fn image_source(name: &str) -> pb::SourceOp {
    pb::SourceOp { identifier: format!("docker-image://{name}"), ..pb::SourceOp::default() }
}

fn definition(bytes: &[u8]) -> pb::Definition {
    pb::Definition { def: vec![bytes.to_vec()], ..pb::Definition::default() }
}

fn a_ref(id: &str) -> Ref {
    Ref { id: id.to_owned(), def: None }
}

fn spec_file() -> SourceFile {
    SourceFile {
        filename: "hardpan.yaml".to_owned(),
        text: "base: node:24\n".to_owned(),
        language: "YAML".to_owned(),
        definition: None,
    }
}

fn step_failure() -> Status {
    let detail = |kind: &str, json: &str| Any {
        type_url: format!("github.com/moby/buildkit/errdefs.{kind}+json"),
        value: json.as_bytes().to_vec(),
    };
    Status {
        code: 2,
        message: "process \"/bin/sh -e\" did not complete successfully: exit code: 7".to_owned(),
        details: vec![
            detail("Vertex", r#"{"digest":"sha256:ab"}"#),
            detail("Solve", r#"{"description":{"llb.customname":"RUN npm ci"}}"#),
            detail("Later", r#"{"unknown":true}"#),
        ],
    }
}

#[tokio::test]
async fn the_first_call_learns_what_the_builder_can() {
    let (gateway, calls) = fake::start(Script::default()).await;
    assert_eq!(calls.all(), [Call::Ping]);
    assert!(gateway.llb_caps().supports("passthroughop"));
    assert!(!gateway.llb_caps().supports("source.git"));
    assert!(gateway.frontend_caps().supports(SOURCE_META));
    let platforms: Vec<String> = gateway.workers()[0].platforms.iter().map(Platform::id).collect();
    assert_eq!(
        (gateway.workers()[0].id.as_str(), platforms),
        ("worker-1", vec!["linux/amd64".to_owned()])
    );
}

#[tokio::test]
async fn a_builder_without_caps_gets_what_it_could_in_2018() {
    let script = Script { pong: wire::PongResponse::default(), ..Script::default() };
    let (gateway, calls) = fake::start(script).await;
    assert!(gateway.llb_caps().supports("source.local"));
    assert!(!gateway.llb_caps().supports("file.base"));
    assert_eq!(gateway.inputs().await.unwrap(), BTreeMap::new());
    gateway.warn(warning()).await.unwrap();
    assert_eq!(calls.all(), [Call::Ping], "neither inputs nor warnings are asked for");
}

#[tokio::test]
async fn an_image_is_asked_for_with_platform_and_mode_and_comes_back_pinned() {
    let mut script = Script::default();
    let name = "docker-image://dhi.io/node:24";
    script.images.insert(name.to_owned(), Ok(fake::image("sha256:12", r#"{"os":"linux"}"#)));
    let (gateway, calls) = fake::start(script).await;
    let platform = Platform::new("linux", "arm64", "v8");
    let query = ImageQuery {
        source: image_source("dhi.io/node:24"),
        platform: &platform,
        mode: "pull",
        log_name: "[internal] load metadata for dhi.io/node:24".to_owned(),
    };
    let image = gateway.resolve_image(query).await.unwrap();
    assert_eq!(image.config, br#"{"os":"linux"}"#);
    assert_eq!(image.pinned().identifier, "docker-image://dhi.io/node:24@sha256:12");
    let Call::ResolveSourceMeta(asked) = calls.all().remove(1) else { panic!("another call") };
    assert_eq!(asked.resolve_mode, "pull");
    assert_eq!(asked.log_name, "[internal] load metadata for dhi.io/node:24");
    let asked = asked.platform.unwrap();
    assert_eq!((asked.architecture.as_str(), asked.variant.as_str()), ("arm64", ""));
}

#[tokio::test]
async fn a_policy_may_rewrite_an_image_but_not_into_something_else() {
    let mut script = Script::default();
    let mut moved = fake::image("sha256:12", "{}");
    moved.source = Some(image_source("mirror.example/node:24"));
    let elsewhere = wire::ResolveSourceMetaResponse {
        source: Some(pb::SourceOp {
            identifier: "https://example.test/node.tar".to_owned(),
            ..pb::SourceOp::default()
        }),
        ..wire::ResolveSourceMetaResponse::default()
    };
    script.images.insert("docker-image://dhi.io/node:24".to_owned(), Ok(moved));
    script.images.insert("docker-image://dhi.io/node:22".to_owned(), Ok(elsewhere));
    let (gateway, _) = fake::start(script).await;
    let platform = amd64();
    let resolve = |name: &str| {
        gateway.resolve_image(ImageQuery {
            source: image_source(name),
            platform: &platform,
            mode: "default",
            log_name: String::new(),
        })
    };
    let image = resolve("dhi.io/node:24").await.unwrap();
    assert_eq!(image.pinned().identifier, "docker-image://mirror.example/node:24@sha256:12");
    let error = resolve("dhi.io/node:22").await.unwrap_err();
    assert!(
        matches!(&error, Error::NotAnImage { answered, .. } if answered.starts_with("https:")),
        "{error}"
    );
}

#[tokio::test]
async fn a_builder_without_source_resolver_is_asked_the_old_way() {
    for (answered, pinned) in [
        (None, "docker-image://dhi.io/node:24@sha256:12"),
        (Some("mirror.example/node:24"), "docker-image://mirror.example/node:24@sha256:12"),
    ] {
        let mut script = Script::default();
        script.pong.frontend_api_caps.retain(|cap| cap.id != SOURCE_META);
        let mut answer = fake::image("sha256:12", "{}");
        answer.source = answered
            .map(|name| pb::SourceOp { identifier: name.to_owned(), ..pb::SourceOp::default() });
        script.images.insert("dhi.io/node:24".to_owned(), Ok(answer));
        let (gateway, calls) = fake::start(script).await;
        let platform = amd64();
        let query = ImageQuery {
            source: image_source("dhi.io/node:24"),
            platform: &platform,
            mode: "local",
            log_name: "load".to_owned(),
        };
        let image = gateway.resolve_image(query).await.unwrap();
        assert_eq!(image.pinned().identifier, pinned);
        let Call::ResolveImageConfig(asked) = calls.all().remove(1) else { panic!("another call") };
        assert_eq!((asked.resolve_mode.as_str(), asked.resolver_type), ("local", 0));
    }
}

#[tokio::test]
async fn a_solve_says_all_that_upstreams_client_says() {
    let (gateway, calls) = fake::start(Script::default()).await;
    let attributes = BTreeMap::from([("ref".to_owned(), "r/a".to_owned())]);
    let solve = Solve {
        evaluate: true,
        cache_imports: vec![CacheImport {
            kind: "registry".to_owned(),
            attributes: attributes.clone(),
        }],
        ..Solve::of(definition(b"op"))
    };
    let solved = gateway.solve(solve).await.unwrap();
    assert_eq!(solved.single().unwrap().id, "ref-1");
    let expected = wire::SolveRequest {
        definition: Some(definition(b"op")),
        allow_result_return: true,
        allow_result_array_ref: true,
        evaluate: true,
        cache_imports: vec![wire::CacheOptionsEntry {
            r#type: "registry".to_owned(),
            attrs: attributes,
        }],
        ..wire::SolveRequest::default()
    };
    assert_eq!(calls.solved(), [expected]);
}

#[tokio::test]
async fn another_frontend_gets_options_and_inputs_and_gives_a_map() {
    let solve: fake::Solver = Box::new(|_| {
        let refs = [("linux/amd64", "a"), ("linux/arm64", "")];
        let refs = refs.map(|(platform, id)| (platform.to_owned(), a_ref(id)));
        let metadata =
            BTreeMap::from([("containerimage.config/linux/amd64".to_owned(), b"{}".to_vec())]);
        let result = wire::Result {
            result: Some(result::Result::Refs(RefMap { refs: refs.into() })),
            metadata,
            ..wire::Result::default()
        };
        Ok(SolveResponse { result: Some(result) })
    });
    let script = Script { solve: Some(solve), ..Script::default() };
    let (gateway, calls) = fake::start(script).await;
    let mut solve = Solve::of(pb::Definition::default());
    solve.graph = Graph::Frontend {
        name: "dockerfile.v0".to_owned(),
        options: BTreeMap::from([("cmdline".to_owned(), "x".to_owned())]),
        inputs: BTreeMap::from([("context".to_owned(), definition(b"in"))]),
    };
    let solved = gateway.solve(solve).await.unwrap();
    assert_eq!(solved.metadata.len(), 1);
    let Refs::ByPlatform(refs) = solved.refs else { panic!("no map") };
    assert_eq!(refs["linux/amd64"], Some(a_ref("a")));
    assert_eq!(refs["linux/arm64"], None, "the empty root file system");
    let asked = calls.solved().remove(0);
    assert_eq!((asked.frontend.as_str(), asked.definition), ("dockerfile.v0", None));
    assert_eq!(asked.frontend_inputs["context"], definition(b"in"));
}

#[tokio::test]
async fn an_answer_without_its_part_is_an_error() {
    for (answer, words) in [
        (SolveResponse::default(), "without a result"),
        (SolveResponse { result: Some(wire::Result::default()) }, "without a single ref"),
        (fake::one_ref(""), "without a single ref"),
    ] {
        let script =
            Script { solve: Some(Box::new(move |_| Ok(answer.clone()))), ..Script::default() };
        let (gateway, _) = fake::start(script).await;
        let solved = gateway.solve(Solve::of(definition(b"op"))).await;
        let error = solved.and_then(Solved::single).unwrap_err();
        assert!(error.to_string().ends_with(words), "{error}");
    }
}

#[tokio::test]
async fn a_large_file_is_read_in_ranges() {
    let mut script = Script::default();
    let large: Vec<u8> = (0..20_000_000_u32).map(|i| i.to_le_bytes()[0]).collect();
    script.files.insert(("r".to_owned(), "large".to_owned()), large.clone());
    script.files.insert(("r".to_owned(), "even".to_owned()), vec![7; 8 << 20]);
    script.files.insert(("r".to_owned(), "empty".to_owned()), Vec::new());
    let (gateway, calls) = fake::start(script).await;
    let of = a_ref("r");
    assert!(gateway.read_file(&of, "large", 64 << 20).await.unwrap() == large);
    assert_eq!(gateway.read_file(&of, "even", 8 << 20).await.unwrap().len(), 8 << 20);
    assert_eq!(gateway.read_file(&of, "empty", 10).await.unwrap(), b"");
    assert_eq!(calls.all().len(), 1 + 3 + 2 + 1);
}

#[tokio::test]
async fn a_file_above_its_limit_is_refused_without_reading_it_all() {
    let mut script = Script::default();
    script.files.insert(("r".to_owned(), "f".to_owned()), vec![b'x'; 1000]);
    let (gateway, calls) = fake::start(script).await;
    let of = a_ref("r");
    let error = gateway.read_file(&of, "f", 999).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 999, .. }), "{error}");
    let Call::ReadFile(asked) = calls.all().remove(1) else { panic!("another call") };
    assert_eq!(asked.range.unwrap().length, 1000);
    assert_eq!(gateway.read_file(&of, "f", 1000).await.unwrap().len(), 1000);
    assert_eq!(gateway.read_file(&of, "f", usize::MAX).await.unwrap().len(), 1000);
}

#[tokio::test]
async fn a_missing_file_is_told_from_other_failures() {
    let (gateway, _) = fake::start(Script::default()).await;
    let error = gateway.read_file(&a_ref("r"), "hardpan.yaml", 10).await.unwrap_err();
    assert!(error.is_missing_file(), "{error}");
    assert!(gateway.stat_file(&a_ref("r"), "x").await.unwrap_err().is_missing_file());
}

#[tokio::test]
async fn entries_come_with_unix_modes() {
    let mut script = Script::default();
    let stat = Stat { path: "tmp".to_owned(), mode: 1 << 31 | 1 << 20 | 0o777, ..Stat::default() };
    script.stats.insert(("r".to_owned(), "/tmp".to_owned()), stat);
    let (gateway, _) = fake::start(script).await;
    let entry = gateway.stat_file(&a_ref("r"), "/tmp").await.unwrap();
    assert_eq!((&entry.kind, entry.mode), (&EntryKind::Folder, 0o1777));
    assert_eq!(gateway.read_dir(&a_ref("r"), "/", "").await.unwrap(), [entry]);
}

fn warning() -> Warning {
    Warning {
        vertex: "sha256:ab".to_owned(),
        short: "node 24 ends soon".to_owned(),
        detail: vec!["more".to_owned()],
        url: "https://example.test".to_owned(),
        span: Some(Span::at(1, 7)),
    }
}

#[tokio::test]
async fn a_warning_points_into_the_spec() {
    let (gateway, calls) = fake::start(Script::default()).await;
    gateway.set_source_file(spec_file());
    gateway.warn(warning()).await.unwrap();
    let Call::Warn(sent) = calls.all().remove(1) else { panic!("another call") };
    assert_eq!(sent.level, 1);
    assert_eq!(sent.short, b"node 24 ends soon");
    assert_eq!(sent.info.unwrap().data, b"base: node:24\n");
    assert_eq!(sent.ranges[0].start.unwrap().line, 1);
}

#[tokio::test]
async fn inputs_and_evaluation_reach_the_builder() {
    let mut script = Script::default();
    script.inputs.insert("context".to_owned(), definition(b"in"));
    let (gateway, calls) = fake::start(script).await;
    assert_eq!(gateway.inputs().await.unwrap()["context"], definition(b"in"));
    gateway.evaluate(&a_ref("r")).await.unwrap();
    assert_eq!(calls.all()[2], Call::Evaluate(wire::EvaluateRequest { r#ref: "r".to_owned() }));
}

#[tokio::test]
async fn a_failure_of_the_builder_is_handed_on_untouched() {
    let script = Script {
        solve: Some(Box::new(|_| Err(fake::failure(&step_failure())))),
        ..Script::default()
    };
    let (gateway, calls) = fake::start(script).await;
    let code = gateway::run(gateway, async |gateway: &Gateway| {
        let solved = gateway.solve(Solve::of(definition(b"op"))).await?;
        Ok::<_, Error>(wire::Result { metadata: solved.metadata, ..wire::Result::default() })
    });
    assert_eq!(code.await, ExitCode::FAILURE);
    let returned = calls.returned();
    assert_eq!(returned.len(), 1);
    assert_eq!(returned[0].error, Some(step_failure()), "nothing to point at: as it came");
}

#[tokio::test]
async fn a_failure_without_a_place_is_shown_at_the_spec() {
    let failing = || Script {
        solve: Some(Box::new(|_| Err(fake::failure(&step_failure())))),
        ..Script::default()
    };
    let (gateway, calls) = fake::start(failing()).await;
    gateway::run(gateway, async |gateway: &Gateway| {
        gateway.set_source_file(spec_file());
        gateway.evaluate_all().await
    })
    .await;
    let error = calls.returned()[0].error.clone().unwrap();
    assert_eq!(error.details[..3], step_failure().details);
    assert_eq!(detail::sources(&error)[0].info.filename, "hardpan.yaml");
    assert_eq!(detail::vertex(&error).as_deref(), Some("sha256:ab"));
}

/// A build for tests that fails where its solve fails.
trait EvaluateAll {
    async fn evaluate_all(&self) -> Result<wire::Result, Error>;
}

impl EvaluateAll for Gateway {
    async fn evaluate_all(&self) -> Result<wire::Result, Error> {
        self.solve(Solve::of(definition(b"op"))).await?;
        Ok(wire::Result::default())
    }
}

#[tokio::test]
async fn failures_with_megabytes_of_details_arrive() {
    let mut status = step_failure();
    status.details.push(Any { type_url: "x".to_owned(), value: vec![b'a'; 3 << 20] });
    let sent = status.clone();
    let script =
        Script { solve: Some(Box::new(move |_| Err(fake::failure(&sent)))), ..Script::default() };
    let (gateway, _) = fake::start(script).await;
    let error = gateway.evaluate_all().await.unwrap_err();
    assert_eq!(error.status(), Some(&status), "{error}");
}

#[tokio::test]
async fn a_result_is_returned_once() {
    let (gateway, calls) = fake::start(Script::default()).await;
    let result = wire::Result {
        result: Some(result::Result::Ref(a_ref("r"))),
        metadata: BTreeMap::from([("refs.platforms".to_owned(), b"{}".to_vec())]),
        ..wire::Result::default()
    };
    let sent = result.clone();
    let code = gateway::run(gateway, async |_: &Gateway| Ok::<_, Status>(sent)).await;
    assert_eq!(code, ExitCode::SUCCESS);
    let expected = wire::ReturnRequest { result: Some(result), error: None };
    assert_eq!(calls.returned(), [expected]);
}

#[tokio::test]
async fn a_refused_spec_is_returned_as_it_is() {
    let (gateway, calls) = fake::start(Script::default()).await;
    let mistake = Diagnostic::error(Code::UnknownKey, Span::at(1, 1), "unknown key \"bse\"");
    let refusal = status::refusal(Some(&spec_file()), &[mistake]);
    let sent = refusal.clone();
    let build = async |gateway: &Gateway| {
        gateway.set_source_file(spec_file());
        Err::<wire::Result, Status>(sent)
    };
    assert_eq!(gateway::run(gateway, build).await, ExitCode::FAILURE);
    assert_eq!(calls.returned()[0].error, Some(refusal));
}

#[tokio::test]
async fn a_bug_is_returned_as_a_failure_at_the_spec() {
    let (gateway, calls) = fake::start(Script::default()).await;
    let build = async |gateway: &Gateway| {
        gateway.set_source_file(spec_file());
        gateway.evaluate_all().await?;
        let nothing: Option<wire::Result> = std::hint::black_box(None);
        Ok::<_, Error>(nothing.expect("a result\u{1b}[31m"))
    };
    assert_eq!(gateway::run(gateway, build).await, ExitCode::FAILURE);
    let returned = calls.returned();
    assert_eq!(returned.len(), 1);
    let error = returned[0].error.clone().unwrap();
    assert!(error.message.starts_with("error[BLD-03]: "), "{}", error.message);
    assert!(error.message.contains(r"a result\u{1b}[31m"), "{}", error.message);
    assert_eq!(detail::sources(&error).len(), 1);
}

#[tokio::test]
async fn a_return_that_is_refused_fails_the_process() {
    let on_return = Some(tonic::Status::unknown("no"));
    let (gateway, calls) = fake::start(Script { on_return, ..Script::default() }).await;
    let build = async |_: &Gateway| Ok::<_, Status>(wire::Result::default());
    assert_eq!(gateway::run(gateway, build).await, ExitCode::FAILURE);
    assert_eq!(calls.returned().len(), 1, "not tried twice");
}

#[tokio::test]
async fn codes_of_every_kind_are_failures() {
    for code in (1..=16).chain([17, 99]) {
        let status = Status { code, message: format!("code {code}"), details: Vec::new() };
        let script = Script {
            solve: Some(Box::new(move |_| {
                Err(tonic::Status::new(code.into(), format!("code {code}")))
            })),
            ..Script::default()
        };
        let (gateway, _) = fake::start(script).await;
        let error = gateway.evaluate_all().await.unwrap_err();
        let found = error.status().unwrap_or_else(|| panic!("{code}: {error}"));
        assert_eq!(found.message, status.message);
        assert_ne!(found.code, 0);
    }
}

#[tokio::test]
async fn an_oversized_answer_is_an_error_and_the_connection_stays() {
    let large = || {
        let metadata = BTreeMap::from([("x".to_owned(), vec![0; 17 << 20])]);
        let result = wire::Result { metadata, ..wire::Result::default() };
        Ok(SolveResponse { result: Some(result) })
    };
    let script = Script { solve: Some(Box::new(move |_| large())), ..Script::default() };
    let (gateway, _) = fake::start(script).await;
    let error = gateway.evaluate_all().await.unwrap_err();
    assert!(error.to_string().contains("message length too large"), "{error}");
    gateway.evaluate(&a_ref("r")).await.unwrap();
}

#[tokio::test]
async fn an_oversized_request_is_an_error_before_it_is_sent() {
    let (gateway, calls) = fake::start(Script::default()).await;
    let error = gateway.solve(Solve::of(definition(&vec![0; 17 << 20]))).await.unwrap_err();
    assert!(matches!(error, Error::Oversized { call: "Solve", .. }), "{error}");
    assert_eq!(calls.solved().len(), 0);
}

#[tokio::test]
async fn an_oversized_result_becomes_a_failure_that_says_so() {
    let (gateway, calls) = fake::start(Script::default()).await;
    let build = async |_: &Gateway| {
        let metadata = BTreeMap::from([("x".to_owned(), vec![0; 17 << 20])]);
        Ok::<_, Status>(wire::Result { metadata, ..wire::Result::default() })
    };
    assert_eq!(gateway::run(gateway, build).await, ExitCode::FAILURE);
    let returned = calls.returned();
    assert_eq!((returned.len(), &returned[0].result), (1, &None));
    assert!(returned[0].error.as_ref().unwrap().message.starts_with("Return needs 178"));
}

/// What `Gateway::over` says about a builder that sends `bytes` and then hangs up or hangs.
async fn against(bytes: &'static [u8], hang_up: bool) -> Error {
    let (ours, mut theirs) = tokio::io::duplex(64 << 10);
    tokio::spawn(async move {
        let mut preface = [0; 24];
        theirs.read_exact(&mut preface).await.unwrap();
        theirs.write_all(bytes).await.unwrap();
        if !hang_up {
            std::future::pending::<()>().await;
        }
    });
    Gateway::over(ours).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn nonsense_ends_the_connection() {
    let truncated_frame: &[u8] = &[0, 0, 40, 1, 4, 0, 0, 0, 1, 0x88];
    let frame_on_a_stream_that_was_never_opened: &[u8] =
        &[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 9, 1, 2, 3, 4];
    let window_of_zero: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for bytes in [
        b"" as &[u8],
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        &[0xff; 300],
        &[0; 300],
        truncated_frame,
        frame_on_a_stream_that_was_never_opened,
        window_of_zero,
    ] {
        let before = tokio::time::Instant::now();
        let error = against(bytes, true).await;
        assert!(matches!(error, Error::Lost { .. }), "{bytes:?}: {error:?}");
        assert!(before.elapsed() < Duration::from_secs(1), "{bytes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_builder_is_given_up_after_its_time() {
    let settings: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    for bytes in [b"" as &[u8], settings] {
        let error = against(bytes, false).await;
        assert!(matches!(error, Error::Silent(15)), "{error:?}");
    }
}

#[tokio::test]
async fn answers_that_are_not_grpc_are_errors() {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tonic::codegen::http::Response;
    for (code, kind, body) in [
        (500, "text/plain", "broken"),
        (200, "text/html", "<html>"),
        (200, "application/grpc", ""),
        (200, "application/grpc", "\0\0\0\0\u{7f}truncated"),
        (200, "application/grpc", "\u{1}\0\0\0\0"),
        (200, "application/grpc", "\0\0\0\0\u{2}\u{a}\u{7f}"),
    ] {
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        let service = hyper::service::service_fn(move |_| async move {
            let answer = Response::builder().status(code).header("content-type", kind);
            answer.body(body.to_owned())
        });
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        tokio::spawn(server.serve_connection(TokioIo::new(theirs), service));
        let error = Gateway::over(ours).await.unwrap_err();
        assert!(!matches!(error, Error::Silent(_)), "{code} {kind} {body:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_builder_that_goes_away_in_the_middle_ends_the_build() {
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    let (mut near, far) = tokio::io::duplex(64 << 10);
    let script = Script {
        solve: Some(Box::new(|_| {
            std::thread::sleep(Duration::from_millis(1));
            Ok(fake::one_ref("r"))
        })),
        ..Script::default()
    };
    fake::serve(script, far);
    // Carries the bytes between the two until it is told to drop both.
    let (cut, mut when) = tokio::sync::oneshot::channel::<()>();
    let mut theirs = theirs;
    tokio::spawn(async move {
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut theirs, &mut near) => {}
            _ = &mut when => {}
        }
    });
    let gateway = Gateway::over(ours).await.unwrap();
    let started = Instant::now();
    let code = gateway::run(gateway, async move |gateway: &Gateway| {
        gateway.evaluate_all().await?;
        cut.send(()).unwrap();
        tokio::task::yield_now().await;
        gateway.evaluate_all().await
    });
    assert_eq!(code.await, ExitCode::FAILURE);
    assert!(started.elapsed() < Duration::from_secs(1));
}
