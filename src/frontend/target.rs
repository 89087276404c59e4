//! Which app of a file is meant by `--target`.

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::Failure;
use crate::spec::model::{App, Spec};
use crate::words::nearest;

/// The app that is built: the named one, or the first.
pub fn choose<'a>(spec: &'a Spec, target: Option<&str>) -> Result<&'a App, Failure> {
    let first = spec.apps.first().ok_or_else(|| Failure::internal("the spec has no app"))?;
    let Some(target) = target.filter(|target| !target.is_empty()) else { return Ok(first) };
    if let Some(app) = spec.apps.iter().find(|app| app.name.value == target) {
        return Ok(app);
    }
    let names: Vec<&str> = spec.apps.iter().map(|app| app.name.value.as_str()).collect();
    let help = if !spec.named_apps {
        "this file has one app: leave `--target` out".to_owned()
    } else if let Some(near) = nearest(target, names.iter().copied()) {
        format!("did you mean `--target {near}`?")
    } else {
        format!("the targets are: {}", names.join(", "))
    };
    let code = if target.contains('/') { Code::NotYet } else { Code::UnknownTarget };
    let message = match code {
        Code::NotYet => format!("the target {target:?} hands out a stage, which is not there yet"),
        _ => format!("there is no target {target:?}"),
    };
    Err(Failure::Refused(vec![Diagnostic::error(code, first.name.span, message).help(help)]))
}
