//! The runtime contract to be copied: a command line, and pieces of YAML and JSON.
//!
//! In: the contract as data. Out: text in which everything from the image is quoted for whoever reads
//! it, a shell or a parser, so that a path can say nothing but itself.

use std::fmt::Write as _;

use super::{Compose, Contract, Docker, Ecs, Kubernetes};
use crate::words;

/// What stands for the image.
const IMAGE: &str = "IMAGE";

impl Contract {
    /// Every form with its title and the language of its text.
    pub(in crate::report) fn shown(&self) -> [(&'static str, &'static str, String); 4] {
        [
            ("Docker", "sh", self.docker.command()),
            ("Compose", "yaml", self.compose.yaml()),
            ("Kubernetes", "yaml", self.kubernetes.yaml()),
            ("ECS", "json", self.ecs.json()),
        ]
    }
}

impl Docker {
    /// As a command line for a shell.
    pub fn command(&self) -> String {
        let mut text = "docker run".to_owned();
        for word in &self.arguments {
            text.push_str(if word.starts_with('-') { " \\\n    " } else { " " });
            text.push_str(&shell_word(word));
        }
        let _ = writeln!(text, " \\\n    {IMAGE}");
        for port in &self.ports {
            let _ = writeln!(text, "# to be reached from outside: -p {}", shell_word(port));
        }
        text
    }
}

/// A word that a shell takes as it is.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=@:,".contains(c);
    let word = words::escaped(word);
    if !word.is_empty() && word.chars().all(is_plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A text of YAML that is a text whatever it looks like.
fn text(value: &str) -> String {
    format!("\"{}\"", words::escaped(value).replace('\\', "\\\\").replace('"', "\\\""))
}

impl Compose {
    /// As a file of Compose.
    pub fn yaml(&self) -> String {
        let mut yaml = format!("services:\n  app:\n    image: {IMAGE}\n");
        if let Some(user) = &self.user {
            let _ = writeln!(yaml, "    user: {}", text(user));
        }
        let list =
            |values: &[String]| values.iter().map(|one| text(one)).collect::<Vec<_>>().join(", ");
        let _ = writeln!(yaml, "    read_only: {}", self.read_only);
        let _ = writeln!(yaml, "    cap_drop: [{}]", list(&self.cap_drop));
        let _ = writeln!(yaml, "    security_opt: [{}]", list(&self.security_opt));
        let _ = writeln!(yaml, "    tmpfs: [{}]", list(&self.tmpfs));
        if self.volumes.is_empty() {
            return yaml;
        }
        yaml.push_str("    volumes:\n");
        for volume in &self.volumes {
            let (source, target) = (text(&volume.source), text(&volume.target));
            let kind = &volume.kind;
            let _ = writeln!(yaml, "      - {{type: {kind}, source: {source}, target: {target}}}");
        }
        yaml.push_str("volumes:\n");
        for volume in &self.volumes {
            let _ = writeln!(yaml, "  {}: {{}}", text(&volume.source));
        }
        yaml
    }
}

impl Kubernetes {
    /// As what belongs to the spec of a pod.
    pub fn yaml(&self) -> String {
        let mut yaml = String::new();
        if let Some(pod) = &self.pod_security_context {
            let _ = writeln!(yaml, "securityContext:\n  fsGroup: {}", pod.fs_group);
        }
        let _ =
            write!(yaml, "containers:\n  - name: app\n    image: {IMAGE}\n    securityContext:\n");
        let context = &self.security_context;
        let mut line = |key: &str, value: &dyn std::fmt::Display| {
            let _ = writeln!(yaml, "      {key}: {value}");
        };
        line("runAsNonRoot", &context.run_as_non_root);
        if let Some(user) = &context.run_as_user {
            line("runAsUser", user);
        }
        if let Some(group) = &context.run_as_group {
            line("runAsGroup", group);
        }
        line("readOnlyRootFilesystem", &context.read_only_root_filesystem);
        line("allowPrivilegeEscalation", &context.allow_privilege_escalation);
        line("capabilities", &format_args!("{{drop: [{}]}}", context.capabilities.drop.join(", ")));
        line("seccompProfile", &format_args!("{{type: {}}}", context.seccomp_profile.kind));
        yaml.push_str("    volumeMounts:\n");
        for mount in &self.volume_mounts {
            let (name, path) = (text(&mount.name), text(&mount.mount_path));
            let _ = writeln!(yaml, "      - {{name: {name}, mountPath: {path}}}");
        }
        yaml.push_str("volumes:\n");
        for volume in &self.volumes {
            let _ = writeln!(yaml, "  - {{name: {}, emptyDir: {{}}}}", text(&volume.name));
        }
        yaml
    }
}

impl Ecs {
    /// As fields of a task definition.
    pub fn json(&self) -> String {
        let mut text = crate::report::json::pretty(self);
        text.push('\n');
        text
    }
}
