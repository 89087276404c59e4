//! Calls, asked through a builder in this process: what buildx gets to print and to parse.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail here")]

mod support;

use std::collections::BTreeMap;
use std::ffi::OsString;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hardpan::frontend;
use hardpan::options::Options;
use hardpan::proto::{Status, frontend as wire, pb};
use serde_json::Value;
use support::fake_gateway::{self as fake, Call, Calls, Script};

const NODE: &str = r#"{"architecture":"amd64","os":"linux","config":{"User":"node","Env":["PATH=/bin"],
    "Labels":{"com.docker.dhi.name":"dhi/node","com.docker.dhi.version":"24.18.0-debian13"}},
    "rootfs":{"type":"layers","diff_ids":[]}}"#;

/// What a builder knows that has `node:24` and the given spec.
fn script(spec: &str) -> Script {
    let digest = format!("sha256:{}", "1".repeat(64));
    let image =
        |name: &str| (format!("docker-image://dhi.io/{name}"), Ok(fake::image(&digest, NODE)));
    Script {
        images: BTreeMap::from([image("node:24"), image("node:24-dev")]),
        files: BTreeMap::from([(
            ("ref-1".to_owned(), "hardpan.yaml".to_owned()),
            spec.as_bytes().to_vec(),
        )]),
        ..Script::default()
    }
}

async fn ask(script: Script, call: &str, options: &[&str]) -> Result<wire::Result, Status> {
    recorded(script, call, options).await.0
}

/// The answer, and what the builder was asked for it.
async fn recorded(
    script: Script,
    call: &str,
    options: &[&str],
) -> (Result<wire::Result, Status>, Calls) {
    let (gateway, calls) = fake::start(script).await;
    let request = format!("requestid=frontend.{call}");
    let all = options.iter().copied().chain(["filename=hardpan.yaml", &request]);
    let environment = all.enumerate().map(|(index, option)| {
        (OsString::from(format!("BUILDKIT_FRONTEND_OPT_{index}")), OsString::from(option))
    });
    let (options, mistakes) = Options::parse(environment.collect::<Vec<_>>());
    (frontend::run(&gateway, options, mistakes).await.map(Into::into), calls)
}

fn text(result: &wire::Result, key: &str) -> String {
    String::from_utf8(result.metadata[key].clone()).unwrap()
}

fn json(result: &wire::Result) -> Value {
    serde_json::from_slice(&result.metadata["result.json"]).unwrap()
}

/// The findings as `code severity line: detail`, and the status.
async fn check(spec: &str, options: &[&str]) -> (Vec<String>, String) {
    findings(script(spec), options).await
}

async fn findings(script: Script, options: &[&str]) -> (Vec<String>, String) {
    let result = ask(script, "lint", options).await.unwrap();
    assert_eq!(text(&result, "version"), "1.1.0");
    let json = json(&result);
    let warnings = json["warnings"].as_array().unwrap();
    let sources = json["sources"].as_array().unwrap();
    assert_eq!(sources.len(), 1);
    assert_eq!(sources[0]["filename"], "hardpan.yaml");
    let status = text(&result, "result.statuscode");
    assert_eq!(json.get("buildError").is_some(), status == "1", "{json}");
    let drawn = text(&result, "result.txt");
    let line = |warning: &Value| {
        let code = warning["ruleName"].as_str().unwrap();
        let severity = warning["severity"].as_str().unwrap();
        assert!(drawn.contains(&format!("{severity}[{code}]: ")), "{drawn}");
        assert!(warning["url"].as_str().unwrap().ends_with(&format!("/{code}.md")));
        assert_ne!(warning["description"], "");
        // buildx dereferences the place without looking (T25).
        let start = &warning["location"]["ranges"][0]["start"];
        format!("{code} {}: {}", start["line"], warning["detail"].as_str().unwrap())
    };
    (warnings.iter().map(line).collect(), status)
}

const GOOD: &str = "base: node:24\nimage:\n  - copy: a.js\nentrypoint: [node, a.js]\n";

#[tokio::test]
async fn nothing_is_found_in_a_good_spec() {
    let (found, status) = check(GOOD, &[]).await;
    assert_eq!((found, status.as_str()), (vec![], "0"));
    let result = ask(script(GOOD), "lint", &[]).await.unwrap();
    assert_eq!(text(&result, "result.txt"), "");
    assert_eq!(result.result, None, "a call has no image");
}

#[tokio::test]
async fn mistakes_of_every_kind_are_found_at_once() {
    let spec = "base: node:24\nbuild:\n  - run: x\nimage:\n  - copy: .\n    from: build\n\
                expose: [\"${PORT}\"]\nargs:\n  PORT: x\nentrypoint: [node]\n";
    let (found, status) = check(spec, &["build-arg:NO=1", "platform=linux/amd64/x/y"]).await;
    let starts = ["OPT-01 1: error: ", "SPEC-14 9: error: ", "SPEC-04 7: error: "];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for start in starts {
        assert!(found.iter().any(|one| one.starts_with(start)), "{start}: {found:#?}");
    }
    assert_eq!(status, "1");
}

#[tokio::test]
async fn all_apps_are_looked_at_unless_one_is_named() {
    let spec = "apps:\n  good:\n    base: node:24\n    image: []\n    entrypoint: [node]\n  \
                bad:\n    base: nodee:24\n    image: []\n    entrypoint: [node]\n";
    let missing =
        "REF-02 7: error: \"dhi.io/nodee:24\" does not exist\nhelp: did you mean node:24?";
    assert_eq!(check(spec, &[]).await, (vec![missing.to_owned()], "1".to_owned()));
    assert_eq!(check(spec, &["target=good"]).await, (vec![], "0".to_owned()));
    let (found, _) = check(spec, &["target=gold"]).await;
    assert!(found[0].starts_with("SPEC-18 2: error: there is no target `gold`"), "{found:?}");
}

#[tokio::test]
async fn images_are_looked_up_as_the_build_says() {
    let modes = [(&[] as &[&str], "default"), (&["image-resolve-mode=default"], "default")];
    let others = [
        (&["image-resolve-mode=pull"] as &[&str], "pull"),
        (&["image-resolve-mode=local"], "local"),
    ];
    for (options, mode) in modes.into_iter().chain(others) {
        let (result, calls) = recorded(script(GOOD), "lint", options).await;
        result.unwrap();
        let asked = calls.all().into_iter().filter_map(|call| match call {
            Call::ResolveSourceMeta(asked) => Some(asked.resolve_mode),
            _ => None,
        });
        assert_eq!(asked.collect::<Vec<_>>(), [mode], "{options:?}");
    }
}

#[tokio::test]
async fn a_base_is_judged_by_its_config() {
    for (user, labels, found) in [
        ("0", "", "REF-06 1: error: "),
        ("node", r#""com.docker.dhi.shell":"bash""#, "REF-05 1: error: "),
        ("node", r#""com.docker.dhi.date.end-of-life":"2020-01-01""#, "REF-07 1: error: "),
    ] {
        let config = format!(
            r#"{{"architecture":"amd64","os":"linux","config":{{"User":"{user}","Labels":{{{labels}}}}}}}"#
        );
        let mut script = script(GOOD);
        let digest = format!("sha256:{}", "2".repeat(64));
        let image = Ok(fake::image(&digest, &config));
        script.images.insert("docker-image://dhi.io/node:24".to_owned(), image);
        let (all, status) = findings(script, &[]).await;
        assert_eq!((all.len(), status.as_str()), (1, "1"), "{all:?}");
        assert!(all[0].starts_with(found), "{all:?}");
    }
}

#[tokio::test]
async fn a_registry_that_cannot_be_reached_is_a_finding() {
    let mut script = script(GOOD);
    let refused = tonic::Status::unknown(
        "failed to do request: Head \"https://dhi.io/v2/node/manifests/24\": dial tcp: lookup \
         dhi.io: no such host",
    );
    script.images.insert("docker-image://dhi.io/node:24".to_owned(), Err(refused));
    let (found, status) = findings(script, &[]).await;
    assert_eq!((found.len(), status.as_str()), (1, "1"));
    assert!(found[0].starts_with("REF-02 1: error: dhi.io could not be reached"), "{found:?}");
}

/// What `--call=check` finds where an input stands in for `node:24`.
async fn with_input(input: pb::Definition, metadata: Option<&str>) -> Vec<String> {
    let script = Script { inputs: BTreeMap::from([("x".to_owned(), input)]), ..script(GOOD) };
    let metadata = metadata.map(|text| format!("input-metadata:x={text}"));
    let options = ["context:node:24=input:x"].into_iter().chain(metadata.as_deref());
    let (found, status) = findings(script, &options.collect::<Vec<_>>()).await;
    assert_eq!(status, if found.is_empty() { "0" } else { "1" });
    found
}

fn config_metadata(config: &str) -> String {
    format!(r#"{{"containerimage.config":"{}"}}"#, STANDARD.encode(config))
}

#[tokio::test]
async fn an_input_with_a_config_is_an_image_like_any_other() {
    let empty = pb::Definition::default;
    let found = with_input(empty(), Some(&config_metadata(NODE))).await;
    assert_eq!(found, Vec::<String>::new());
    for (config, start) in [
        (NODE.replace("\"User\":\"node\"", "\"User\":\"root\""), "REF-06 1: error: "),
        (NODE.replace("amd64", "arm64"), "REF-09 1: error: \"dhi.io/node:24\" is for linux/arm64"),
        ("[]".to_owned(), "REF-02 1: error: the config of \"dhi.io/node:24\" cannot be read"),
    ] {
        let found = with_input(empty(), Some(&config_metadata(&config))).await;
        assert!(found.len() == 1 && found[0].starts_with(start), "{start}: {found:?}");
    }
}

#[tokio::test]
async fn an_input_without_a_config_is_no_base() {
    for metadata in [None, Some("{}"), Some("null"), Some(r#"{"containerimage.config":null}"#)] {
        let found = with_input(pb::Definition::default(), metadata).await;
        assert!(found.len() == 1 && found[0].starts_with("REF-12 1: error: "), "{found:?}");
    }
}

#[tokio::test]
async fn an_input_that_cannot_be_read_is_refused() {
    for (metadata, why) in [
        ("{", "its metadata is not what a client writes"),
        ("[]", "its metadata is not what a client writes"),
        (r#"{"containerimage.config":{}}"#, "its metadata is not what a client writes"),
        (r#"{"containerimage.config":"%"}"#, "of its metadata is no base64"),
    ] {
        let found = with_input(pb::Definition::default(), Some(metadata)).await;
        assert!(found.len() == 1 && found[0].starts_with("CTX-05 1: error: "), "{found:?}");
        assert!(found[0].contains(why), "{found:?}");
    }
    let broken = pb::Definition { def: vec![vec![0xff; 9]], ..pb::Definition::default() };
    let found = with_input(broken, Some(&config_metadata(NODE))).await;
    assert!(found[0].starts_with("CTX-05 1: error: "), "{found:?}");
    let (found, _) = findings(script(GOOD), &["context:node:24=input:gone"]).await;
    assert!(found[0].contains("the client sends no input `gone`"), "{found:?}");
}

const WARNED: &str = "base: node:24\nbuild:\n  used: [run: x]\n  unused: [run: x]\nimage:\n  \
                      - {copy: ., from: used}\nentrypoint: [node]\n";

#[tokio::test]
async fn a_target_that_does_not_exist_is_told_by_the_names_of_the_list() {
    let spec = "base: node:24\nbuild:\n  prices: [run: x]\n  pages: [run: x]\napps:\n  web:\n    image:\n      \
                - {copy: ., from: pages}\n    entrypoint: [node]\n  api:\n    image:\n      \
                - {copy: ., from: prices}\n    entrypoint: [node]\n";
    let listed = text(&ask(script(spec), "targets", &[]).await.unwrap(), "result.txt");
    for (target, near) in [
        ("prices", "write `--target api/prices` for"),
        ("pages", "write `--target web/pages` for"),
        ("prcies", "did you mean `--target api/prices`?"),
        ("api/prcies", "did you mean `--target api/prices`?"),
        ("web/prcies", "did you mean `--target api/prices`?"),
        ("other/pages", "did you mean `--target web/pages`?"),
        ("zebra", "the targets are `web`, `api`, `web/pages` and `api/prices`"),
    ] {
        let (found, _) = check(spec, &[&format!("target={target}")]).await;
        assert!(found[0].contains(near), "{target}: {found:?}");
    }
    for name in ["web ", "api ", "web/pages ", "api/prices "] {
        assert!(listed.lines().any(|line| line.starts_with(name)), "{name}: {listed}");
    }
}

#[tokio::test]
async fn a_source_that_may_have_been_a_stage_is_told_as_one() {
    let with = |from: &str| GOOD.replace("copy: a.js", &format!("{{copy: a.js, from: {from}}}"));
    let (found, _) = check(&with("theme"), &[]).await;
    let words = "\"dhi.io/theme\" does not exist\nhelp: no stage, app or context is named `theme`: give \
                 `--build-context theme=…`, or write the image with its tag";
    assert!(found[0].starts_with("REF-02 3: ") && found[0].contains(words), "{found:?}");
    let (found, _) = check(&with("theme:1"), &[]).await;
    assert!(found[0].starts_with("REF-02 3: ") && !found[0].contains("no stage"), "{found:?}");
}

#[tokio::test]
async fn that_a_stage_is_unused_is_no_news_where_it_is_the_target() {
    assert_eq!(check(WARNED, &["target=unused"]).await, (vec![], "0".to_owned()));
    for target in ["used", ""] {
        let (found, _) = check(WARNED, &[&format!("target={target}")]).await;
        assert_eq!(found.len(), 1, "{target}: {found:?}");
        assert!(found[0].starts_with("SPEC-19 4: "), "{found:?}");
    }
}

#[tokio::test]
async fn a_warning_stops_nothing_unless_it_is_asked_to() {
    for (rules, count, status) in [
        ("", 1, "0"),
        ("error=true", 1, "1"),
        ("skip=SPEC-19;error=true", 0, "0"),
        ("skip=spec-19", 0, "0"),
        ("skip=all", 0, "0"),
        ("skip=SPEC-18", 1, "0"),
    ] {
        let option = format!("build-arg:BUILDKIT_DOCKERFILE_CHECK={rules}");
        let (found, code) = check(WARNED, &[&option]).await;
        assert_eq!((found.len(), code.as_str()), (count, status), "{rules}: {found:?}");
    }
}

#[tokio::test]
async fn a_mistake_cannot_be_skipped() {
    let (found, status) =
        check("base: node:24\nuser: root\n", &["build-arg:BUILDKIT_DOCKERFILE_CHECK=skip=all"])
            .await;
    assert_eq!(status, "1");
    assert!(found.iter().any(|one| one.starts_with("SPEC-11 2: error: ")), "{found:?}");
}

#[tokio::test]
async fn words_of_the_user_cannot_drive_the_terminal() {
    let spec = "base: node:24\n\"\\e[31mred\": 1\nentrypoint: [node]\nimage: []\n";
    for call in ["lint", "outline", "targets"] {
        let shown = match ask(script(spec), call, &[]).await {
            Ok(result) => text(&result, "result.txt") + &text(&result, "result.json"),
            Err(status) => status.message,
        };
        assert!(!shown.contains('\u{1b}'), "{call}: {shown:?}");
    }
}

#[tokio::test]
async fn outline_lists_what_a_build_takes() {
    let spec = "args:\n  VERSION: {default: '24', values: ['24', '22'], description: of Node}\n  \
                TOKEN:\nbase: node:${VERSION}\nlabels:\n  org.opencontainers.image.description: A server\n\
                build:\n  used:\n    cache: /root/.cache\n    steps:\n      - run: x\n        secret: npmrc\n        \
                ssh: true\n      - run: y\n        secret: {id: npmrc, optional: true}\n  unused:\n    \
                - run: z\n      secret: never\nimage:\n  - {copy: ., from: used}\nentrypoint: [node]\n";
    let result = ask(script(spec), "outline", &["build-arg:TOKEN=t"]).await.unwrap();
    let expected = "TARGET:      (default)\nDESCRIPTION: A server\n\n\
                    BUILD ARG   VALUE   DESCRIPTION\nVERSION     24      of Node; one of 24, 22\n\
                    TOKEN       t       \n\nSECRET   REQUIRED\nnpmrc    true\n\n\
                    SSH       REQUIRED\ndefault   true\n\n";
    assert_eq!(text(&result, "result.txt"), expected);
    let json = json(&result);
    assert_eq!(json["secrets"].as_array().unwrap().len(), 1, "{json}");
    assert_eq!(json["args"][0]["location"]["ranges"][0]["start"]["line"], 2);
    assert_eq!(json["cache"][0]["ID"], "/root/.cache");
    assert_eq!(json.get("name"), None, "the one app of a file has no name to type");
    assert_eq!(text(&result, "version"), "1.0.0");
}

#[tokio::test]
async fn targets_are_the_apps() {
    let spec = "apps:\n  web:\n    base: nginx:1\n    image: []\n  api:\n    base: {dev: node:24, runtime: static}\n    \
                platforms: [linux/amd64, linux/arm64]\n    entrypoint: [/x]\n    image: []\n    \
                annotations: {org.opencontainers.image.description: The API}\n";
    let result = ask(script(spec), "targets", &[]).await.unwrap();
    let expected = "TARGET        DESCRIPTION\nweb (default) \napi           The API\n";
    assert_eq!(text(&result, "result.txt"), expected);
    let json = json(&result);
    let targets = json["targets"].as_array().unwrap();
    let seen: Vec<_> = targets
        .iter()
        .map(|target| {
            let line = &target["location"]["ranges"][0]["start"]["line"];
            format!("{} {} {} {line}", target["base"], target["platform"], target["default"])
        })
        .collect();
    assert_eq!(seen, ["\"nginx:1\" null true 2", "\"static\" \"linux/amd64,linux/arm64\" null 5"]);
}

#[tokio::test]
async fn outline_and_targets_of_a_bad_spec_are_refused_at_its_line() {
    for call in ["outline", "targets"] {
        let status = ask(script("base: node:24\nuser: root\n"), call, &[]).await.unwrap_err();
        assert!(status.message.contains("hardpan.yaml:2:7: error[SPEC-11]"), "{}", status.message);
    }
}

#[tokio::test]
async fn describe_lists_every_call_that_is_answered() {
    let result = ask(script(GOOD), "subrequests.describe", &[]).await.unwrap();
    let json = json(&result);
    let names: Vec<&str> =
        json.as_array().unwrap().iter().map(|call| call["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"frontend.lint") && names.contains(&"frontend.outline"), "{names:?}");
    for (name, described) in names.iter().zip(json.as_array().unwrap()) {
        let call = name.strip_prefix("frontend.").unwrap();
        let result = match ask(script(GOOD), call, &[]).await {
            Ok(result) => result,
            // These look at the base with hardpan's own image, which this process does not have.
            Err(status) if ["plan", "llb", "report"].contains(&call) => {
                assert!(
                    status.message.contains("image that hardpan was started from"),
                    "{status:?}"
                );
                continue;
            }
            Err(status) => panic!("{call}: {}", status.message),
        };
        for entry in described["metadata"].as_array().unwrap() {
            assert!(result.metadata.contains_key(entry["name"].as_str().unwrap()), "{name}");
        }
        assert_eq!(text(&result, "version"), described["version"].as_str().unwrap());
    }
    let shown = text(&result, "result.txt");
    assert!(shown.starts_with("NAME                 VERSION DESCRIPTION\nlint "), "{shown}");
}

#[tokio::test]
async fn an_unknown_call_is_said_to_be_unknown() {
    let status = ask(script(GOOD), "convertllb", &[]).await.unwrap_err();
    assert_eq!(status.code, 12);
    let calls = "the calls are `check`, `outline`, `targets`, `plan`, `llb`, `report`, `schema` and \
                 `subrequests.describe`";
    assert_eq!(status.message, format!("hardpan has no call \"frontend.convertllb\": {calls}"));
    let status = ask(script(GOOD), "plam", &[]).await.unwrap_err();
    let near = format!("hardpan has no call \"frontend.plam\": did you mean `plan`? {calls}");
    assert_eq!(status.message, near);
}

#[tokio::test]
async fn waivers_are_looked_at_without_a_build() {
    let waiver = |rest: &str| format!("    - {{{rest}, reason: r, owner: o}}\n");
    let spec = format!(
        "{GOOD}harden:\n  waivers:\n{}{}{}{}{}",
        waiver("check: SHL-02, path: /bin/sh, expires: 2999-01-01"),
        waiver("check: PKG-50, path: /bin/sh, expires: 2999-01-01"),
        waiver("check: PKG-05, path: /bin/sh, expires: 2001-01-01"),
        waiver("check: PKG-06, path: /bin/sh, expires: 2999-01-01"),
        waiver("check: PKG-06, path: /bin/a**, expires: soon"),
    );
    let (found, status) = check(&spec, &[]).await;
    assert_eq!(status, "1");
    let codes: Vec<&str> = found.iter().map(|one| one.split(": ").next().unwrap()).collect();
    assert_eq!(codes, ["SPEC-04 11", "SPEC-04 11"], "what cannot be read comes first: {found:#?}");
    let sound: String = spec.split_inclusive('\n').take(10).collect();
    let (found, status) = check(&sound, &["build-arg:HARDPAN_WAIVERS=forbid"]).await;
    assert_eq!(status, "1");
    let codes: Vec<&str> = found.iter().map(|one| one.split(": ").next().unwrap()).collect();
    assert_eq!(codes, ["WAIVE-04 7", "WAIVE-01 8", "WAIVE-03 9", "WAIVE-06 10"], "{found:#?}");
    let lines = sound.split_inclusive('\n');
    let valid: String =
        lines.filter(|line| !line.contains("SHL-02") && !line.contains("2001")).collect();
    let (found, status) = check(&valid, &["build-arg:HARDPAN_WAIVERS=forbid"]).await;
    assert_eq!(status, "0");
    assert!(found.iter().any(|one| one.starts_with("WAIVE-05 8")), "{found:#?}");
}
