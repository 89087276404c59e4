//! The table of contents of a build: from the options of the client to the image that goes back.
//!
//! options → spec → app → images → draft → facts → plan → graph → inventory → verdict → result, for
//! each platform. Nothing is returned that was not inspected; every failure points into the spec.

mod calls;
mod failure;
pub mod prepare;
mod proof;
pub mod target;

use calls::Call;
pub use failure::Failure;

use crate::context::{self, Loaded};
use crate::diagnostic::Diagnostic;
use crate::emit::{Emitter, ProbeSettings};
use crate::gateway::{Gateway, Solve};
use crate::options::Options;
use crate::plan::{self, Request, variables::Variables};
use crate::platform::Platform;
use crate::proto::{Status, pb};
use crate::result::{Answer, ImageResult};
use crate::spec::{Parsed, model::App};

/// Answers one build or call; `mistakes` are those of the options.
pub async fn run(
    gateway: &Gateway,
    options: Options,
    mistakes: Vec<Diagnostic>,
) -> Result<Answer, Status> {
    let answer = answer(gateway, options, mistakes).await;
    answer.map_err(|failure| failure.into_status(gateway.source_file()))
}

async fn answer(
    gateway: &Gateway,
    options: Options,
    mistakes: Vec<Diagnostic>,
) -> Result<Answer, Failure> {
    prepare::require(gateway)?;
    let locations = prepare::locations(&options)?;
    let loaded = context::load_spec(gateway, &locations).await?;
    gateway.set_source_file(loaded.file.clone());
    if let Some(request) = &options.request {
        let call = Call { gateway, options: &options, loaded: &loaded, mistakes };
        return calls::answer(&call, request).await;
    }
    let parsed = prepare::parse(&loaded, mistakes)?;
    let app = target::choose(&parsed.spec, options.target.as_deref())?;
    let variables =
        Variables::new(&parsed.spec.args, &options.build_args).map_err(Failure::Refused)?;
    let ignore = context::load_ignore(gateway, &locations, loaded.own_ignore.as_deref()).await?;
    let build = Build {
        gateway,
        options: &options,
        loaded: &loaded,
        parsed: &parsed,
        app,
        variables: &variables,
        settings: prepare::settings(&options, &locations, ignore, prepare::can_merge(gateway)),
        probes: prepare::probes(&options)?,
        registry: prepare::registry(&options, &parsed.spec, &variables)?,
        today: prepare::today(),
    };
    build.warn(&parsed.warnings).await?;
    let platforms = prepare::platforms(&options, app, &variables)?;
    let mut answer = Answer::new(platforms.len() > 1 || options.multi_platform);
    for platform in &platforms {
        answer.add(platform, build.image(platform).await?);
    }
    Ok(answer)
}

/// What all platforms of a build share.
pub(crate) struct Build<'a> {
    gateway: &'a Gateway,
    options: &'a Options,
    loaded: &'a Loaded,
    parsed: &'a Parsed,
    app: &'a App,
    variables: &'a Variables,
    settings: crate::emit::Settings,
    probes: ProbeSettings,
    registry: String,
    today: jiff::civil::Date,
}

impl Build<'_> {
    /// One image, proven.
    async fn image(&self, platform: &Platform) -> Result<ImageResult, Failure> {
        let build = self.options.build_platform();
        let variables = self.variables.on(platform, &build);
        let request = Request {
            spec: &self.parsed.spec,
            app: self.app,
            variables: &variables,
            contexts: &self.options.contexts,
            registry: &self.registry,
            target: platform,
            build: &build,
        };
        let selection = plan::select(&request).map_err(Failure::Refused)?;
        let images = self.resolve(&selection).await?;
        self.judge_bases(&request, &selection, &images).await?;
        let draft = plan::draft(&request, &selection, images).map_err(Failure::Refused)?;
        let mut emitter = Emitter::new(&draft, &self.settings);
        let facts = self.facts(&mut emitter, &draft).await?;
        let collisions = self.collisions(&mut emitter, &draft, &facts.value).await?;
        let settings = prepare::plan_settings(self.options, self.app, &variables);
        let plan = plan::finish(draft.clone(), &facts.value, &collisions.value, &settings.view())
            .map_err(Failure::Refused)?;
        let parts = emitter.image(&plan);
        let verdict = self.prove(&mut emitter, &plan, &parts).await?;
        let probes = [facts.outputs, collisions.outputs, verdict.outputs].concat();
        let image = self.pass(&mut emitter, parts.image, &probes, &verdict.summary);
        let definition = self.marshal(&emitter, image);
        let found = self.solve(definition).await?.single()?;
        Ok(ImageResult::new(found, &plan, self.options))
    }

    /// The image, which the builder gives only together with what it was proven by.
    fn pass(
        &self,
        emitter: &mut Emitter<'_>,
        image: crate::llb::Output,
        probes: &[crate::llb::Output],
        summary: &str,
    ) -> crate::llb::Output {
        if self.gateway.llb_caps().supports(crate::llb::caps::PASSTHROUGH) {
            emitter.pass(image, probes, summary)
        } else {
            image
        }
    }

    fn marshal(&self, emitter: &Emitter<'_>, output: crate::llb::Output) -> pb::Definition {
        emitter.graph().marshal(output, &[self.source_info()])
    }

    fn source_info(&self) -> pb::SourceInfo {
        let file = &self.loaded.file;
        pb::SourceInfo {
            filename: file.filename.clone(),
            data: file.text.clone().into_bytes(),
            definition: file.definition.clone(),
            language: file.language.clone(),
        }
    }

    async fn solve(&self, definition: pb::Definition) -> Result<crate::gateway::Solved, Failure> {
        let missing =
            crate::llb::caps::unsupported(&definition, |cap| self.gateway.llb_caps().supports(cap));
        if let Some(cap) = missing.first() {
            return Err(Failure::Refused(vec![prepare::too_old(cap)]));
        }
        let cache_imports = self.options.cache_imports.clone();
        let solve = Solve { cache_imports, ..Solve::of(definition) };
        Ok(self.gateway.solve(solve).await?)
    }
}
