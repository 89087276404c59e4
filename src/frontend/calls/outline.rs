//! `frontend.outline`: what a build of an app can be given: arguments, secrets, ssh agents.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::columns::columns;
use super::{Call, Location, VERSION, in_both_forms, targets, to_json};
use crate::diagnostic::{Diagnostic, Span};
use crate::frontend::{Failure, prepare, target};
use crate::plan::{self, Request, Selection, variables::Variables};
use crate::result::Answer;
use crate::spec::model::{self, Step};

pub(super) const NAME: &str = "frontend.outline";

/// As frontend/subrequests/outline has it.
#[derive(Debug, Default, Serialize)]
struct Outline {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    args: Vec<Argument>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<Wanted>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ssh: Vec<Wanted>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cache: Vec<CacheMount>,
    sources: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Argument {
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    value: String,
    location: Location,
}

/// A secret or an agent.
#[derive(Debug, Serialize)]
struct Wanted {
    name: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    required: bool,
    location: Location,
}

#[derive(Debug, Serialize)]
struct CacheMount {
    #[serde(rename = "ID")]
    id: String,
    location: Location,
}

pub(super) fn answer(call: &Call<'_>) -> Result<Answer, Failure> {
    let parsed = call.parse()?;
    let spec = &parsed.spec;
    let target = target::choose(spec, call.options)?;
    let app = target.app;
    let given = prepare::arguments(call.options, spec);
    let variables = Variables::new(&spec.args, &given).map_err(Failure::Refused)?;
    let registry = prepare::registry(call.options, spec, &variables)?;
    let platforms = prepare::platforms(call.options, app, &variables)?;
    let build = call.options.build_platform();
    let platform = platforms.first().unwrap_or(&build);
    let variables = variables.on(platform, &build);
    let request = Request {
        spec,
        app,
        variables: &variables,
        contexts: &call.options.contexts,
        certificates: &call.options.certificates,
        registry: &registry,
        target: platform,
        build: &build,
    };
    let selection = match target.stage {
        Some(stage) => plan::select_stage(&request, stage),
        None => plan::select(&request),
    };
    let selection = selection.map_err(Failure::Refused)?;
    let mut outline = Outline {
        name: match target.stage {
            Some(stage) => target::name_of(spec, app, stage),
            None if spec.named_apps => app.name.value.clone(),
            None => String::new(),
        },
        description: target.stage.map_or_else(|| targets::description(app), |_| String::new()),
        args: spec.args.iter().map(|argument| described(argument, &variables)).collect(),
        sources: vec![STANDARD.encode(&call.loaded.bytes)],
        ..Outline::default()
    };
    outline.take_runs(&selection, &variables).map_err(|mistake| Failure::Refused(vec![mistake]))?;
    Ok(in_both_forms(VERSION, &to_json(&outline), &text(&outline)))
}

fn described(argument: &model::Argument, variables: &Variables) -> Argument {
    let values: Vec<&str> = argument.values.iter().map(|text| text.value.as_str()).collect();
    let own = argument.description.as_ref().map(|text| text.value.clone());
    let values = (!values.is_empty()).then(|| format!("one of {}", values.join(", ")));
    Argument {
        name: argument.name.value.clone(),
        description: own.into_iter().chain(values).collect::<Vec<_>>().join("; "),
        value: variables.get(&argument.name.value).unwrap_or_default().to_owned(),
        location: Location::of(argument.name.span),
    }
}

impl Outline {
    /// What the runs of the stages that the app needs take from the client or keep on the builder.
    fn take_runs(
        &mut self,
        selection: &Selection<'_>,
        variables: &Variables,
    ) -> Result<(), Diagnostic> {
        for stage in &selection.stages {
            for cache in &stage.stage.cache {
                self.add_cache(cache, variables)?;
            }
            for step in &stage.stage.steps {
                let Step::Run(run) = step else { continue };
                for secret in &run.secrets {
                    let name = variables.expand(&secret.id)?;
                    add(&mut self.secrets, name, !secret.optional, secret.id.span);
                }
                for ssh in &run.ssh {
                    add(&mut self.ssh, ssh.id.value.clone(), true, ssh.id.span);
                }
                for cache in &run.cache {
                    self.add_cache(cache, variables)?;
                }
            }
        }
        Ok(())
    }

    fn add_cache(&mut self, cache: &model::Cache, variables: &Variables) -> Result<(), Diagnostic> {
        let text = cache.id.as_ref().unwrap_or(&cache.path);
        let id = variables.expand(text)?;
        if !self.cache.iter().any(|other| other.id == id) {
            self.cache.push(CacheMount { id, location: Location::of(text.span) });
        }
        Ok(())
    }
}

/// Each once, at its first place; required if one place needs it.
fn add(all: &mut Vec<Wanted>, name: String, required: bool, span: Span) {
    match all.iter_mut().find(|other| other.name == name) {
        Some(other) => other.required |= required,
        None => all.push(Wanted { name, required, location: Location::of(span) }),
    }
}

/// As buildx draws it.
fn text(outline: &Outline) -> String {
    let mut text = String::new();
    if !outline.name.is_empty() || !outline.description.is_empty() {
        let name = if outline.name.is_empty() { "(default)" } else { &outline.name };
        let mut rows = vec![vec!["TARGET:".to_owned(), name.to_owned()]];
        if !outline.description.is_empty() {
            rows.push(vec!["DESCRIPTION:".to_owned(), outline.description.clone()]);
        }
        text.push_str(&columns(&rows, 1));
        text.push('\n');
    }
    let arguments = outline.args.iter().map(|argument| {
        vec![argument.name.clone(), argument.value.clone(), argument.description.clone()]
    });
    text.push_str(&table(&["BUILD ARG", "VALUE", "DESCRIPTION"], arguments.collect()));
    for (head, all) in [("SECRET", &outline.secrets), ("SSH", &outline.ssh)] {
        let rows = all.iter().map(|wanted| {
            let required = if wanted.required { "true" } else { "" };
            vec![wanted.name.clone(), required.to_owned()]
        });
        text.push_str(&table(&[head, "REQUIRED"], rows.collect()));
    }
    text
}

fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let head = head.iter().map(|&cell| cell.to_owned()).collect();
    let rows: Vec<Vec<String>> = [head].into_iter().chain(rows).collect();
    format!("{}\n", columns(&rows, 3))
}
