//! A stage as the result of a build: its files as they are, for looking at and for taking out.
//!
//! Nothing has proven it, so its image cannot pass for a product: it is labelled, hardpan takes it
//! for no runtime base, and what it would start cannot exist.

use crate::bases::Resolved;
use crate::diagnostic::Diagnostic;
use crate::image::{NO_ENTRYPOINT, STAGE_LABEL};
use crate::plan::draft::{Draft, image_paths, used_paths};
use crate::plan::select::{Request, Selection};
use crate::plan::settings::Settings;
use crate::plan::{Origin, Owner, Places, Plan, Product, Stage, Testing, stages};

/// Works out the paths and commands of a selected stage, or all that is wrong with them.
pub fn draft_stage(
    request: &Request<'_>,
    selection: &Selection<'_>,
    images: Vec<Resolved>,
) -> Result<Draft, Vec<Diagnostic>> {
    let mut mistakes = Vec::new();
    let mut drafted = stages::stages(request, selection, &images, &mut mistakes);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let end = drafted.last_mut().map(|last| std::mem::take(&mut last.end)).unwrap_or_default();
    let stages: Vec<Stage> = drafted.into_iter().map(|stage| stage.stage).collect();
    let name = stages.last().map_or("", |stage| stage.name.as_str());
    Ok(Draft {
        app: format!("{}/{name}", request.app.name.value),
        platform: request.target.clone(),
        runtime: selection.runtime,
        context_paths: used_paths(&stages, &[], &Origin::Context),
        image_paths: image_paths(&stages, &[], images.len()),
        images,
        stages,
        items: Vec::new(),
        workdir: end.workdir,
        own_workdir: true,
        env: end.env,
        writable: Vec::new(),
    })
}

/// The plan of a drafted stage.
#[must_use]
pub fn finish_stage(draft: Draft, settings: &Settings<'_>) -> Plan {
    let mut config = draft.images[draft.runtime].config.clone();
    // Those that its programs are for, which is not always what the build is for.
    let platform = draft.stages.last().map_or(&draft.platform, |stage| &stage.platform);
    config.os.clone_from(&platform.os);
    config.architecture.clone_from(&platform.architecture);
    config.variant.clone_from(&platform.variant);
    config.rootfs.diff_ids.clear(); // the exporter counts the layers again
    config.created = settings.created.map(str::to_owned);
    let run = &mut config.config;
    "0:0".clone_into(&mut run.user);
    run.working_dir.clone_from(&draft.workdir);
    run.env = draft.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    run.entrypoint = Some(vec![NO_ENTRYPOINT.to_owned()]);
    run.cmd = Some(Vec::new());
    run.healthcheck = None;
    run.on_build.clear();
    run.exposed_ports.clear();
    run.volumes.clear();
    run.labels.extend(settings.labels.iter().cloned());
    run.labels.insert(STAGE_LABEL.to_owned(), draft.app.clone());
    Plan {
        annotations: vec![(STAGE_LABEL.to_owned(), draft.app.clone())],
        result: Product::Stage(draft.app),
        platform: draft.platform,
        runtime: draft.runtime,
        images: draft.images,
        stages: draft.stages,
        layers: Vec::new(),
        config,
        user: Owner::default(),
        writable: Vec::new(),
        context_paths: draft.context_paths,
        places: Places::default(),
        testing: Testing::default(),
    }
}
