//! The table of docs/peers.md: written from what everybody says, and compared with it.

use std::fs;
use std::sync::LazyLock;

use crate::cases::{CASES, Case, Kind};
use crate::{gate, others, tools};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/peers.md");
const BEGIN: &str = "<!-- written by `UPDATE=1 make peers` -->\n";
const HEAD: &str = "| the image | written | hardpan | hadolint | checkov | Docker's policies | dockle | Trivy |\n|---|---|---|---|---|---|---|---|\n";
/// Cells of a row, and the place of the gate's among them.
type Row = [String; 8];
const GATE: usize = 2;
const SILENCE: &str = "–";

/// What the gate says of every case, in order.
static GATES: LazyLock<Vec<String>> = LazyLock::new(|| gate::each(|case| cell(&gate::says(case))));

/// A cell; silence is a dash.
fn cell(text: &str) -> String {
    if text.is_empty() { SILENCE.to_owned() } else { text.to_owned() }
}

/// What is written in the Dockerfile, and what is not.
fn written(case: &Case) -> String {
    let lines = case.lines.lines().filter(|line| !line.is_empty()).map(|line| format!("`{line}`"));
    let without = Some(case.without).filter(|line| !line.is_empty());
    let without = without.map(|line| format!("no `{line}`"));
    cell(&lines.chain(without).collect::<Vec<_>>().join("<br>"))
}

/// How often each column has something to say about images of a kind.
fn count(rows: &[Row], kind: Kind, title: &str) -> Row {
    let of: Vec<&Row> =
        CASES.iter().zip(rows).filter(|(case, _)| case.kind == kind).map(|(_, row)| row).collect();
    let mut counted = Row::default();
    for (number, cell) in counted.iter_mut().enumerate().skip(GATE) {
        *cell = of.iter().filter(|row| row[number] != SILENCE).count().to_string();
    }
    counted[0] = format!("**{title}**");
    counted[1] = format!("of {}", of.len());
    counted
}

/// The rows of the page.
fn published(page: &str) -> Vec<Row> {
    let (_, table) = page.split_once(BEGIN).expect("the page has the table");
    let table = table.strip_prefix(HEAD).expect("the head of the table is as it is written");
    let rows = table.lines().take_while(|line| line.starts_with("| ") && !line.starts_with("| **"));
    let row = |line: &str| -> Row {
        let cells: Vec<String> =
            line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
        cells.try_into().unwrap_or_else(|_| panic!("another number of cells: {line}"))
    };
    rows.map(row).collect()
}

fn line(row: &Row) -> String {
    format!("| {} |\n", row.join(" | "))
}

#[test]
fn the_gate_says_what_the_table_says() {
    if std::env::var_os("UPDATE").is_some() {
        return; // the other test writes it
    }
    let published = published(&fs::read_to_string(PAGE).unwrap());
    let rows: Vec<(&str, &str)> =
        published.iter().map(|row| (row[0].as_str(), row[GATE].as_str())).collect();
    let said: Vec<(&str, &str)> =
        CASES.iter().map(|case| case.title).zip(GATES.iter().map(String::as_str)).collect();
    assert_eq!(rows, said, "docs/peers.md; `UPDATE=1 make peers` writes it");
}

#[test]
fn the_table_says_what_others_say() {
    let Some(tools) = tools("what hadolint, checkov and Docker's policies say") else { return };
    let (hadolint, checkov) = (others::hadolint(&tools), others::checkov(&tools));
    let docker = others::docker(&tools);
    let row = |(number, (case, gate)): (usize, (&Case, &String))| -> Row {
        let said = [&hadolint, &checkov, &docker].map(|said| {
            let rules = said.get(&number).map(|rules| rules.iter().cloned().collect::<Vec<_>>());
            cell(&rules.unwrap_or_default().join(" "))
        });
        let [hadolint, checkov, docker] = said;
        let (dockle, trivy) = (cell(case.dockle), cell(case.trivy));
        let title = case.title.to_owned();
        [title, written(case), gate.clone(), hadolint, checkov, docker, dockle, trivy]
    };
    let rows: Vec<Row> = CASES.iter().zip(&*GATES).enumerate().map(row).collect();
    let counts = [
        (Kind::Defect, "defects that are seen"),
        (Kind::Sound, "sound images that are objected to"),
        (Kind::Text, "remarks on the text"),
    ];
    let counts = counts.map(|(kind, title)| count(&rows, kind, title));
    let table: String = rows.iter().chain(&counts).map(line).collect();
    let page = fs::read_to_string(PAGE).unwrap();
    let (before, after) = page.split_once(BEGIN).expect("the page has the table");
    let after = after.find("\n\n").map_or("", |end| &after[end..]);
    let fresh = format!("{before}{BEGIN}{HEAD}{}{after}", table.trim_end());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(PAGE, fresh).unwrap();
    } else {
        assert_eq!(page, fresh, "docs/peers.md; `UPDATE=1 make peers` writes it");
    }
}
