//! What is not known where somebody has an image and nothing else: no line of a spec, no arguments of
//! a build, for a plain folder not even a config. A check that would have to guess says so instead.

use super::{CHECKS, CheckId, Judgement, NO_BASE, Origin, Status, Subject};
use crate::inspect::evidence::Part;

/// Checks that go through all files. SHL-02 says itself which folder was not listed.
const OF_ALL_FILES: &[&str] = &[
    "SHL-03", "SHL-04", "SHL-07", "SHL-08", "SHL-09", "PRV-01", "PRV-02", "PRV-03", "PRV-04",
    "PRV-05", "PRV-06", "PRV-07", "PRV-10", "PKG-01", "PKG-02", "PKG-04", "PKG-05", "PKG-06",
    "PKG-07", "PKG-08", "PKG-09", "SEC-01", "SEC-02", "SEC-04", "RUN-16",
];

/// Checks that go through all programs by their names, which links have, too.
const OF_ALL_PROGRAMS: &[&str] =
    &["SHL-07", "SHL-08", "PRV-10", "PKG-01", "PKG-02", "PKG-04", "PKG-05", "PKG-06"];

/// What a check must know besides files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The config of the image: without it nothing can be said.
    Config,
    /// The config as well: without it the files may still be wrong, but nothing is proven.
    SomeConfig,
    /// How the image was built.
    Build,
    /// The config of the base.
    BaseConfig,
}

impl Need {
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Config | Self::SomeConfig => "the config of the image is not known",
            Self::Build => "how the image was built is not known",
            Self::BaseConfig => "the config of the base is not known",
        }
    }

    /// Whether it is for lack of something that a check was not decided: of one of these, or the base.
    pub(crate) fn explains(reason: &str) -> bool {
        let all = [Self::Config, Self::SomeConfig, Self::Build, Self::BaseConfig];
        reason == NO_BASE || all.iter().any(|need| need.reason() == reason)
    }
}

/// What a reason says after the path of a folder that was not listed.
const NOT_LISTED: &str = " was not listed: ";

/// Whether a check was not decided because that very folder was not listed.
pub(crate) fn is_unlisted(reason: &str, folder: &str) -> bool {
    reason.strip_prefix(folder).is_some_and(|rest| rest.starts_with(NOT_LISTED))
}

/// Where a folder was not listed, nothing that goes through all files has passed; where a link was not
/// followed, nothing that goes through all programs.
pub(super) fn doubt(subject: &Subject<'_>, checks: &mut [(CheckId, Status)]) {
    let gaps = &subject.inventory.not_evaluated.items;
    for (part, doubted, what) in [
        (Part::Folder, OF_ALL_FILES, NOT_LISTED),
        (Part::Links, OF_ALL_PROGRAMS, " was not followed: "),
    ] {
        let Some(gap) = gaps.iter().find(|gap| gap.part == part) else { continue };
        for (id, status) in checks.iter_mut() {
            if *status == Status::Passed && doubted.contains(&id.0) {
                *status = Status::NotEvaluated(format!("{}{what}{}", gap.path, gap.reason));
            }
        }
    }
}

impl Judgement {
    /// Takes back what was decided without knowing what it takes.
    pub fn leave_out(&mut self, unknown: &[Need]) {
        for (check, (id, status)) in CHECKS.iter().zip(&mut self.checks) {
            debug_assert_eq!(check.id, *id, "all checks are judged in the order of the table");
            let Some(need) = check.needs.filter(|need| unknown.contains(need)) else { continue };
            // What a folder hides is worth nothing where the check knows too little anyway.
            let is_doubted = |reason: &str| reason.contains(NOT_LISTED);
            match status {
                Status::Off => continue,
                Status::NotEvaluated(reason) if !is_doubted(reason) => continue,
                _ => {}
            }
            let is_of_files = |origin: Origin| !matches!(origin, Origin::Config(_));
            self.findings.retain(|finding| {
                finding.check != *id || need == Need::SomeConfig && is_of_files(finding.origin)
            });
            *status = Status::of(*id, &self.findings)
                .unwrap_or_else(|| Status::NotEvaluated(need.reason().to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checks_of_all_files_are_in_the_table() {
        for id in OF_ALL_FILES.iter().chain(OF_ALL_PROGRAMS) {
            assert!(CHECKS.iter().any(|check| check.id.0 == *id), "{id}");
        }
    }
}
