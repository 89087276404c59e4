//! What was found, by check: a part that folds for each, with what to write instead above its table.

use std::fmt::Write as _;

use super::{linked, told};
use crate::report::document::{FindingEntry, Level};
use crate::report::markup::{escaped, sentence};
use crate::report::told::Told;

/// Longer tables are folded at first.
const OPEN: usize = 25;

pub(super) fn findings(out: &mut String, checks: &[Told<'_>]) {
    let mut found: Vec<_> = checks.iter().filter(|told| told.check.findings > 0).collect();
    // The heaviest first; otherwise in the order of the checks.
    found.sort_by_key(|told| std::cmp::Reverse(told.worst()));
    out.push_str("<section aria-labelledby=\"findings\">\n<h2 id=\"findings\">Findings</h2>\n");
    if found.is_empty() {
        out.push_str("<p>Nothing was found.</p>\n</section>\n");
        return;
    }
    out.push_str(
        "<form class=\"filter\" role=\"search\" hidden>\n\
         <input type=\"search\" aria-label=\"Filter findings\" placeholder=\"Filter: a path, a check, a word\">\n\
         <label><input type=\"checkbox\" value=\"block\" checked> blocking</label>\n\
         <label><input type=\"checkbox\" value=\"warn\" checked> warnings</label>\n\
         <label><input type=\"checkbox\" value=\"info\" checked> notes</label>\n\
         <label><input type=\"checkbox\" value=\"waived\" checked> waived</label>\n\
         <output class=\"dim\" aria-live=\"polite\"></output>\n</form>\n",
    );
    for told in found {
        check(out, told);
    }
    out.push_str("</section>\n");
}

fn check(out: &mut String, told: &Told<'_>) {
    let colour = match told.worst() {
        Some(Level::Block) => "bad",
        Some(Level::Warn) => "warn",
        Some(Level::Info) => "info",
        None => "",
    };
    let open = if told.findings.len() <= OPEN { " open" } else { "" };
    let (id, title) = (escaped(&told.check.id), escaped(&told.check.title));
    let _ = write!(
        out,
        "<details data-check=\"{id} {title}\"{open}>\n<summary><b>{id}</b> {title} \
         <span class=\"badge {colour}\">{}</span></summary>\n<div class=\"inner\">\n",
        escaped(&told.status())
    );
    let helps = || told.findings.iter().map(|finding| finding.help.as_str());
    let common = helps().next().filter(|first| helps().all(|help| help == *first));
    let page = format!(
        "<span class=\"dim\">What is looked at, and why:</span> {}",
        linked(&told.check.id)
    );
    match common {
        Some(help) => {
            let _ = writeln!(out, "<p class=\"fix\"><b>Fix:</b> {}<br>{page}</p>", sentence(help));
        }
        None => {
            let _ = writeln!(out, "<p class=\"fix\">{page}</p>");
        }
    }
    if !told.findings.is_empty() {
        out.push_str(
            "<table class=\"wide\">\n<thead><tr><th scope=\"col\" class=\"where\">Where</th>\
             <th scope=\"col\">What</th><th scope=\"col\" class=\"side\">Brought by</th></tr></thead>\n<tbody>\n",
        );
        for one in &told.findings {
            finding(out, one, common.is_some());
        }
        out.push_str("</tbody>\n</table>\n");
    }
    if told.unlisted() > 0 {
        let _ = writeln!(out, "<p>… and {} more.</p>", told::counted(told.unlisted(), "finding"));
    }
    out.push_str("</div>\n</details>\n");
}

fn finding(out: &mut String, finding: &FindingEntry, is_help_told: bool) {
    let (weight, mark) = match (finding.waiver, finding.severity) {
        (Some(_), _) => ("waived", "<span class=\"badge\">waived</span> "),
        (None, Level::Block) => ("block", ""),
        (None, Level::Warn) => ("warn", "<span class=\"badge warn\">warning</span> "),
        (None, Level::Info) => ("info", "<span class=\"badge info\">note</span> "),
    };
    let spot = told::spot(finding).map(|spot| format!("<code>{}</code>", escaped(&spot)));
    let line = told::line(finding);
    let line = line.map(|line| format!("<span class=\"mono dim\">{}</span>", escaped(&line)));
    let place: Vec<String> = [spot, line].into_iter().flatten().collect();
    let help = if is_help_told {
        String::new()
    } else {
        format!("<br><b>Fix:</b> {}", sentence(&finding.help))
    };
    let _ = writeln!(
        out,
        "<tr data-weight=\"{weight}\"><td>{}</td><td>{mark}{}{help}</td><td class=\"dim\">{}</td></tr>",
        place.join("<br>"),
        sentence(&finding.message),
        escaped(&told::origin(finding))
    );
}
