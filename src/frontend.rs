//! The table of contents of a build: from the options of the client to the image that goes back.
//!
//! options → spec → app → images → draft → facts → plan → graph → inventory → verdict → result, for
//! each platform. Nothing is returned that was not inspected; every failure points into the spec.

mod calls;
mod epoch;
mod failure;
pub mod prepare;
pub(crate) mod proof;
pub mod target;

use std::cell::RefCell;
use std::collections::BTreeMap;

use calls::Call;
pub use failure::Failure;

use crate::context::{self, Fetched, Loaded};
use crate::delegate;
use crate::diagnostic::Diagnostic;
use crate::emit::{self, Emitted, Emitter, ProbeSettings};
use crate::gateway::{Gateway, Solve, side_by_side};
use crate::input::Input;
use crate::llb::Output;
use crate::options::Options;
use crate::plan::{self, Draft, Plan, Request, variables::Variables};
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
    mut options: Options,
    mistakes: Vec<Diagnostic>,
) -> Result<Answer, Failure> {
    prepare::require(gateway)?;
    let locations = context::locate(gateway, &options).await?;
    // Most calls look at no more than the spec and the images that it names.
    let request = options.request.clone();
    let request = request.as_deref();
    let small = request.filter(|name| !calls::plan::needs_build(name));
    let shared_ignore = async {
        if small.is_some() {
            return Ok(Vec::new());
        }
        context::load_ignore(gateway, &locations).await
    };
    // Side by side: each costs a turn to the client, and few specs have an ignore file of their own.
    let (loaded, shared_ignore) =
        tokio::join!(context::load_spec(gateway, &locations), shared_ignore);
    let mut loaded = loaded?;
    let input = prepare::input(&options, &loaded);
    if let Ok(input) = &input {
        input.language().clone_into(&mut loaded.file.language);
    }
    gateway.set_source_file(loaded.file.clone());
    if input? == Input::Dockerfile {
        return delegate::answer(gateway, &options, &loaded).await;
    }
    if let Some(request) = small {
        let call = Call { gateway, options: &options, loaded: &loaded, mistakes };
        return calls::answer(&call, request).await;
    }
    let parsed = prepare::parse(&loaded, mistakes)?;
    let app = target::choose(&parsed.spec, options.target.as_deref())?;
    let variables =
        Variables::new(&parsed.spec.args, &options.build_args).map_err(Failure::Refused)?;
    let probes = prepare::probes(&options)?;
    let clock = epoch::Clock {
        gateway,
        locations: &locations,
        spec: &parsed.spec,
        variables: &variables,
        probes: &probes,
    };
    let timeless = clock.set(&mut options).await?;
    let variables = prepare::tell_time(&options, variables);
    let ignore = match &loaded.own_ignore {
        Some(own) => context::parse_ignore(own),
        None => shared_ignore?,
    };
    let platforms = prepare::platforms(&options, app, &variables)?;
    let can_merge = prepare::can_merge(gateway);
    let build = Build {
        gateway,
        options: &options,
        fetched: locations.fetched.as_ref(),
        loaded: &loaded,
        parsed: &parsed,
        app,
        variables: &variables,
        settings: emit::Settings {
            several_platforms: platforms.len() > 1,
            ..prepare::settings(&options, locations.context.clone(), ignore, can_merge)
        },
        probes,
        registry: prepare::registry(&options, &parsed.spec, &variables)?,
        today: prepare::today(),
        apps: RefCell::default(),
    };
    build.warn(&parsed.warnings).await?;
    build.warn(timeless.as_slice()).await?;
    if let Some(request) = request {
        return calls::plan::answer(&build, &platforms, request).await;
    }
    let mut answer = Answer::new(platforms.len() > 1 || options.multi_platform);
    let images = side_by_side(platforms.iter().map(|platform| build.image(platform))).await;
    let mut failures = Vec::new();
    for (platform, image) in platforms.iter().zip(images) {
        match image {
            Ok(image) => answer.add(platform, image),
            Err(failure) => failures.push(failure),
        }
    }
    match Failure::of_all(failures) {
        Some(failure) => Err(failure),
        None => Ok(answer),
    }
}

/// What all platforms of a build share.
pub(crate) struct Build<'a> {
    gateway: &'a Gateway,
    options: &'a Options,
    fetched: Option<&'a Fetched>,
    loaded: &'a Loaded,
    parsed: &'a Parsed,
    app: &'a App,
    variables: &'a Variables,
    settings: emit::Settings,
    probes: ProbeSettings,
    registry: String,
    today: jiff::civil::Date,
    /// Apps that others copy from, by name and platform.
    apps: RefCell<BTreeMap<(String, String), pb::Definition>>,
}

/// An app for one platform, with everything that can be known without its base's files.
struct Drafted {
    draft: Draft,
    variables: Variables,
    /// Other apps that it copies from.
    apps: Vec<(String, pb::Definition)>,
}

/// An app in a graph.
struct LaidOut {
    plan: Plan,
    parts: Emitted,
    /// What was looked at for it.
    probes: Vec<Output>,
}

impl Build<'_> {
    /// One image, proven.
    async fn image(&self, platform: &Platform) -> Result<ImageResult, Failure> {
        let drafted = self.draft(self.app, platform).await?;
        let mut emitter = Emitter::new(&drafted.draft, &self.settings);
        let LaidOut { plan, parts, mut probes } =
            self.lay_out(&mut emitter, self.app, &drafted).await?;
        let verdict = self.prove(&mut emitter, &plan, &parts).await?;
        probes.extend(verdict.outputs);
        let image = self.pass(&mut emitter, parts.image, &probes, &verdict.summary);
        let definition = self.marshal(&emitter, image);
        let found = self.solve(definition).await?.single()?;
        Ok(ImageResult::new(found, &plan, self.options))
    }

    /// Names → images → paths and commands.
    async fn draft(&self, app: &App, platform: &Platform) -> Result<Drafted, Failure> {
        let build = self.options.build_platform();
        let variables = self.variables.on(platform, &build);
        let request = Request {
            spec: &self.parsed.spec,
            app,
            variables: &variables,
            contexts: &self.options.contexts,
            registry: &self.registry,
            target: platform,
            build: &build,
        };
        let selection = plan::select(&request).map_err(Failure::Refused)?;
        let images = self.resolve(&selection).await?;
        self.judge_bases(&request, &selection, &images).await?;
        let mut apps = Vec::new();
        for name in &selection.apps {
            // Boxed: an app may copy from one that copies from a third; `spec::parse` has refused
            // circles.
            let definition = Box::pin(self.app_definition(name, platform)).await?;
            apps.push((name.clone(), definition));
        }
        let draft = plan::draft(&request, &selection, images).map_err(Failure::Refused)?;
        Ok(Drafted { draft, variables, apps })
    }

    /// Another app of the file, to copy from: only the app that is built has to prove itself.
    async fn app_definition(
        &self,
        name: &str,
        platform: &Platform,
    ) -> Result<pb::Definition, Failure> {
        let key = (name.to_owned(), platform.id());
        if let Some(known) = self.apps.borrow().get(&key) {
            return Ok(known.clone()); // several apps may copy from it
        }
        let app = self.parsed.spec.apps.iter().find(|app| app.name.value == name);
        let app = app.ok_or_else(|| Failure::internal(format!("no app is named {name:?}")))?;
        let drafted = self.draft(app, platform).await?;
        let mut emitter = Emitter::new(&drafted.draft, &self.settings);
        let LaidOut { parts, probes, .. } = self.lay_out(&mut emitter, app, &drafted).await?;
        let image = self.pass(&mut emitter, parts.image, &probes, &format!("files of {name}"));
        let definition = self.marshal(&emitter, image);
        self.apps.borrow_mut().insert(key, definition.clone());
        Ok(definition)
    }

    /// Has the context sent while the base is looked at, if the app uses one. Whatever goes wrong
    /// goes wrong again where a context of the client is used, with a place in the spec; one that
    /// cannot be fetched is the address's fault.
    fn load_context<'b>(
        &'b self,
        emitter: &mut Emitter<'_>,
        draft: &Draft,
    ) -> impl Future<Output = Result<(), Failure>> + use<'b> {
        let is_used = draft.context_paths.as_ref().is_none_or(|paths| !paths.is_empty());
        let definition = is_used.then(|| {
            let context = emitter.context();
            self.marshal(emitter, context)
        });
        async move {
            let Some(definition) = definition else { return Ok(()) };
            let solve = Solve { evaluate: true, ..Solve::of(definition) };
            match (self.gateway.solve(solve).await, self.fetched) {
                (Err(error), Some(fetched)) => Err(context::unfetched(fetched, error).into()),
                _ => Ok(()),
            }
        }
    }

    /// Looks at the base, then lays out the layers.
    async fn lay_out(
        &self,
        emitter: &mut Emitter<'_>,
        app: &App,
        drafted: &Drafted,
    ) -> Result<LaidOut, Failure> {
        for (name, definition) in &drafted.apps {
            emitter.add_app(name.clone(), definition)?;
        }
        let draft = &drafted.draft;
        let early = self.load_context(emitter, draft);
        let (facts, early) = tokio::join!(self.facts(emitter, draft), early);
        early?;
        let facts = facts?;
        let collisions = self.collisions(emitter, draft, &facts.value).await?;
        let settings = prepare::plan_settings(self.options, app, &drafted.variables);
        let plan = plan::finish(draft.clone(), &facts.value, &collisions.value, &settings.view())
            .map_err(Failure::Refused)?;
        let parts = emitter.image(&plan);
        Ok(LaidOut { plan, parts, probes: [facts.outputs, collisions.outputs].concat() })
    }

    /// The image, which the builder gives only together with what it was proven by.
    fn pass(
        &self,
        emitter: &mut Emitter<'_>,
        image: Output,
        probes: &[Output],
        summary: &str,
    ) -> Output {
        if self.gateway.llb_caps().supports(crate::llb::caps::PASSTHROUGH) {
            emitter.pass(image, probes, summary)
        } else {
            image
        }
    }

    fn marshal(&self, emitter: &Emitter<'_>, output: Output) -> pb::Definition {
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
