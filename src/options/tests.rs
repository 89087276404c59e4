use super::*;
use crate::llb::Git;
use crate::remote::Remote;

/// Reads options as the builder would pass them, in an order and with numbers that mean nothing.
fn read(options: &[&str]) -> (Options, Vec<Diagnostic>) {
    let workers = r#"[{"id":"w1","labels":{"org.mobyproject.buildkit.worker.executor":"oci"},
        "platforms":[{"architecture":"arm64","os":"linux","variant":"v8"}]}]"#;
    let mut environment = vec![
        ("PATH".into(), "/bin".into()),
        ("BUILDKIT_SESSION_ID".into(), "session-1".into()),
        ("BUILDKIT_WORKERS".into(), workers.into()),
    ];
    for (index, option) in options.iter().enumerate() {
        let name = format!("{OPTION}{}", (index * 7919 + 13) % 101);
        environment.insert(index % 3, (name.into(), (*option).into()));
    }
    Options::parse(environment)
}

#[track_caller]
fn options(options: &[&str]) -> Options {
    let (options, mistakes) = read(options);
    assert_eq!(mistakes, []);
    options
}

#[track_caller]
fn refused(option: &str, words: &str) {
    let (_, mistakes) = read(&[option]);
    assert_eq!(mistakes.len(), 1, "{option}: {mistakes:?}");
    assert_eq!(mistakes[0].code, Code::InvalidOption, "{option}");
    assert!(mistakes[0].help.is_some(), "{option}");
    assert!(mistakes[0].message.contains(words), "{option}: {}", mistakes[0].message);
}

fn map<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

#[test]
fn an_empty_environment_gives_the_defaults() {
    let (options, mistakes) = Options::parse([]);
    assert_eq!(mistakes, []);
    assert_eq!(options, Options::default());
    assert_eq!(options.spec.filename, "Dockerfile");
    assert_eq!(options.spec.local(), "dockerfile");
    assert_eq!(options.target_platforms().len(), 1);
}

#[test]
fn reads_what_buildx_sends() {
    let options = options(&[
        "source=hardpan/hardpan:1",
        "cmdline=hardpan/hardpan:1 a=b",
        "filename=deploy/hardpan.yaml",
        "target=web",
        "requestid=frontend.lint",
        "local-sessionid:context=session-2",
        "sharedkey:localdir:assets=key",
        "vcs:source=https://example.test/r",
        "frontend.caps=moby.buildkit.frontend.contexts+forward",
        "label:org.example.a=b=c",
    ]);
    assert_eq!(options.source, "hardpan/hardpan:1");
    assert_eq!(options.cmdline, "hardpan/hardpan:1 a=b");
    assert_eq!(options.spec.filename, "deploy/hardpan.yaml");
    assert_eq!(options.target.as_deref(), Some("web"));
    assert_eq!(options.request.as_deref(), Some("frontend.lint"));
    assert_eq!(options.session_of("context"), "session-2");
    assert_eq!(options.session_of("dockerfile"), "session-1");
    assert_eq!(options.shared_keys, map([("assets", "key")]));
    assert_eq!(options.labels, map([("org.example.a", "b=c")]));
    assert_eq!(options.build_platform().id(), "linux/arm64");
    let other: Vec<&str> = options.other.keys().map(String::as_str).collect();
    assert_eq!(other, ["frontend.caps", "vcs:source"], "kept and ignored");
}

#[test]
fn values_may_hold_anything() {
    let options = options(&["build-arg:A=x=y=z", "build-arg:B=1\n2", "build-arg:C=", "target="]);
    assert_eq!(options.build_args, map([("A", "x=y=z"), ("B", "1\n2"), ("C", "")]));
    assert_eq!(options.target, None);
}

#[test]
fn an_option_that_is_not_utf8_is_reported_with_its_key() {
    use std::os::unix::ffi::OsStringExt as _;
    let value = OsString::from_vec(b"build-arg:A=\xff\xfe".to_vec());
    let (_, mistakes) = Options::parse([(format!("{OPTION}5").into(), value)]);
    assert_eq!(mistakes[0].message, r#"option "build-arg:A" is not UTF-8"#);
}

#[test]
fn reads_platforms() {
    for (given, ids, multi) in [
        (&["platform=linux/amd64"] as &[&str], &["linux/amd64"] as &[&str], false),
        (&["platform=linux/arm64/v8,x86_64"], &["linux/arm64", "linux/amd64"], true),
        (&["platform=linux/amd64,amd64"], &["linux/amd64"], false),
        (&["platform=linux/amd64", "multi-platform=true"], &["linux/amd64"], true),
        (&["multi-platform=1"], &[], true),
        (
            &["platform=amd64,arm64", "multi-platform=0", "build-arg:BUILDKIT_MULTI_PLATFORM=1"],
            &["linux/amd64", "linux/arm64"],
            true,
        ),
        (&["multi-platform=true", "build-arg:BUILDKIT_MULTI_PLATFORM=false"], &[], false),
    ] {
        let options = options(given);
        let found: Vec<String> = options.platforms.iter().map(Platform::id).collect();
        assert_eq!(
            (found, options.multi_platform),
            (ids.iter().map(|&id| id.to_owned()).collect(), multi),
            "{given:?}"
        );
    }
}

#[test]
fn reads_caches() {
    let options = options(&[
        r#"cache-imports=[{"Type":"registry","Attrs":{"ref":"r/a"}},null,{"Type":"gha","Attrs":null}]"#,
        "cache-from=r/a,r/b",
        "image-resolve-mode=pull",
        "build-arg:BUILDKIT_CACHE_MOUNT_NS=team",
    ]);
    let import = |kind: &str, attributes| CacheImport { kind: kind.to_owned(), attributes };
    assert_eq!(
        options.cache_imports,
        [
            import("registry", map([("ref", "r/a")])),
            import("gha", map([])),
            import("registry", map([("ref", "r/b")])),
        ]
    );
    assert_eq!(options.resolve_mode.as_str(), "pull");
    assert_eq!(options.cache_mount_namespace, "team");
}

#[test]
fn no_cache_covers_all_or_some_stages() {
    let off = options(&[]).no_cache;
    let all = options(&["no-cache="]).no_cache;
    let some = options(&["no-cache=build,Test"]).no_cache;
    for (stage, covered) in
        [("build", [false, true, true]), ("test", [false, true, true]), ("x", [false, true, false])]
    {
        assert_eq!([&off, &all, &some].map(|no_cache| no_cache.covers(stage)), covered, "{stage}");
    }
}

#[test]
fn reads_how_steps_run() {
    let execution = options(&[
        "add-hosts=DB=10.0.0.7,six=::1",
        "force-network-mode=none",
        "shm-size=1048576",
        "ulimit=nofile=1024:2048,nproc=5,core=-1",
        "cgroup-parent=/builds",
        "hostname=old",
        "build-arg:BUILDKIT_SANDBOX_HOSTNAME=new",
        "memory=536870912",
        "memswap=-1",
        "cpushares=512",
        "cpuperiod=100000",
        "cpuquota=50000",
        "cpusetcpus=0-3, 5",
        "cpusetmems=0",
    ])
    .execution;
    let hosts: Vec<String> = execution
        .extra_hosts
        .iter()
        .map(|host| format!("{}={}", host.host, host.address))
        .collect();
    assert_eq!(hosts, ["db=10.0.0.7", "six=::1"]);
    assert_eq!(execution.network, Some(NetworkMode::None));
    assert_eq!(execution.shm_size, Some(1 << 20));
    let limits: Vec<(&str, i64, i64)> = execution
        .ulimits
        .iter()
        .map(|limit| (limit.name.as_str(), limit.soft, limit.hard))
        .collect();
    assert_eq!(limits, [("nofile", 1024, 2048), ("nproc", 5, 5), ("core", -1, -1)]);
    assert_eq!(execution.cgroup_parent, "/builds");
    assert_eq!(execution.hostname, "new");
    let expected = Resources {
        memory: Some(512 << 20),
        memory_swap: Some(-1),
        cpu_shares: Some(512),
        cpu_period: Some(100_000),
        cpu_quota: Some(50_000),
        cpuset_cpus: "0-3, 5".to_owned(),
        cpuset_mems: "0".to_owned(),
    };
    assert_eq!(execution.resources, expected);
    assert!(options(&[]).execution.resources.is_empty());
}

#[test]
fn proxies_and_builders_arguments_need_no_declaration() {
    let options = options(&[
        "build-arg:HTTP_PROXY=upper",
        "build-arg:http_proxy=lower",
        "build-arg:NO_PROXY=localhost",
        "build-arg:BUILDKIT_INLINE_CACHE=1",
        "build-arg:HARDPAN_PROOF=fresh",
        "build-arg:SOURCE_DATE_EPOCH=0",
        "build-arg:GIT_SHA=abc",
    ]);
    assert_eq!(options.build_args, map([("GIT_SHA", "abc")]));
    assert_eq!(options.predefined_args.len(), 6);
    let expected =
        Proxy { http: "lower".to_owned(), no: "localhost".to_owned(), ..Proxy::default() };
    assert_eq!(options.execution.proxy, expected);
    assert_eq!(options.epoch, Some(SourceDateEpoch::Seconds(0)));
}

#[test]
fn reads_the_epochs_forms() {
    let epoch = |value: &str| options(&[&format!("build-arg:SOURCE_DATE_EPOCH={value}")]).epoch;
    assert_eq!(epoch(""), None);
    assert_eq!(epoch("1700000000"), Some(SourceDateEpoch::Seconds(1_700_000_000)));
    assert_eq!(epoch("context"), Some(SourceDateEpoch::Of("context".to_owned())));
    assert_eq!(epoch("2024-1"), Some(SourceDateEpoch::Of("2024-1".to_owned())));
    assert_eq!(epoch("9223372036"), Some(SourceDateEpoch::Seconds(9_223_372_036)));
}

#[test]
fn an_epoch_that_no_image_can_have_is_refused() {
    for (value, words) in [
        ("1700000000000", "that is the year 55840; it takes seconds, not milliseconds"),
        ("9223372037", "that is the year 2262;"),
        ("99999999999999999999999", "too large"),
        ("-99999999999999999999999", "before 1970"),
        ("-1", "before 1970"),
    ] {
        refused(&format!("build-arg:SOURCE_DATE_EPOCH={value}"), words);
    }
}

#[test]
fn reads_the_main_context() {
    for (given, remote) in [
        (&[] as &[&str], None),
        (
            &["context=https://example.test/r.git#main:app"],
            Some("https://example.test/r.git#main:app"),
        ),
        (&["context=git@example.test:r.git"], Some("git@example.test:r.git")),
        (&["context=http://buildkit-session/abc"], Some("http://buildkit-session/abc")),
        (
            &["contextkey=mine", "mine=git://example.test/r", "context=x"],
            Some("git://example.test/r"),
        ),
        (&["context=."], None),
    ] {
        assert_eq!(options(given).context.remote.as_deref(), remote, "{given:?}");
    }
    assert_eq!(options(&["contextsubdir=app"]).context.subdir, "app");
}

#[test]
fn named_contexts_are_found_by_any_form_of_their_name() {
    let options = options(&[
        "context:debian=docker-image://dhi.io/debian-base:13",
        "context:assets=local:assets",
        "context:assets::linux/arm64/v8=input:assets::linux/arm64",
        "context:dhi.io/node:24=oci-layout://store@sha256:1",
        "context:src=https://example.test/r.git",
        "context:docker.io/acme/app:latest=input:app",
    ]);
    let find = |name: &str, platform: &str| {
        let amd64 = Platform::new("linux", "amd64", "");
        let platform = Platform::parse(platform, &amd64).unwrap();
        options.contexts.find(name, &platform).map(|context| context.source.clone())
    };
    let image = ContextSource::Image("dhi.io/debian-base:13".to_owned());
    for name in ["debian", "debian:latest", "docker.io/library/debian", "library/debian"] {
        assert_eq!(find(name, "linux/amd64"), Some(image.clone()), "{name}");
    }
    assert_eq!(find("debian:12", "linux/amd64"), None);
    let local = ContextSource::Local("assets".to_owned());
    assert_eq!(find("assets", "linux/amd64"), Some(local));
    let input = ContextSource::Input("assets::linux/arm64".to_owned());
    assert_eq!(find("assets", "linux/arm64"), Some(input));
    let layout = ContextSource::OciLayout("store@sha256:1".to_owned());
    assert_eq!(find("dhi.io/node:24", "linux/amd64"), Some(layout));
    let git = Git { url: "https://example.test/r.git".to_owned(), ..Git::default() };
    let remote = ContextSource::Remote(Remote::Git(git));
    assert_eq!(find("src", "linux/amd64"), Some(remote));
    let arm64 = options.contexts.find("assets", &Platform::new("linux", "arm64", "")).unwrap();
    assert_eq!(arm64.key, "assets::linux/arm64/v8", "as the client has it");
    assert!(options.contexts.contains("docker.io/acme/app"));
    let names: Vec<&str> = options.contexts.names().collect();
    assert_eq!(names, ["acme/app", "assets", "debian", "dhi.io/node:24", "src"]);
}

#[test]
fn reads_attestations() {
    let attest = options(&["attest:provenance=mode=min,inline-only=true"]).attest;
    assert_eq!(attest.provenance, Some(map([("inline-only", "true"), ("mode", "min")])));
    assert_eq!(attest.sbom, None);
    assert!(attest.is_any());

    let sbom = options(&["attest:sbom="]).attest.sbom.unwrap();
    assert_eq!(sbom.generator, "docker/buildkit-syft-scanner:stable-1");
    let sbom =
        options(&["build-arg:BUILDKIT_ATTEST_SBOM=generator=scan:1,K=v"]).attest.sbom.unwrap();
    assert_eq!(sbom, Sbom { generator: "scan:1".to_owned(), parameters: map([("K", "v")]) });
    assert!(!options(&["build-arg:BUILDKIT_SBOM_SCAN_CONTEXT=true"]).attest.is_any());
    assert!(options(&["build-arg:BUILDKIT_SBOM_SCAN_CONTEXT=true"]).attest.scan_context);
    for (text, stages) in [
        ("1", ScanStages::All),
        ("false", ScanStages::None),
        ("", ScanStages::None),
        ("deps, web,", ScanStages::Named(vec!["deps".to_owned(), "web".to_owned()])),
    ] {
        let found = options(&[&format!("build-arg:BUILDKIT_SBOM_SCAN_STAGE={text}")]).attest;
        assert_eq!(found.scan_stages, stages, "{text:?}");
    }
}

#[test]
fn reads_lint_rules() {
    let rules = options(&["build-arg:BUILDKIT_DOCKERFILE_CHECK=skip=A, B;error=true"]).lint;
    let expected = LintRules {
        skip: vec!["A".to_owned(), "B".to_owned()],
        is_error: true,
        ..LintRules::default()
    };
    assert_eq!(rules, expected);
}

#[test]
fn refuses_impossible_values() {
    for (option, words) in [
        ("platform=linux/amd46", r#"option "platform" cannot be "linux/amd46": "amd46""#),
        ("platform=linux/amd64,", r#""" is not a platform"#),
        ("multi-platform=maybe", "neither true nor false"),
        ("build-arg:BUILDKIT_MULTI_PLATFORM=x", r#"build argument "BUILDKIT_MULTI_PLATFORM""#),
        ("image-resolve-mode=always", "default, pull and local"),
        ("cache-imports=registry", "expected value"),
        ("cache-imports={}", "invalid type"),
        ("add-hosts=db", r#""db" is not host=address"#),
        ("add-hosts=db=here", r#""here" is no IP address"#),
        (r#"add-hosts="db=1.1.1.1"#, "a quote is not closed"),
        ("force-network-mode=bridge", "none, host and sandbox"),
        ("shm-size=64m", "no number of bytes"),
        ("shm-size=-1", "no number of bytes"),
        ("ulimit=files=1", r#""files" is no limit"#),
        ("ulimit=nofile=2:1", "above the hard one"),
        ("ulimit=nofile=-1:1", "above the hard one"),
        ("ulimit=nofile=1:2:3", r#""2:3" is no number"#),
        ("memory=0", "above 0"),
        ("memswap=-2", "-1 for no limit"),
        ("cpushares=-1", "above 0"),
        ("cpuperiod=x", "above 0"),
        ("cpuquota=0", "above 0"),
        ("cpusetcpus=3-1", "no range"),
        ("cpusetcpus=0-99999999999", "neither a number nor a range"),
        ("cpusetcpus=0-999999", "no range"),
        ("cpusetmems=a", "neither a number nor a range"),
        ("context:x=ftp://example.test", r#"context "x" cannot be"#),
        ("context:x=docker-image://", "cannot be"),
        ("context:x=folder", "cannot be"),
        ("context:x=git:folder", "cannot be"),
        ("context:x=https://a.example/x.git?rev=1", r#""rev" is no parameter of a git address"#),
        ("attest:vex=", r#""attest:vex""#),
        (r#"attest:sbom=a"b"#, "a quote stands inside"),
        ("build-arg:BUILDKIT_DOCKERFILE_CHECK=skip", r#""skip" is not key=value"#),
        ("build-arg:BUILDKIT_DOCKERFILE_CHECK=warn=true", "none of skip"),
    ] {
        refused(option, words);
    }
}

/// Keys whose value may be any text: names, addresses, and what is passed on as it is.
const ANY_TEXT: &[&str] = &[
    "source",
    "cmdline",
    "requestid",
    "filename",
    "dockerfilekey",
    "contextkey",
    "context",
    "contextsubdir",
    "input-metadata:",
    "local-sessionid:",
    "sharedkey:localdir:",
    "target",
    "build-arg:",
    "label:",
    "no-cache",
    "cache-from",
    "cgroup-parent",
    "hostname",
    "build-arg:SOURCE_DATE_EPOCH",
    "build-arg:BUILDKIT_CACHE_MOUNT_NS",
    "build-arg:BUILDKIT_SANDBOX_HOSTNAME",
    "build-arg:BUILDKIT_SBOM_SCAN_STAGE",
];

#[test]
fn every_key_either_takes_any_text_or_refuses_what_is_impossible() {
    let impossible = |key: &str| match key {
        "context:" => "context:x=folder".to_owned(),
        "attest:" => "attest:vex=x".to_owned(),
        "attest:sbom" | "attest:provenance" => format!("{key}=a\"b"),
        key if key.contains("BUILDKIT_ATTEST_") => format!("{key}=a\"b"),
        key => format!("{key}=im/possible value"),
    };
    for key in KEYS.iter().filter(|key| !key.to_lowercase().ends_with("_proxy")) {
        let (_, mistakes) = read(&[&impossible(key)]);
        if ANY_TEXT.contains(key) {
            assert_eq!(mistakes, [], "{key}");
            continue;
        }
        let [one] = &*mistakes else { panic!("{key}: {mistakes:?}") };
        assert_eq!((one.code, one.span), (Code::InvalidOption, Span::START), "{key}");
        let name = key.trim_start_matches("build-arg:").trim_end_matches(':');
        assert!(one.message.contains(name), "{key}: {}", one.message);
        assert!(one.help.is_some(), "{key} says what to write");
    }
    assert!(ANY_TEXT.iter().all(|key| KEYS.contains(key)));
}

#[test]
fn all_impossible_values_are_reported_together() {
    let all = ["platform=x", "memory=0", "add-hosts=x", "build-arg:HARDPAN_CA=/x", "cpusetcpus=x"];
    assert_eq!(read(&all).1.len(), all.len());
}

#[test]
fn the_page_of_options_has_every_key_and_no_other() {
    let page = include_str!("../../docs/options.md");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let keys: Vec<&str> = rows
        .flat_map(|row| row.split(" | ").next().unwrap_or_default().split('`').skip(1).step_by(2))
        .collect();
    for key in KEYS {
        assert!(keys.contains(key), "{key} is not in docs/options.md");
    }
    let ignored = [
        "frontend.caps",
        "vcs:",
        "input:",
        "build-arg:HARDPAN_REGISTRY",
        "build-arg:HARDPAN_INPUT",
    ];
    let passed_by =
        ["SYNTAX", "INLINE_CACHE", "BUILD_NAME"].map(|name| format!("build-arg:BUILDKIT_{name}"));
    for key in keys {
        let is_known = KEYS.contains(&key) || ignored.contains(&key);
        assert!(is_known || passed_by.iter().any(|one| one == key), "{key} is not an option");
    }
}

#[test]
fn arguments_of_our_own_are_known_by_name() {
    for name in OWN_ARGUMENTS {
        let (_, mistakes) = read(&[&format!("build-arg:{name}=")]);
        assert_eq!(mistakes, [], "{name}");
    }
    for (name, help) in
        [("HARDPAN_AC", "`HARDPAN_CA`"), ("HARDPAN_COLOURFUL", "HARDPAN_PROOF, HARDPAN_REGISTRY")]
    {
        let (_, mistakes) = read(&[&format!("build-arg:{name}=x")]);
        let [one] = &*mistakes else { panic!("{name}: {mistakes:?}") };
        assert!(one.message.contains(name), "{}", one.message);
        assert!(one.help.as_ref().is_some_and(|text| text.contains(help)), "{one:?}");
    }
}

#[test]
fn secrets_with_certificates_are_named_by_their_ids() {
    let options = options(&["build-arg:HARDPAN_CA=company-ca_1.x", "build-arg:HARDPAN_CA_JAVA=j"]);
    let id = |text: &str| Some(text.to_owned());
    assert_eq!(options.certificates, Certificates { pem: id("company-ca_1.x"), java: id("j") });
    let long = "x".repeat(101);
    for value in ["/etc/ssl/ca.pem", "a b", "id=x", "-----BEGIN CERTIFICATE-----\n", &long] {
        refused(&format!("build-arg:HARDPAN_CA={value}"), "it is the id of a secret");
    }
    refused("build-arg:HARDPAN_PROOF=often", "fresh or cached");
    refused("build-arg:HARDPAN_PROFILE=strickt", "standard, strict, openshift, disa");
    refused("build-arg:HARDPAN_WAIVERS=deny", "there is no check `deny`");
    refused("build-arg:HARDPAN_WAIVERS=SHL-02,SHL-3", "did you mean `SHL-0");
    refused("build-arg:HARDPAN_REQUIRE=USR-01;USR-02", "there is no check");
    refused("build-arg:HARDPAN_REQUIRE=tset", "did you mean `test`?");
    refused("build-arg:HARDPAN_WAIVERS=test", "there is no check");
}

#[test]
fn what_a_build_gives_and_what_goes_along_are_words() {
    let read = |given: &[&str]| {
        let options = options(given);
        (options.evidence, options.outcome)
    };
    assert_eq!(read(&[]), (Evidence::Auto, Outcome::Image));
    let asked = ["build-arg:HARDPAN_EVIDENCE=always", "build-arg:HARDPAN_OUTPUT=report"];
    assert_eq!(read(&asked), (Evidence::Always, Outcome::Report));
    let said = ["build-arg:HARDPAN_EVIDENCE=never", "build-arg:HARDPAN_OUTPUT=image"];
    assert_eq!(read(&said), (Evidence::Never, Outcome::Image));
    refused("build-arg:HARDPAN_OUTPUT=json", "there is `report` and `image`");
    refused("build-arg:HARDPAN_EVIDENCE=true", "there is `auto`, `always` and `never`");
    for (given, near) in [("OUTPUT=reprot", "report"), ("EVIDENCE=nevre", "never")] {
        let (_, mistakes) = super::tests::read(&[&format!("build-arg:HARDPAN_{given}")]);
        assert_eq!(mistakes[0].help, Some(format!("write it as `{near}`")), "{given}");
    }
}

#[test]
fn one_platform_of_several_cannot_be_returned_alone() {
    let (_, mistakes) = read(&["platform=amd64,arm64", "multi-platform=false"]);
    assert!(mistakes[0].message.contains("several platforms are asked for"), "{mistakes:?}");
}

#[test]
fn several_mistakes_come_together_and_the_rest_is_read() {
    let (options, mistakes) = read(&["platform=x", "shm-size=y", "filename=app.yaml"]);
    assert_eq!(mistakes.len(), 2);
    assert_eq!(options.spec.filename, "app.yaml");
    assert_eq!(options.platforms, []);
}

#[test]
fn words_of_the_user_are_quoted() {
    let (_, mistakes) = read(&["shm-size=\u{1b}[31m"]);
    assert!(mistakes[0].message.contains(r#""\u{1b}[31m""#));
}

#[test]
fn workers_that_cannot_be_read_are_no_reason_to_fail() {
    let workers = [(OsString::from("BUILDKIT_WORKERS"), OsString::from("{"))];
    let (options, mistakes) = Options::parse(workers);
    assert_eq!(options.workers, []);
    assert_eq!(mistakes[0].severity, crate::diagnostic::Severity::Warning);
    for null in ["null", "[{}]", r#"[{"id":"a","platforms":null,"labels":null}]"#] {
        let workers = [(OsString::from("BUILDKIT_WORKERS"), OsString::from(null))];
        assert_eq!(Options::parse(workers).1, [], "{null}");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_that_an_option_holds_is_too_much(
        key in "(platform|add-hosts|ulimit|cpusetcpus|memory|no-cache|context:.{0,9}|attest:sbom|\
                cache-imports|label:|build-arg:BUILDKIT_DOCKERFILE_CHECK|contextkey|.{0,20})",
        value in "\\PC{0,60}|[-0-9,:=\"./]{0,30}",
    ) {
        let (_, mistakes) = read(&[&format!("{key}={value}")]);
        proptest::prop_assert!(mistakes.len() <= 1);
    }
}

#[test]
fn what_is_wrong_with_our_arguments_is_told_apart() {
    let given = ["shm-size=x", "build-arg:HARDPAN_PROOF=maybe", "build-arg:HARDPAN_AC=x"];
    let (options, mistakes) = read(&given);
    assert_eq!(mistakes.len(), 3, "{mistakes:?}");
    let own = options.own_mistakes();
    assert_eq!(own.len(), 2, "{own:?}");
    assert!(own.iter().all(|one| one.message.contains("HARDPAN_")), "{own:?}");
}

#[test]
fn no_mistake_shows_a_password_or_a_token() {
    for option in [
        "context:foo=https://u:secret@a/x.git?rev=1",
        "context:foo=https://secret@a/x.git?tag=",
        "context:foo=ftp://u:secret@a/x?secret=1",
        "context:foo=FTP://secret@a/x",
        "build-arg:HARDPAN_PROOF=https://secret@a/?sig=secret",
        "build-arg:BUILDKIT_DOCKERFILE_CHECK=https://secret@a/?sig=secret",
        "shm-size=https://a/x?sig=secret",
        "platform=https://secret@a/x",
    ] {
        let (_, mistakes) = read(&[option]);
        assert!(!mistakes.is_empty(), "{option}");
        let said = format!("{mistakes:?}");
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn whoever_builds_says_what_the_gate_asks_for() {
    use crate::harden::{Allowed, CheckId, Demand, Profile, Source};
    let demand = |given: &[&str]| options(given).demand;
    assert_eq!(demand(&[]), Demand::default());
    let given = [
        "build-arg:HARDPAN_PROFILE=strict",
        "build-arg:HARDPAN_WAIVERS=PKG-05, RUN-11",
        "build-arg:HARDPAN_REQUIRE=USR-01",
    ];
    let expected = Demand {
        from: Source::Option,
        profile: Some(Profile::Strict),
        allowed: Some(Allowed::Only([CheckId("PKG-05"), CheckId("RUN-11")].into())),
        required: [CheckId("USR-01")].into(),
        ..Demand::default()
    };
    assert_eq!(demand(&given), expected);
    assert_eq!(demand(&["build-arg:HARDPAN_WAIVERS=forbid"]).allowed, Some(Allowed::NONE));
    assert_eq!(demand(&["build-arg:HARDPAN_WAIVERS=allow"]).allowed, Some(Allowed::All));
    assert_eq!(demand(&["build-arg:HARDPAN_WAIVERS="]), Demand::default());
}
