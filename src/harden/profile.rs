//! How strict the gate is: the same checks, weighed for different places.

use super::Severity;

/// Where an image is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Profile {
    /// Anywhere: what is dangerous or dead is refused, what is unwise is told.
    #[default]
    Standard,
    /// What is unwise is refused, too.
    Strict,
    /// `OpenShift`, which starts containers as any user in the group root.
    OpenShift,
    /// The container guide of DISA.
    Disa,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Standard, Self::Strict, Self::OpenShift, Self::Disa];

    /// Its name in a spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Strict => "strict",
            Self::OpenShift => "openshift",
            Self::Disa => "disa",
        }
    }

    /// The profile of a name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Its place among the profiles: no check weighs less in a stricter one.
    pub(crate) const fn strictness(self) -> u8 {
        match self {
            Self::OpenShift => 0,
            Self::Standard => 1,
            Self::Disa => 2,
            Self::Strict => 3,
        }
    }

    /// What a weight of the profile `standard` becomes where a check says nothing else.
    pub(crate) fn usual(self, standard: Severity) -> Severity {
        match (self, standard) {
            (Self::Strict, Severity::Warn) => Severity::Block,
            _ => standard,
        }
    }
}
