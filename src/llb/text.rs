//! A graph for people: golden tests and `--call=llb`.
//!
//! One block for each op, numbered in topological order; inputs are named by those numbers, so the
//! text changes where the graph changes and nowhere else. Digests of our own ops do not appear.

use std::fmt::{Display, Write as _};

use prost::Message as _;

use super::digest::Digest;
use super::folders;
use super::graph::{Graph, Output, Vertex};
use crate::proto::pb;

/// Content of a file up to this length is shown, not hashed.
const SHOWN_CONTENT: usize = 200;

impl Graph {
    /// What an output needs, in readable form.
    pub fn to_text(&self, output: Output) -> String {
        let needed = self.reachable(output);
        let mut numbers = vec![0_usize; self.vertices.len()];
        let mut text = Text::default();
        let mut count = 0;
        for (id, vertex) in self.vertices.iter().enumerate().filter(|(id, _)| needed[*id]) {
            count += 1;
            numbers[id] = count;
            let inputs = vertex.inputs.iter().map(|input| name_of(*input, &numbers)).collect();
            text.vertex(count, vertex, inputs);
        }
        let _ = writeln!(text.out, "result {}", name_of(output, &numbers));
        text.out
    }
}

fn name_of(output: Output, numbers: &[usize]) -> String {
    match output.vertex {
        None => "scratch".to_owned(),
        Some(id) if output.index == 0 => format!("#{}", numbers[id as usize]),
        Some(id) => format!("#{}.{}", numbers[id as usize], output.index),
    }
}

/// The text under construction, and the names of the current op's inputs.
#[derive(Default)]
struct Text {
    out: String,
    inputs: Vec<String>,
}

impl Text {
    fn vertex(&mut self, number: usize, vertex: &Vertex, inputs: Vec<String>) {
        self.inputs = inputs;
        let op = pb::Op::decode(vertex.bytes.as_slice()).unwrap_or_default();
        let kind = match &op.op {
            Some(pb::op::Op::Exec(_)) => "exec",
            Some(pb::op::Op::Source(_)) => "source",
            Some(pb::op::Op::File(_)) => "file",
            Some(pb::op::Op::Build(_)) => "build",
            Some(pb::op::Op::Merge(_)) => "merge",
            Some(pb::op::Op::Diff(_)) => "diff",
            Some(pb::op::Op::Passthrough(_)) => "passthrough",
            None => "unknown",
        };
        let _ = writeln!(self.out, "#{number} {kind}");
        self.metadata(&vertex.metadata);
        self.marks(vertex);
        if let Some(platform) = &op.platform {
            let parts = [&platform.os, &platform.architecture, &platform.variant];
            let parts: Vec<&str> =
                parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
            self.line("platform", parts.join("/"));
        }
        for filter in op.constraints.iter().flat_map(|constraints| &constraints.filter) {
            self.line("worker", quoted(filter));
        }
        self.body(op.op);
        self.out.push('\n');
    }

    fn body(&mut self, op: Option<pb::op::Op>) {
        match op {
            Some(pb::op::Op::Exec(exec)) => self.exec(&exec),
            Some(pb::op::Op::Source(source)) => {
                self.line("from", &source.identifier);
                source.attrs.iter().for_each(|(name, value)| self.line(name, quoted(value)));
            }
            Some(pb::op::Op::File(file)) => {
                for action in &file.actions {
                    self.action(action);
                }
            }
            Some(pb::op::Op::Merge(merge)) => {
                merge.inputs.iter().for_each(|layer| self.line("layer", self.input(layer.input)));
            }
            Some(pb::op::Op::Diff(diff)) => {
                self.line("lower", self.input(diff.lower.map_or(-1, |lower| lower.input)));
                self.line("upper", self.input(diff.upper.map_or(-1, |upper| upper.input)));
            }
            Some(pb::op::Op::Passthrough(passthrough)) => {
                passthrough
                    .outputs
                    .iter()
                    .for_each(|result| self.line("result", self.input(*result)));
                self.line("after", self.inputs.join(" "));
            }
            Some(pb::op::Op::Build(_)) | None => self.line("inputs", self.inputs.join(" ")),
        }
    }

    fn metadata(&mut self, metadata: &pb::OpMetadata) {
        for (key, value) in &metadata.description {
            self.line(key.strip_prefix("llb.custom").unwrap_or(key), quoted(value));
        }
        if metadata.ignore_cache {
            self.line("cache", "ignored");
        }
        if let Some(export) = &metadata.export_cache {
            self.line("export cache", export.value);
        }
        if let Some(group) = &metadata.progress_group {
            self.line("group", format!("{} {}", quoted(&group.id), quoted(&group.name)));
        }
        if let Some(resources) = &metadata.linux_resources {
            self.line("resources", format!("{resources:?}"));
        }
    }

    fn marks(&mut self, vertex: &Vertex) {
        let lines =
            vertex.marks.iter().flat_map(|mark| mark.ranges.iter().map(move |range| (mark, range)));
        let lines: Vec<String> = lines
            .map(|(mark, range)| {
                let start = range.start.unwrap_or_default();
                let origin = if mark.imported { "imported " } else { "" };
                format!("{origin}{}:{}:{}", mark.file, start.line, start.character + 1)
            })
            .collect();
        if !lines.is_empty() {
            self.line("at", lines.join(" "));
        }
    }

    fn exec(&mut self, exec: &pb::ExecOp) {
        let meta = exec.meta.clone().unwrap_or_default();
        self.line("args", list(&meta.args));
        meta.env.iter().for_each(|pair| self.line("env", quoted(pair)));
        exec.secretenv.iter().for_each(|secret| self.line("secret env", format!("{secret:?}")));
        for (key, value) in [("cwd", &meta.cwd), ("user", &meta.user), ("hostname", &meta.hostname)]
        {
            if !value.is_empty() {
                self.line(key, value);
            }
        }
        if exec.network() != pb::NetMode::Unset {
            self.line("network", exec.network().as_str_name().to_lowercase());
        }
        if exec.security() != pb::SecurityMode::Sandbox {
            self.line("security", exec.security().as_str_name().to_lowercase());
        }
        meta.extra_hosts
            .iter()
            .for_each(|line| self.line("host", format!("{} {}", line.host, line.ip)));
        for limit in &meta.ulimit {
            self.line("ulimit", format!("{}={}:{}", limit.name, limit.soft, limit.hard));
        }
        if !meta.cgroup_parent.is_empty() {
            self.line("cgroup parent", quoted(&meta.cgroup_parent));
        }
        if !meta.valid_exit_codes.is_empty() {
            self.line("exit codes", format!("{:?}", meta.valid_exit_codes));
        }
        if meta.proxy_env.is_some() {
            self.line("proxy", "from the client");
        }
        exec.mounts.iter().for_each(|mount| self.mount(mount));
    }

    fn mount(&mut self, mount: &pb::Mount) {
        let mut text = mount.dest.clone();
        match mount.mount_type() {
            pb::MountType::Bind | pb::MountType::Cache => {
                let _ = write!(text, " from {}{}", self.input(mount.input), mount.selector);
            }
            pb::MountType::Secret | pb::MountType::Ssh | pb::MountType::Tmpfs => {}
        }
        if let Some(cache) = &mount.cache_opt {
            let _ = write!(
                text,
                " cache {} {}",
                quoted(&cache.id),
                cache.sharing().as_str_name().to_lowercase()
            );
        }
        if let Some(tmpfs) = &mount.tmpfs_opt {
            let _ = write!(text, " tmpfs {}", tmpfs.size);
        }
        if let Some(pb::SecretOpt { id, uid, gid, mode, optional }) = &mount.secret_opt {
            let _ =
                write!(text, " secret {} {uid}:{gid} {mode:04o} optional={optional}", quoted(id));
        }
        if let Some(pb::SshOpt { id, uid, gid, mode, optional }) = &mount.ssh_opt {
            let _ = write!(text, " ssh {} {uid}:{gid} {mode:04o} optional={optional}", quoted(id));
        }
        if mount.readonly {
            text.push_str(" read-only");
        } else if mount.mount_type() == pb::MountType::Bind {
            let _ = match mount.output {
                -1 => write!(text, " discarded"),
                output => write!(text, " output {output}"),
            };
        }
        if mount.content_cache() != pb::MountContentCache::Default {
            let _ = write!(
                text,
                " content-cache={}",
                mount.content_cache().as_str_name().to_lowercase()
            );
        }
        self.line("mount", text);
    }

    fn action(&mut self, action: &pb::FileAction) {
        use pb::file_action::Action as Wire;
        let on = self.input(action.input);
        let (verb, text) = match &action.action {
            Some(Wire::Copy(copy)) => ("copy", self.copy(copy, action.secondary_input)),
            Some(Wire::Mkfile(file)) => {
                let content = match folders::listing(&file.path, &file.data) {
                    Some(folders) => folders.join(", "),
                    None => content(&file.data),
                };
                (
                    "mkfile",
                    format!(
                        "{} {:04o}{} {content}",
                        quoted(&file.path),
                        file.mode,
                        owner(file.owner.as_ref())
                    ),
                )
            }
            Some(Wire::Mkdir(dir)) => {
                let parents = if dir.make_parents { " parents" } else { "" };
                (
                    "mkdir",
                    format!(
                        "{} {:04o}{}{parents}",
                        quoted(&dir.path),
                        dir.mode,
                        owner(dir.owner.as_ref())
                    ),
                )
            }
            Some(Wire::Rm(rm)) => {
                let flags =
                    flags(&[("missing-ok", rm.allow_not_found), ("wildcard", rm.allow_wildcard)]);
                ("rm", format!("{}{flags}", quoted(&rm.path)))
            }
            Some(Wire::Symlink(link)) => {
                let owner = owner(link.owner.as_ref());
                (
                    "symlink",
                    format!("{} -> {}{owner}", quoted(&link.newpath), quoted(&link.oldpath)),
                )
            }
            None => ("unknown", String::new()),
        };
        self.line(verb, format!("{text} on {on}"));
    }

    fn copy(&self, copy: &pb::FileActionCopy, source: i64) -> String {
        let mut text =
            format!("{} {} to {}", self.input(source), quoted(&copy.src), quoted(&copy.dest));
        text.push_str(&owner(copy.owner.as_ref()));
        if !copy.mode_str.is_empty() {
            let _ = write!(text, " mode={}", copy.mode_str);
        } else if copy.mode != -1 {
            let _ = write!(text, " mode={:04o}", copy.mode);
        }
        let lists = [
            ("include", &copy.include_patterns),
            ("exclude", &copy.exclude_patterns),
            ("required", &copy.required_paths),
        ];
        for (name, patterns) in lists.into_iter().filter(|(_, patterns)| !patterns.is_empty()) {
            let _ = write!(text, " {name}={}", list(patterns));
        }
        if copy.timestamp != -1 {
            let _ = write!(text, " time={}", copy.timestamp);
        }
        text + &flags(&[
            ("follow", copy.follow_symlink),
            ("contents", copy.dir_copy_contents),
            ("unpack", copy.attempt_unpack_docker_compatibility),
            ("parents", copy.create_dest_path),
            ("wildcard", copy.allow_wildcard),
            ("no-match-ok", copy.allow_empty_wildcard),
            ("replace", copy.always_replace_existing_dest_paths),
        ])
    }

    /// The name of an input, or of an earlier action's result.
    fn input(&self, index: i64) -> String {
        match usize::try_from(index) {
            Err(_) => "scratch".to_owned(),
            Ok(index) => match self.inputs.get(index) {
                Some(name) => name.clone(),
                None => format!("action {}", index - self.inputs.len() + 1),
            },
        }
    }

    fn line(&mut self, key: &str, value: impl Display) {
        // a path may hold anything, and a line is one fact
        let value = value.to_string().replace('\n', "\\n");
        let _ = writeln!(self.out, "  {key}: {value}");
    }
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn list(items: &[String]) -> String {
    format!("{items:?}")
}

fn flags(flags: &[(&str, bool)]) -> String {
    flags.iter().filter(|(_, set)| *set).fold(String::new(), |text, (name, _)| text + " " + name)
}

fn owner(owner: Option<&pb::ChownOpt>) -> String {
    let id = |user: Option<&pb::UserOpt>| match user.and_then(|user| user.user.as_ref()) {
        Some(pb::user_opt::User::ById(id)) => id.to_string(),
        Some(pb::user_opt::User::ByName(name)) => quoted(&name.name),
        None => String::new(),
    };
    owner.map_or_else(String::new, |owner| {
        format!(" {}:{}", id(owner.user.as_ref()), id(owner.group.as_ref()))
    })
}

fn content(data: &[u8]) -> String {
    match str::from_utf8(data) {
        Ok(text) if text.len() <= SHOWN_CONTENT => quoted(text),
        _ => format!("{} bytes {}", data.len(), Digest::of(data)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use super::*;

    #[test]
    fn every_op_is_shown() {
        let mut graph = Graph::new();
        let platform = Some(pb::Platform {
            os: "linux".to_owned(),
            architecture: "arm64".to_owned(),
            ..Default::default()
        });
        let with =
            |name: &str| Constraints { platform: platform.clone(), ..Constraints::named(name) };
        let image = Image { reference: "dhi.io/node:24-dev".to_owned(), ..Image::default() };
        let image = graph.source(&Source::Image(image), &with("[build] FROM node"));
        let secret =
            SecretMount { id: "token".to_owned(), owner: (0, 0), mode: 0o400, optional: false };
        let exec = Exec {
            args: vec!["npm".to_owned(), "ci".to_owned()],
            env: vec![("A".to_owned(), "b \"c\"".to_owned())],
            cwd: "/app".to_owned(),
            network: Network::None,
            mounts: vec![
                Mount::output("/out", Output::SCRATCH),
                Mount { target: "/run/secrets/token".to_owned(), kind: MountKind::Secret(secret) },
                Mount::bind("/rw", image, Access::Discard)
                    .at("/sub")
                    .content_cache(ContentCache::Off),
                Mount::read_only("/", image),
            ],
            ..Exec::default()
        };
        let locations = vec![Location { file: 0, spans: vec![crate::diagnostic::Span::at(7, 5)] }];
        let built =
            graph.exec(&exec, &Constraints { locations, ignore_cache: true, ..with("RUN npm ci") });
        let mut ops = FileOps::on(Output::SCRATCH);
        let copy = Copy {
            from: "/app".to_owned(),
            to: "/".to_owned(),
            mode: Some(Mode::Words("a+r".to_owned())),
            ..Copy::default()
        };
        ops.copy(built[0], copy).make_file(MakeFile {
            path: "/f".to_owned(),
            mode: 0o644,
            data: vec![b'x'; 201],
            owner: Some(Owner::ROOT),
            time: None,
        });
        let root = Folder { path: "/root".to_owned(), mode: 0o700, owner: Owner::ROOT };
        ops.set_folders(&[root]);
        let layer = graph.file(&ops, &Constraints::default());
        let merged = graph.merge(&[image, layer], &Constraints::default());
        let result = graph.passthrough(merged, &[built[0]], &Constraints::default());
        let expected = "\
#1 source
  name: \"[build] FROM node\"
  platform: linux/arm64
  from: docker-image://dhi.io/node:24-dev

#2 exec
  name: \"RUN npm ci\"
  cache: ignored
  at: 0:7:5
  platform: linux/arm64
  args: [\"npm\", \"ci\"]
  env: \"A=b \\\"c\\\"\"
  cwd: /app
  network: none
  mount: / from #1 read-only
  mount: /out from scratch output 0
  mount: /rw from #1/sub discarded content-cache=off
  mount: /run/secrets/token secret \"token\" 0:0 0400 optional=false

#3 file
  copy: #2 \"/app\" to \"/\" mode=a+r on scratch
  mkfile: \"/f\" 0644 0:0 201 bytes sha256:84a0678c90937f5dcf9994d5866668da6b995109c8ad845410559b48a4ecafed on action 1
  mkfile: \"/folders.tar\" 0600 /root 0700 0:0 on scratch
  copy: action 3 \"/folders.tar\" to \"/\" unpack on action 2

#4 merge
  layer: #1
  layer: #3

#5 passthrough
  result: #4
  after: #4 #2

result #5
";
        assert_eq!(graph.to_text(result), expected);
        assert_eq!(graph.to_text(Output::SCRATCH), "result scratch\n");
    }
}
