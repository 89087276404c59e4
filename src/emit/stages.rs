//! The stages of a plan: images to build in, commands with their mounts, files between them.

use super::{Emitter, at};
use crate::llb::{Constraints, Exec, FileOps, MakeDir, MakeFile, Mount, MountKind, Network};
use crate::llb::{Output, Owner, SecretEnv, SecretMount, Sharing, SshMount};
use crate::plan::{self, Action, Run, SCRIPT_PATH, Stage, StageBase, Step};

impl Emitter<'_> {
    /// All stages, once; those that nothing uses fall out when the graph is marshalled.
    pub fn stages(&mut self) {
        while self.stage_outputs.len() < self.stages.len() {
            let output = self.stage(&self.stages[self.stage_outputs.len()]);
            self.stage_outputs.push(output);
        }
    }

    /// The files that the last stage ends with.
    pub fn last_stage(&mut self) -> Output {
        self.stages();
        self.stage_outputs.last().copied().unwrap_or(Output::SCRATCH)
    }

    fn stage(&mut self, stage: &Stage) -> Output {
        let total = stage.steps.len() + 1;
        let mut output = match stage.base {
            StageBase::Stage(index) => self.stage_outputs[index],
            StageBase::Image(index) => {
                let title = format!("FROM {}", self.images[index].shown());
                let name = self.name(&stage.name, (1, total), &title);
                self.image_source(index, name)
            }
        };
        for (index, step) in stage.steps.iter().enumerate() {
            let name = self.name(&stage.name, (index + 2, total), &step.title);
            output = self.step(stage, step, (output, name));
        }
        output
    }

    fn step(&mut self, stage: &Stage, step: &Step, (output, name): (Output, String)) -> Output {
        self.place = step.span;
        let again = self.settings.no_cache
            || self
                .settings
                .no_cache_stages
                .iter()
                .any(|other| other.eq_ignore_ascii_case(&stage.name));
        let constraints = Constraints { ignore_cache: again, ..at(step.span, name) };
        let constraints = self.again_if(&[output], constraints);
        match &step.action {
            Action::Workdir(path) if path == "/" => output,
            Action::Workdir(path) => {
                let mut ops = FileOps::on(output);
                ops.make_dir(MakeDir {
                    path: path.clone(),
                    mode: 0o755,
                    make_parents: true,
                    owner: Some(Owner::ROOT),
                    time: self.settings.epoch,
                });
                let output = self.graph.file(&ops, &constraints);
                self.mark(output, &constraints)
            }
            Action::Place(placements) => {
                let mut ops = FileOps::on(output);
                for placement in placements {
                    self.place_in_stage(&mut ops, placement);
                }
                let sources = self.sources(placements.iter().map(|placement| &placement.what));
                let constraints = self.again_if(&sources, constraints);
                let output = self.graph.file(&ops, &constraints);
                self.mark(output, &constraints)
            }
            Action::Run(run) => {
                let exec = self.exec(run, output);
                let binds: Vec<Output> = exec.mounts.iter().filter_map(Mount::source).collect();
                let platform = Some((&stage.platform).into());
                let resources = self.settings.resources.clone();
                let constraints = Constraints { platform, resources, ..constraints };
                let constraints = self.again_if(&binds, constraints);
                let output =
                    self.graph.exec(&exec, &constraints).first().copied().unwrap_or(output);
                self.mark(output, &constraints)
            }
        }
    }

    fn exec(&mut self, run: &Run, root: Output) -> Exec {
        let mut mounts = vec![Mount::output("/", root)];
        if let Some(script) = &run.script {
            let mut ops = FileOps::on(Output::SCRATCH);
            ops.make_file(MakeFile {
                path: "/script".to_owned(),
                mode: 0o755,
                data: script.clone().into_bytes(),
                owner: Some(Owner::ROOT),
                time: Some(0),
            });
            let file = self.graph.file(&ops, &Constraints::named("[internal] script"));
            mounts.push(Mount::read_only(SCRIPT_PATH, file).at("/script"));
        }
        for bind in &run.binds {
            let from = self.origin(&bind.origin);
            mounts.push(Mount::read_only(bind.target.clone(), from).at(bind.source.clone()));
        }
        mounts.extend(run.caches.iter().map(|cache| Mount {
            target: cache.path.clone(),
            kind: MountKind::Cache {
                id: namespaced(&self.settings.cache_namespace, &cache.id),
                sharing: sharing(cache.sharing),
                from: (Output::SCRATCH, String::new()),
            },
        }));
        let tmpfs = |target: &str, size| Mount {
            target: target.to_owned(),
            kind: MountKind::Tmpfs { size },
        };
        mounts.extend(run.tmpfs.iter().map(|path| tmpfs(path, 0)));
        if self.settings.shm_size > 0 {
            mounts.push(tmpfs("/dev/shm", self.settings.shm_size));
        }
        mounts.extend(run.secrets.iter().filter_map(|secret| {
            let kind = MountKind::Secret(SecretMount {
                id: secret.id.clone(),
                owner: (0, 0),
                mode: secret.mode,
                optional: secret.optional,
            });
            Some(Mount { target: secret.target.clone()?, kind })
        }));
        mounts.extend(run.ssh.iter().map(|id| Mount {
            target: String::new(),
            kind: MountKind::Ssh(SshMount {
                id: id.clone(),
                owner: (0, 0),
                mode: 0o600,
                optional: false,
            }),
        }));
        let settings = self.settings;
        Exec {
            args: run.args.clone(),
            env: run.env.clone(),
            cwd: run.workdir.clone(),
            user: "0".to_owned(),
            hostname: settings.hostname.clone(),
            network: if run.no_network { Network::None } else { settings.network },
            proxy: settings.proxy.clone(),
            extra_hosts: settings.extra_hosts.clone(),
            ulimits: settings.ulimits.clone(),
            cgroup_parent: settings.cgroup_parent.clone(),
            mounts,
            secret_env: run
                .secrets
                .iter()
                .filter_map(|secret| {
                    let (id, optional) = (secret.id.clone(), secret.optional);
                    Some(SecretEnv { id, name: secret.env.clone()?, optional })
                })
                .collect(),
            ..Exec::default()
        }
    }
}

/// As docker/dockerfile: with a slash in between, so that no two pairs make one id.
fn namespaced(namespace: &str, id: &str) -> String {
    if namespace.is_empty() { id.to_owned() } else { format!("{namespace}/{id}") }
}

const fn sharing(sharing: plan::Sharing) -> Sharing {
    match sharing {
        plan::Sharing::Shared => Sharing::Shared,
        plan::Sharing::Private => Sharing::Private,
        plan::Sharing::Locked => Sharing::Locked,
    }
}
