//! Steps that fail while they run point to their line and show what they wrote.

use crate::support::build::Door;
use crate::support::project::Project;

#[test]
fn a_failing_npm_ci_points_to_its_line() {
    let project = Project::new(
        "base: node:24\nbuild:\n  - copy: package.json\n  - ▸run: npm ci\nimage:\n  - copy: package.json\n    from: build\nentrypoint: [node]\n",
    )
    .file("package.json", "{\"name\": \"x\", \"version\": \"1.0.0\", \"dependencies\": {\"a\": \"1\"}}");
    for door in [Door::Header, Door::Buildctl] {
        let refusal = project.build().through(door).refused();
        let line = project.marks[0].0;
        assert!(refusal.marked.contains(&line), "{refusal}");
        assert_eq!(refusal.errors().len(), 1, "{refusal}");
        assert_eq!(
            (refusal.errors()[0].code.as_str(), refusal.errors()[0].place.0),
            ("BLD-02", line),
            "{refusal}"
        );
        assert!(refusal.outcome.stderr.contains("npm ci"), "what was run is shown: {refusal}");
        assert!(
            refusal.outcome.stderr.contains("package-lock.json"),
            "what npm wrote is shown: {refusal}"
        );
    }
}

#[test]
fn an_exit_code_and_the_second_line_of_a_script() {
    let project = Project::new(
        "base: node:24\nbuild:\n  - ▸run: |\n      echo before\n      exit 7\n      echo after\nimage:\n  - copy: /etc/hostname\n    from: build\nentrypoint: [node]\n",
    );
    let refusal = project.refused();
    assert!(refusal.marked.contains(&project.marks[0].0), "{refusal}");
    assert!(refusal.text().contains("exit code: 7"), "{refusal}");
    assert!(
        refusal.outcome.stderr.contains("before") && !refusal.outcome.stderr.contains("\nafter"),
        "{refusal}"
    );
}

#[test]
fn a_secret_that_nobody_gave() {
    let project = Project::new(
        "base: node:24\nbuild:\n  - ▸run: cat /run/secrets/token\n    secret: token\nimage:\n  - copy: /etc/hostname\n    from: build\nentrypoint: [node]\n",
    );
    let refusal = project.refused();
    assert!(refusal.marked.contains(&project.marks[0].0), "{refusal}");
    assert!(refusal.text().contains("token"), "{refusal}");
}
