//! What policies make of the same image: waivers, required checks, profiles.

use hardpan::diagnostic::Span;
use hardpan::harden::{
    Allowed, CheckId, Demand, Need, Outcome, Pattern, Policy, Profile, Severity, Source, State,
    Status, Waiver, summary,
};

use hardpan::report::document::{CheckStatus, Verdict};
use hardpan::report::{About, Document};

use crate::image::Image;
use crate::rootfs::{AMD64, elf};

const SHELL: &str = "SHL-02";

/// An image with one shell, by name alone.
fn with_shell() -> Image {
    let mut image = Image::sound();
    image.place(|layer| {
        layer.file("/app/bin/bash", 0o755, elf(AMD64, None));
    });
    image
}

pub(crate) fn waiver(path: &str) -> Waiver {
    Waiver {
        check: CheckId(SHELL),
        path: Some(Pattern::parse(path).unwrap()),
        reason: "a plug-in starts it".to_owned(),
        owner: "ops".to_owned(),
        expires: jiff::civil::date(2027, 1, 31),
        dangerously: true,
        from: Source::Spec,
        span: Span::START,
    }
}

fn status(image: &Image, policy: &Policy, check: &str) -> Status {
    let checks = image.judge_by(policy).checks;
    checks.into_iter().find(|(id, _)| id.0 == check).unwrap().1
}

#[test]
fn a_waived_finding_blocks_nothing_and_stays() {
    let image = with_shell();
    let shells: Vec<_> = image.judge().blocking().map(|one| one.check.0).collect();
    assert!(shells.contains(&SHELL), "{shells:?}");
    let policy = Policy { waivers: vec![waiver("/app/**")], ..Policy::default() };
    let judgement = image.judge_by(&policy);
    assert!(!judgement.blocking().any(|one| one.check.0 == SHELL));
    let found = judgement.findings.iter().find(|one| one.check.0 == SHELL).unwrap();
    assert_eq!((found.severity, found.waived), (Severity::Block, Some(0)));
    assert_eq!(judgement.waivers, [Outcome { state: State::Counts, covered: 1 }]);
    assert_eq!(status(&image, &policy, SHELL), Status::Waived(1));
    let inventory = image.inventory();
    let summary = summary(&image.subject(&inventory), &judgement);
    assert!(summary.ends_with(", 1 finding waived"), "{summary}");
    assert!(!summary.contains("no shell"), "{summary}");
}

#[test]
fn a_waiver_for_another_path_covers_nothing() {
    let policy = Policy { waivers: vec![waiver("/bin/**")], ..Policy::default() };
    let judgement = with_shell().judge_by(&policy);
    assert!(judgement.blocking().any(|one| one.check.0 == SHELL));
    assert_eq!(judgement.waivers, [Outcome { state: State::Counts, covered: 0 }]);
}

#[test]
fn a_required_check_blocks_where_the_profile_warns_or_says_nothing() {
    let mut image = Image::sound();
    image.user("1000:0");
    let required = [(CheckId("USR-04"), Source::Option)].into();
    let policy = Policy { required, ..Policy::of(Profile::OpenShift) };
    assert_eq!(image.judge_by(&policy).blocking().count(), 1);
    assert_eq!(image.judge_as(Profile::OpenShift).findings.len(), 0);
    assert_eq!(status(&Image::sound(), &policy, "USR-04"), Status::Passed);
}

#[test]
fn a_required_check_that_cannot_be_decided_blocks_without_a_base_as_well() {
    let mut image = Image::sound();
    image.base_known = false;
    let undecided = |policy: &Policy| {
        let judgement = image.judge_by(policy);
        judgement.undecided().map(|(check, _)| check.id.0).collect::<Vec<_>>()
    };
    assert_eq!(undecided(&Policy::default()), [""; 0]);
    let required = [(CheckId("SUP-02"), Source::Option)].into();
    assert_eq!(undecided(&Policy { required, ..Policy::default() }), ["SUP-02"]);
}

fn document(image: &Image, policy: &Policy) -> Document {
    let inventory = image.inventory();
    let judgement = image.judge_by(policy);
    Document::new(&image.subject(&inventory), &judgement, About::default(), |_| None)
}

#[test]
fn the_document_says_what_is_waived_by_whom_and_what_was_asked_for() {
    let idle = Waiver { path: None, ..waiver("/x") };
    let forbidden = Waiver { check: CheckId("PKG-05"), ..waiver("/**") };
    let central = Waiver { from: Source::Policy, ..waiver("/app/**") };
    let over = Waiver { expires: jiff::civil::date(2026, 11, 22), ..central.clone() };
    let option = Demand {
        from: Source::Option,
        profile: Some(Profile::Strict),
        allowed: Some(Allowed::Only([CheckId(SHELL)].into())),
        required: [CheckId("USR-01")].into(),
        ..Demand::default()
    };
    let demand = |waivers, digest| Demand { waivers, digest, ..Demand::default() };
    let spec = Demand {
        from: Source::Spec,
        profile: Some(Profile::OpenShift),
        ..demand(vec![idle, forbidden], None)
    };
    let policy =
        Demand { from: Source::Policy, ..demand(vec![over, central], Some("sha256:1".to_owned())) };
    let image = with_shell();
    let document = document(&image, &Policy::of_all([spec, option, policy]));
    let waivers: Vec<_> = document
        .waivers
        .iter()
        .map(|one| (one.source.as_str(), one.status.as_str(), one.findings))
        .collect();
    assert_eq!(
        waivers,
        [
            ("spec", "unused", 0),
            ("spec", "forbidden", 0),
            ("policy", "expired", 1),
            ("policy", "used", 1)
        ]
    );
    assert_eq!(document.waivers[3].owner, "ops");
    assert_eq!(document.waivers[3].expires, "2027-01-31");
    let shell = document.findings.iter().find(|one| one.check == SHELL).unwrap();
    assert_eq!(shell.waiver, Some(3));
    assert_eq!((document.summary.waived, document.summary.blocking), (1, 0));
    assert_ne!(document.result, Verdict::Failed);
    let policy = document.policy.unwrap();
    assert_eq!(policy.profile_of_file.as_deref(), Some("openshift"));
    assert_eq!((policy.source.as_str(), policy.waivers.as_str()), ("option, policy", "SHL-02"));
    assert_eq!(policy.digest.as_deref(), Some("sha256:1"));
    assert_eq!(policy.required, ["USR-01"]);
}

#[test]
fn the_document_fails_where_the_image_is_refused() {
    let sound = Image::sound();
    assert_eq!(document(&sound, &Policy::default()).result, Verdict::Passed);
    assert!(document(&sound, &Policy::default()).policy.is_none());
    let over = Waiver { expires: jiff::civil::date(2026, 11, 22), ..waiver("/**") };
    let ended =
        |from| Policy { waivers: vec![Waiver { from, ..over.clone() }], ..Policy::default() };
    assert_eq!(document(&sound, &ended(Source::Spec)).result, Verdict::Failed);
    assert_eq!(document(&sound, &ended(Source::Policy)).result, Verdict::Passed);
    let mut image = Image::sound();
    image.base_known = false;
    let required = [(CheckId("SUP-02"), Source::Option)].into();
    let undecided = Policy { required, ..Policy::default() };
    assert_eq!(document(&image, &undecided).result, Verdict::Failed);
}

#[test]
fn a_check_fails_where_it_refuses_the_image() {
    let mut image = with_shell();
    image.config.labels.clear();
    image.place(|layer| {
        layer.file("/app/.gitignore", 0o644, "").file("/app/.git/config", 0o644, "[core]\n");
    });
    let ended = |policy: &Policy| {
        let document = document(&image, policy);
        let checks = document.checks.iter().filter(|one| one.findings > 0);
        let ended: Vec<_> = checks.map(|one| (one.id.clone(), one.status)).collect();
        let count = |status| document.checks.iter().filter(|one| one.status == status).count();
        let summary = &document.summary;
        for (number, status) in [
            (summary.passed, CheckStatus::Passed),
            (summary.noted, CheckStatus::Noted),
            (summary.warned, CheckStatus::Warned),
            (summary.failed, CheckStatus::Failed),
            (summary.waived_checks, CheckStatus::Waived),
        ] {
            assert_eq!(number, count(status), "{status:?}");
        }
        ended
    };
    let of = |ended: &[(String, CheckStatus)], id: &str| {
        ended.iter().find(|(check, _)| check == id).map(|(_, status)| *status)
    };
    let found = ended(&Policy::default());
    assert_eq!(of(&found, SHELL), Some(CheckStatus::Failed), "{found:?}");
    assert_eq!(of(&found, "META-01"), Some(CheckStatus::Noted), "{found:?}");
    let policy = Policy { waivers: vec![waiver("/app/**")], ..Policy::default() };
    assert_eq!(of(&ended(&policy), SHELL), Some(CheckStatus::Waived));
    let required = [(CheckId("META-01"), Source::Option)].into();
    let policy = Policy { required, ..Policy::default() };
    assert_eq!(of(&ended(&policy), "META-01"), Some(CheckStatus::Failed));
}

#[test]
fn what_is_left_of_a_check_is_judged_anew() {
    let check = CheckId("PKG-06");
    let mut image = Image::sound();
    image.place(|layer| {
        layer.file("/usr/sbin/sshd", 0o755, elf(AMD64, None));
    });
    let own = Waiver { check, ..waiver("/**") };
    let mut judgement = image.judge_by(&Policy { waivers: vec![own], ..Policy::default() });
    judgement.leave_out(&[Need::SomeConfig]);
    let left = judgement.checks.iter().find(|(id, _)| *id == check).map(|(_, status)| status);
    assert_eq!(left, Some(&Status::Waived(1)));
}
