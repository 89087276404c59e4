//! The names that `${…}` may stand for: the arguments that a spec declares, with the values that
//! the build gives, and the platform's own. All mistakes in the values are found here, once.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Span, Text};
use crate::platform::Platform;
use crate::spec::model::{Argument, Variable};
use crate::spec::template::{self, Lookup};
use crate::words::nearest;

/// What is known at one place of the spec.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables {
    values: BTreeMap<String, Option<String>>,
}

impl Variables {
    /// Takes the declared arguments with the values of the build, or all that is wrong with them.
    pub fn new(
        declared: &[Argument],
        given: &BTreeMap<String, String>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut mistakes = Vec::new();
        let mut variables = Self::default();
        for argument in declared {
            let name = &argument.name.value;
            let value = given.get(name).cloned();
            if let Some(value) = &value {
                mistakes.extend(refuse_value(argument, value));
            }
            let value = match (value, &argument.default) {
                (None, Some(default)) => match variables.expand(default) {
                    Ok(default) => Some(default),
                    Err(mistake) => {
                        mistakes.push(mistake);
                        None
                    }
                },
                (value, _) => value,
            };
            variables.values.insert(name.clone(), value);
        }
        let place = declared.first().map_or(Span::START, |argument| argument.name.span);
        for name in given.keys() {
            if !variables.values.contains_key(name.as_str()) {
                mistakes.push(refuse_name(name, declared, place));
            }
        }
        if mistakes.is_empty() { Ok(variables) } else { Err(mistakes) }
    }

    /// The same with the names of the platforms, which are always declared and may be empty.
    #[must_use]
    pub fn on(&self, target: &Platform, build: &Platform) -> Self {
        let mut all = self.clone();
        all.values.extend(platform_names("TARGET", target));
        all.values.extend(platform_names("BUILD", build));
        all
    }

    /// The same with the names of an environment, which hide nothing that is declared.
    #[must_use]
    pub fn with_environment<'a>(
        &self,
        environment: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut all = self.clone();
        for (name, value) in environment {
            all.values.entry(name.to_owned()).or_insert_with(|| Some(value.to_owned()));
        }
        all
    }

    /// The same with a value for a name that is declared; one that is not stays unknown.
    #[must_use]
    pub fn with(mut self, name: &str, value: String) -> Self {
        if let Some(known) = self.values.get_mut(name) {
            *known = Some(value);
        }
        self
    }

    /// The value of a declared name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.as_deref()
    }

    /// The text with every `${…}` replaced.
    pub fn expand(&self, text: &Text) -> Result<String, Diagnostic> {
        let unknown = std::cell::RefCell::new(None);
        let expanded = template::expand(text, &|name| match self.values.get(name) {
            Some(Some(value)) => Lookup::Value(value.clone()),
            Some(None) => Lookup::Unset,
            None => {
                unknown.replace(Some(name.to_owned()));
                Lookup::Undeclared
            }
        });
        expanded.map_err(|mistake| {
            let names = self.values.keys().map(String::as_str);
            let near =
                unknown.into_inner().and_then(|name| nearest(&name, names).map(str::to_owned));
            match near {
                Some(near) => {
                    mistake.help(format!("did you mean ${{{near}}}? A dollar is written `$$`"))
                }
                None => mistake,
            }
        })
    }

    /// `NAME=value` pairs with the values expanded; each sees the ones above it.
    pub fn expand_all(
        &self,
        variables: &[Variable],
        mistakes: &mut Vec<Diagnostic>,
    ) -> Vec<(String, String)> {
        let mut known = self.clone();
        let mut pairs = Vec::new();
        for variable in variables {
            match known.expand(&variable.value) {
                Ok(value) => {
                    let name = variable.name.value.clone();
                    known.values.insert(name.clone(), Some(value.clone()));
                    pairs.push((name, value));
                }
                Err(mistake) => mistakes.push(mistake),
            }
        }
        pairs
    }
}

fn platform_names(prefix: &str, platform: &Platform) -> Vec<(String, Option<String>)> {
    let machine = match (platform.architecture.as_str(), platform.variant.as_str()) {
        ("amd64", _) => "x86_64",
        ("arm64", _) => "aarch64",
        ("arm", "v7") => "armv7l",
        ("386", _) => "i686",
        (other, _) => other,
    };
    [
        ("PLATFORM", platform.id()),
        ("OS", platform.os.clone()),
        ("ARCH", platform.architecture.clone()),
        ("VARIANT", platform.variant.clone()),
        ("MACHINE", machine.to_owned()),
    ]
    .map(|(name, value)| (format!("{prefix}{name}"), Some(value)))
    .to_vec()
}

/// Whether a name is one of those that every platform gives.
#[must_use]
pub fn is_target_name(name: &str) -> bool {
    matches!(name, "TARGETPLATFORM" | "TARGETOS" | "TARGETARCH" | "TARGETVARIANT" | "TARGETMACHINE")
}

fn refuse_value(argument: &Argument, value: &str) -> Option<Diagnostic> {
    if argument.values.is_empty() || argument.values.iter().any(|text| text.value == value) {
        return None;
    }
    let name = &argument.name.value;
    let allowed: Vec<_> = argument.values.iter().map(|text| text.value.as_str()).collect();
    Some(
        Diagnostic::error(
            Code::ArgumentValue,
            argument.name.span,
            format!("the build argument {name} may not be {value:?}"),
        )
        .help(format!("give one of: {}", allowed.join(", "))),
    )
}

fn refuse_name(name: &str, declared: &[Argument], place: Span) -> Diagnostic {
    let names = declared.iter().map(|argument| argument.name.value.as_str());
    let help = match nearest(name, names) {
        Some(near) => format!("did you mean --build-arg {near}=…?"),
        None => format!("declare it: `args: {{{name}: }}`, or leave --build-arg {name} out"),
    };
    Diagnostic::error(
        Code::UnknownArgument,
        place,
        format!("the build argument {name:?} is not declared in `args`"),
    )
    .help(help)
}
