//! The other tables of the page: tests, waivers, all checks, and how the image has to be started.

use std::fmt::Write as _;

use super::{colour, linked, told};
use crate::report::document::{CheckStatus, Document};
use crate::report::markup::{escaped, lines, sentence};
use crate::report::standards::{self, Ended, Evidence};
use crate::report::told::{Outcome, Told};

/// Opens a section with a table.
fn section(out: &mut String, id: &str, (title, note): (&str, &str), heads: &[&str]) {
    let _ = write!(out, "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title}</h2>\n");
    if !note.is_empty() {
        let _ = writeln!(out, "<p class=\"dim\">{note}</p>");
    }
    out.push_str("<table class=\"wide\">\n<thead><tr>");
    for head in heads {
        let _ = write!(out, "<th scope=\"col\">{head}</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
}

const END: &str = "</tbody>\n</table>\n</section>\n";

pub(super) fn tests(out: &mut String, document: &Document) {
    if document.tests.is_empty() {
        return;
    }
    let note = "What the image did when it was started under the runtime contract, with no network but its own.";
    section(out, "start", ("Start", note), &["Test", "Outcome", "What happened"]);
    for test in &document.tests {
        let outcome = Outcome::of_test(test);
        let mut what = sentence(test.message.as_deref().unwrap_or_default());
        if let Some(late) = told::late(test) {
            let _ = write!(what, "<div>{late}</div>");
        } else if test.stopped_in_time.is_some() && what.is_empty() {
            what.push_str("it ended in time after its stop signal");
        }
        if let Some(output) = &test.output {
            let _ = write!(what, "<pre tabindex=\"0\">{}</pre>", lines(output));
        }
        let place = test.position.as_ref().map(|place| format!("{}:{}", place.file, place.line));
        let place = place.map(|place| escaped(&place)).unwrap_or_default();
        let _ = writeln!(
            out,
            "<tr><td><code>{}</code><br><span class=\"mono dim\">{place}</span></td>\
             <td><span class=\"badge {}\">{}</span></td><td>{what}</td></tr>",
            escaped(&test.name),
            colour(outcome),
            escaped(&test.outcome)
        );
    }
    out.push_str(END);
}

pub(super) fn waivers(out: &mut String, document: &Document) {
    if document.waivers.is_empty() {
        return;
    }
    let heads = ["Check", "Path", "Reason", "Owner", "Until", "From", "Status"];
    section(out, "waivers", ("Waivers", "What somebody answers for."), &heads);
    for waiver in &document.waivers {
        let colour = match waiver.status.as_str() {
            "used" => "info",
            "unused" => "warn",
            _ => "bad",
        };
        let path = waiver.path.as_deref().unwrap_or_default();
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td><code>{}</code></td><td>{}</td><td>{}</td>\
             <td>{}</td><td>{}</td><td><span class=\"badge {colour}\">{}</span> {}</td></tr>",
            linked(&waiver.check),
            escaped(path),
            sentence(&waiver.reason),
            escaped(&waiver.owner),
            escaped(&waiver.expires),
            escaped(&waiver.source),
            escaped(&waiver.status),
            told::counted(waiver.findings, "finding")
        );
    }
    out.push_str(END);
}

pub(super) fn checks(out: &mut String, checks: &[Told<'_>], document: &Document) {
    let note = told::tally(document);
    let heads = ["Check", "Rules out", "Result", "Evidence for"];
    section(out, "checks", ("Checks", &note), &heads);
    for told in checks {
        let reason = told.reason(&document.profile);
        let reason = if reason.is_empty() { reason } else { format!("<br>{}", sentence(&reason)) };
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td>\
             <td><span class=\"badge {}\">{}</span><span class=\"dim\">{reason}</span></td>\
             <td class=\"dim\">{}</td></tr>",
            linked(&told.check.id),
            sentence(&told.check.title),
            match told.check.status {
                CheckStatus::Noted | CheckStatus::Waived => "info",
                _ => colour(told.outcome()),
            },
            escaped(&told.status()),
            escaped(&told.check.standards.join(", "))
        );
    }
    out.push_str(END);
}

pub(super) fn standards(out: &mut String, checks: &[Told<'_>]) {
    let _ = write!(
        out,
        "<section aria-labelledby=\"standards\">\n<h2 id=\"standards\">Standards</h2>\n<p>{}</p>\n",
        escaped(standards::SCOPE)
    );
    for standard in standards::standards(checks) {
        let mut badges = String::new();
        for result in Ended::OF_CHECKS {
            let count = standard.items.iter().filter(|one| one.result == result).count();
            if count > 0 {
                let _ =
                    write!(badges, " {}", badge(result, &format!("{}: {count}", result.text())));
            }
        }
        let _ = write!(
            out,
            "<details>\n<summary><b>{}</b>{badges}</summary>\n<div class=\"inner\">\n<p class=\"dim\">{}</p>\n\
             <table class=\"wide\">\n<thead><tr><th scope=\"col\">Item</th><th scope=\"col\">Asks for</th>\
             <th scope=\"col\">Result</th><th scope=\"col\">Checks and remarks</th></tr></thead>\n<tbody>\n",
            escaped(standard.name),
            sentence(standard.about)
        );
        for item in &standard.items {
            evidence(out, item);
        }
        out.push_str("</tbody>\n</table>\n</div>\n</details>\n");
    }
    out.push_str("</section>\n");
}

fn badge(result: Ended, text: &str) -> String {
    let colour = match result {
        Ended::Blocked => "bad",
        Ended::Warned => "warn",
        Ended::Waived | Ended::Noted => "info",
        Ended::Clean => "good",
        Ended::Open | Ended::Nothing => "",
    };
    format!("<span class=\"badge {colour}\">{text}</span>")
}

fn evidence(out: &mut String, item: &Evidence<'_>) {
    let mut checks = String::new();
    for (id, outcome) in &item.checks {
        let _ = write!(checks, "<span class=\"chip {}\">{}</span>", colour(*outcome), escaped(id));
    }
    if !item.note.is_empty() {
        let _ = write!(checks, "<div class=\"dim\">{}</div>", sentence(item.note));
    }
    let _ = writeln!(
        out,
        "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{checks}</td></tr>",
        escaped(item.item),
        sentence(item.title),
        badge(item.result, item.result.text())
    );
}

pub(super) fn contract(out: &mut String, document: &Document) {
    let unfit = told::unfit(document);
    let about = unfit.unwrap_or("What was proven holds for a container that is started so.");
    let _ = write!(
        out,
        "<section aria-labelledby=\"contract\">\n<h2 id=\"contract\">How to start it</h2>\n\
         <p class=\"dim\">{about}</p>\n"
    );
    if unfit.is_some() {
        out.push_str("</section>\n");
        return;
    }
    for (title, _, text) in document.contract.shown() {
        let _ = writeln!(out, "<h3>{title}</h3>\n<pre tabindex=\"0\">{}</pre>", lines(&text));
    }
    out.push_str("<ul>\n");
    for note in &document.contract.notes {
        let _ = writeln!(out, "<li>{}</li>", sentence(note));
    }
    out.push_str("</ul>\n</section>\n");
}
