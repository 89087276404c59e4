//! What a spec, build arguments and the context `policy` ask of the gate → one `Policy`, and what has
//! to be said about it: at the lines of the spec, or at those of the policy's own file.
//!
//! What depends on the findings of an image is said after the judgement, on cache hits as well: a
//! waiver ends on its day, whatever the builder remembers.

use std::cell::{Cell, RefCell};

use jiff::civil::Date;

use crate::context::{self, PolicyFile};
use crate::diagnostic::{Code, Diagnostic, Located, Severity, Span, Text};
use crate::frontend::Failure;
use crate::gateway::{Gateway, SourceFile};
use crate::harden::{
    Allowed, Check, CheckId, Demand, Finding, Judgement, Pattern, Policy, Profile, Source, State,
    Waiver,
};
use crate::llb::Digest;
use crate::options::Options;
use crate::spec::model::{self, App, Waivable};
use crate::spec::{self, value::harden::as_day};

/// Waivers are looked at again at least that often.
const LONGEST_DAYS: i32 = 366;
/// How many paths a message names.
const MOST_NAMED: usize = 3;

/// What the context `policy` asks for.
#[derive(Debug, Clone)]
pub(crate) struct Central {
    demand: Demand,
    /// What whoever builds should know, in words that name the lines.
    warnings: Vec<Diagnostic>,
}

/// Reads the context `policy`, if there is one.
pub(crate) async fn central(
    gateway: &Gateway,
    options: &Options,
    today: Date,
) -> Result<Option<Central>, Failure> {
    let Some(loaded) = context::load_policy(gateway, options).await? else { return Ok(None) };
    match of_file(&loaded, today) {
        Ok(central) => Ok(Some(central)),
        Err(mistakes) => Err(Failure::InPolicy(mistakes, Box::new(loaded.file))),
    }
}

/// What the file of a policy asks for, or all that is wrong with it.
fn of_file(loaded: &PolicyFile, today: Date) -> Result<Central, Vec<Diagnostic>> {
    let policy = spec::parse_policy(&loaded.bytes)?;
    let (waivers, mut found) = waivers(&policy.waive, Source::Policy, today);
    let mut demand = Demand::default();
    for name in &policy.require {
        if let Err(unknown) = demand.require(&name.value) {
            let mistake = Diagnostic::error(Code::UnknownCheck, name.span, unknown);
            found.push(
                mistake.help("docs/hardening.md lists the checks, besides which there is `test`"),
            );
        }
    }
    let mut ids = |texts: &[Text]| -> Vec<CheckId> {
        let (known, unknown): (Vec<_>, Vec<_>) = texts.iter().map(known).partition(Result::is_ok);
        // What is asked for and does not exist would never be.
        let unknown = unknown.into_iter().filter_map(Result::err);
        found.extend(unknown.map(|one| Diagnostic { severity: Severity::Error, ..one }));
        known.into_iter().flatten().collect()
    };
    let allowed = policy.waivable.map(|waivable| match waivable {
        Waivable::All => Allowed::All,
        Waivable::Only(checks) => Allowed::Only(ids(&checks).into_iter().collect()),
    });
    if found.iter().any(Diagnostic::refuses) {
        return Err(found);
    }
    let demand = Demand {
        from: Source::Policy,
        profile: policy.profile.as_ref().and_then(profile),
        allowed,
        waivers,
        digest: Some(Digest::of(&loaded.bytes).to_string()),
        ..demand
    };
    let warnings = found.into_iter().map(|one| elsewhere(one, &loaded.file)).collect();
    Ok(Central { demand, warnings })
}

/// A warning at the file that is built, about a line of another one.
fn elsewhere(one: Diagnostic, file: &SourceFile) -> Diagnostic {
    let start = one.span.start;
    let message = format!("{}:{}:{}: {}", file.filename, start.line, start.column, one.message);
    Diagnostic { message, span: Span::START, ..one }
}

/// What holds for a build.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    pub(crate) policy: Policy,
    /// What is to be said before anything is built.
    pub(crate) warnings: Vec<Diagnostic>,
    /// What each waiver has covered on any platform.
    used: RefCell<Vec<Use>>,
    /// How many images were judged.
    judged: Cell<usize>,
}

/// What became of a waiver on all platforms.
#[derive(Debug, Clone, Default)]
struct Use {
    covered: bool,
    /// Where its check has found something.
    found: Option<String>,
}

impl Gate {
    /// What an app asks for, who builds it, and the context `policy`.
    pub(crate) fn of(
        app: Option<&App>,
        options: &Options,
        central: Option<Central>,
        today: Date,
    ) -> Result<Self, Failure> {
        let (spec, mut warnings) = app.map(|app| of_app(app, today)).unwrap_or_default();
        let central = central.map(|central| {
            warnings.extend(central.warnings);
            central.demand
        });
        if warnings.iter().any(Diagnostic::refuses) {
            return Err(Failure::Refused(warnings));
        }
        let demands = [spec, options.demand.clone()].into_iter().chain(central);
        let policy = Policy::of_all(demands);
        let own = policy.waivers.iter().filter(|waiver| waiver.from == Source::Spec);
        let idle = own.filter(|waiver| !policy.permits(waiver));
        warnings.extend(idle.map(|waiver| forbidden(waiver, &policy)));
        let used = RefCell::new(vec![Use::default(); policy.waivers.len()]);
        Ok(Self { policy, warnings, used, judged: Cell::default() })
    }

    /// What a judgement says about waivers of the spec: those that have ended refuse the image.
    pub(crate) fn told(&self, judgement: &Judgement) -> Vec<Diagnostic> {
        self.remember(judgement);
        let outcomes = judgement.policy.waivers.iter().zip(&judgement.waivers);
        let over = outcomes.filter(|(waiver, outcome)| {
            waiver.from == Source::Spec && outcome.state == State::Expired
        });
        let say = |(waiver, _): (&Waiver, _)| {
            let findings = judgement.findings.iter();
            let covers: Vec<&Finding> = findings.filter(|one| waiver.covers(one)).collect();
            expired(waiver, Some(&covers))
        };
        over.map(say).collect()
    }

    fn remember(&self, judgement: &Judgement) {
        self.judged.set(self.judged.get() + 1);
        let mut used = self.used.borrow_mut();
        let outcomes = judgement.policy.waivers.iter().zip(&judgement.waivers);
        for ((waiver, outcome), one) in outcomes.zip(used.iter_mut()) {
            one.covered |= outcome.covered > 0;
            let mut own = judgement.findings.iter().filter(|found| found.check == waiver.check);
            let found = own.find_map(|found| found.path.clone().or_else(|| found.entry.clone()));
            one.found = one.found.take().or(found);
        }
    }

    /// The waivers of the spec that have covered nothing on any platform.
    pub(crate) fn unused(&self) -> Vec<Diagnostic> {
        let used = self.used.borrow();
        let all = self.policy.waivers.iter().zip(used.iter());
        let idle = all.filter(|(waiver, one)| {
            waiver.from == Source::Spec && !one.covered && self.policy.permits(waiver)
        });
        let warn = |(waiver, one): (&Waiver, &Use)| {
            let message = format!("the waiver of {} covers nothing", waiver.check);
            let help = match &one.found {
                Some(place) => format!("{} has found {place}: write that as `path`", waiver.check),
                None => "remove it".to_owned(),
            };
            Diagnostic::warning(Code::UnusedWaiver, waiver.span, message).help(help)
        };
        idle.map(warn).collect()
    }

    /// A refusal together with the waivers that cover nothing, where all images were judged that
    /// were asked for: clients show no warnings of a build that fails. Those that the refusal names
    /// are told already.
    pub(crate) fn idle_as_well(&self, failure: Failure, asked: usize) -> Failure {
        let Failure::Refused(mut mistakes) = failure else { return failure };
        if self.judged.get() == asked {
            let is_told = |idle: &Diagnostic| {
                let line = format!("{} ", of_line(idle.span)); // 1 is not 12
                mistakes.iter().any(|one| {
                    one.code == Code::ExpiredWaiver && one.span == idle.span
                        || one.help.as_ref().is_some_and(|help| help.contains(&line))
                })
            };
            let idle: Vec<Diagnostic> =
                self.unused().into_iter().filter(|idle| !is_told(idle)).collect();
            mistakes.extend(idle);
        }
        Failure::Refused(mistakes)
    }

    /// Findings, with what to know about those that a waiver covered until it ended, or misses.
    pub(crate) fn explained(&self, findings: Vec<Finding>, today: Date) -> Vec<Finding> {
        let why = |finding: &Finding| self.ended(finding, today).or_else(|| self.missed(finding));
        let explain = |finding: Finding| match why(&finding) {
            Some(why) => Finding { help: format!("{}; {why}", finding.help), ..finding },
            None => finding,
        };
        findings.into_iter().map(explain).collect()
    }

    fn ended(&self, finding: &Finding, today: Date) -> Option<String> {
        let is_it = |waiver: &&Waiver| {
            waiver.from == Source::Policy && waiver.is_over(today) && waiver.covers(finding)
        };
        let waiver = self.policy.waivers.iter().find(is_it)?;
        let (line, day) = (waiver.span.start.line, waiver.expires);
        Some(format!("its waiver in policy.yaml, line {line}, ended on {day}"))
    }
}

impl Gate {
    /// What refuses an app that nothing tries, where whoever builds requires a test.
    pub(crate) fn without_test(&self, app: &App) -> Option<Diagnostic> {
        let help = "write what shows that it works, such as `test: {start: true, http: 8080/healthz}` or \
                    `test: {run: [node, --version]}`";
        let lacking = app.tests.is_empty().then_some("the app has no `test`")?;
        // Without a name the app is the whole file: its first line says where it is.
        let start = app.name.span.start;
        Some(self.unproven(lacking, Span::at(start.line, start.column))?.help(help))
    }

    /// What refuses a Dockerfile where whoever builds requires a test.
    pub(crate) fn of_dockerfile(&self, place: Span) -> Option<Diagnostic> {
        let help = "write a spec, whose image can be tested; or have whoever builds take `test` out of what \
                    is required of this file";
        Some(self.unproven("a Dockerfile has no `test`", place)?.help(help))
    }

    /// What refuses an image that lacks a test, or whose test could not be run.
    pub(crate) fn unproven(&self, lacking: &str, place: Span) -> Option<Diagnostic> {
        let who = who(self.policy.tested?);
        let message = format!("{lacking}, which {who} requires");
        Some(Diagnostic::error(Code::TestRequired, place, message))
    }

    /// What refuses the image although the spec has a waiver of its check, with another path.
    fn missed(&self, finding: &Finding) -> Option<String> {
        let refuses =
            finding.waived.is_none() && finding.severity == crate::harden::Severity::Block;
        let is_it = |waiver: &&Waiver| {
            let counts = waiver.from == Source::Spec && self.policy.permits(waiver);
            counts && waiver.check == finding.check && !waiver.covers(finding)
        };
        let waiver = self.policy.waivers.iter().find(is_it).filter(|_| refuses)?;
        let waiver = of_line(waiver.span);
        let write = match finding.path.as_ref().or(finding.entry.as_ref()) {
            Some(place) => format!("its `path` is not {place}"),
            None => "it has a `path`, this has none".to_owned(),
        };
        Some(format!("{waiver} does not cover it: {write}"))
    }
}

/// A waiver of the spec, by its place.
fn of_line(span: Span) -> String {
    format!("the waiver in line {}", span.start.line)
}

/// The codes of what is said about a base before it is built upon, and the checks that find the same
/// in the image.
const OF_BASES: [(Code, &str); 3] = [
    (Code::EndOfLife, "SUP-04"),
    (Code::BaseDeclaresShell, "SHL-01"),
    (Code::BaseRunsAsRoot, "USR-01"),
];

/// Leaves out what is said about bases and somebody answers for.
pub(crate) fn excuse(found: Vec<Diagnostic>, policy: &Policy, today: Date) -> Vec<Diagnostic> {
    let is_excused = |one: &Diagnostic| {
        let check = OF_BASES.iter().find(|(code, _)| *code == one.code);
        check.is_some_and(|(_, id)| policy.excuses(CheckId(id), today))
    };
    found.into_iter().filter(|one| !is_excused(one)).collect()
}

/// What can be said of an app's waivers without an image.
pub(crate) fn without_image(app: &App, today: Date) -> Vec<Diagnostic> {
    let (demand, mut found) = of_app(app, today);
    let ended = demand.waivers.iter().filter(|waiver| waiver.is_over(today));
    found.extend(ended.map(|waiver| expired(waiver, None)));
    found
}

/// What an app asks for.
fn of_app(app: &App, today: Date) -> (Demand, Vec<Diagnostic>) {
    let (waivers, found) = waivers(&app.harden.waivers, Source::Spec, today);
    let profile = app.harden.profile.as_ref().and_then(profile);
    (Demand { from: Source::Spec, profile, waivers, ..Demand::default() }, found)
}

fn profile(name: &Text) -> Option<Profile> {
    Profile::find(&name.value)
}

fn known(id: &Text) -> Result<CheckId, Diagnostic> {
    Check::find(&id.value).map(|check| check.id).ok_or_else(|| {
        Diagnostic::warning(Code::UnknownCheck, id.span, Check::unknown(&id.value))
            .help("docs/hardening.md lists the checks")
    })
}

/// The waivers of a file: those of checks that exist, and what is wrong with them.
fn waivers(all: &[model::Waiver], from: Source, today: Date) -> (Vec<Waiver>, Vec<Diagnostic>) {
    let (mut waivers, mut found) = (Vec::new(), Vec::new());
    for one in all {
        match waiver(one, from) {
            Ok(waiver) => {
                found.extend(about(&waiver, &one.expires, today));
                waivers.push(waiver);
            }
            Err(mistake) => found.push(mistake),
        }
    }
    (waivers, found)
}

fn waiver(one: &model::Waiver, from: Source) -> Result<Waiver, Diagnostic> {
    let wrong = |text: &Text| {
        Diagnostic::error(Code::InvalidValue, text.span, "this cannot be read as part of a waiver")
    };
    let path = one.path.as_ref();
    let path = path.map(|path| Pattern::parse(&path.value).map_err(|_| wrong(path))).transpose()?;
    Ok(Waiver {
        check: known(&one.check)?,
        path,
        reason: one.reason.value.clone(),
        owner: one.owner.value.clone(),
        expires: as_day(&one.expires.value).ok_or_else(|| wrong(&one.expires))?,
        dangerously: one.dangerously,
        from,
        span: one.check.span,
    })
}

/// What a waiver lacks, or has too much of.
fn about(waiver: &Waiver, expires: &Located<String>, today: Date) -> Option<Diagnostic> {
    let check = waiver.check;
    if check.is_dangerous() && !waiver.dangerously {
        let title = Check::find(check.0).map_or("", |check| check.title);
        let message = format!("a waiver of {check} ({title}) has to say that it is dangerous");
        let help = "write `dangerously: true` into it if that is meant";
        return Some(Diagnostic::error(Code::NotDangerously, waiver.span, message).help(help));
    }
    let days = (waiver.expires - today).get_days();
    (days > LONGEST_DAYS).then(|| {
        let message =
            format!("the waiver of {check} holds until {}, in {days} days", expires.value);
        Diagnostic::warning(Code::LongWaiver, expires.span, message)
            .help("let it end within a year, so that somebody looks at it again")
    })
}

/// `covers`: what it would excuse, where an image was looked at.
fn expired(waiver: &Waiver, covers: Option<&[&Finding]>) -> Diagnostic {
    let (check, day) = (waiver.check, waiver.expires);
    let (would, help) = match covers {
        Some([]) => (String::new(), "it would cover nothing: remove it".to_owned()),
        other => (
            other.map(|all| format!(", and covered {}", named(all))).unwrap_or_default(),
            format!("mend what it covers, or agree with {} on a later day", waiver.owner),
        ),
    };
    let message = format!("the waiver of {check} ended on {day}{would}");
    Diagnostic::error(Code::ExpiredWaiver, waiver.span, message).help(help)
}

/// `1 finding: /bin/sh`.
fn named(all: &[&Finding]) -> String {
    let place = |one: &&Finding| one.path.clone().or_else(|| one.entry.clone());
    let places: Vec<String> = all.iter().filter_map(place).take(MOST_NAMED).collect();
    let plural = if all.len() == 1 { "finding" } else { "findings" };
    let more = if all.len() > places.len() && !places.is_empty() { ", …" } else { "" };
    let lead = if places.is_empty() { "" } else { ": " };
    format!("{} {plural}{lead}{}{more}", all.len(), places.join(", "))
}

/// Whoever builds, by the place where it was said.
fn who(from: Source) -> &'static str {
    match from {
        Source::Policy => "the context `policy`",
        _ => "a build argument",
    }
}

fn forbidden(waiver: &Waiver, policy: &Policy) -> Diagnostic {
    let check = waiver.check;
    let (why, from) = match policy.required.get(&check) {
        Some(from) => ("requires the check", *from),
        None => ("does not let it be waived", policy.allowed.from),
    };
    let who = who(from);
    let message = format!("the waiver of {check} does not count: {who} {why}");
    Diagnostic::warning(Code::ForbiddenWaiver, waiver.span, message)
        .help("mend what it covers, or ask whoever builds for an exception")
}

#[cfg(test)]
mod tests;
