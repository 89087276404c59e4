//! The tests of the spec, in the finished image: whether the builder can run it, what came of each
//! test, and what the user is told of it.

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::emit::Emitter;
use crate::frontend::evidence::position;
use crate::frontend::failure::emulator;
use crate::frontend::proof::Verdict;
use crate::frontend::{Build, Failure};
use crate::harden::Demand;
use crate::inspect::evidence::Inventory;
use crate::llb::Output;
use crate::plan::{Plan, PlannedTest};
use crate::report::document::{self, Position, Test};
use crate::start::{self, Answer, Order, Outcome, PLACE, Report, Service, Stop, Trial};

/// What is shown of an app's output in a message, from its end.
const SHOWN: usize = 1_400;

/// How many times longer programs may take that the kernel has an emulator run.
const PATIENCE: u64 = 4;

/// What came of the tests.
#[derive(Debug, Default)]
pub(super) struct Tested {
    /// For the document.
    pub(super) tests: Vec<Test>,
    /// What the user is told.
    pub(super) found: Vec<Diagnostic>,
    /// What holds, as parts of the summary.
    pub(super) proven: Vec<String>,
    /// The step that tried it.
    pub(super) outputs: Vec<Output>,
}

impl Verdict {
    /// Adds what came of the tests.
    pub(super) fn add(&mut self, tested: Tested) {
        let Tested { tests, found, proven, outputs } = tested;
        let summary = &mut self.document.summary.text;
        *summary = [vec![summary.clone()], proven].concat().join(", ");
        self.document.add_tests(tests);
        self.found.extend(found);
        // What no check has found refuses the image as well.
        if self.found.iter().any(Diagnostic::refuses) {
            self.document.result = document::Verdict::Failed;
        }
        self.outputs.extend(outputs);
    }
}

impl Build<'_> {
    /// Tries the finished image, if the spec says what must hold in it.
    pub(super) async fn test(
        &self,
        emitter: &mut Emitter<'_>,
        plan: &Plan,
        image: Output,
    ) -> Result<Tested, Failure> {
        let planned = &plan.testing.tests;
        let Some(first) = planned.first() else { return Ok(Tested::default()) };
        let build = &self.probes.platform;
        let is_foreign =
            (&plan.platform.os, &plan.platform.architecture) != (&build.os, &build.architecture);
        // The starter is the builder's own and brings no emulator along: the kernel must have one.
        if is_foreign && self.runs(&plan.platform, build).await? != Some(true) {
            return Ok(self.skipped(plan, first.span));
        }
        let order = order(plan, is_foreign);
        let order =
            serde_json::to_vec(&order).map_err(|error| Failure::internal(error.to_string()))?;
        let output = emitter.testing(&self.probes, (plan, image), order)?;
        let answer = Answer::from_json(&self.read(emitter, output, start::FILE).await?)
            .map_err(Failure::internal)?;
        answers(planned, &answer.tests).map_err(Failure::internal)?;
        let mut tested = Tested { outputs: vec![output], ..Tested::default() };
        for (planned, report) in planned.iter().zip(&answer.tests) {
            let found = found(planned, report, plan);
            tested.tests.push(entry(report, found.as_ref(), self.place(planned)));
            tested.found.extend(found);
        }
        tested.proven = proven(planned, &answer.tests);
        Ok(tested)
    }

    /// The tests of an image that is refused without them.
    pub(super) fn untested(&self, plan: &Plan) -> Tested {
        Tested { tests: self.not_run(plan, "not run: the image is refused"), ..Tested::default() }
    }

    /// The app has no test, and should have one.
    pub(super) fn unproven(&self) -> Tested {
        self.gate.without_test(self.app).map_or_else(Tested::default, |found| {
            let place = position(&self.loaded.file.filename, found.span);
            Tested { tests: vec![required(&found, place)], found: vec![found], ..Tested::default() }
        })
    }

    fn skipped(&self, plan: &Plan, span: Span) -> Tested {
        let platform = &plan.platform;
        let why = format!("the builder cannot run programs for {platform}");
        let mut tests = self.not_run(plan, &why);
        let lacking = format!("the image for {platform} has passed no `test`");
        let found = if let Some(found) = self.gate.unproven(&lacking, span) {
            tests.push(required(&found, position(&self.loaded.file.filename, span)));
            Diagnostic { message: format!("{}: {why}", found.message), ..found }
        } else {
            let message = format!("the image for {platform} is not tested: {why}");
            Diagnostic::warning(Code::TestNotRun, span, message)
        };
        let found = vec![found.help(emulator(platform))];
        Tested { tests, found, ..Tested::default() }
    }

    fn not_run(&self, plan: &Plan, why: &str) -> Vec<Test> {
        let skipped = plan.testing.tests.iter().map(|planned| Test {
            name: planned.test.name.clone(),
            outcome: "skipped".to_owned(),
            message: Some(why.to_owned()),
            output: None,
            stopped_in_time: None,
            position: Some(self.place(planned)),
        });
        skipped.collect()
    }

    fn place(&self, planned: &PlannedTest) -> Position {
        position(&self.loaded.file.filename, planned.span)
    }
}

/// What the document says of a test; of one that passed, what the user is warned of.
fn entry(report: &Report, found: Option<&Diagnostic>, place: Position) -> Test {
    let (outcome, message) = match report.outcome {
        Outcome::Passed => ("passed", found.map(|warning| warning.message.clone())),
        Outcome::Failed | Outcome::Broken => ("failed", Some(report.message.clone())),
    };
    Test {
        name: report.name.clone(),
        outcome: outcome.to_owned(),
        message: message.filter(|message| !message.is_empty()),
        output: Some(report.output.join("\n")).filter(|output| !output.is_empty()),
        // Who has no handler may or may not end as process 1.
        stopped_in_time: report
            .stop
            .filter(|stop| *stop != Stop::Unheard)
            .map(|stop| stop == Stop::InTime),
        position: Some(place),
    }
}

/// What the document says of a test that is required and was not passed, among the tests: so every form
/// of the report says why the image is refused.
pub(crate) fn required(found: &Diagnostic, place: Position) -> Test {
    Test {
        name: format!("require: {}", Demand::TEST),
        outcome: "failed".to_owned(),
        message: Some(found.message.clone()),
        output: None,
        stopped_in_time: None,
        position: Some(place),
    }
}

/// What an inspection is asked of an image: what is writable, and before it, if the image is tested,
/// whether something is at hardpan's own place.
pub(super) fn asked(plan: &Plan, writable: &[String]) -> Vec<String> {
    let reserved = plan.testing.tests.first().map(|_| PLACE.to_owned());
    reserved.into_iter().chain(writable.iter().cloned()).collect()
}

/// Refuses to test an image that has something at hardpan's own place. A builder mounts what is
/// deeper later, whatever comes last, and goes through the links of the image: with nothing of the
/// image there, no writable path can cover what tests it.
pub(super) fn occupied(plan: &Plan, inventory: &Inventory) -> Option<Diagnostic> {
    let test = plan.testing.tests.first()?.span;
    let (span, message) = match inventory.asked(PLACE).map(|lookup| lookup.found.as_ref()) {
        Some(None) => return None,
        Some(Some(found)) => {
            let layer = found.layer.checked_sub(1).and_then(|layer| plan.layers.get(layer));
            let what = format!("the image has {PLACE}, which is hardpan's own place in a test");
            (layer.map_or(test, |layer| layer.span), what)
        }
        None => (test, format!("too many paths are looked up to know what is at {PLACE}")),
    };
    let help = format!("leave `{PLACE}` out of what is placed, and of the base");
    Some(Diagnostic::error(Code::ReservedPlace, span, message).help(help))
}

/// Whether the answer is one to what was asked: each test, in its order.
fn answers(planned: &[PlannedTest], reports: &[Report]) -> Result<(), String> {
    let wanted = planned.iter().map(|one| &one.test.name);
    if wanted.eq(reports.iter().map(|one| &one.name)) {
        return Ok(());
    }
    let (asked, told) = (planned.len(), reports.len());
    Err(format!("{asked} tests were asked for, and the answer is to {told}, or to others"))
}

/// What the starter needs to know.
fn order(plan: &Plan, emulated: bool) -> Order {
    let config = &plan.config.config;
    let words = [&config.entrypoint, &config.cmd].into_iter().flatten().flatten();
    let mut tests: Vec<_> = plan.testing.tests.iter().map(|one| one.test.clone()).collect();
    for test in tests.iter_mut().filter(|_| emulated) {
        test.within *= PATIENCE;
        if let Trial::Start(Service { stops: Some(stops), .. }) = &mut test.trial {
            *stops *= PATIENCE;
        }
    }
    Order {
        uid: plan.user.uid,
        gid: plan.user.gid,
        workdir: plan.config.config.workdir().to_owned(),
        env: plan.testing.env.clone(),
        command: words.cloned().collect(),
        stop_signal: config.stop_signal.clone(),
        tests,
    }
}

/// What the user is told of a test, if anything.
fn found(planned: &PlannedTest, report: &Report, plan: &Plan) -> Option<Diagnostic> {
    let span = planned.span;
    let name = &report.name;
    match report.outcome {
        Outcome::Failed => {
            let message = format!("the test `{name}` failed: {}", report.message);
            Some(Diagnostic::error(Code::TestFailed, span, message).help(help(report, plan)))
        }
        Outcome::Broken => {
            let message = format!("the test `{name}` cannot be run: {}", report.message);
            let help = "the builder does not let hardpan give the app the rights that it will have: run \
                        BuildKit as root or rootless, with Docker's default capabilities";
            Some(Diagnostic::error(Code::TestNotRun, span, message).help(help))
        }
        Outcome::Passed => {
            let stop = report.stop.filter(|stop| *stop != Stop::InTime)?;
            let signal = Some(plan.config.config.stop_signal.as_str()).filter(|it| !it.is_empty());
            let signal = signal.unwrap_or("SIGTERM");
            let why = match stop {
                Stop::Unheard => format!(
                    "has no handler of its own for {signal}, which process 1 of a container needs"
                ),
                Stop::Killed | Stop::InTime => format!("goes on after {signal}"),
            };
            let message = format!("the app does not stop when it is told to: it {why}");
            let help = "engines kill it then, 10 seconds later, in the middle of whatever it does: handle the \
                        signal, or name the one that it handles with `stopsignal`";
            Some(Diagnostic::warning(Code::DoesNotStop, span, message).help(help))
        }
    }
}

/// What to do about a test that failed, and the end of what the app wrote.
fn help(report: &Report, plan: &Plan) -> String {
    let written = report.output.join("\n");
    let any = |words: &[&str]| words.iter().any(|word| written.contains(word));
    let advice = if any(&["EROFS", "Read-only file system", "read-only file system"]) {
        "the image is read-only when it runs: name the paths that the app writes in `writable`"
            .to_owned()
    } else if any(&["EAI_AGAIN", "ENOTFOUND", "getaddrinfo", "name resolution", "ENETUNREACH"]) {
        "there is no network in a test: start what the app can do by itself, with `env` if need be"
            .to_owned()
    } else {
        let crate::plan::Owner { uid, gid } = plan.user;
        format!("it ran as {uid}:{gid}, with `/tmp` and `writable` to write to, and no network")
    };
    let lines = report.output.iter().rev().scan(0, |size, line| {
        *size += line.chars().count() + 1;
        (*size <= SHOWN).then_some(line.as_str())
    });
    let mut lines: Vec<&str> = lines.collect();
    lines.reverse();
    let heading = match (lines.len(), report.output.len()) {
        (_, 0) => "it wrote nothing",
        (shown, all) if shown < all => "the end of what it wrote:",
        _ => "it wrote:",
    };
    [advice.as_str(), heading].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

/// What tests that passed have shown, for the one line of the proof.
fn proven(planned: &[PlannedTest], reports: &[Report]) -> Vec<String> {
    let passed = planned.iter().zip(reports).filter(|(_, one)| one.outcome == Outcome::Passed);
    let (mut ports, mut starts, mut commands) = (Vec::new(), false, 0);
    for (planned, _) in passed {
        match &planned.test.trial {
            Trial::Run { .. } => commands += 1,
            Trial::Start(service) => {
                let asked = service.http.iter().map(|http| http.port).chain(service.ports.clone());
                ports.extend(asked.map(|port| port.to_string()));
                starts = true;
            }
        }
    }
    ports.sort();
    ports.dedup();
    let answers = match ports.as_slice() {
        [] => starts.then(|| "starts".to_owned()),
        ports => Some(format!("answers on {}", ports.join(" and "))),
    };
    let tested = match commands {
        0 => None,
        1 => Some("1 command tested".to_owned()),
        _ => Some(format!("{commands} commands tested")),
    };
    answers.into_iter().chain(tested).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::start::{Expected, Kind, Test};

    fn planned(name: &str) -> PlannedTest {
        let expected = Expected { exit: 0, stdout: None, stderr: None };
        let trial = Trial::Run { command: vec!["x".to_owned()], expected };
        let test = Test { name: name.to_owned(), env: Vec::new(), within: 1, trial };
        PlannedTest { test, span: Span::START }
    }

    #[test]
    fn of_a_test_that_warns_the_document_says_why() {
        let place = || Position { file: "hardpan.yaml".to_owned(), line: 1, column: 1 };
        let unheard = Report { stop: Some(Stop::Unheard), ..report("start") };
        let warning = Diagnostic::warning(Code::DoesNotStop, Span::START, "it goes on");
        let test = entry(&unheard, Some(&warning), place());
        assert_eq!((&*test.outcome, test.message.as_deref()), ("passed", Some("it goes on")));
        assert_eq!(entry(&report("start"), None, place()).message, None);
    }

    fn report(name: &str) -> Report {
        Report {
            name: name.to_owned(),
            kind: Kind::Run,
            outcome: Outcome::Passed,
            message: String::new(),
            output: Vec::new(),
            stop: None,
        }
    }

    #[test]
    fn an_answer_to_other_tests_than_were_asked_for_is_none() {
        let planned = [planned("run a"), planned("run b")];
        assert_eq!(answers(&planned, &[report("run a"), report("run b")]), Ok(()));
        let others: [&[&str]; 4] =
            [&[], &["run a"], &["run a", "run c"], &["run a", "run b", "run b"]];
        for names in others {
            let reports: Vec<Report> = names.iter().map(|name| report(name)).collect();
            assert!(answers(&planned, &reports).is_err(), "{names:?}");
        }
    }
}
