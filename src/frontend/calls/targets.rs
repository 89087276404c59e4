//! `frontend.targets`: what `--target` takes: apps, and stages whose files can be taken out.
//!
//! A stage is listed with the apps that need it; one that nothing needs, with the first app.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::columns::columns;
use super::{Call, Location, VERSION, in_both_forms, to_json};
use crate::frontend::{Failure, target};
use crate::result::Answer;
use crate::spec::model::{App, Base, Spec, Stage};

pub(super) const NAME: &str = "frontend.targets";

/// What is said of every stage.
const OF_A_STAGE: &str = "files of a stage, no product";

/// The label that people describe an image with.
const DESCRIPTION: &str = "org.opencontainers.image.description";

/// As frontend/subrequests/targets has it.
#[derive(Debug, Serialize)]
struct List {
    targets: Vec<Target>,
    sources: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Target {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    default: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    base: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    platform: String,
    location: Location,
}

pub(super) fn answer(call: &Call<'_>) -> Result<Answer, Failure> {
    let parsed = call.parse()?;
    let spec = &parsed.spec;
    let target = |(index, app): (usize, &App)| Target {
        // The one app of a file without `apps` has no name that somebody would type.
        name: if spec.named_apps { app.name.value.clone() } else { String::new() },
        default: index == 0,
        description: description(app),
        base: base(&app.base),
        platform: app
            .platforms
            .iter()
            .map(|text| text.value.as_str())
            .collect::<Vec<_>>()
            .join(","),
        location: Location::of(if spec.named_apps { app.name.span } else { app.span }),
    };
    let mut targets: Vec<Target> = spec.apps.iter().enumerate().map(target).collect();
    targets.extend(stages(call, spec));
    let text = text(&targets);
    let sources = vec![STANDARD.encode(&call.loaded.bytes)];
    Ok(in_both_forms(VERSION, &to_json(&List { targets, sources }), &text))
}

/// The stages, below the apps that they are built for.
fn stages(call: &Call<'_>, spec: &Spec) -> Vec<Target> {
    let target = |(app, stage): (&App, &Stage)| Target {
        name: target::name_of(spec, app, stage),
        default: false,
        description: OF_A_STAGE.to_owned(),
        base: stage.base.as_ref().map(base).unwrap_or_default(),
        platform: String::new(),
        location: Location::of(stage.name.span),
    };
    target::stages(spec, call.options).into_iter().map(target).collect()
}

/// What an app says about itself.
pub(super) fn description(app: &App) -> String {
    let mut pairs = app.labels.iter().chain(&app.annotations);
    pairs
        .find(|pair| pair.name.value == DESCRIPTION)
        .map(|pair| pair.value.value.clone())
        .unwrap_or_default()
}

/// The base as it is written; of a pair what ships.
fn base(base: &Base) -> String {
    match base {
        Base::Name(text) | Base::Pair { runtime: Some(text), .. } => text.value.clone(),
        Base::Pair { dev, .. } => dev.as_ref().map(|text| text.value.clone()).unwrap_or_default(),
    }
}

fn text(targets: &[Target]) -> String {
    let row = |target: &Target| {
        let name = match (target.name.as_str(), target.default) {
            ("", true) => "(default)".to_owned(),
            (name, true) => format!("{name} (default)"),
            (name, false) => name.to_owned(),
        };
        vec![name, target.description.clone()]
    };
    let head = ["TARGET", "DESCRIPTION"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = [head].into_iter().chain(targets.iter().map(row)).collect();
    columns(&rows, 1)
}
