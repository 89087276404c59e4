//! `frontend.plan` and `frontend.llb`: what a build would do, and the graph that it would run. The
//! runtime base is looked at for them, nothing of the app is built.

use serde::Serialize;
use serde_json::Value;

use super::{VERSION, in_both_forms, to_json};
use crate::emit::Emitter;
use crate::frontend::{Build, Failure, LaidOut, reports};
use crate::gateway::status::escape;
use crate::platform::Platform;
use crate::result::Answer;
use crate::spec::model::Stage;

pub(super) const PLAN: &str = "frontend.plan";
pub(super) const LLB: &str = "frontend.llb";

/// The answer for one platform.
#[derive(Debug, Serialize)]
struct Laid {
    platform: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    llb: Option<String>,
}

/// Whether a call needs everything that a build needs.
pub(in crate::frontend) fn needs_build(name: &str) -> bool {
    matches!(name, PLAN | LLB | reports::CALL)
}

/// Answers a call that `needs_build`.
pub(in crate::frontend) async fn answer(
    build: &Build<'_>,
    stage: Option<&Stage>,
    platforms: &[Platform],
    name: &str,
) -> Result<Answer, Failure> {
    let mut all = Vec::new();
    for platform in platforms {
        let drafted = match stage {
            Some(stage) => build.draft_stage(stage, platform).await?,
            None => build.draft(build.app, platform).await?,
        };
        let mut emitter = Emitter::new(&drafted.draft, &build.settings);
        let (plan, result) = if stage.is_some() {
            build.lay_out_stage(&mut emitter, &drafted)?
        } else {
            let LaidOut { plan, parts, .. } =
                build.lay_out(&mut emitter, build.app, &drafted).await?;
            (plan, parts.image)
        };
        let is_plan = name == PLAN;
        let config = is_plan.then(|| serde_json::from_slice(&plan.config.to_json()));
        let config = config.transpose().map_err(|error| Failure::internal(error.to_string()))?;
        all.push(Laid {
            platform: platform.id(),
            plan: is_plan.then(|| plan.to_text()),
            config,
            llb: (!is_plan).then(|| emitter.graph().to_text(result)),
        });
    }
    let texts: Vec<String> = all.iter().map(|laid| text(laid, all.len() > 1)).collect();
    Ok(in_both_forms(VERSION, &to_json(&all), &texts.join("\n")))
}

fn text(laid: &Laid, several: bool) -> String {
    let mut lines = Vec::new();
    if several {
        lines.push(format!("=== {} ===", laid.platform));
    }
    for text in laid.plan.iter().chain(&laid.llb) {
        lines.extend(text.lines().map(|line| escape(line).into_owned()));
    }
    if let Some(config) = &laid.config {
        lines.extend([String::new(), "config".to_owned()]);
        lines.extend(to_json(config).lines().map(|line| escape(line).into_owned()));
    }
    lines.push(String::new());
    lines.join("\n")
}
