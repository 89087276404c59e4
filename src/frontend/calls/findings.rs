//! Everything that can be found out about a spec without building it: in its text, in the options,
//! in the names and paths of each app, and in the configs of the images that it names.
//!
//! Goes as far as it can: what depends on something that is wrong is left out, everything else is
//! still looked at.

use super::Call;
use crate::bases::resolve::{Lookup, ResolveError};
use crate::diagnostic::{Diagnostic, Severity};
use crate::frontend::proof::base_findings;
use crate::frontend::{Failure, prepare, target};
use crate::plan::{self, Request, variables::Variables};
use crate::platform::Platform;
use crate::spec::{self, Parsed, model::App};

/// More than anybody reads; a file of ten thousand apps can hold that many mistakes.
const MOST: usize = 500;

/// All findings, in the order of the file.
pub(super) async fn collect(call: &Call<'_>) -> Result<Vec<Diagnostic>, Failure> {
    let mut found = call.mistakes.clone();
    match spec::parse(&call.loaded.bytes) {
        Ok(parsed) => {
            found.extend(parsed.warnings.iter().cloned());
            // What is wrong with an option stands for a default here.
            let of_apps = of_apps(call, &parsed).await;
            found.extend(refused(of_apps)?);
        }
        Err(mistakes) => found.extend(mistakes),
    }
    Ok(in_order(found))
}

/// What was refused is a finding; a builder that is gone is none.
fn refused(outcome: Result<Vec<Diagnostic>, Failure>) -> Result<Vec<Diagnostic>, Failure> {
    match outcome {
        Err(Failure::Refused(mistakes)) => Ok(mistakes),
        other => other,
    }
}

async fn of_apps(call: &Call<'_>, parsed: &Parsed) -> Result<Vec<Diagnostic>, Failure> {
    let spec = &parsed.spec;
    let variables =
        Variables::new(&spec.args, &call.options.build_args).map_err(Failure::Refused)?;
    let registry = prepare::registry(call.options, spec, &variables)?;
    let apps: Vec<&App> = match call.options.target.as_deref() {
        // As docker/dockerfile's lint: without a target, all of them.
        None | Some("") => spec.apps.iter().collect(),
        target => vec![target::choose(spec, target)?],
    };
    let look = Look { call, parsed, variables: &variables, registry: &registry };
    let mut found = Vec::new();
    for app in apps {
        match prepare::platforms(call.options, app, &variables) {
            Ok(platforms) => {
                for platform in &platforms {
                    found.extend(refused(look.at(app, platform).await)?);
                }
            }
            Err(failure) => found.extend(refused(Err(failure))?),
        }
    }
    Ok(found)
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
            registry: self.registry,
            target: platform,
            build: &build,
        };
        let selection = plan::select(&request).map_err(Failure::Refused)?;
        let lookup = Lookup::of(options);
        let resolved =
            crate::bases::resolve::resolve(self.call.gateway, &selection.images, &lookup).await;
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
