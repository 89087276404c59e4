use super::*;

/// What this thread has computed so far: on a busy machine the clock says little about a parser.
pub(in crate::spec) fn effort() -> std::time::Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    std::time::Duration::try_from(spent).unwrap()
}

/// Every diagnostic of a file in one line each: `LINE:COLUMN-LINE:COLUMN CODE message | help`.
pub(in crate::spec) fn summary(text: &[u8]) -> String {
    let found = match parse(text) {
        Ok(parsed) => parsed.warnings,
        Err(found) => found,
    };
    let lines: Vec<String> = found
        .iter()
        .map(|diagnostic| {
            let (start, end) = (diagnostic.span.start, diagnostic.span.end);
            let help = diagnostic.help.as_deref().unwrap_or("-");
            let warning = if diagnostic.severity == Severity::Warning { "warning " } else { "" };
            format!(
                "{}:{}-{}:{} {warning}{} {} | {help}",
                start.line, start.column, end.line, end.column, diagnostic.code, diagnostic.message
            )
        })
        .collect();
    lines.join("\n")
}

#[test]
fn reads_the_model_case() {
    let parsed = parse(include_bytes!("../../tests/spec-corpus/valid/medplum.yaml")).unwrap();
    assert_eq!(parsed.warnings, []);
    let app = &parsed.spec.apps[0];
    assert_eq!(parsed.spec.stages.len(), 1);
    assert_eq!(parsed.spec.stages[0].steps.len(), 3);
    assert_eq!(app.image.len(), 2);
    let ports: Vec<&str> = app.expose.iter().map(|port| port.value.as_str()).collect();
    assert_eq!(ports, ["5000", "8103"]);
    assert_eq!(app.expose[1].span.start, crate::diagnostic::Position { line: 19, column: 16 });
    assert_eq!(app.entrypoint.as_ref().unwrap().value.len(), 4);
}

/// A text for each number up to a count, one behind the other.
pub(in crate::spec) fn numbered(count: usize, text: impl Fn(usize) -> String) -> String {
    (0..count).map(text).collect::<Vec<_>>().concat()
}

/// Files of `tests/spec-corpus`, by name.
pub(in crate::spec) fn corpus(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = format!("{}/tests/spec-corpus/{folder}", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// Compares with a file of the repository; `UPDATE=1` writes it.
#[track_caller]
pub(in crate::spec) fn golden(path: &str, found: &str) {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == found,
        "{path} differs; UPDATE=1 rewrites it, then look at the difference\n{found}"
    );
}

#[test]
fn accepts_every_valid_file() {
    for (name, text) in corpus("valid") {
        let parsed = parse(&text);
        assert!(parsed.is_ok(), "{name}: {:#?}", parsed.unwrap_err());
        golden(&format!("tests/spec-corpus/valid/{name}.txt"), &format!("{}\n", summary(&text)));
    }
}

#[test]
fn finds_every_mistake_of_the_invalid_files() {
    for (name, text) in corpus("invalid") {
        assert!(parse(&text).is_err(), "{name}");
        golden(&format!("tests/spec-corpus/invalid/{name}.txt"), &format!("{}\n", summary(&text)));
    }
}

mod any_input {
    use proptest::prelude::*;

    use super::*;

    /// Pieces that make YAML, and this language, likely.
    const PIECES: &[&str] = &[
        "base",
        "build",
        "image",
        "env",
        "apps",
        "args",
        "run",
        "copy",
        "add",
        "from",
        "steps",
        "cache",
        "entrypoint",
        "cmd",
        "healthcheck",
        "user",
        "expose",
        "writable",
        "path",
        ": ",
        ":",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        ",",
        "\"",
        "'",
        "|\n",
        ">-\n",
        "#",
        " ",
        "\t",
        "\r\n",
        "&a",
        "*a",
        "!b",
        "<<",
        "${A}",
        "${",
        "$$",
        "$(A)",
        "null",
        "~",
        "0755",
        "true",
        "8080",
        "node:24",
        "../x",
        "/",
        "é",
        "\u{1F600}",
        "@x",
        "%",
        "?",
        "---\n",
        "...\n",
        "https://x/y.git#z",
        "sh",
        "-c",
    ];

    fn check(bytes: &[u8]) {
        let found = match parse(bytes) {
            Ok(parsed) => parsed.warnings,
            Err(found) => {
                assert!(found.iter().any(Diagnostic::refuses));
                found
            }
        };
        let text = String::from_utf8_lossy(bytes);
        let lines: Vec<u32> =
            text.split('\n').map(|line| u32::try_from(line.chars().count()).unwrap()).collect();
        for diagnostic in found {
            for place in [diagnostic.span.start, diagnostic.span.end] {
                assert!(place.line >= 1 && place.column >= 1, "{diagnostic:?}");
                let length = lines.get(place.line as usize - 1);
                assert!(
                    length.is_some_and(|length| place.column <= length + 2),
                    "{diagnostic:?} in {text:?}"
                );
            }
            assert!(diagnostic.span.start <= diagnostic.span.end, "{diagnostic:?}");
            assert!(!diagnostic.message.chars().any(char::is_control), "{diagnostic:?}");
            let help = diagnostic.help.as_deref().unwrap_or_default();
            assert!(!help.is_empty() && !help.chars().any(char::is_control), "{diagnostic:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

        #[test]
        fn bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            check(&bytes);
        }

        #[test]
        fn text(text in "\\PC{0,300}") {
            check(text.as_bytes());
        }

        #[test]
        fn pieces(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..60)) {
            check(pieces.concat().as_bytes());
        }

        #[test]
        fn valid_files_with_a_part_replaced(
            file in 0..100_usize, at in 0..4_000_usize, cut in 0..10_usize, piece in proptest::sample::select(PIECES),
        ) {
            let files = corpus("valid");
            let text = &files[file % files.len()].1;
            let at = at % (text.len() + 1);
            let rest = &text[(at + cut).min(text.len())..];
            check(&[&text[..at], piece.as_bytes(), rest].concat());
        }
    }
}

#[test]
fn hostile_specs_end_quickly() {
    let names = |count: usize| numbered(count, |index| format!("  {}{index}: x\n", "N".repeat(50)));
    let labels = numbered(6_000, |index| format!("  l{index}: ${{{}{index}}}\n", "M".repeat(50)));
    let stages =
        numbered(2_000, |index| format!("  stage{index}: [{{copy: ., from: stagee{index}}}]\n"));
    let overrides = numbered(4_000, |index| format!("      A{index}: y\n"));
    let defaults = numbered(4_000, |index| format!("  A{index}: x\n"));
    let circle = numbered(1_500, |index| {
        format!(
            "  s{index}: [{{copy: ., from: s{}}}, {{copy: ., from: s0}}]\n",
            (index + 1) % 1_500
        )
    });
    for (what, text) in [
        ("unknown keys", numbered(9_000, |index| format!("entrypoint{index}entry: x\n"))),
        ("undeclared names", format!("base: a\nargs:\n{}labels:\n{labels}", names(3_000))),
        (
            "one text with many names",
            format!("base: a\nargs: {{A: x}}\nlabels: {{x: \"{}\"}}\n", "${A}".repeat(250_000)),
        ),
        (
            "one text with many unknown names",
            format!("base: a\nlabels: {{x: \"{}\"}}\n", "${A}".repeat(250_000)),
        ),
        ("dollars", format!("base: a\nlabels: {{x: \"{}\"}}\n", "$".repeat(1_000_000))),
        ("unknown stages", format!("base: a\nimage: []\nbuild:\n{stages}")),
        ("circles", format!("base: a\nimage: [{{copy: ., from: s0}}]\nbuild:\n{circle}")),
        ("merged maps", format!("base: a\nenv:\n{defaults}apps:\n  a:\n    env:\n{overrides}")),
        ("cut items", format!("base: a\ncmd: [a, {}]\n", "b,".repeat(19_000))),
        ("entrypoint as text", format!("base: a\nentrypoint: {}\n", "a 'b' ".repeat(150_000))),
        ("a long path", format!("base: a\nworkdir: /{}\n", "../".repeat(300_000))),
        ("a long name", format!("base: {}\n", "a/".repeat(500_000))),
        ("a long port", format!("base: a\nexpose: {}\n", "9".repeat(1_000_000))),
        (
            "a long duration",
            format!("base: a\nhealthcheck: {{run: [a], interval: {}}}\n", "1s".repeat(500_000)),
        ),
    ] {
        assert!(text.len() <= MAX_BYTES, "{what}: {}", text.len());
        let before = effort();
        let found = parse(text.as_bytes()).map_or_else(|found| found, |parsed| parsed.warnings);
        let taken = effort().checked_sub(before).unwrap();
        // An unoptimised build; a release takes a tenth.
        assert!(taken < std::time::Duration::from_secs(3), "{what} took {taken:?}");
        assert!(found.len() <= MAX_DIAGNOSTICS, "{what}");
        assert!(found.iter().all(|diagnostic| diagnostic.message.len() < 3_000), "{what}");
    }
}
