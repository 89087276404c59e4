use std::path::PathBuf;

use super::*;

/// The outcome and the text for some files.
fn check(files: &[(&str, &[u8])]) -> (Outcome, String) {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = files
        .iter()
        .map(|(name, content)| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        })
        .collect();
    let mut shown = Vec::new();
    let outcome = check::check_files(&paths, &mut shown);
    let shown = String::from_utf8(shown).unwrap();
    (outcome, shown.replace(&format!("{}/", folder.path().display()), ""))
}

#[test]
fn says_nothing_about_a_file_without_mistakes() {
    assert_eq!(check(&[("a.yaml", b"base: node:24\n")]), (Outcome::Fine, String::new()));
}

#[test]
fn shows_every_mistake_of_every_file() {
    let (outcome, shown) = check(&[
        ("a.yaml", b"base: node:24\nuser: root\nentyrpoint: [a]\n"),
        ("fine.yaml", b"base: node:24\n"),
        ("b.yaml", b"cmd: [a, b,c]\n"),
    ]);
    assert_eq!(outcome, Outcome::Mistakes);
    for part in [
        "error[SPEC-11]: `root` as the user",
        "a.yaml:2:7",
        "2 | user: root\n  |       ^^^^",
        "= help: did you mean `entrypoint`?",
        "a.yaml: 2 mistakes; explained in docs/errors/SPEC-01.md, docs/errors/SPEC-11.md\n",
        "warning[YAML-05]",
        "b.yaml: 1 mistake, 1 warning; explained in docs/errors/SPEC-03.md, docs/errors/YAML-05.md\n",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains("fine.yaml"), "{shown}");
}

#[test]
fn warnings_alone_are_no_failure() {
    let (outcome, shown) = check(&[("a.yaml", b"base: a\ncmd: [a, b,c]\n")]);
    assert_eq!(outcome, Outcome::Fine);
    assert!(shown.ends_with("a.yaml: 1 warning; explained in docs/errors/YAML-05.md\n"), "{shown}");
}

#[test]
fn what_cannot_be_read_is_no_mistake_of_a_file() {
    let mut shown = Vec::new();
    let files = ["/nowhere/a.yaml", "/", "/nowhere/\u{1b}[2J"].map(PathBuf::from);
    assert_eq!(check::check_files(&files, &mut shown), Outcome::NotDone);
    let shown = String::from_utf8(shown).unwrap();
    assert_eq!(shown.matches("error: cannot read /").count(), 3, "{shown}");
    assert!(!shown.contains('\u{1b}'));
}

#[test]
fn hostile_files_are_shown_in_few_lines() {
    for content in
        [&vec![b'['; 10_000_000][..], &b"a: \x1b[2J\n".repeat(1_000)[..], &vec![0xff; 100_000][..]]
    {
        let (outcome, shown) = check(&[("a.yaml", content)]);
        assert_eq!(outcome, Outcome::Mistakes);
        assert!(shown.len() < 2_000, "{}", shown.len());
        assert!(!shown.contains('\u{1b}'));
    }
}

#[test]
fn words_that_are_no_command_are_refused() {
    for (arguments, code) in [
        (&["hardpan", "schema", "extra"][..], 2),
        (&["hardpan", "check"], 2),
        (&["hardpan", "chekc"], 2),
        (&["hardpan"], 2),
        (&["hardpan", "check", "/nowhere"], 2),
    ] {
        let found = run(arguments.iter().map(OsString::from));
        assert_eq!(format!("{found:?}"), format!("{:?}", ExitCode::from(code)), "{arguments:?}");
    }
}
