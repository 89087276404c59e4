//! Waivers and policies in real builds: what is excused, by whom and until when; and what whoever
//! builds has decided, whatever the file says.

use crate::support::bake::Bake;
use crate::support::build::{Build, fresh_name};
use crate::support::progress::Progress;
use crate::support::project::Project;
use crate::support::refusal::Refusal;
use crate::support::site::Site;

/// Far enough, and less than a year from any day on which this is run.
fn in_days(days: i64) -> String {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let day = i64::try_from(seconds.as_secs()).unwrap() / 86_400 + days;
    // Days since 1970 as a date of the civil calendar.
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let part = (5 * of_year + 2) / 153;
    let month = if part < 10 { part + 3 } else { part - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{:02}", of_year - (153 * part + 2) / 5 + 1)
}

/// A waiver of `check` at `path`, as an item of a list.
fn waiver(check: &str, path: &str, rest: &str) -> String {
    format!("{{check: {check}, path: {path}, reason: a plug-in starts it, owner: ops, {rest}}}")
}

const SHELL: &str = "/opt/plugin/dash";

/// An image with a shell under its own name, and what `harden` says.
fn with_shell(harden: &str) -> Project {
    let spec = format!(
        "base: node:24\nimage:\n  - copy: tool\n    to: {SHELL}\nentrypoint: [node]\nharden: {harden}\n"
    );
    Project::new(&spec).program("tool", "/bin/dash")
}

/// `harden` with the waiver that it needs.
fn for_shell(rest: &str) -> String {
    format!("{{waivers: [{}]}}", waiver("SHL-02", "/opt/**", rest))
}

fn last(progress: &Progress) -> &str {
    let names = progress.names();
    let name = progress.vertices.values().map(|vertex| vertex.name.as_str());
    name.into_iter().find(|name| name.contains("runs as")).unwrap_or_else(|| panic!("{names:?}"))
}

#[track_caller]
fn warned(progress: &Progress, code: &str) -> String {
    let found: Vec<&String> =
        progress.warnings.iter().filter(|text| text.starts_with(code)).collect();
    assert_eq!(found.len(), 1, "{code}: {:?}", progress.warnings);
    found[0].clone()
}

#[test]
fn a_waived_shell_is_built_and_said_aloud() {
    let project = with_shell(&for_shell(&format!("expires: {}, dangerously: true", in_days(30))));
    assert!(project.push().listing().has(SHELL));
    let progress = project.build().progress();
    let name = last(&progress);
    assert!(name.ends_with(", 1 finding waived") && !name.contains("no shell"), "{name}");
    assert!(progress.warnings.is_empty(), "{:?}", progress.warnings);
}

#[test]
fn what_is_dangerous_has_to_be_said() {
    let refusal = with_shell(&for_shell(&format!("expires: {}", in_days(30)))).refused();
    let errors = refusal.errors();
    assert!(errors.iter().all(|one| one.code == "WAIVE-04" && one.place.0 == 7), "{refusal}");
    assert_eq!(errors.len(), 1, "{refusal}");
    assert!(errors[0].help.contains("dangerously: true"), "{refusal}");
}

#[test]
fn a_waiver_ends_on_its_day_although_every_step_is_remembered() {
    let until = |day: &str| with_shell(&for_shell(&format!("expires: {day}, dangerously: true")));
    let today = until(&in_days(0));
    today.push();
    let over = Project::written(
        &std::fs::read_to_string(today.spec()).unwrap().replace(&in_days(0), &in_days(-1)),
    )
    .program("tool", "/bin/dash");
    let progress = Progress::read(&over.build().program("rawjson").run().failed().stderr);
    assert!(progress.vertex("inspect the image").cached, "{:?}", progress.run());
    let refusal = over.refused();
    let ended: Vec<_> = refusal.errors().into_iter().filter(|one| one.code == "WAIVE-03").collect();
    assert!(!ended.is_empty(), "{refusal}");
    assert!(ended[0].message.contains(&format!("ended on {}", in_days(-1))), "{refusal}");
    assert!(ended[0].message.contains(SHELL), "{refusal}");
    assert!(refusal.errors().iter().any(|one| one.code.starts_with("SHL-")), "{refusal}");
}

#[test]
fn an_unused_waiver_and_an_unknown_check_are_told_at_their_lines() {
    let unused = waiver("PKG-05", "/opt/**", &format!("expires: {}", in_days(30)));
    let unknown = waiver("PKG-55", "/opt/**", &format!("expires: {}", in_days(30)));
    let spec = format!(
        "base: node:24\nimage:\n  - {{write: /app/a, content: a}}\nentrypoint: [node]\nharden: {{waivers: [{unused}, {unknown}]}}\n"
    );
    let progress = Project::new(&spec).build().progress();
    assert!(warned(&progress, "WAIVE-02").contains("PKG-05 covers nothing"));
    assert!(warned(&progress, "WAIVE-01").contains("`PKG-05`"));
}

#[test]
fn whoever_builds_can_forbid_waivers_or_allow_some() {
    let project = with_shell(&for_shell(&format!("expires: {}, dangerously: true", in_days(30))));
    let refuses = |argument: &str| {
        let refusal = project.build().build_arg(argument).refused();
        let codes: Vec<String> = refusal.errors().iter().map(|one| one.code.clone()).collect();
        assert!(codes.iter().any(|code| code.starts_with("SHL-0")), "{argument} {refusal}");
        refusal
    };
    let refusal = refuses("HARDPAN_WAIVERS=forbid");
    assert!(!refusal.outcome.stderr.contains("WAIVE-03"), "{refusal}");
    assert!(refusal.outcome.stderr.contains("a build argument does not let it be waived"));
    refuses("HARDPAN_WAIVERS=SHL-03,PKG-05");
    refuses("HARDPAN_REQUIRE=SHL-02");
    project.build().build_arg("HARDPAN_WAIVERS=SHL-02").run().succeeded();
    let refusal = project.build().build_arg("HARDPAN_WAIVERS=SHL-2").refused();
    assert_eq!(refusal.errors()[0].code, "OPT-01", "{refusal}");
    assert!(refusal.errors()[0].message.contains("did you mean `SHL-02`"), "{refusal}");
}

/// A port below 1024: a warning in `standard`.
const LOW_PORT: &str =
    "base: node:24\nimage:\n  - {write: /app/a, content: a}\nentrypoint: [node]\nexpose: 80\n";

#[test]
fn profiles_change_what_is_refused() {
    let build = |harden: &str, user: &str| Project::new(&format!("{LOW_PORT}{harden}{user}"));
    let progress = build("", "").build().progress();
    assert!(warned(&progress, "RUN-11").contains("80"));
    assert!(!last(&progress).contains("profile"), "{}", last(&progress));
    for profile in ["strict", "disa"] {
        let refusal = build(&format!("harden: {profile}\n"), "").refused();
        assert!(refusal.errors().iter().any(|one| one.code == "RUN-11"), "{refusal}");
    }
    // OpenShift has everybody in the group root.
    let in_root_group = |harden: &str| build(harden, "user: \"1000:0\"\n").build().progress();
    warned(&in_root_group(""), "USR-04");
    let progress = in_root_group("harden: openshift\n");
    assert!(!progress.warnings.iter().any(|text| text.contains("USR-04")));
    assert!(last(&progress).contains("profile openshift"), "{}", last(&progress));
}

#[test]
fn the_stricter_of_file_and_build_holds() {
    let project = |harden: &str| Project::new(&format!("{LOW_PORT}{harden}"));
    let strict = |build: Build| build.build_arg("HARDPAN_PROFILE=strict");
    let refusal = strict(project("harden: standard\n").build()).refused();
    assert!(refusal.errors().iter().any(|one| one.code == "RUN-11"), "{refusal}");
    let refusal =
        project("harden: strict\n").build().build_arg("HARDPAN_PROFILE=standard").refused();
    assert!(refusal.errors().iter().any(|one| one.code == "RUN-11"), "{refusal}");
    let refusal = project("").build().build_arg("HARDPAN_REQUIRE=RUN-11").refused();
    assert!(refusal.errors().iter().any(|one| one.code == "RUN-11"), "{refusal}");
    let refusal = project("").build().build_arg("HARDPAN_PROFILE=strickt").refused();
    assert_eq!(refusal.errors()[0].code, "OPT-01", "{refusal}");
}

/// A folder with a policy, and the flag that hands it over.
fn policy(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("policy.yaml"), text).unwrap();
    let flag = format!("--build-context=policy={}", folder.path().display());
    (folder, flag)
}

#[test]
fn a_policy_is_read_from_a_context_of_the_build() {
    let project = Project::new(LOW_PORT);
    let (_kept, strict) = policy("profile: strict\n");
    let refusal = project.build().args([strict]).refused();
    assert!(refusal.errors().iter().any(|one| one.code == "RUN-11"), "{refusal}");
    let excused = waiver("RUN-11", "80/*", &format!("expires: {}", in_days(30)));
    let (_kept, excusing) =
        policy(&format!("profile: strict\nwaivers: forbid\nwaive: [{excused}]\n"));
    let progress = project.build().args([excusing]).progress();
    let name = last(&progress);
    assert!(name.ends_with("profile strict, 1 finding waived"), "{name}");
    let over = waiver("RUN-11", "80/*", &format!("expires: {}", in_days(-1)));
    let (_kept, over) = policy(&format!("profile: strict\nwaive:\n  - {over}\n"));
    let refusal = project.build().args([over]).refused();
    let found = refusal.errors().into_iter().find(|one| one.code == "RUN-11").unwrap();
    assert!(found.help.contains("policy.yaml, line 3, ended on"), "{refusal}");
}

#[test]
fn mistakes_of_a_policy_are_shown_in_its_own_file() {
    let project = Project::new(LOW_PORT);
    let (_kept, wrong) = policy("profile: strict\nrequire: [RUN-99]\nwaivres: forbid\n");
    let refusal = project.build().args([wrong]).refused();
    let found = &refusal.mistakes[0];
    assert_eq!((found.file.as_str(), found.place.0), ("policy.yaml", 3), "{refusal}");
    assert!(found.help.contains("waivers"), "{refusal}");
    assert!(refusal.marked.contains(&3), "{refusal}");
    let (_kept, unknown) = policy("require: [RUN-99]\n");
    let refusal = project.build().args([unknown]).refused();
    assert_eq!(
        (refusal.mistakes[0].code.as_str(), refusal.mistakes[0].place),
        ("WAIVE-01", (1, 11))
    );
    let empty = tempfile::TempDir::new().unwrap();
    let flag = format!("--build-context=policy={}", empty.path().display());
    let refusal = project.build().args([flag]).refused();
    assert_eq!(refusal.mistakes[0].code, "CTX-05", "{refusal}");
    let (kept, large) = policy("");
    std::fs::write(kept.path().join("policy.yaml"), vec![b'#'; 3 << 20]).unwrap();
    let refusal = project.build().args([large]).refused();
    assert_eq!(refusal.mistakes[0].code, "YAML-04", "{refusal}");
}

#[test]
fn a_dockerfile_is_under_the_policy_of_the_build() {
    let project = Project::new("FROM dhi.io/node:24\nCOPY tool /opt/plugin/dash\n")
        .program("tool", "/bin/dash");
    let excused = |path: &str| {
        let rest = format!("expires: {}, dangerously: true", in_days(30));
        policy(&format!("waive: [{}]\n", waiver("SHL-02", path, &rest)))
    };
    let (_kept, flag) = excused(SHELL);
    let progress = project.build().args([flag.clone()]).progress();
    assert!(last(&progress).contains("waived"), "{}", last(&progress));
    let refusal = project.build().args([flag]).build_arg("HARDPAN_REQUIRE=SUP-02").refused();
    assert!(refusal.errors().iter().any(|one| one.code == "SUP-02"), "not evaluated: {refusal}");
    let (_kept, elsewhere) = excused("/usr/**");
    let refusal = project.build().args([elsewhere]).refused();
    assert!(refusal.errors().iter().any(|one| one.code.starts_with("SHL-")), "{refusal}");
    let low = Project::new("FROM dhi.io/node:24\nEXPOSE 80\n");
    low.build().run().succeeded();
    let refusal = low.build().build_arg("HARDPAN_PROFILE=strict").refused();
    assert!(refusal.errors().iter().any(|one| one.code == "RUN-11"), "{refusal}");
}

#[test]
fn whoever_builds_can_refuse_what_was_not_tested() {
    let spec = "base: node:24\nentrypoint: [node]\ncmd: [--version]\n";
    let bare = Project::new(spec);
    let (_kept, flag) = policy("require: test\n");
    let refusal = bare.build().args([&flag]).refused();
    assert_eq!(refusal.errors().len(), 1, "{refusal}");
    let found = &refusal.errors()[0];
    let message = "the app has no `test`, which the context `policy` requires";
    assert_eq!((found.code.as_str(), found.message.as_str()), ("TEST-04", message), "{refusal}");
    assert!(found.help.contains("test: {run: [node, --version]}"), "{refusal}");
    let tested = Project::new(&format!("{spec}test: {{run: [node, --version]}}\n"));
    tested.build().args([&flag]).run().succeeded();
    let dockerfile = Project::new("FROM dhi.io/node:24\nCMD [\"--version\"]\n");
    let refusal = dockerfile.build().build_arg("HARDPAN_REQUIRE=test").refused();
    let found = &refusal.errors()[0];
    assert_eq!((found.code.as_str(), found.place.0), ("TEST-04", 2), "{refusal}");
    // A check needs no image to say it, beside what Docker's says.
    let check = |project: &Project, flag: &str| {
        let outcome = project.build().args(["--call=check", flag]).run();
        (outcome.code, format!("{}{}", outcome.stdout, outcome.stderr))
    };
    let old = Project::new("FROM dhi.io/node:24\nMAINTAINER me\n");
    let (code, text) = check(&old, &flag);
    assert!(code != Some(0) && text.contains("MaintainerDeprecated"), "{text}");
    assert!(text.contains("TEST-04") && text.contains("which the context `policy`"), "{text}");
    let (_wrong, wrong) = policy("require: tset\n");
    for project in [&bare, &dockerfile] {
        let (code, text) = check(project, &flag);
        assert!(code != Some(0) && text.contains("TEST-04"), "{text}");
        let (code, text) = check(project, &wrong);
        assert!(code != Some(0) && text.contains("policy.yaml:1:10: error[WAIVE-01]"), "{text}");
        assert!(text.contains("did you mean `test`?"), "{text}");
    }
    // The report of each says why.
    for project in [bare, dockerfile] {
        let folder = tempfile::TempDir::new().unwrap();
        let build = project.build().build_arg("HARDPAN_OUTPUT=report").args([&flag]);
        build.args([format!("--output={}", folder.path().display())]).run().succeeded();
        let read = |name| std::fs::read_to_string(folder.path().join(name)).unwrap();
        let document: serde_json::Value = serde_json::from_str(&read("hardening.json")).unwrap();
        assert_eq!(document["result"], "failed");
        assert_eq!(document["policy"]["required"], serde_json::json!(["test"]));
        assert_eq!(document["tests"][0]["name"], "require: test");
        for name in ["hardening.txt", "hardening.junit.xml", "hardening.sarif"] {
            assert!(read(name).contains("which the context"), "{name}: {}", read(name));
        }
    }
}

/// Whatever can be a context can hold a policy.
#[test]
fn a_policy_may_be_kept_elsewhere() {
    let project = Project::new(LOW_PORT);
    let refuses = |context: &str| {
        let refusal = project.build().args([format!("--build-context=policy={context}")]).refused();
        assert!(refusal.errors().iter().any(|one| one.code == "RUN-11"), "{context} {refusal}");
    };
    let (kept, _) = policy("profile: strict\n");
    let site = Site::new();
    refuses(&site.repository("policy", kept.path()).address);
    refuses(&site.file("policy.yaml", "profile: strict\n"));
    let made = Project::written("FROM scratch\nCOPY policy.yaml /\n")
        .file("policy.yaml", "profile: strict\n");
    let name = fresh_name();
    made.build().pushing_to(&name).run().succeeded();
    refuses(&format!("docker-image://{name}"));
    let layout = made.path().join("layout");
    let output = format!("--output=type=oci,tar=false,dest={}", layout.display());
    made.build().args([output]).run().succeeded();
    refuses(&format!("oci-layout://{}", layout.display()));
    let bake = "target \"policy\" {\n  dockerfile-inline = \"FROM scratch\\nCOPY policy.yaml /\"\n}\n\
                target \"app\" {\n  dockerfile = \"hardpan.yaml\"\n  contexts = {policy = \"target:policy\"}\n}\n";
    let project = Project::new(LOW_PORT)
        .file("docker-bake.hcl", bake)
        .file("policy.yaml", "profile: strict\n");
    let outcome = Bake::new(project.path()).args(["--allow=fs.read=*", "app"]).run();
    let refusal = Refusal::of(outcome.failed());
    assert!(refusal.errors().iter().any(|one| one.code == "RUN-11"), "{refusal}");
}

#[test]
fn what_is_no_policy_is_refused_in_a_sentence() {
    let project = Project::new(LOW_PORT);
    let (kept, flag) = policy("profile: strict\n");
    let file = kept.path().join("policy.yaml");
    let refused = || project.build().args([&flag]).refused();
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &file).unwrap();
    let refusal = refused();
    assert_eq!(refusal.mistakes[0].code, "CTX-05", "a link out of the folder: {refusal}");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let refusal = refused();
    assert_eq!(refusal.mistakes[0].code, "CTX-05", "a folder: {refusal}");
    std::fs::remove_dir(&file).unwrap();
    std::fs::write(&file, b"profile: \x1b[2Jstrict\0\n").unwrap();
    let refusal = refused();
    assert!(refusal.mistakes[0].code.starts_with("YAML-"), "{refusal}");
    assert!(!refusal.outcome.stderr.contains('\u{1b}'), "{refusal}");
    let gone = "--build-context=policy=http://127.0.0.1:9/policy.yaml";
    let refusal = project.build().args([gone]).refused();
    assert_eq!(refusal.mistakes[0].code, "CTX-05", "{refusal}");
}
