use jiff::civil::date;

use super::*;
use crate::harden::{Origin, Setting, Severity as Weight};

const TODAY: Date = date(2026, 11, 23);
const SOUND: &str = "{check: PKG-05, path: /bin/nc, reason: r, owner: ops, expires: 2027-03-31}";

fn app(harden: &str) -> App {
    let text = format!("base: node:24\nentrypoint: [node]\nharden: {harden}\n");
    let parsed = spec::parse(text.as_bytes()).unwrap();
    parsed.spec.apps.into_iter().next().unwrap()
}

fn waiving(waivers: &[&str]) -> App {
    app(&format!("{{waivers: [{}]}}", waivers.join(", ")))
}

fn file(text: &str) -> PolicyFile {
    let file = SourceFile {
        filename: "policy.yaml".to_owned(),
        text: text.to_owned(),
        language: "YAML".to_owned(),
        definition: None,
    };
    PolicyFile { bytes: text.as_bytes().to_vec(), file }
}

fn options(arguments: &[&str]) -> Options {
    let all = arguments.iter().enumerate().map(|(index, argument)| {
        (
            format!("BUILDKIT_FRONTEND_OPT_{index}").into(),
            format!("build-arg:HARDPAN_{argument}").into(),
        )
    });
    let (options, mistakes) = Options::parse(all.collect::<Vec<_>>());
    assert_eq!(mistakes, []);
    options
}

fn gate(app: &App, arguments: &[&str], policy: Option<&str>) -> Gate {
    let central = policy.map(|text| of_file(&file(text), TODAY).unwrap());
    Gate::of(Some(app), &options(arguments), central, TODAY).unwrap()
}

fn told(found: &[Diagnostic]) -> Vec<(&str, u32)> {
    found.iter().map(|one| (one.code.id(), one.span.start.line)).collect()
}

fn finding(check: &'static str, path: &str) -> Finding {
    Finding {
        check: CheckId(check),
        severity: Weight::Block,
        origin: Origin::Base,
        entry: None,
        path: Some(path.to_owned()),
        message: "found".to_owned(),
        help: "leave it out".to_owned(),
        also: Vec::new(),
        more: false,
        waived: None,
    }
}

fn judgement(gate: &Gate, findings: Vec<Finding>) -> Judgement {
    let waivers = gate.policy.waivers.iter().map(|waiver| crate::harden::Outcome {
        state: if waiver.expires < TODAY { State::Expired } else { State::Counts },
        covered: findings.iter().filter(|one| waiver.covers(one)).count(),
    });
    let waivers = waivers.collect();
    Judgement { policy: gate.policy.clone(), findings, checks: Vec::new(), waivers }
}

#[test]
fn what_a_waiver_lacks_is_told_without_an_image() {
    let unsaid = "{check: SHL-02, path: /**, reason: r, owner: o, expires: 2027-03-31}";
    let long = "{check: PKG-06, reason: r, owner: o, expires: 2027-11-25}";
    let unknown = "{check: PKG-50, reason: r, owner: o, expires: 2027-03-31}";
    let over = "{check: PKG-07, reason: r, owner: the team, expires: 2026-11-22}";
    let found = without_image(&waiving(&[SOUND, unsaid, long, unknown, over]), TODAY);
    let codes = ["WAIVE-04", "WAIVE-06", "WAIVE-01", "WAIVE-03"].map(|code| (code, 3));
    assert_eq!(told(&found), codes);
    let helps: Vec<&str> = found.iter().map(|one| one.help.as_deref().unwrap()).collect();
    assert!(helps[0].contains("dangerously: true"), "{helps:?}");
    assert!(found[2].message.contains("did you mean `PKG-0"), "{found:?}");
    assert!(found[3].message.ends_with("ended on 2026-11-22"), "{found:?}");
    assert!(helps[3].contains("the team"), "{helps:?}");
    let in_a_year = "{check: PKG-06, reason: r, owner: o, expires: 2027-11-24}";
    assert_eq!(without_image(&waiving(&[SOUND, in_a_year]), TODAY), []);
}

#[test]
fn a_waiver_that_has_ended_says_what_it_covered() {
    let over = "{check: PKG-05, path: /bin/*, reason: r, owner: o, expires: 2026-11-22}";
    let gate = gate(&waiving(&[over]), &[], None);
    let say = |paths: &[&str]| {
        let findings = paths.iter().map(|path| finding("PKG-05", path)).collect();
        gate.told(&judgement(&gate, findings)).remove(0)
    };
    let one = say(&["/bin/nc", "/opt/nc"]);
    assert!(one.message.ends_with("ended on 2026-11-22, and covered 1 finding: /bin/nc"));
    assert_eq!(one.severity, Severity::Error);
    let many = say(&["/bin/a", "/bin/b", "/bin/c", "/bin/d"]).message;
    assert!(many.ends_with("covered 4 findings: /bin/a, /bin/b, /bin/c, …"), "{many}");
    assert!(say(&[]).help.unwrap().contains("remove it"));
}

#[test]
fn a_waiver_is_unused_if_it_covers_nothing_on_any_platform() {
    let app = waiving(&[SOUND]);
    let seen = |platforms: &[&[&str]]| {
        let gate = gate(&app, &[], None);
        for paths in platforms {
            let findings = paths.iter().map(|path| finding("PKG-05", path)).collect();
            assert_eq!(gate.told(&judgement(&gate, findings)), []);
        }
        gate.unused()
    };
    assert_eq!(seen(&[&[], &["/bin/nc"]]), []);
    let unused = seen(&[&[], &["/opt/nc"]]);
    assert_eq!(told(&unused), [("WAIVE-02", 3)]);
    assert!(unused[0].help.as_deref().unwrap().contains("has found /opt/nc"), "{unused:?}");
    assert_eq!(seen(&[&[]])[0].help.as_deref(), Some("remove it"));
}

#[test]
fn a_refusal_tells_which_waivers_cover_nothing_once_all_images_were_judged() {
    let over = "{check: PKG-07, path: /x, reason: r, owner: o, expires: 2026-11-22}";
    let missed = "{check: PKG-05, path: /opt/*, reason: r, owner: o, expires: 2027-03-31}";
    let idle = "{check: PKG-06, reason: r, owner: o, expires: 2027-03-31}";
    let app = app(&format!("\n  waivers:\n    - {over}\n    - {missed}\n    - {idle}"));
    let refusal = |gate: &Gate| {
        let judgement = judgement(gate, vec![finding("PKG-05", "/bin/nc")]);
        let news = gate.explained(judgement.findings.clone(), TODAY);
        let mut found = crate::frontend::proof::diagnostics(&news, |_| Span::START);
        found.extend(gate.told(&judgement));
        Failure::Refused(found)
    };
    let codes = |failure| match failure {
        Failure::Refused(found) => {
            told(&found).into_iter().map(|(code, line)| (code.to_owned(), line)).collect()
        }
        _ => Vec::new(),
    };
    let gate = gate(&app, &[], None);
    let told = [("PKG-05".to_owned(), 1), ("WAIVE-03".to_owned(), 5)];
    let failure = refusal(&gate);
    assert_eq!(codes(gate.idle_as_well(failure, 2)), told, "the other may need it");
    let failure = refusal(&gate);
    let [one, two] = told;
    assert_eq!(codes(gate.idle_as_well(failure, 2)), [one, two, ("WAIVE-02".to_owned(), 7)]);
}

#[test]
fn waivers_that_may_not_count_are_told_with_who_has_said_so() {
    let app = waiving(&[SOUND]);
    let say = |arguments: &[&str], policy| {
        let warnings = gate(&app, arguments, policy).warnings;
        let texts: Vec<String> = warnings.into_iter().map(|one| one.message).collect();
        texts.join("\n")
    };
    assert_eq!(say(&[], None), "");
    assert_eq!(say(&["WAIVERS=allow"], Some("waivers: [PKG-05]")), "");
    let forbidden = "the waiver of PKG-05 does not count:";
    let by_argument = format!("{forbidden} a build argument does not let it be waived");
    assert_eq!(say(&["WAIVERS=forbid"], None), by_argument);
    assert_eq!(say(&["WAIVERS=PKG-06"], None), by_argument);
    let by_policy = format!("{forbidden} the context `policy` does not let it be waived");
    assert_eq!(say(&[], Some("waivers: forbid")), by_policy);
    let required = format!("{forbidden} a build argument requires the check");
    assert_eq!(say(&["REQUIRE=USR-01,PKG-05"], None), required);
    let required = format!("{forbidden} the context `policy` requires the check");
    assert_eq!(say(&[], Some("require: PKG-05")), required);
}

#[test]
fn a_test_is_required_by_its_name() {
    let bare = app("standard");
    let said = |gate: &Gate| gate.without_test(&bare).map(|one| one.message);
    assert_eq!(said(&gate(&bare, &["REQUIRE=USR-01"], Some("require: SUP-04"))), None);
    let by_argument = gate(&bare, &["REQUIRE=USR-01, test"], Some("require: test"));
    let message = "the app has no `test`, which a build argument requires";
    assert_eq!(said(&by_argument).as_deref(), Some(message));
    assert_eq!(by_argument.policy.required().collect::<Vec<_>>(), ["USR-01", "test"]);
    let by_policy = gate(&bare, &[], Some("require: [SUP-04, test]"));
    let message = "the app has no `test`, which the context `policy` requires";
    assert_eq!(said(&by_policy).as_deref(), Some(message));
    let place = by_policy.without_test(&bare).unwrap().span.start.line;
    assert_eq!(place, 1);
    let tested = "base: node:24\nentrypoint: [node]\ntest: {run: [node, --version]}\n";
    let tested = spec::parse(tested.as_bytes()).unwrap().spec.apps.remove(0);
    assert_eq!(by_policy.without_test(&tested), None);
    let found = of_file(&file("require: tests\n"), TODAY).unwrap_err();
    assert!(found[0].message.ends_with("did you mean `test`?"), "{found:?}");
}

#[test]
fn a_policy_says_what_holds_and_the_strictest_profile_does() {
    let text = format!("profile: strict\nrequire: [USR-01]\nwaivers: forbid\nwaive: [{SOUND}]\n");
    let gate = gate(&app("standard"), &["PROFILE=disa"], Some(&text));
    let policy = &gate.policy;
    assert_eq!(policy.profile, Setting { value: Profile::Strict, from: Source::Policy });
    assert_eq!(policy.overridden.len(), 2);
    assert!(policy.requires(CheckId("USR-01")));
    assert_eq!(policy.waivers[0].from, Source::Policy);
    assert!(policy.digest.as_deref().unwrap().starts_with("sha256:"));
    assert!(policy.permits(&policy.waivers[0]));
    assert_eq!(gate.warnings, []);
}

#[test]
fn mistakes_of_a_policy_stand_at_its_lines() {
    let mistakes = |text: &str| of_file(&file(text), TODAY).unwrap_err();
    for (text, expected) in [
        ("", vec![("YAML-06", 1)]),
        ("profile: strikt\nrequires: x\n", vec![("SPEC-04", 1), ("SPEC-01", 2)]),
        ("waivers: forbidden\n", vec![("SPEC-04", 1)]),
        ("require: []\n", vec![("SPEC-04", 1)]),
        ("- profile\n", vec![("SPEC-02", 1)]),
        ("require:\n  - USR-01\n  - USR-1\nwaivers: [X]\n", vec![("WAIVE-01", 3), ("WAIVE-01", 4)]),
        ("waive:\n  - {check: PKG-05}\n", vec![("SPEC-03", 2); 3]),
        (
            "waive:\n  - {check: SHL-02, path: /**, reason: r, owner: o, expires: 2027-03-31}\n",
            vec![("WAIVE-04", 2)],
        ),
    ] {
        assert_eq!(told(&mistakes(text)), expected, "{text}");
    }
    let unknown = "waive:\n  - {check: PKG-50, reason: r, owner: o, expires: 2027-03-31}\n";
    let central = of_file(&file(unknown), TODAY).unwrap();
    let gate = Gate::of(None, &Options::default(), Some(central), TODAY).unwrap();
    assert!(gate.warnings[0].message.starts_with("policy.yaml:2:13: there is no check"));
}

#[test]
fn a_central_waiver_that_has_ended_is_named_by_what_it_covered() {
    let over =
        "waive:\n  - {check: PKG-05, path: /bin/*, reason: r, owner: o, expires: 2026-11-22}\n";
    let gate = gate(&app("standard"), &[], Some(over));
    let findings = vec![finding("PKG-05", "/bin/nc"), finding("PKG-05", "/opt/nc")];
    assert_eq!(gate.told(&judgement(&gate, findings.clone())), [], "others need not care");
    let helps: Vec<String> =
        gate.explained(findings, TODAY).into_iter().map(|one| one.help).collect();
    assert_eq!(
        helps,
        ["leave it out; its waiver in policy.yaml, line 2, ended on 2026-11-22", "leave it out"]
    );
}

#[test]
fn a_waiver_that_misses_is_named_where_the_image_is_refused() {
    let gate = gate(&waiving(&[SOUND]), &[], None);
    let refuses =
        |path| Finding { severity: crate::harden::Severity::Block, ..finding("PKG-05", path) };
    let warns = Finding { severity: crate::harden::Severity::Warn, ..finding("PKG-05", "/opt/nc") };
    let findings = vec![refuses("/opt/nc"), refuses("/bin/nc"), warns];
    let helps: Vec<String> =
        gate.explained(findings, TODAY).into_iter().map(|one| one.help).collect();
    let missed = "leave it out; the waiver in line 3 does not cover it: its `path` is not /opt/nc";
    assert_eq!(helps, [missed, "leave it out", "leave it out"]);
}

#[test]
fn what_is_said_of_a_base_can_be_waived() {
    let ended = Diagnostic::error(Code::EndOfLife, Span::START, "past its end of life");
    let root = Diagnostic::error(Code::BaseRunsAsRoot, Span::START, "runs as root");
    let dev = Diagnostic::error(Code::DevAsRuntime, Span::START, "is a development image");
    let left = |waivers: &[&str], arguments: &[&str]| {
        let gate = gate(&waiving(waivers), arguments, None);
        let found = vec![ended.clone(), root.clone(), dev.clone()];
        let left = excuse(found, &gate.policy, TODAY);
        left.iter().map(|one| one.code.id()).collect::<Vec<_>>()
    };
    let base = "{check: SUP-04, reason: r, owner: o, expires: 2027-03-31}";
    let at_a_path = "{check: SUP-04, path: /**, reason: r, owner: o, expires: 2027-03-31}";
    assert_eq!(left(&[base], &[]), ["REF-06", "REF-04"]);
    assert_eq!(left(&[at_a_path], &[]), ["REF-07", "REF-06", "REF-04"]);
    assert_eq!(left(&[base], &["WAIVERS=forbid"]), ["REF-07", "REF-06", "REF-04"]);
}
