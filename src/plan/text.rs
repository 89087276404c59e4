//! A plan for people: golden tests and `--call=plan`.
//!
//! Stages and layers in order, everything in them on lines of its own, images and stages by their
//! names. The text changes where the plan changes and nowhere else; nothing in it depends on how
//! the types are written down.

use std::fmt::Write as _;

use crate::bases::Resolved;
use crate::llb::Git;
use crate::plan::certificates::OWN_SECRET;
use crate::plan::{
    Action, BindMount, CacheMount, Files, Layer, LayerEntry, Origin, Owner, Pick, Placement, Plan,
    PlannedTest, Product, Run, SecretMount, Stage, StageBase, Step, What,
};
use crate::spec::model::Sharing;
use crate::start::{Http, Service, Trial};

impl Plan {
    /// The plan in readable form.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = Text { plan: self, out: String::new() };
        text.head();
        self.stages.iter().for_each(|stage| text.stage(stage));
        self.layers.iter().for_each(|layer| text.layer(layer));
        text.tests();
        text.out
    }
}

/// The text under construction.
struct Text<'a> {
    plan: &'a Plan,
    out: String,
}

impl Text<'_> {
    fn line(&mut self, depth: usize, line: &str) {
        let _ = writeln!(self.out, "{:width$}{line}", "", width = depth * 2);
    }

    fn head(&mut self) {
        let plan = self.plan;
        let (kind, name, ships) = match &plan.result {
            Product::App(name) => ("app", name, "ships on"),
            Product::Stage(name) => ("stage", name, "starts from"),
        };
        self.line(0, &format!("{kind} {name} for {}", plan.platform.id()));
        self.line(1, &format!("user {}", owner(plan.user)));
        for (index, image) in plan.images.iter().enumerate() {
            let role = if index == plan.runtime { ships } else { "uses" };
            self.line(1, &format!("{role} {}", of_image(image, &image.shown())));
        }
        match &plan.context_paths {
            None => self.line(1, "sends all of the context"),
            Some(paths) if paths.is_empty() => {}
            Some(paths) => self.line(1, &format!("sends {}", words(paths))),
        }
        for path in &plan.writable {
            let leads = if path.path == path.resolved {
                String::new()
            } else {
                format!(" -> {}", path.resolved)
            };
            let mode = path.mode.map(|mode| format!(" {mode:04o}")).unwrap_or_default();
            self.line(1, &format!("writable {}{leads}{mode} {}", path.path, owner(path.owner)));
        }
        for (name, value) in &plan.annotations {
            self.line(1, &format!("annotation {name}={}", quoted(value)));
        }
    }

    fn stage(&mut self, stage: &Stage) {
        let base = match stage.base {
            StageBase::Image(index) => self.plan.images[index].reference.clone(),
            StageBase::Stage(index) => format!("stage {}", self.plan.stages[index].name),
        };
        self.out.push('\n');
        self.line(0, &format!("stage {} on {base}, {}", stage.name, stage.platform.id()));
        stage.steps.iter().for_each(|step| self.step(step));
    }

    fn step(&mut self, step: &Step) {
        self.line(1, &format!("{} (line {})", step.title, step.span.start.line));
        match &step.action {
            Action::Workdir(path) => self.line(2, &format!("make {path}")),
            Action::Place(placements) => {
                for Placement { what, dest } in placements {
                    let what = self.what(what);
                    self.line(2, &format!("{what} to {dest}"));
                }
            }
            Action::Run(run) => self.run(run),
        }
    }

    fn run(&mut self, run: &Run) {
        self.line(2, &format!("run {}", words(&run.args)));
        if let Some(script) = &run.script {
            self.line(2, &format!("script {}", quoted(script)));
        }
        self.line(2, &format!("in {}", run.workdir));
        for (name, value) in &run.env {
            self.line(2, &format!("env {name}={}", quoted(value)));
        }
        for CacheMount { path, id, sharing } in &run.caches {
            let sharing = match sharing {
                Sharing::Shared => "shared",
                Sharing::Private => "private",
                Sharing::Locked => "locked",
            };
            self.line(2, &format!("cache {path} id {} {sharing}", quoted(id)));
        }
        for SecretMount { id, env, target, mode, optional } in &run.secrets {
            let env = env.iter().map(|name| format!(" as {name}"));
            let target = target.iter().map(|path| format!(" in {path}"));
            let places: String = env.chain(target).collect();
            let mode = if *mode == OWN_SECRET { String::new() } else { format!(" {mode:04o}") };
            let optional = if *optional { ", optional" } else { "" };
            self.line(2, &format!("secret {}{places}{mode}{optional}", quoted(id)));
        }
        run.ssh.iter().for_each(|id| self.line(2, &format!("ssh {}", quoted(id))));
        for BindMount { origin, source, target } in &run.binds {
            let from = self.origin(origin);
            self.line(2, &format!("bind {source} of {from} at {target}"));
        }
        run.tmpfs.iter().for_each(|path| self.line(2, &format!("tmpfs {path}")));
        if run.no_network {
            self.line(2, "without network");
        }
    }

    fn layer(&mut self, layer: &Layer) {
        self.out.push('\n');
        self.line(0, &format!("layer {} (line {})", layer.title, layer.span.start.line));
        for entry in &layer.entries {
            let line = self.entry(entry);
            self.line(1, &line);
        }
        for folder in &layer.folders {
            let who = owner(Owner { uid: folder.uid, gid: folder.gid });
            self.line(1, &format!("folder {} {:04o} {who}", folder.path, folder.mode));
        }
    }

    fn tests(&mut self) {
        for (index, PlannedTest { test, span }) in self.plan.testing.tests.iter().enumerate() {
            if index == 0 {
                self.out.push('\n');
                self.line(0, "tests in the finished image");
            }
            self.line(1, &format!("{} (line {})", test.name, span.start.line));
            for (name, value) in &test.env {
                self.line(2, &format!("env {name}={}", quoted(value)));
            }
            self.line(2, &format!("within {} ms", test.within));
            match &test.trial {
                Trial::Run { command, expected } => {
                    self.line(2, &format!("run {}", words(command)));
                    self.line(2, &format!("exit code {}", expected.exit));
                    self.found("stdout", expected.stdout.as_deref());
                    self.found("stderr", expected.stderr.as_deref());
                }
                Trial::Start(service) => self.service(service),
            }
        }
    }

    fn service(&mut self, service: &Service) {
        if let Some(Http { port, path, status, body }) = &service.http {
            let status = status.map_or("2xx".to_owned(), |status| status.to_string());
            self.line(2, &format!("port {port} answers {status} to GET {path}"));
            self.found("body", body.as_deref());
        }
        service.ports.iter().for_each(|port| self.line(2, &format!("port {port} is open")));
        self.found("log", service.log.as_deref());
        if let Some(stops) = service.stops {
            self.line(2, &format!("stops within {stops} ms"));
        }
    }

    fn found(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.line(2, &format!("{name} holds {}", quoted(text)));
        }
    }

    fn entry(&self, entry: &LayerEntry) -> String {
        let mut line = self.what(&entry.what);
        if !entry.below.is_empty() {
            let _ = write!(line, " below {}", quoted(&entry.below));
        }
        if !entry.only.is_empty() {
            let _ = write!(line, " only {}", words(&entry.only));
        }
        if !entry.leave_out.is_empty() {
            let _ = write!(line, " but {}", words(&entry.leave_out));
        }
        let _ = write!(line, " to {}", entry.dest);
        if entry.owner != Owner::default() {
            let _ = write!(line, " for {}", owner(entry.owner));
        }
        if entry.group_as_owner {
            line.push_str(", group as owner");
        }
        line
    }

    fn what(&self, what: &What) -> String {
        match what {
            What::Files(files) => self.files(files),
            What::Content { text, mode } => format!("write {} {mode:04o}", quoted(text)),
            What::Folder { mode } => format!("folder {mode:04o}"),
            What::Link { target } => format!("link {}", quoted(target)),
        }
    }

    fn files(&self, files: &Files) -> String {
        let (picked, optional) = match &files.pick {
            Pick::Path { path, optional } => (path.clone(), *optional),
            Pick::Matches { pattern, optional } => (format!("matches of {pattern}"), *optional),
            Pick::Tree { root, pattern, optional } => {
                (format!("{pattern} below {root} with its path"), *optional)
            }
        };
        let verb = if files.unpack { "unpack" } else { "copy" };
        let mut line = format!("{verb} {picked} of {}", self.origin(&files.origin));
        if optional {
            line.push_str(", if it is there");
        }
        if !files.exclude.is_empty() {
            let _ = write!(line, ", without {}", words(&files.exclude));
        }
        if let Some(mode) = files.mode {
            let _ = write!(line, ", files {mode:04o}");
        }
        line
    }

    fn origin(&self, origin: &Origin) -> String {
        match origin {
            Origin::Context => "the context".to_owned(),
            Origin::Stage(index) => format!("stage {}", self.plan.stages[*index].name),
            Origin::Image(index) => {
                let image = &self.plan.images[*index];
                of_image(image, &image.reference)
            }
            Origin::App(name) => format!("app {name}"),
            Origin::Http { url, checksum, .. } => format!("{url} {checksum}"),
            Origin::Git(git) => {
                let Git { url, reference, subdir, .. } = git.as_ref();
                let subdir =
                    if subdir.is_empty() { String::new() } else { format!(" in {subdir}") };
                format!("{url} at {reference}{subdir}")
            }
        }
    }
}

/// An image for a platform, or a context that is none.
fn of_image(image: &Resolved, name: &str) -> String {
    match image.digest.as_str() {
        "" => format!("context {name}"),
        _ => format!("{name} for {}", image.platform.id()),
    }
}

fn owner(owner: Owner) -> String {
    format!("{}:{}", owner.uid, owner.gid)
}

/// Words in brackets, as a spec has them.
fn words(words: &[String]) -> String {
    let all: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("[{}]", all.join(", "))
}

/// As JSON has it: line feeds and control characters are visible.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
