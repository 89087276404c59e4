use std::time::Duration;

use super::*;
use crate::diagnostic::Position;
use crate::spec::tests::{effort, numbered};
use crate::spec::tree::{Entry, Value};

/// A tree in one line, each value with its place: `{a@1:1=b@1:4}`.
fn show(node: &Node) -> String {
    let (start, end) = (node.span.start, node.span.end);
    let shown = match &node.value {
        Value::Null => "null".to_owned(),
        Value::Broken => "broken".to_owned(),
        Value::Scalar(scalar) if scalar.plain => scalar.text.clone(),
        Value::Scalar(scalar) => format!("{:?}", scalar.text),
        Value::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" ")),
        Value::Map(entries) => {
            format!("{{{}}}", entries.iter().map(show_entry).collect::<Vec<_>>().join(" "))
        }
    };
    format!("{shown}@{}:{}-{}:{}", start.line, start.column, end.line, end.column)
}

fn show_entry(entry: &Entry) -> String {
    let Position { line, column } = entry.key.span.start;
    let bare = if entry.bare { "?" } else { "" };
    format!("{}{bare}@{line}:{column}={}", entry.key.value, show(&entry.value))
}

#[test]
fn every_value_knows_its_place() {
    for (text, tree) in [
        ("a: b", "{a@1:1=b@1:4-1:5}@1:1-1:5"),
        (
            "a:\n  - b\n  - c: d\n\nx: y\n",
            "{a@1:1=[b@2:5-2:6 {c@3:5=d@3:8-3:9}@3:5-3:9]@2:3-3:9 x@5:1=y@5:4-5:5}@1:1-5:5",
        ),
        ("a: [b, {c: d}]", "{a@1:1=[b@1:5-1:6 {c@1:9=d@1:12-1:13}@1:8-1:14]@1:4-1:15}@1:1-1:15"),
        ("ä: ü # ö\nb: c", "{ä@1:1=ü@1:4-1:5 b@2:1=c@2:4-2:5}@1:1-2:5"),
        (
            "a: |\n  x\n   y\n\nb: >-\n  c\n  d",
            "{a@1:1=\"x\\n y\\n\"@2:3-3:5 b@5:1=\"c d\"@6:3-7:4}@1:1-7:4",
        ),
        ("a: 'it''s'\nb: \"\\t\"", "{a@1:1=\"it's\"@1:4-1:11 b@2:1=\"\\t\"@2:4-2:8}@1:1-2:8"),
        (
            "a:\nb: ~\nc: null\nd: \"null\"\ne: ''",
            "{a@1:1=null@1:2-1:2 b@2:1=null@2:4-2:5 c@3:1=null@3:4-3:8 d@4:1=\"null\"@4:4-4:10 e@5:1=\"\"@5:4-5:6}@1:1-5:6",
        ),
        ("a: {b, c: }", "{a@1:1={b?@1:5=null@1:6-1:6 c@1:8=null@1:9-1:9}@1:4-1:12}@1:1-1:12"),
        (
            "a: 8.5\nb: 0755\nc: yes\nd: 1e3",
            "{a@1:1=8.5@1:4-1:7 b@2:1=0755@2:4-2:8 c@3:1=yes@3:4-3:7 d@4:1=1e3@4:4-4:7}@1:1-4:7",
        ),
        ("a: b\r\nc: |\r\n  d\r\n  e\r\n", "{a@1:1=b@1:4-1:5 c@2:1=\"d\\ne\\n\"@3:3-4:4}@1:1-4:4"),
        ("\u{feff}a: b", "{a@1:1=b@1:4-1:5}@1:1-1:5"),
        ("a: x\n  y", "{a@1:1=x y@1:4-2:4}@1:1-2:4"),
    ] {
        let document = read(text.as_bytes());
        assert_eq!(document.problems, [], "{text:?}");
        assert_eq!(document.root.as_ref().map(show).as_deref(), Some(tree), "{text:?}");
    }
}

/// The only problem of a file that is no YAML: place, code, a part of the message.
#[track_caller]
fn refuse(bytes: &[u8], place: (u32, u32), code: Code, part: &str) {
    let before = effort();
    let document = read(bytes);
    let taken = effort().checked_sub(before).unwrap();
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
    assert_eq!(document.root, None, "{shown:?}");
    let [problem] = document.problems.as_slice() else {
        panic!("{shown:?}: {:?}", document.problems)
    };
    assert_eq!((problem.span.start.line, problem.span.start.column), place, "{shown:?}");
    assert_eq!(problem.code, code, "{shown:?}");
    assert!(problem.message.contains(part), "{shown:?}: {}", problem.message);
    assert!(problem.help.is_some());
    // Ten times what an unoptimised build needs on a busy machine.
    assert!(taken < Duration::from_secs(1), "{shown:?} took {taken:?}");
}

#[test]
fn refuses_bytes_that_are_no_text() {
    refuse(b"a: \xff\n", (1, 4), Code::NotYaml, "0xff is not UTF-8");
    refuse(
        "ä: b\nc: ".as_bytes().iter().chain(b"\xc3").copied().collect::<Vec<_>>().as_slice(),
        (2, 4),
        Code::NotYaml,
        "UTF-8",
    );
    refuse(b"\xff\xfea\0", (1, 1), Code::NotYaml, "UTF-16");
    refuse(b"a: b\0c", (1, 5), Code::NotYaml, "U+0000");
    refuse(b"a: \x1b[31m", (1, 4), Code::NotYaml, "U+001B");
    refuse(b"a: b\rc: d", (1, 5), Code::NotYaml, "carriage return");
    refuse(&[0_u8; 4096], (1, 1), Code::NotYaml, "U+0000");
}

#[test]
fn refuses_what_is_too_large_at_once() {
    refuse(&vec![b'a'; 10_000_000], (1, 1), Code::TooLarge, "more than 1048576 bytes");
    refuse("[".repeat(100_000).as_bytes(), (1, 33), Code::TooLarge, "32 deep");
    refuse("{a: ".repeat(100_000).as_bytes(), (1, 129), Code::TooLarge, "32 deep");
    refuse("- ".repeat(100_000).as_bytes(), (1, 65), Code::TooLarge, "32 deep");
    refuse("- a\n".repeat(30_000).as_bytes(), (20_000, 3), Code::TooLarge, "20000 values");
    refuse(
        format!("[{}]", "a,".repeat(30_000)).as_bytes(),
        (1, 40_000),
        Code::TooLarge,
        "20000 values",
    );
    let nested = numbered(40, |depth| format!("{}a:\n", " ".repeat(depth)));
    refuse(nested.as_bytes(), (33, 33), Code::TooLarge, "32 deep");
}

#[test]
fn strange_files_end_quickly() {
    for text in [
        "&a ".repeat(100_000),
        "*a\n".repeat(5_000),
        "? ".repeat(100_000),
        "!".repeat(500_000),
        "\"".repeat(500_001),
        "'".repeat(500_001),
        "# \n".repeat(300_000),
        "a".repeat(1 << 20),
        format!("a: |\n{}", " x\n".repeat(300_000)),
        format!("[{}", "${A}, ".repeat(100_000)),
        format!("a: {}", "b: ".repeat(100_000)),
        "a: @b\n".repeat(5_000),
        "\n".repeat(1 << 20),
        " ".repeat(1 << 20),
        "\t".repeat(1 << 20),
        "---\n".repeat(100_000),
        "a:\n".repeat(9_000),
        "%\n".repeat(100_000),
    ] {
        let before = effort();
        let document = read(text.as_bytes());
        let taken = effort().checked_sub(before).unwrap();
        let shown: String = text.chars().take(20).collect();
        assert!(taken < Duration::from_secs(2), "{shown:?} took {taken:?}");
        drop(document);
    }
}

#[test]
fn reports_every_repeated_key_with_the_line_of_the_first() {
    let document = read(b"a: 1\nb: 2\na: 3\nb: 4\na: 5\n");
    let found: Vec<_> = document
        .problems
        .iter()
        .map(|problem| (problem.span.start.line, problem.message.as_str()))
        .collect();
    let [(3, first), (4, second), (5, third)] = found.as_slice() else { panic!("{found:?}") };
    assert!(
        first.ends_with("line 1") && second.ends_with("line 2") && third.ends_with("line 1"),
        "{found:?}"
    );
    assert_eq!(
        document.root.as_ref().map(show).as_deref(),
        Some("{a@1:1=1@1:4-1:5 b@2:1=2@2:4-2:5}@1:1-2:5")
    );
}

#[test]
fn commas_without_a_blank_are_judged_by_what_they_cut() {
    for (text, found) in [
        ("[-Xlog:aot,cds]", Some("error")),
        ("[java, --list=a,b, c]", Some("error")),
        ("[a, b,c]", Some("warning")),
        ("[80,443]", None),
        ("[a,b,c]", None),
        ("[-Dx=1,-Dy=2]", None),
        ("[java, -Dx=1,-Dy=2]", None),
        ("[-Dx=1, b]", None),
        ("[\"-Xlog:aot,cds\"]", None),
        ("[\"-Xlog:aot\",cds]", None),
        ("[a , b]", None),
        ("[a,\n b]", None),
    ] {
        let document = read(text.as_bytes());
        let problems = document
            .problems
            .iter()
            .map(|problem| format!("{:?}", problem.severity).to_lowercase());
        assert_eq!(problems.collect::<Vec<_>>(), found.into_iter().collect::<Vec<_>>(), "{text}");
    }
}
