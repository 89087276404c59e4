//! The report on an image: as files instead of the image (`HARDPAN_OUTPUT=report`), and as the answer
//! to a call (`--call=report`).
//!
//! Both go as far as a build does and judge as it does, and succeed with an image that is refused:
//! that is when the report is needed. What fails before anything can be judged fails here as well.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::emit::{Emitter, Written};
use crate::frontend::proof::{self, LookedAt};
use crate::frontend::target::Target;
use crate::frontend::{Build, Failure, LaidOut, evidence};
use crate::gateway::{side_by_side, status::escape};
use crate::options::{LintRules, Options, Outcome};
use crate::platform::Platform;
use crate::report::document::Verdict;
use crate::report::{Document, Format, json};
use crate::result::{Answer, ImageResult};
use crate::words::quoted;

/// The call for the report.
pub(crate) const CALL: &str = "frontend.report";
/// What the label of the files says that they are.
pub(crate) const LABEL: &str = "report";
/// The version of the answer to the call.
const VERSION: &str = "1.0.0";

/// The report in every form.
pub(crate) fn files(document: &Document) -> Vec<Written> {
    let file = |format: &Format| Written {
        name: format.file_name().to_owned(),
        data: format.render(document),
    };
    Format::ALL.iter().map(file).collect()
}

/// The name of the last step: what was proven, or that the image is refused.
pub(crate) fn title(summary: &str, found: &[Diagnostic]) -> String {
    let errors = found.iter().filter(|one| one.refuses());
    let codes: BTreeSet<&str> = errors.map(|one| one.code.id()).collect();
    if codes.is_empty() {
        return summary.to_owned();
    }
    format!("the image is refused: {}", codes.into_iter().collect::<Vec<_>>().join(", "))
}

/// What a build would end with, as warnings: a report is no failure.
pub(crate) fn as_warnings(rules: &LintRules, found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let is_shown = |one: &Diagnostic| one.refuses() || rules.counts(one.code.id());
    let (mut refused, warned): (Vec<_>, Vec<_>) =
        found.into_iter().filter(is_shown).partition(Diagnostic::refuses);
    for one in &mut refused {
        one.severity = Severity::Warning;
        one.message = format!("the image is refused: {}", one.message);
    }
    refused.into_iter().chain(warned).collect()
}

/// The answer to the call, from one document for each platform.
pub(crate) fn told(documents: &[Document]) -> Answer {
    let texts = documents.iter().map(|document| {
        let text = String::from_utf8_lossy(&Format::Text.render(document)).into_owned();
        text.lines().map(|line| escape(line).into_owned() + "\n").collect::<String>()
    });
    let text = texts.collect::<Vec<_>>().join("\n");
    let is_refused = documents.iter().any(|document| document.result == Verdict::Failed);
    let status = if is_refused { "1" } else { "0" };
    let entries = [
        ("result.json", json::pretty(documents).into_bytes()),
        ("result.txt", text.into_bytes()),
        ("result.statuscode", status.as_bytes().to_vec()),
        ("version", VERSION.as_bytes().to_vec()),
    ];
    let entries = entries.map(|(key, value)| (key.to_owned(), value));
    Answer::of_call(BTreeMap::from(entries))
}

/// Nothing inspects a stage: there is nothing to report.
pub(super) fn refuse_stages(options: &Options, target: &Target<'_>) -> Result<(), Failure> {
    let is_call = options.request.as_deref() == Some(CALL);
    let is_report = is_call || options.request.is_none() && options.outcome == Outcome::Report;
    let Some(stage) = target.stage.filter(|_| is_report) else { return Ok(()) };
    let name = &stage.name;
    let message = format!(
        "{} is a stage, which nothing inspects: there is no report on it",
        quoted(&name.value)
    );
    let help = "leave `--target` out for the report on the app, or name another app";
    let mistake = Diagnostic::error(Code::StageTarget, name.span, message).help(help);
    Err(Failure::Refused(vec![mistake]))
}

impl Build<'_> {
    /// The report on an image that was looked at.
    pub(super) async fn report(
        &self,
        emitter: &mut Emitter<'_>,
        looked_at: LookedAt,
        platform: &Platform,
    ) -> Result<ImageResult, Failure> {
        let LookedAt { laid: LaidOut { probes, .. }, verdict } = looked_at;
        let title = title(&verdict.document.summary.text, &verdict.found);
        let warnings = as_warnings(&self.options.lint, verdict.found);
        proof::warn(self.gateway, &self.loaded.vertex, &warnings).await?;
        let files = files(&verdict.document);
        let output = if evidence::can_pass(self.gateway) {
            let output = emitter.reports(files, "write the report");
            emitter.pass(output, &probes, &title)
        } else {
            emitter.reports(files, &title)
        };
        let found = self.solve(self.marshal(emitter, output)).await?.single()?;
        Ok(ImageResult::files(found, (LABEL, platform), self.options))
    }

    /// The report as the answer to the call.
    pub(super) async fn tell(&self, platforms: &[Platform]) -> Result<Answer, Failure> {
        let judged = async |platform: &Platform| {
            let drafted = self.draft(self.app, platform).await?;
            let mut emitter = Emitter::new(&drafted.draft, &self.settings);
            Ok(self.look(&mut emitter, &drafted).await?.verdict.document)
        };
        let all = side_by_side(platforms.iter().map(judged)).await;
        Ok(told(&self.all_of(platforms, all).await?))
    }
}
