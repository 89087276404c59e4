//! What is not known where somebody has an image and nothing else: no line of a spec, no arguments of
//! a build, for a plain folder not even a config. A check that would have to guess says so instead.

use super::{CHECKS, Judgement, Origin, Status};

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

    /// Whether it is for lack of something that a check was not decided.
    pub(crate) fn explains(reason: &str) -> bool {
        let all = [Self::Config, Self::SomeConfig, Self::Build, Self::BaseConfig];
        all.iter().any(|need| need.reason() == reason)
    }
}

impl Judgement {
    /// Takes back what was decided without knowing what it takes.
    pub fn leave_out(&mut self, unknown: &[Need]) {
        for (check, (id, status)) in CHECKS.iter().zip(&mut self.checks) {
            debug_assert_eq!(check.id, *id, "all checks are judged in the order of the table");
            let Some(need) = check.needs.filter(|need| unknown.contains(need)) else { continue };
            if matches!(status, Status::Off | Status::NotEvaluated(_)) {
                continue;
            }
            let is_of_files = |origin: Origin| !matches!(origin, Origin::Config(_));
            self.findings.retain(|finding| {
                finding.check != *id || need == Need::SomeConfig && is_of_files(finding.origin)
            });
            *status = match self.findings.iter().filter(|finding| finding.check == *id).count() {
                0 => Status::NotEvaluated(need.reason().to_owned()),
                count => Status::Failed(count),
            };
        }
    }
}
