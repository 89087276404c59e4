//! All texts of a spec in which `${…}` is replaced, and which names they may use.

use super::super::model::{
    App, Base, Bind, Cache, Checksum, Command, Copy, Healthcheck, Place, Run, Spec, Stage, Step,
    Test, Trial, Variable,
};
use crate::diagnostic::Text;

/// Which names a text may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Build arguments.
    Arguments,
    /// Those, and variables of the environment, which depends on the base.
    Environment,
}

/// Every text but the defaults of build arguments, which may use only those above them.
pub(super) fn of(spec: &Spec) -> Vec<(&Text, Names)> {
    let mut texts = Texts::default();
    texts.all(&spec.registry);
    for stage in &spec.stages {
        texts.stage(stage);
    }
    for app in &spec.apps {
        texts.app(app);
    }
    texts.found
}

#[derive(Default)]
struct Texts<'a> {
    found: Vec<(&'a Text, Names)>,
}

impl<'a> Texts<'a> {
    fn all(&mut self, texts: impl IntoIterator<Item = &'a Text>) {
        self.found.extend(texts.into_iter().map(|text| (text, Names::Arguments)));
    }

    fn with_environment(&mut self, texts: impl IntoIterator<Item = &'a Text>) {
        self.found.extend(texts.into_iter().map(|text| (text, Names::Environment)));
    }

    fn values(&mut self, variables: &'a [Variable]) {
        self.all(variables.iter().map(|variable| &variable.value));
    }

    fn environment(&mut self, variables: &'a [Variable]) {
        self.with_environment(variables.iter().map(|variable| &variable.value));
    }

    fn base(&mut self, base: &'a Base) {
        match base {
            Base::Name(name) => self.all([name]),
            Base::Pair { dev, runtime, .. } => self.all(dev.iter().chain(runtime)),
        }
    }

    fn stage(&mut self, stage: &'a Stage) {
        if let Some(base) = &stage.base {
            self.base(base);
        }
        self.all(&stage.workdir);
        self.environment(&stage.env);
        self.caches(&stage.cache);
        for step in &stage.steps {
            match step {
                Step::Run(run) => self.run(run),
                Step::Place(place) => self.place(place),
                Step::Packages { names, .. } => self.all(names),
            }
        }
    }

    fn caches(&mut self, caches: &'a [Cache]) {
        for cache in caches {
            self.all([&cache.path].into_iter().chain(&cache.id));
        }
    }

    fn run(&mut self, run: &'a Run) {
        match &run.command {
            Command::Script(_) => {}
            Command::Exec(command) => self.all(&command.value),
        }
        self.caches(&run.cache);
        for secret in &run.secrets {
            self.all([&secret.id].into_iter().chain(&secret.env).chain(&secret.target));
        }
        self.all(run.ssh.iter().map(|ssh| &ssh.id));
        for Bind { from, source, target, .. } in &run.binds {
            self.all(from.iter().chain(source).chain(target));
        }
        self.all(&run.tmpfs);
        self.environment(&run.env);
        self.all(&run.workdir);
    }

    fn place(&mut self, place: &'a Place) {
        match place {
            Place::Copy(Copy { sources, from, to, exclude, platform, .. }) => {
                self.all(sources.iter().chain(from).chain(to).chain(exclude).chain(platform));
            }
            Place::Add(add) => {
                self.all(add.sources.iter().chain(&add.to).chain(&add.exclude));
                match &add.checksum {
                    None => {}
                    Some(Checksum::One(checksum)) => self.all([checksum]),
                    Some(Checksum::PerPlatform(checksums)) => self.values(checksums),
                }
            }
            Place::Write(write) => self.all([&write.path]),
            Place::Mkdir(mkdir) => self.all(&mkdir.paths),
            Place::Link(link) => self.all([&link.target, &link.to]),
        }
    }

    fn app(&mut self, app: &'a App) {
        self.base(&app.base);
        self.all(app.workdir.iter().chain(&app.user).chain(&app.stopsignal));
        for place in &app.image {
            self.place(place);
        }
        self.environment(&app.env);
        for writable in &app.writable {
            self.all([&writable.path].into_iter().chain(&writable.group));
        }
        for command in app.entrypoint.iter().chain(&app.cmd) {
            self.all(&command.value);
        }
        self.with_environment(&app.expose);
        self.values(&app.labels);
        self.values(&app.annotations);
        self.all(app.volumes.iter().chain(&app.platforms));
        if let Some(Healthcheck::Exec { command, .. }) = &app.healthcheck {
            self.with_environment(&command.value);
        }
        for test in &app.tests {
            self.test(test);
        }
    }

    fn test(&mut self, test: &'a Test) {
        self.environment(&test.env);
        match &test.trial {
            Trial::Run { command, exit, stdout, stderr } => {
                self.with_environment(&command.value);
                self.with_environment(exit.iter().chain(stdout).chain(stderr));
            }
            Trial::Start { http, ports, log, .. } => {
                self.with_environment(ports.iter().chain(log));
                if let Some(http) = http {
                    let more = http.path.iter().chain(&http.status).chain(&http.body);
                    self.with_environment([&http.port].into_iter().chain(more));
                }
            }
        }
    }
}
