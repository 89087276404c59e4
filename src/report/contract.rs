//! The runtime contract: how an image has to be started so that what was proven of it counts.
//!
//! In: the image as it starts and the profile. Out: the same contract in the words of Docker, Compose,
//! Kubernetes and ECS, as data (the key `contract` of the document); `shown` writes it down to be
//! copied. A number is never guessed: of a user that is not known, nothing is said.

mod shown;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::document::Image;
use crate::harden::Profile;

/// Where the process may always write; its content is gone with the container.
const SCRATCH: &str = "/tmp";
/// Without it Docker gives the folder the mode that it has in the image, whatever that is.
const SCRATCH_MODE: &str = "mode=1777";
/// MiB of `/tmp` in ECS, which asks for a size.
const SCRATCH_SIZE: u32 = 64;

/// How an image has to be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// For `docker run`.
    pub docker: Docker,
    /// For a service of Compose.
    pub compose: Compose,
    /// For a pod of Kubernetes.
    pub kubernetes: Kubernetes,
    /// For a container of an ECS task definition.
    pub ecs: Ecs,
    /// What these words cannot say.
    pub notes: Vec<String>,
}

/// For `docker run`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Docker {
    /// The arguments before the image, one by one.
    pub arguments: Vec<String>,
    /// What else can be given: the ports that the image names.
    pub ports: Vec<String>,
}

/// For a service of Compose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compose {
    /// `uid:gid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Always true.
    pub read_only: bool,
    /// `ALL`.
    pub cap_drop: Vec<String>,
    /// `no-new-privileges:true`.
    pub security_opt: Vec<String>,
    /// `/tmp`.
    pub tmpfs: Vec<String>,
    /// A volume for each path that the process may write.
    pub volumes: Vec<ComposeVolume>,
}

/// A volume of a service of Compose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComposeVolume {
    /// `volume`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub source: String,
    /// Where it is mounted.
    pub target: String,
}

/// For a pod of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kubernetes {
    /// `securityContext` of the container.
    pub security_context: SecurityContext,
    /// `volumeMounts` of the container.
    pub volume_mounts: Vec<VolumeMount>,
    /// `securityContext` of the pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_security_context: Option<PodSecurityContext>,
    /// `volumes` of the pod.
    pub volumes: Vec<Volume>,
}

/// `securityContext` of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityContext {
    /// Always true.
    pub run_as_non_root: bool,
    /// The user, unless the cluster chooses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_as_user: Option<u32>,
    /// Its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_as_group: Option<u32>,
    /// Always true.
    pub read_only_root_filesystem: bool,
    /// Always false.
    pub allow_privilege_escalation: bool,
    /// All are dropped.
    pub capabilities: Capabilities,
    /// `RuntimeDefault`.
    pub seccomp_profile: SeccompProfile,
}

/// Linux capabilities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// `ALL`.
    pub drop: Vec<String>,
}

/// The filter of system calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeccompProfile {
    /// `RuntimeDefault`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// `securityContext` of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodSecurityContext {
    /// The group that volumes are given to, so that the process may write them.
    pub fs_group: u32,
}

/// One of `volumeMounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeMount {
    /// One of `volumes`.
    pub name: String,
    /// Where it is mounted.
    pub mount_path: String,
}

/// One of `volumes`: an empty folder that lives as long as the pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// Without options.
    pub empty_dir: EmptyDir,
}

/// The options of an empty folder: none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmptyDir {}

/// For a task definition of ECS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ecs {
    /// Fields of the container definition.
    pub container_definition: ContainerDefinition,
    /// `volumes` of the task.
    pub volumes: Vec<TaskVolume>,
}

/// Fields of a container definition of ECS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerDefinition {
    /// `uid:gid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Always true.
    pub readonly_root_filesystem: bool,
    /// Always false.
    pub privileged: bool,
    /// No capabilities, and a `/tmp`.
    pub linux_parameters: LinuxParameters,
    /// `no-new-privileges`.
    pub docker_security_options: Vec<String>,
    /// A volume for each path that the process may write.
    pub mount_points: Vec<MountPoint>,
}

/// `linuxParameters` of ECS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinuxParameters {
    /// All are dropped.
    pub capabilities: Capabilities,
    /// `/tmp`.
    pub tmpfs: Vec<Tmpfs>,
}

/// A file system in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tmpfs {
    /// Where it is mounted.
    pub container_path: String,
    /// In MiB.
    pub size: u32,
    /// Everybody may write it, and nobody take away what is another's.
    pub mount_options: Vec<String>,
}

/// One of `mountPoints` of ECS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MountPoint {
    /// One of `volumes`.
    pub source_volume: String,
    /// Where it is mounted.
    pub container_path: String,
    /// Always false.
    pub read_only: bool,
}

/// One of `volumes` of an ECS task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskVolume {
    /// Its name.
    pub name: String,
}

/// A path that the process may write, and the volume for it.
struct Place<'a> {
    name: String,
    path: &'a str,
}

impl Contract {
    /// The contract of an image.
    pub fn new(image: &Image, profile: Profile) -> Self {
        let mut places = places(image);
        let left_out = places.len().saturating_sub(MAX_PLACES);
        places.truncate(MAX_PLACES);
        // Root is no number to start with, and a cluster that chooses the user refuses any other.
        let user = image.uid.zip(image.gid).filter(|(uid, _)| *uid != 0);
        let chosen = user.filter(|_| profile != Profile::OpenShift);
        Self {
            docker: docker(image, user, &places),
            compose: compose(user, &places),
            kubernetes: kubernetes(chosen, &places),
            ecs: ecs(user, &places),
            notes: notes(image, profile, (!places.is_empty(), left_out)),
        }
    }
}

/// The most volumes that are written down; the config of an image names as many as its author likes.
const MAX_PLACES: usize = 1_000;

/// Volumes and writable paths, once each; what is in `/tmp` comes with it.
fn places(image: &Image) -> Vec<Place<'_>> {
    let paths: BTreeSet<&str> = image.writable.iter().chain(&image.volumes).map(|p| &**p).collect();
    let mut names = BTreeSet::from(["tmp".to_owned()]);
    // How often a name was asked for: thousands of paths may come to the same one.
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut places = Vec::new();
    for path in paths {
        let is_scratch = path.trim_end_matches('/') == SCRATCH;
        if is_scratch || !path.starts_with('/') || path.trim_end_matches('/').is_empty() {
            continue;
        }
        let stem = volume_name(path);
        let mut name = stem.clone();
        let number = numbers.entry(stem.clone()).or_insert(1);
        while !names.insert(name.clone()) {
            *number += 1;
            name = format!("{stem}-{number}");
        }
        places.push(Place { name, path });
    }
    places
}

/// A name that Docker, Kubernetes (a DNS label) and ECS take.
fn volume_name(path: &str) -> String {
    const LONGEST: usize = 50;
    let mut name = String::new();
    for character in path.chars() {
        match character.to_ascii_lowercase() {
            plain if plain.is_ascii_alphanumeric() => name.push(plain),
            _ if name.is_empty() || name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    name.truncate(LONGEST);
    let name = name.trim_end_matches('-');
    if name.is_empty() { "data".to_owned() } else { name.to_owned() }
}

fn docker(image: &Image, user: Option<(u32, u32)>, places: &[Place<'_>]) -> Docker {
    let fixed = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"];
    let mut arguments: Vec<String> = fixed.map(ToOwned::to_owned).into();
    if let Some((uid, gid)) = user {
        arguments.extend(["--user".to_owned(), format!("{uid}:{gid}")]);
    }
    arguments.extend(["--tmpfs".to_owned(), format!("{SCRATCH}:{SCRATCH_MODE}")]);
    for Place { name, path } in places {
        // `-v` splits at colons, `--mount` at commas outside of quotes.
        if path.contains(':') {
            let target = format!("target={path}").replace('"', "\"\"");
            arguments
                .extend(["--mount".to_owned(), format!("type=volume,source={name},\"{target}\"")]);
        } else {
            arguments.extend(["-v".to_owned(), format!("{name}:{path}")]);
        }
    }
    let published = |port: &String| format!("{}:{port}", port.split('/').next().unwrap_or(port));
    Docker { arguments, ports: image.ports.iter().map(published).collect() }
}

fn compose(user: Option<(u32, u32)>, places: &[Place<'_>]) -> Compose {
    let volume = |place: &Place<'_>| ComposeVolume {
        kind: "volume".to_owned(),
        source: place.name.clone(),
        target: place.path.to_owned(),
    };
    Compose {
        user: user.map(|(uid, gid)| format!("{uid}:{gid}")),
        read_only: true,
        cap_drop: vec!["ALL".to_owned()],
        security_opt: vec!["no-new-privileges:true".to_owned()],
        tmpfs: vec![format!("{SCRATCH}:{SCRATCH_MODE}")],
        volumes: places.iter().map(volume).collect(),
    }
}

fn kubernetes(user: Option<(u32, u32)>, places: &[Place<'_>]) -> Kubernetes {
    let named: Vec<(&str, &str)> = std::iter::once(("tmp", SCRATCH))
        .chain(places.iter().map(|p| (&*p.name, p.path)))
        .collect();
    let mount = |&(name, path): &(&str, &str)| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
    };
    let volume =
        |&(name, _): &(&str, &str)| Volume { name: name.to_owned(), empty_dir: EmptyDir {} };
    Kubernetes {
        security_context: SecurityContext {
            run_as_non_root: true,
            run_as_user: user.map(|(uid, _)| uid),
            run_as_group: user.map(|(_, gid)| gid),
            read_only_root_filesystem: true,
            allow_privilege_escalation: false,
            capabilities: Capabilities { drop: vec!["ALL".to_owned()] },
            seccomp_profile: SeccompProfile { kind: "RuntimeDefault".to_owned() },
        },
        volume_mounts: named.iter().map(mount).collect(),
        pod_security_context: user
            .filter(|_| !places.is_empty())
            .map(|(_, gid)| PodSecurityContext { fs_group: gid }),
        volumes: named.iter().map(volume).collect(),
    }
}

fn ecs(user: Option<(u32, u32)>, places: &[Place<'_>]) -> Ecs {
    let point = |place: &Place<'_>| MountPoint {
        source_volume: place.name.clone(),
        container_path: place.path.to_owned(),
        read_only: false,
    };
    Ecs {
        container_definition: ContainerDefinition {
            user: user.map(|(uid, gid)| format!("{uid}:{gid}")),
            readonly_root_filesystem: true,
            privileged: false,
            linux_parameters: LinuxParameters {
                capabilities: Capabilities { drop: vec!["ALL".to_owned()] },
                tmpfs: vec![Tmpfs {
                    container_path: SCRATCH.to_owned(),
                    size: SCRATCH_SIZE,
                    mount_options: vec![SCRATCH_MODE.to_owned()],
                }],
            },
            docker_security_options: vec!["no-new-privileges".to_owned()],
            mount_points: places.iter().map(point).collect(),
        },
        volumes: places.iter().map(|place| TaskVolume { name: place.name.clone() }).collect(),
    }
}

fn notes(image: &Image, profile: Profile, (has_places, left_out): (bool, usize)) -> Vec<String> {
    let more = format!("{left_out} more volumes and writable paths need one as well");
    let mut notes: Vec<_> = (left_out > 0).then_some(more.as_str()).into_iter().collect();
    match image.uid {
        Some(0) => notes.push("the image runs as root: Kubernetes refuses it under this contract"),
        None => notes.push("it is not known whom the image runs as: give the user by numbers"),
        Some(_) if profile == Profile::OpenShift => {
            notes.push(
                "OpenShift chooses the user of each project, so none is named for Kubernetes",
            );
        }
        Some(_) => {}
    }
    if has_places {
        notes.push(
            "a new volume of Docker begins with what the image has at its path; an `emptyDir` and a \
             volume of ECS hide it: copy it there in an init container where the app needs it",
        );
    }
    notes.push("nothing can be executed in Docker's /tmp: say `/tmp:mode=1777,exec` for an app that unpacks libraries there");
    notes.push(
        "on Fargate leave out `dockerSecurityOptions`, which it refuses; where it does not know \
         `tmpfs`, mount a volume at /tmp",
    );
    notes.into_iter().map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contract(uid: Option<u32>, writable: &[&str], profile: Profile) -> Contract {
        let image = Image {
            platform: "linux/amd64".to_owned(),
            user: String::new(),
            uid,
            gid: uid,
            entrypoint: Vec::new(),
            cmd: Vec::new(),
            workdir: String::new(),
            ports: vec!["8080/tcp".to_owned()],
            volumes: vec!["/data".to_owned()],
            writable: writable.iter().map(|&path| path.to_owned()).collect(),
            files: 0,
            bytes: 0,
        };
        Contract::new(&image, profile)
    }

    #[test]
    fn paths_without_number_get_names_of_their_own() {
        let paths: Vec<String> =
            (0..1_002).map(|number| format!("/{}", "!".repeat(number + 1))).collect();
        let paths: Vec<&str> = paths.iter().map(|path| &**path).collect();
        let contract = contract(Some(1000), &paths, Profile::Standard);
        assert_eq!(contract.notes[0], "3 more volumes and writable paths need one as well");
        let [docker, ..] = contract.shown().map(|(_, _, text)| text);
        let volumes: BTreeSet<&str> =
            docker.split(" -v ").skip(1).filter_map(|volume| volume.split(':').next()).collect();
        assert_eq!(volumes.len(), MAX_PLACES);
    }

    #[test]
    fn says_the_same_in_all_words() {
        let contract = contract(Some(1000), &["/app/data", "/data"], Profile::Standard);
        let [docker, compose, kubernetes, ecs] = contract.shown().map(|(_, _, text)| text);
        let flat = docker.replace(" \\\n   ", "");
        assert_eq!(
            flat,
            "docker run --read-only --cap-drop ALL --security-opt no-new-privileges --user 1000:1000 \
             --tmpfs /tmp:mode=1777 -v app-data:/app/data -v data:/data IMAGE\n\
             # to be reached from outside: -p 8080:8080/tcp\n"
        );
        for (text, words) in [
            (compose, ["read_only: true", "cap_drop: [\"ALL\"]", "target: \"/app/data\""]),
            (kubernetes, ["runAsUser: 1000", "fsGroup: 1000", "mountPath: \"/app/data\""]),
            (ecs, ["\"readonlyRootFilesystem\": true", "\"ALL\"", "\"/app/data\""]),
        ] {
            for word in words {
                assert!(text.contains(word), "{word} in {text}");
            }
        }
    }

    #[test]
    fn names_no_user_that_is_not_one() {
        for (uid, profile) in [
            (Some(0), Profile::Standard),
            (None, Profile::Standard),
            (Some(1000), Profile::OpenShift),
        ] {
            let contract = contract(uid, &[], profile);
            let context = &contract.kubernetes.security_context;
            assert_eq!((context.run_as_user, context.run_as_non_root), (None, true));
            assert_eq!(contract.kubernetes.pod_security_context, None);
            let is_told = contract.docker.arguments.contains(&"--user".to_owned());
            assert_eq!(is_told, uid == Some(1000), "OpenShift alone chooses the user");
        }
    }

    #[test]
    fn volumes_have_names_of_their_own_and_stay_in_their_quotes() {
        let paths =
            ["/tmp", "/tmp/", "/", "relative", "/a/b", "/a-b", "/TMP", "/a:b,\"c", "/$(id) '#"];
        let contract = contract(Some(1), &paths, Profile::Standard);
        let names: Vec<&str> = contract.ecs.volumes.iter().map(|one| one.name.as_str()).collect();
        // `/tmp` is there already, and no volume may be called like it.
        assert_eq!(names, ["id", "tmp-2", "a-b", "a-b-2", "a-b-c", "data"]);
        let command = contract.docker.command();
        assert!(
            command.contains(r#"--mount 'type=volume,source=a-b-c,"target=/a:b,""c"'"#),
            "{command}"
        );
        assert!(command.contains(r"-v 'id:/$(id) '\''#'"), "{command}");
        let yaml = contract.kubernetes.yaml();
        assert!(yaml.contains(r#"mountPath: "/a:b,\"c""#), "{yaml}");
    }
}
