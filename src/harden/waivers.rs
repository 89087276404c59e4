//! Findings that somebody answers for: what a waiver covers, and what became of it.
//!
//! A waiver excuses findings of one check, at paths that match its pattern, until a day. It hides
//! nothing: a finding that it covers stays among the findings and says who answers for it. Patterns
//! are matched without recursion, in a time that grows with pattern and path alone.

use jiff::civil::Date;

use super::policy::{Policy, Source};
use super::{CheckId, Finding};
use crate::diagnostic::Span;

/// Findings that are accepted, by whom, why and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The check whose findings it covers.
    pub check: CheckId,
    /// Where; without it, findings that have no path.
    pub path: Option<Pattern>,
    /// Why they are accepted.
    pub reason: String,
    /// Who answers for that.
    pub owner: String,
    /// The last day on which it counts.
    pub expires: Date,
    /// Whether its author knows that it lets something dangerous through.
    pub dangerously: bool,
    /// Where it was written.
    pub from: Source,
    /// Its lines there.
    pub span: Span,
}

impl Waiver {
    /// Whether its last day is over.
    pub fn is_over(&self, today: Date) -> bool {
        self.expires < today
    }

    /// Whether a finding is what it is about: by all of its paths, or by the entry of the config where
    /// a finding has no path. What stands for more than is known by path, only `/**` covers.
    pub fn covers(&self, finding: &Finding) -> bool {
        if self.check != finding.check {
            return false;
        }
        match (&self.path, finding.path.as_ref()) {
            (Some(pattern), _) if finding.more => pattern.is_everything(),
            (Some(pattern), Some(path)) => {
                let mut all = finding.also.iter().chain([path]);
                all.all(|path| pattern.matches(path))
            }
            (Some(pattern), None) => {
                finding.entry.as_ref().is_some_and(|entry| pattern.matches(entry))
            }
            (None, path) => path.is_none(),
        }
    }
}

/// What became of a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it counts.
    pub state: State,
    /// How many findings it covers, or would cover.
    pub covered: usize,
}

/// Whether a waiver counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It does.
    Counts,
    /// Its last day is over.
    Expired,
    /// It may not (`Policy::permits`).
    Refused,
}

impl State {
    fn of(waiver: &Waiver, policy: &Policy, today: Date) -> Self {
        match (policy.permits(waiver), waiver.is_over(today)) {
            (false, _) => Self::Refused,
            (true, true) => Self::Expired,
            (true, false) => Self::Counts,
        }
    }
}

/// Marks the findings that waivers cover; of several, the first that counts.
pub(super) fn apply(policy: &Policy, today: Date, findings: &mut [Finding]) -> Vec<Outcome> {
    let outcome = |waiver| Outcome { state: State::of(waiver, policy, today), covered: 0 };
    let mut outcomes: Vec<Outcome> = policy.waivers.iter().map(outcome).collect();
    for finding in findings {
        for (index, (waiver, outcome)) in policy.waivers.iter().zip(&mut outcomes).enumerate() {
            let counts = outcome.state == State::Counts;
            if (counts && finding.waived.is_some()) || !waiver.covers(finding) {
                continue;
            }
            outcome.covered += 1;
            if counts {
                finding.waived = Some(index);
            }
        }
    }
    outcomes
}

/// A pattern over paths of an image: `*` and `?` stand for characters of one name, `**` for any
/// number of folders.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(String);

/// Any number of folders, none as well.
const FOLDERS: &str = "**";

impl Pattern {
    /// The longest pattern that is taken for one.
    pub const LONGEST: usize = 1_000;

    /// Reads a pattern, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("it is empty");
        }
        if text.len() > Self::LONGEST {
            return Err("it is too long");
        }
        if text.split('/').any(|name| name != FOLDERS && name.contains(FOLDERS)) {
            return Err("`**` stands alone between slashes, as in `/app/**/*.js`");
        }
        Ok(Self(text.to_owned()))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether every path fits.
    fn is_everything(&self) -> bool {
        ["/**", FOLDERS].contains(&self.as_str())
    }

    /// Whether a whole path fits.
    pub fn matches(&self, path: &str) -> bool {
        let pattern: Vec<&str> = self.0.split('/').collect();
        let path: Vec<&str> = path.split('/').collect();
        let is_many = |name: &&str| *name == FOLDERS;
        fits(&pattern, &path, is_many, |name, wanted| name_fits(wanted, name))
    }
}

fn name_fits(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    fits(&pattern, &name, |one| *one == '*', |have, want| *want == '?' || have == want)
}

/// Whether a text fits a pattern in which some parts stand for any number of parts of the text. Only
/// the last of those ever has to take more: what an earlier one would take, it can take as well.
fn fits<T: Copy>(
    pattern: &[T],
    text: &[T],
    is_many: impl Fn(&T) -> bool,
    is_one: impl Fn(&T, &T) -> bool,
) -> bool {
    let (mut at, mut wanted) = (0, 0);
    let mut last: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(wanted) {
            Some(part) if is_many(part) => {
                last = Some((wanted, at));
                wanted += 1;
            }
            Some(part) if is_one(&text[at], part) => {
                (at, wanted) = (at + 1, wanted + 1);
            }
            _ => {
                let Some((many, from)) = last else { return false };
                last = Some((many, from + 1));
                (at, wanted) = (from + 1, many + 1);
            }
        }
    }
    pattern[wanted..].iter().all(is_many)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::{Origin, Severity};
    use super::*;

    fn finding(check: &'static str, path: Option<&str>, entry: Option<&str>) -> Finding {
        Finding {
            check: CheckId(check),
            severity: Severity::Block,
            origin: Origin::Image,
            entry: entry.map(str::to_owned),
            path: path.map(str::to_owned),
            message: "found".to_owned(),
            help: "leave it out".to_owned(),
            also: Vec::new(),
            more: false,
            waived: None,
        }
    }

    fn waiver(check: &'static str, path: Option<&str>) -> Waiver {
        Waiver {
            check: CheckId(check),
            path: path.map(|path| Pattern::parse(path).unwrap()),
            reason: "it is needed".to_owned(),
            owner: "ops@example.com".to_owned(),
            expires: date(2026, 12, 31),
            dangerously: false,
            from: Source::Spec,
            span: Span::START,
        }
    }

    const TODAY: Date = date(2026, 11, 23);

    #[test]
    fn patterns_match_whole_paths() {
        let cases = [
            ("/bin/sh", "/bin/sh", true),
            ("/bin/sh", "/bin/shx", false),
            ("/bin/sh", "/usr/bin/sh", false),
            ("/bin/*", "/bin/sh", true),
            ("/bin/*", "/bin/a/b", false),
            ("/bin/?sh", "/bin/dash", false),
            ("/bin/??sh", "/bin/dash", true),
            ("/**", "/bin/sh", true),
            ("**", "/bin/sh", true),
            ("**/sh", "/usr/bin/sh", true),
            ("**/sh", "/usr/bin/ash", false),
            ("/app/**/*.node", "/app/a.node", true),
            ("/app/**/*.node", "/app/x/y/a.node", true),
            ("/app/**/*.node", "/app/x/y/a.so", false),
            ("/app/**/b/**/c", "/app/b/x/b/y/c", true),
            ("/app/**/b/**/c", "/app/x/y/c", false),
            ("/app/**", "/app", true),
            ("/app/**", "/application", false),
            ("/app/[id].js", "/app/[id].js", true),
            ("/app/[id].js", "/app/i.js", false),
            ("NODE_*", "NODE_TLS_REJECT_UNAUTHORIZED", true),
            ("80/tcp", "80/tcp", true),
            ("/é?", "/éé", true),
            ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(
                Pattern::parse(pattern).unwrap().matches(path),
                expected,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn patterns_of_many_parts_end_in_time() {
        let pattern = Pattern::parse(&"**/a*a*b/".repeat(100)).unwrap();
        let path = "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".repeat(120);
        let started = std::time::Instant::now();
        assert!(!pattern.matches(&path));
        assert!(started.elapsed().as_secs() < 2, "{:?}", started.elapsed());
    }

    #[test]
    fn refuses_patterns_that_mean_nothing() {
        for pattern in ["", "/app/**.js", "/a**/b", "***", &"x".repeat(1_001)] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn covers_what_it_names_and_no_more() {
        let at = |path| finding("PKG-05", Some(path), None);
        let config = finding("RUN-11", None, Some("80/tcp"));
        let whole = finding("PKG-03", None, None);
        let cases = [
            (waiver("PKG-05", Some("/bin/nc")), at("/bin/nc"), true),
            (waiver("PKG-05", Some("/bin/nc")), at("/bin/ncat"), false),
            (waiver("PKG-06", Some("/bin/nc")), at("/bin/nc"), false),
            // Whoever names no path has not said that any path will do.
            (waiver("PKG-05", None), at("/bin/nc"), false),
            (waiver("RUN-11", None), config.clone(), true),
            (waiver("RUN-11", Some("80/*")), config.clone(), true),
            (waiver("RUN-11", Some("443/tcp")), config, false),
            (waiver("PKG-03", None), whole.clone(), true),
            (waiver("PKG-03", Some("/**")), whole, false),
        ];
        let caches = |path| Finding { also: vec!["/opt/y".to_owned()], ..at(path) };
        assert!(!waiver("PKG-05", Some("/root/**")).covers(&caches("/root/x")));
        assert!(waiver("PKG-05", Some("/**")).covers(&caches("/root/x")));
        let cut = Finding { more: true, ..at("/root/x") };
        assert!(waiver("PKG-05", Some("/**")).covers(&cut));
        assert!(!waiver("PKG-05", Some("/root/**")).covers(&cut));
        for (waiver, finding, expected) in cases {
            assert_eq!(waiver.covers(&finding), expected, "{waiver:?} {finding:?}");
        }
    }

    #[test]
    fn counts_until_the_end_of_its_last_day() {
        let last_day = Waiver { expires: TODAY, ..waiver("PKG-05", Some("/**")) };
        let over = Waiver { expires: date(2026, 11, 22), ..last_day.clone() };
        let policy = Policy { waivers: vec![over, last_day], ..Policy::default() };
        let mut findings = [finding("PKG-05", Some("/bin/nc"), None)];
        let outcomes = apply(&policy, TODAY, &mut findings);
        assert_eq!(outcomes[0], Outcome { state: State::Expired, covered: 1 });
        assert_eq!(outcomes[1], Outcome { state: State::Counts, covered: 1 });
        assert_eq!(findings[0].waived, Some(1));
    }

    #[test]
    fn what_is_dangerous_is_waived_by_whoever_says_so() {
        for (check, is_dangerous) in
            [("USR-01", true), ("SHL-03", true), ("PRV-01", true), ("PRV-03", false)]
        {
            for dangerously in [false, true] {
                let waiver = Waiver { dangerously, ..waiver(check, Some("/**")) };
                let policy = Policy { waivers: vec![waiver], ..Policy::default() };
                let mut findings = [finding(check, Some("/bin/sh"), None)];
                let outcomes = apply(&policy, TODAY, &mut findings);
                let counts = dangerously || !is_dangerous;
                assert_eq!(outcomes[0].state == State::Counts, counts, "{check} {dangerously}");
                assert_eq!(findings[0].waived.is_some(), counts, "{check} {dangerously}");
            }
        }
    }

    #[test]
    fn required_and_forbidden_checks_are_excused_by_the_central_policy_alone() {
        use super::super::policy::{Allowed, Setting};
        let check = CheckId("PKG-05");
        let forbidding = Policy {
            allowed: Setting { value: Allowed::NONE, from: Source::Option },
            ..Policy::default()
        };
        let requiring = Policy { required: [(check, Source::Option)].into(), ..Policy::default() };
        for policy in [forbidding, requiring] {
            for (from, state) in [(Source::Spec, State::Refused), (Source::Policy, State::Counts)] {
                let waiver = Waiver { from, ..waiver("PKG-05", Some("/**")) };
                let policy = Policy { waivers: vec![waiver], ..policy.clone() };
                let mut findings = [finding("PKG-05", Some("/bin/nc"), None)];
                let outcomes = apply(&policy, TODAY, &mut findings);
                assert_eq!(outcomes, [Outcome { state, covered: 1 }], "{from:?}");
                assert_eq!(findings[0].waived.is_some(), state == State::Counts);
            }
        }
    }
}
