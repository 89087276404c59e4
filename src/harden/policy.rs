//! What an image is judged by: how strictly, which checks must hold in any case, what is excused.
//!
//! Several have a say: the file that is built, and whoever runs the build, by build arguments and by
//! a policy of their own. Demands go in, one `Policy` comes out, in which of two settings the stricter
//! one holds: the author of a file can ask for more than others do, never for less.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::waivers::Waiver;
use super::{Check, CheckId, Profile, Severity};
use crate::words::{nearest, quoted};

/// Who has said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Source {
    /// Nobody.
    #[default]
    Default,
    /// The file that is built.
    Spec,
    /// Whoever builds or scans, with an option of the command.
    Option,
    /// The policy that whoever builds has handed over.
    Policy,
}

impl Source {
    /// Its name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Spec => "spec",
            Self::Option => "option",
            Self::Policy => "policy",
        }
    }
}

/// A setting and who made it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Setting<T> {
    /// What holds.
    pub value: T,
    /// Who has said so.
    pub from: Source,
}

/// Which waivers of the file that is built count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Allowed {
    /// All.
    #[default]
    All,
    /// Those of some checks; of none, if it is empty.
    Only(BTreeSet<CheckId>),
}

impl Allowed {
    /// None at all.
    pub const NONE: Self = Self::Only(BTreeSet::new());

    /// Whether those of a check count.
    pub fn has(&self, check: CheckId) -> bool {
        match self {
            Self::All => true,
            Self::Only(checks) => checks.contains(&check),
        }
    }

    fn and(self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, other) => other.clone(),
            (mine, Self::All) => mine,
            (Self::Only(mine), Self::Only(others)) => Self::Only(&mine & others),
        }
    }
}

/// What one source asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demand {
    /// Whose it is.
    pub from: Source,
    /// How strict it has to be, if it says so.
    pub profile: Option<Profile>,
    /// Which waivers of the file that is built may count, if it says so.
    pub allowed: Option<Allowed>,
    /// Checks that have to hold.
    pub required: BTreeSet<CheckId>,
    /// Whether the image has to have a test, and to have passed it.
    pub tested: bool,
    /// What it excuses.
    pub waivers: Vec<Waiver>,
    /// The digest of the file that says so, where that is not the one that is built.
    pub digest: Option<String>,
}

/// What an image is judged by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// All who have asked for something.
    pub asked: BTreeSet<Source>,
    /// The digest of the central policy.
    pub digest: Option<String>,
    /// How strict.
    pub profile: Setting<Profile>,
    /// Profiles that were asked for as well, and are weaker.
    pub overridden: Vec<Setting<Profile>>,
    /// Checks whose findings block whatever the profile says, and which block if they cannot be
    /// decided. No waiver of the file that is built excuses them.
    pub required: BTreeMap<CheckId, Source>,
    /// Who wants every image to be tested, if anybody does.
    pub tested: Option<Source>,
    /// Which waivers of the file that is built count.
    pub allowed: Setting<Allowed>,
    /// All waivers, those that do not count as well.
    pub waivers: Vec<Waiver>,
}

impl Demand {
    /// What stands among the checks that are required, and is none.
    pub const TEST: &str = "test";

    /// Adds what has to hold, by its name; the error says which name was meant.
    pub fn require(&mut self, name: &str) -> Result<(), String> {
        match Check::find(name) {
            Some(check) => drop(self.required.insert(check.id)),
            None if name == Self::TEST => self.tested = true,
            None if nearest(name, [Self::TEST]).is_some() => {
                let (written, test) = (quoted(name), Self::TEST);
                return Err(format!("there is no check {written}; did you mean `{test}`?"));
            }
            None => return Err(Check::unknown(name)),
        }
        Ok(())
    }
}

impl Policy {
    /// All that has to hold, by name.
    pub fn required(&self) -> impl Iterator<Item = &'static str> {
        let test = self.tested.map(|_| Demand::TEST);
        self.required.keys().map(|check| check.0).chain(test)
    }

    /// A profile that somebody has asked for, and nothing else.
    pub fn of(profile: Profile) -> Self {
        let demand = Demand { from: Source::Option, profile: Some(profile), ..Demand::default() };
        Self::of_all([demand])
    }

    /// What all of them ask for together: the strictest profile, every required check, only the
    /// waivers that all of them allow. Of equals the first one is named.
    pub fn of_all(demands: impl IntoIterator<Item = Demand>) -> Self {
        let mut policy = Self::default();
        let mut asked: Vec<Setting<Profile>> = Vec::new();
        for demand in demands {
            let asks = Demand { from: demand.from, ..Demand::default() } != demand;
            let Demand { from, profile, allowed, required, tested, waivers, digest } = demand;
            policy.asked.extend(asks.then_some(from));
            policy.digest = policy.digest.or(digest);
            asked.extend(profile.map(|value| Setting { value, from }));
            if let Some(other) = allowed {
                let value = policy.allowed.value.clone().and(&other);
                if value != policy.allowed.value || policy.allowed.from == Source::Default {
                    policy.allowed = Setting { value, from };
                }
            }
            policy.tested = policy.tested.or(tested.then_some(from));
            for check in required {
                policy.required.entry(check).or_insert(from);
            }
            policy.waivers.extend(waivers);
        }
        // The first of the strictest: `max_by_key` would give the last.
        let strictest = asked.iter().rev().max_by_key(|one| one.value.strictness()).cloned();
        if let Some(strictest) = strictest {
            asked.retain(|one| one.value.strictness() < strictest.value.strictness());
            policy.profile = strictest;
        }
        policy.overridden = asked;
        policy
    }

    /// How much a finding of a check weighs; `None`: it is left out.
    pub fn weight(&self, check: &Check) -> Option<Severity> {
        if self.requires(check.id) {
            return Some(Severity::Block);
        }
        check.weight(self.profile.value)
    }

    /// Whether a check has to hold whatever the profile says.
    pub fn requires(&self, check: CheckId) -> bool {
        self.required.contains_key(&check)
    }

    /// Whether a waiver that counts covers findings of a check that have no path.
    pub fn excuses(&self, check: CheckId, today: Date) -> bool {
        let counts = |waiver: &&Waiver| self.permits(waiver) && !waiver.is_over(today);
        let mut waivers = self.waivers.iter().filter(counts);
        waivers.any(|waiver| waiver.check == check && waiver.path.is_none())
    }

    /// Whether a waiver may count at all: none of the file that is built may where whoever builds
    /// does not want it, and none may excuse what is dangerous without saying so.
    pub fn permits(&self, waiver: &Waiver) -> bool {
        let is_said = waiver.dangerously || !waiver.check.is_dangerous();
        let is_central = waiver.from == Source::Policy;
        let is_wanted = self.allowed.value.has(waiver.check) && !self.requires(waiver.check);
        is_said && (is_central || is_wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::super::CHECKS;
    use super::*;

    const USR_01: CheckId = CheckId("USR-01");
    const PKG_05: CheckId = CheckId("PKG-05");

    fn asks(from: Source, profile: Profile) -> Demand {
        Demand { from, profile: Some(profile), ..Demand::default() }
    }

    #[test]
    fn the_strictest_profile_holds_whoever_asks_for_it() {
        use Profile::{Disa, OpenShift, Standard, Strict};
        use Source::{Option, Policy as Central, Spec};
        type Asked = &'static [(Source, Profile)];
        let cases: [(Asked, (Profile, Source), &[Profile]); 7] = [
            (&[], (Standard, Source::Default), &[]),
            (&[(Spec, OpenShift)], (OpenShift, Spec), &[]),
            (&[(Spec, Standard), (Option, Strict)], (Strict, Option), &[Standard]),
            (&[(Spec, Strict), (Option, Standard)], (Strict, Spec), &[Standard]),
            (&[(Option, OpenShift), (Central, Standard)], (Standard, Central), &[OpenShift]),
            (&[(Spec, Disa), (Option, Disa)], (Disa, Spec), &[]),
            (&[(Spec, Disa), (Central, Strict), (Option, Disa)], (Strict, Central), &[Disa, Disa]),
        ];
        for (asked, (profile, from), overridden) in cases {
            let policy = Policy::of_all(asked.iter().map(|(from, what)| asks(*from, *what)));
            assert_eq!(policy.profile, Setting { value: profile, from }, "{asked:?}");
            let weaker: Vec<Profile> = policy.overridden.iter().map(|one| one.value).collect();
            assert_eq!(weaker, overridden, "{asked:?}");
        }
    }

    #[test]
    fn a_stricter_profile_weighs_no_check_less() {
        let mut profiles = Profile::ALL;
        profiles.sort_by_key(|profile| profile.strictness());
        for (weaker, stricter) in profiles.iter().zip(&profiles[1..]) {
            for check in CHECKS {
                let weights = [weaker, stricter].map(|profile| check.weight(*profile));
                assert!(weights[0] <= weights[1], "{} {weaker:?} {stricter:?}", check.id);
            }
        }
    }

    #[test]
    fn only_waivers_that_all_allow_count() {
        let only = |checks: &[CheckId]| Allowed::Only(checks.iter().copied().collect());
        let allows = |from, allowed| Demand { from, allowed: Some(allowed), ..Demand::default() };
        let both = |first, second| {
            Policy::of_all([allows(Source::Option, first), allows(Source::Policy, second)]).allowed
        };
        let setting = |value, from| Setting { value, from };
        assert_eq!(both(Allowed::All, Allowed::NONE), setting(Allowed::NONE, Source::Policy));
        assert_eq!(both(Allowed::NONE, Allowed::All), setting(Allowed::NONE, Source::Option));
        assert_eq!(both(Allowed::All, Allowed::All), setting(Allowed::All, Source::Option));
        assert_eq!(
            both(only(&[USR_01, PKG_05]), only(&[PKG_05])),
            setting(only(&[PKG_05]), Source::Policy)
        );
        assert!(only(&[PKG_05]).has(PKG_05) && !only(&[PKG_05]).has(USR_01));
        assert!(Policy::default().allowed.value.has(USR_01));
    }

    #[test]
    fn a_required_check_blocks_even_where_the_profile_leaves_it_out() {
        let check = Check::find("USR-04").unwrap();
        let mut policy = Policy::of(Profile::OpenShift);
        assert_eq!(policy.weight(check), None);
        policy.required.insert(check.id, Source::Option);
        assert_eq!(policy.weight(check), Some(Severity::Block));
    }
}
