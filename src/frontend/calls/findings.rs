//! Everything that can be found out about a spec without building it: in its text, in the options,
//! in the names and paths of each app, and in the configs of the images that it names.
//!
//! Goes as far as it can: what depends on something that is wrong is left out, everything else is
//! still looked at.

use std::collections::BTreeMap;

use super::Call;
use crate::bases::resolve::ResolveError;
use crate::diagnostic::{Diagnostic, Severity};
use crate::frontend::policy::{self, Gate};
use crate::frontend::proof::base_findings;
use crate::frontend::{Failure, prepare, target};
use crate::options::Options;
use crate::plan::{self, Request, variables::Variables};
use crate::platform::Platform;
use crate::spec::model::{App, Spec};
use crate::spec::{self, Parsed};

/// More than anybody reads; a file of ten thousand apps can hold that many mistakes.
const MOST: usize = 500;

/// All findings, in the order of the file.
pub(super) async fn collect(call: &Call<'_>) -> Result<Vec<Diagnostic>, Failure> {
    let mut found = call.mistakes.clone();
    match spec::parse(&call.loaded.bytes) {
        Ok(parsed) => {
            let target = target::choose(&parsed.spec, call.options);
            // A target that does not exist is told with the apps.
            match &target {
                Ok(target) => found.extend(target.news(&parsed.warnings).cloned()),
                Err(_) => found.extend(parsed.warnings.iter().cloned()),
            }
            found.extend(prepare::unknown_stages(call.options, &parsed.spec));
            found.extend(of_apps(call, &parsed).await?);
        }
        Err(mistakes) => found.extend(mistakes),
    }
    Ok(in_order(found))
}

/// What came out; what was refused is a finding, a builder that is gone is none.
fn keep<T>(outcome: Result<T, Failure>, found: &mut Vec<Diagnostic>) -> Result<Option<T>, Failure> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(Failure::Refused(mistakes)) => {
            found.extend(mistakes);
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

async fn of_apps(call: &Call<'_>, parsed: &Parsed) -> Result<Vec<Diagnostic>, Failure> {
    let Call { options, .. } = call;
    let spec = &parsed.spec;
    let (variables, mut found) = variables(spec, &prepare::arguments(options, spec));
    let registry = keep(prepare::registry(options, spec, &variables), &mut found)?;
    let apps = keep(apps(spec, options), &mut found)?;
    let (Some(registry), Some(apps)) = (registry, apps) else { return Ok(found) };
    let today = prepare::today();
    let central = policy::central(call.gateway, options, today).await?;
    let look = Look { call, parsed, variables: &variables, registry: &registry };
    for app in apps {
        found.extend(policy::without_image(app, today));
        let gate = keep(Gate::of(Some(app), options, central.clone(), today), &mut found)?;
        let gate = gate.unwrap_or_default();
        found.extend(gate.without_test(app));
        let Gate { policy, warnings, .. } = gate;
        found.extend(warnings);
        let platforms = keep(prepare::platforms(options, app, &variables), &mut found)?;
        for platform in platforms.iter().flatten() {
            if let Some(more) = keep(look.at(app, platform).await, &mut found)? {
                found.extend(policy::excuse(more, &policy, today));
            }
        }
    }
    Ok(found)
}

/// The apps to look at; as docker/dockerfile's lint, all of them where none is named.
fn apps<'a>(spec: &'a Spec, options: &Options) -> Result<Vec<&'a App>, Failure> {
    match options.target.as_deref() {
        None | Some("") => Ok(spec.apps.iter().collect()),
        Some(_) => Ok(vec![target::choose(spec, options)?.app]),
    }
}

/// The arguments of the build; those that cannot be given are findings and count as not given.
fn variables(spec: &Spec, given: &BTreeMap<String, String>) -> (Variables, Vec<Diagnostic>) {
    let mistakes = match Variables::new(&spec.args, given) {
        Ok(variables) => return (variables, Vec::new()),
        Err(mistakes) => mistakes,
    };
    let mut sound = given.clone();
    sound.retain(|name, value| {
        let one = BTreeMap::from([(name.clone(), value.clone())]);
        Variables::new(&spec.args, &one).is_ok()
    });
    (Variables::new(&spec.args, &sound).unwrap_or_default(), mistakes)
}

/// What one app is looked at with.
struct Look<'a> {
    call: &'a Call<'a>,
    parsed: &'a Parsed,
    variables: &'a Variables,
    registry: &'a str,
}

impl Look<'_> {
    async fn at(&self, app: &App, platform: &Platform) -> Result<Vec<Diagnostic>, Failure> {
        let options = self.call.options;
        let build = options.build_platform();
        let variables = self.variables.on(platform, &build);
        let request = Request {
            spec: &self.parsed.spec,
            app,
            variables: &variables,
            contexts: &options.contexts,
            certificates: &options.certificates,
            registry: self.registry,
            target: platform,
            build: &build,
        };
        let selection = plan::select(&request).map_err(Failure::Refused)?;
        let resolved =
            crate::bases::resolve::resolve(self.call.gateway, &selection.images, options).await;
        let images = match resolved {
            Ok(images) => images,
            Err(ResolveError::Mistakes(mistakes)) => return Ok(mistakes),
            Err(error @ ResolveError::Gateway(_)) => return Err(error.into()),
        };
        let mut found = base_findings(&request, &selection, &images, prepare::today());
        match plan::draft(&request, &selection, images) {
            Ok(draft) => {
                let settings = prepare::plan_settings(options, app, &variables);
                found.extend(plan::check_settings(&draft, &settings.view()));
            }
            Err(mistakes) => found.extend(mistakes),
        }
        Ok(found)
    }
}

/// By place, each once; where there are too many, those that block stay.
fn in_order(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let key = |one: &Diagnostic| (one.span, one.code, one.message.clone());
    found.sort_by_cached_key(|one| (one.severity == Severity::Warning, key(one)));
    found.dedup_by(|right, left| key(right) == key(left));
    found.truncate(MOST);
    found.sort_by_cached_key(key);
    found
}
