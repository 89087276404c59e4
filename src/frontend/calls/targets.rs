//! `frontend.targets`: what `--target` takes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::columns::columns;
use super::{Call, Location, VERSION, in_both_forms, to_json};
use crate::frontend::Failure;
use crate::result::Answer;
use crate::spec::model::{App, Base};

pub(super) const NAME: &str = "frontend.targets";

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
    let targets: Vec<Target> = spec.apps.iter().enumerate().map(target).collect();
    let text = text(&targets);
    let sources = vec![STANDARD.encode(&call.loaded.bytes)];
    Ok(in_both_forms(VERSION, &to_json(&List { targets, sources }), &text))
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
