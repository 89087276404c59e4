//! What a client can ask without building: `--call=…`, as text and as JSON, with exit codes.

use serde_json::Value;

use crate::support::command::Outcome;
use crate::support::image::json;
use crate::support::project::Project;

const SPEC: &str = "
    base: node:24
    args:
      PORT: {default: 8080, description: where it listens}
      TIER: {default: basic, values: [basic, full]}
      GIT_SHA:
    build:
      deps:
        - run: npm ci
          secret: npmrc
          ssh: true
      web:
        base: deps
        steps:
          - run: npm run build
    apps:
      server:
        image:
          - copy: dist
            from: web
        entrypoint: [node, dist]
      worker:
        base: {runtime: static}
        image:
          - copy: dist
            from: web
        entrypoint: [/dist]
    ";

fn call(project: &Project, call: &str) -> Outcome {
    project.build().args([format!("--call={call}")]).run()
}

fn called(project: &Project, name: &str) -> Value {
    json(call(project, &format!("{name},format=json")).succeeded().stdout.as_bytes())
}

#[test]
fn check_of_a_good_spec_is_content() {
    let project = Project::new("base: node:24\nentrypoint: [node]\n");
    let outcome = call(&project, "check").succeeded();
    assert!(outcome.stdout.contains("no warnings"), "{outcome}");
    assert_eq!(called(&project, "check")["warnings"].as_array().map_or(0, Vec::len), 0);
}

#[test]
fn check_of_a_bad_spec_names_every_mistake_and_fails() {
    let project = Project::new("base: node:24\n▸entrpoint: [node]\nuser: ▸root\n");
    let outcome = call(&project, "check").failed();
    for word in ["SPEC-01", "SPEC-11", "entrpoint", "hardpan.yaml"] {
        assert!(
            outcome.stdout.contains(word) || outcome.stderr.contains(word),
            "{word}: {outcome}"
        );
    }
    assert!(
        !outcome.stderr.contains("dockerfile parse error"),
        "not read as a Dockerfile: {outcome}"
    );
    let outcome = call(&project, "check,format=json");
    let found = json(outcome.stdout.as_bytes());
    let lines: Vec<u64> = found["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning["location"]["ranges"][0]["start"]["line"].as_u64().unwrap())
        .collect();
    let expected: Vec<u64> = project.marks.iter().map(|mark| u64::from(mark.0)).collect();
    assert_eq!(lines, expected, "{found}");
}

#[test]
fn outline_tells_arguments_secrets_and_agents() {
    let found = called(&Project::new(SPEC), "outline");
    assert_eq!(found["name"], "server");
    let args = found["args"].as_array().unwrap();
    let names: Vec<&str> = args.iter().filter_map(|arg| arg["name"].as_str()).collect();
    assert_eq!(names, ["PORT", "TIER", "GIT_SHA"]);
    assert_eq!(
        (&args[0]["value"], &args[0]["description"]),
        (&"8080".into(), &"where it listens".into())
    );
    assert_eq!(found["secrets"][0]["name"], "npmrc");
    assert_eq!(found["ssh"][0]["name"], "default");
    let text = call(&Project::new(SPEC), "outline").succeeded();
    assert!(text.stdout.contains("GIT_SHA") && text.stdout.contains("npmrc"), "{text}");
}

#[test]
fn targets_are_the_apps() {
    let found = called(&Project::new(SPEC), "targets");
    let targets = found["targets"].as_array().unwrap();
    let names: Vec<&str> = targets.iter().filter_map(|target| target["name"].as_str()).collect();
    let stages = ["server/deps", "server/web", "worker/deps", "worker/web"];
    assert_eq!((&names[..2], &names[2..]), (&["server", "worker"][..], &stages[..]));
    assert_eq!((&targets[0]["default"], &targets[1]["default"]), (&true.into(), &Value::Null));
    let text = call(&Project::new(SPEC), "targets").succeeded();
    assert!(text.stdout.contains("server") && text.stdout.contains("worker"), "{text}");
}

#[test]
fn describe_lists_what_can_be_called() {
    let project = Project::new("base: node:24\nentrypoint: [node]\n");
    let found = called(&project, "subrequests.describe");
    let names: Vec<&str> =
        found.as_array().unwrap().iter().filter_map(|call| call["name"].as_str()).collect();
    for name in
        ["frontend.lint", "frontend.outline", "frontend.targets", "frontend.subrequests.describe"]
    {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    assert!(call(&project, "subrequests.describe").succeeded().stdout.contains("\noutline "));
}

#[test]
fn an_unknown_call_is_refused_in_one_sentence() {
    let project = Project::new("base: node:24\nentrypoint: [node]\n");
    let outcome = call(&project, "horoscope").failed();
    assert!(outcome.stderr.contains("horoscope"), "{outcome}");
    assert!(!outcome.stderr.contains("dockerfile parse error"), "{outcome}");
}
