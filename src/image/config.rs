//! The config of an image: OCI's JSON with Docker's additions, read from a base and written for the
//! image that stands on it.
//!
//! What other programs have put there is kept: every unknown key, at the top and inside `config`,
//! comes out as it went in, and `null` reads as absent. The same values give the same bytes: known
//! keys in the order of the structs, all maps sorted. Sizes are bounded by whoever reads the bytes.
//! A known key in another spelling is refused: Go reads `user` as `User`, whichever comes last.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The search path of a process whose image sets none, as BuildKit and Docker set it on Linux.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Why bytes are no image config.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not JSON, or a value of the wrong kind.
    #[error("the config of the image cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// More of it than any program writes, and each takes many times its bytes in memory.
    #[error("the config of the image holds more than {MAX_PARTS} lists and maps")]
    Parts,
    /// A key that Go would take for one of ours.
    #[error("the config of the image has the key `{0}`, which container engines take for `{1}`")]
    Spelling(String, &'static str),
}

/// The most lists and maps of a config; brackets in texts count as well.
const MAX_PARTS: usize = 100_000;

/// The keys of an image config that decide what is run, as they are spelt.
const KEYS: [&str; 10] = [
    "created",
    "author",
    "architecture",
    "variant",
    "os",
    "os.version",
    "os.features",
    "config",
    "rootfs",
    "history",
];
/// The keys of the inner config.
const RUN_KEYS: [&str; 13] = [
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "Labels",
    "StopSignal",
    "Healthcheck",
    "OnBuild",
    "Shell",
    "ArgsEscaped",
];
/// The keys of a health check, which is run as well.
const HEALTH_KEYS: [&str; 6] =
    ["Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"];

/// An image config.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ImageConfig {
    /// When the image was made, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who made it.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// CPU, in Go's words: `amd64`.
    #[serde(default, deserialize_with = "nullable")]
    pub architecture: String,
    /// CPU variant: `v7`.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// Operating system: `linux`.
    #[serde(default, deserialize_with = "nullable")]
    pub os: String,
    /// Version of the operating system.
    #[serde(
        rename = "os.version",
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub os_version: String,
    /// Features that the operating system must have.
    #[serde(
        rename = "os.features",
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub os_features: Vec<String>,
    /// How a container is started.
    #[serde(default, deserialize_with = "nullable")]
    pub config: RunConfig,
    /// The layers.
    #[serde(default, deserialize_with = "nullable")]
    pub rootfs: RootFs,
    /// What made each layer.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
    /// Keys that are not ours, such as `moby.buildkit.cache.v0` and Docker's `container`.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// How a container is started: the inner `config`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RunConfig {
    /// `uid`, `uid:gid` or names; empty: root.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// `8080/tcp` and the like.
    #[serde(default, deserialize_with = "key_set", skip_serializing_if = "BTreeMap::is_empty")]
    pub exposed_ports: BTreeMap<String, Value>,
    /// `NAME=value`, in order.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// What is run; `None`: absent or `null`, which a child may inherit from nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// Its arguments, or what is run where there is no entrypoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// Paths that become volumes.
    #[serde(default, deserialize_with = "key_set", skip_serializing_if = "BTreeMap::is_empty")]
    pub volumes: BTreeMap<String, Value>,
    /// Where the process starts; empty: `/`.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    /// Labels.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The signal that ends the process.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub stop_signal: String,
    /// How the engine asks whether the process is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// Triggers for images built on this one by a Dockerfile.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub on_build: Vec<String>,
    /// The shell of shell-form commands.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub shell: Vec<String>,
    /// Windows only: the command line is one text.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub args_escaped: bool,
    /// Keys that are not ours, such as `StopTimeout`.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// Docker's health check. Times are nanoseconds; 0 is the engine's default.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Healthcheck {
    /// `["CMD", …]`, `["CMD-SHELL", text]`, or `["NONE"]`; empty: inherited.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub test: Vec<String>,
    /// Between two checks.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub interval: i64,
    /// Until a check counts as failed.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub timeout: i64,
    /// After the start, when failures do not count.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub start_period: i64,
    /// Between two checks in that time.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub start_interval: i64,
    /// Failures in a row until the container is unhealthy.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "is_zero")]
    pub retries: i64,
    /// Keys that are not ours.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// The layers of an image, by the digests of their uncompressed tars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type", default = "layers", deserialize_with = "nullable_layers")]
    pub kind: String,
    /// The lowest first.
    #[serde(default, deserialize_with = "nullable")]
    pub diff_ids: Vec<String>,
}

impl Default for RootFs {
    fn default() -> Self {
        Self { kind: layers(), diff_ids: Vec::new() }
    }
}

/// What made a layer, or a step that made none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct History {
    /// When, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The command.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub created_by: String,
    /// Who.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// A remark; BuildKit writes `buildkit.dockerfile.v0` here.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// Whether it made no layer.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub empty_layer: bool,
    /// Keys that are not ours.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

impl ImageConfig {
    /// Reads a config as a registry or BuildKit hands it out.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        if memchr::memchr2_iter(b'{', b'[', bytes).count() > MAX_PARTS {
            return Err(ConfigError::Parts);
        }
        let config: Self = serde_json::from_slice(bytes)?;
        check_spelling(&config.others, &KEYS)?;
        check_spelling(&config.config.others, &RUN_KEYS)?;
        if let Some(check) = &config.config.healthcheck {
            check_spelling(&check.others, &HEALTH_KEYS)?;
        }
        Ok(config)
    }

    /// The bytes to hand to BuildKit; the same for equal configs.
    #[allow(clippy::missing_panics_doc)] // it cannot
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("maps with text keys and no floats of ours: always JSON")
    }

    /// The platform as `os/architecture[/variant]`.
    pub fn platform(&self) -> String {
        let variant = if self.variant.is_empty() { "" } else { "/" };
        format!("{}/{}{variant}{}", self.os, self.architecture, self.variant)
    }
}

impl RunConfig {
    /// The value of a variable; of several with one name the last counts, as in a process.
    pub fn env(&self, name: &str) -> Option<&str> {
        self.env.iter().rev().find_map(|entry| {
            let (key, value) = entry.split_once('=')?;
            (key == name).then_some(value)
        })
    }

    /// Sets a variable in the place of the first one with its name, or at the end.
    pub fn set_env(&mut self, name: &str, value: &str) {
        let entry = format!("{name}={value}");
        let mut entries = std::mem::take(&mut self.env);
        let place = entries.iter().position(|entry| is_named(entry, name));
        if let Some(place) = place {
            entries[place].clone_from(&entry);
            let mut index = 0;
            entries.retain(|entry| {
                index += 1;
                index <= place + 1 || !is_named(entry, name)
            });
        } else {
            entries.push(entry);
        }
        self.env = entries;
    }

    /// `PATH`, or the one that a container gets where the image has none.
    pub fn path(&self) -> &str {
        self.env("PATH").unwrap_or(DEFAULT_PATH)
    }

    /// The folder where the process starts: `/` where the image says nothing.
    pub fn workdir(&self) -> &str {
        if self.working_dir.is_empty() { "/" } else { &self.working_dir }
    }

    /// Adds a key to `ExposedPorts` or `Volumes`, whose values are empty objects.
    pub fn add_key(set: &mut BTreeMap<String, Value>, key: impl Into<String>) {
        set.entry(key.into()).or_insert_with(|| Value::Object(Map::new()));
    }
}

/// Refuses keys that encoding/json of Go matches although they are spelt differently.
fn check_spelling(others: &Map<String, Value>, known: &[&'static str]) -> Result<(), ConfigError> {
    for key in others.keys() {
        // Go folds these two letters as well, so that `uſer` is `User`.
        let folded = key.replace('\u{17f}', "s").replace('\u{212a}', "k");
        if let Some(known) = known.iter().find(|known| known.eq_ignore_ascii_case(&folded)) {
            return Err(ConfigError::Spelling(key.clone(), known));
        }
    }
    Ok(())
}

fn is_named(entry: &str, name: &str) -> bool {
    entry.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))
}

fn layers() -> String {
    "layers".to_owned()
}

/// `null` is what Go writes for an empty slice or map.
fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn nullable_layers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(layers))
}

/// A Go `map[string]struct{}`; some tools write `null` as the values.
fn key_set<'de, D>(deserializer: D) -> Result<BTreeMap<String, Value>, D::Error>
where
    D: Deserializer<'de>,
{
    let mut set: BTreeMap<String, Value> = nullable(deserializer)?;
    for value in set.values_mut().filter(|value| value.is_null()) {
        *value = Value::Object(Map::new());
    }
    Ok(set)
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_false(value: &bool) -> bool {
    !value
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_zero(value: &i64) -> bool {
    *value == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// Reads a config and writes it again; what is written must be read as the same.
    #[track_caller]
    fn round_trip(before: &Value) -> Value {
        let config = ImageConfig::parse(before.to_string().as_bytes()).unwrap();
        let bytes = config.to_json();
        assert_eq!(ImageConfig::parse(&bytes).unwrap(), config);
        assert_eq!(ImageConfig::parse(&bytes).unwrap().to_json(), bytes);
        serde_json::from_slice(&bytes).unwrap()
    }

    #[test]
    fn a_config_of_more_parts_than_programs_write_is_refused() {
        let config = |count: usize| format!("{{\"x\": [{}[]]}}", "[],".repeat(count - 3));
        assert!(ImageConfig::parse(config(MAX_PARTS).as_bytes()).is_ok());
        let error = ImageConfig::parse(config(MAX_PARTS + 1).as_bytes()).unwrap_err();
        let expected = "the config of the image holds more than 100000 lists and maps";
        assert_eq!(error.to_string(), expected);
    }

    /// As `docker buildx imagetools inspect` shows a hardened image built by BuildKit.
    fn hardened() -> Value {
        json!({
            "architecture": "arm64", "variant": "v8", "os": "linux", "author": "Docker, Inc.",
            "created": "2026-04-11T22:45:39Z",
            "config": {
                "User": "nonroot", "ExposedPorts": {"8080/tcp": {}}, "Volumes": {"/data": {}},
                "Env": ["PATH=/opt/python/bin:/usr/bin", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"],
                "Cmd": ["python3"], "WorkingDir": "/app", "StopSignal": "SIGTERM",
                "Labels": {"com.docker.dhi.variant": "runtime", "com.docker.dhi.shell": ""},
                "Healthcheck": {"Test": ["CMD", "/bin/ok"], "Interval": 30_000_000_000_i64,
                    "Timeout": 5, "StartPeriod": 6, "StartInterval": 7, "Retries": 3},
                "OnBuild": ["RUN true"], "Shell": ["/bin/sh", "-c"], "ArgsEscaped": true, "StopTimeout": 10
            },
            "rootfs": {"type": "layers", "diff_ids": ["sha256:e6", "sha256:bb"]},
            "history": [
                {"created": "2026-04-11T22:45:39Z", "created_by": "dhi", "comment": "buildkit.dockerfile.v0"},
                {"created_by": "CMD [\"python3\"]", "author": "me", "empty_layer": true}
            ],
            "os.version": "10", "os.features": ["win32k"],
            "moby.buildkit.cache.v0": "AAAA",
            "moby.buildkit.buildinfo.v1": {"sources": [{"type": "docker-image"}]}
        })
    }

    #[test]
    fn keeps_every_key_of_a_hardened_image() {
        assert_eq!(round_trip(&hardened()), hardened());
    }

    #[test]
    fn keeps_what_an_old_docker_wrote() {
        // Classic builder: nulls, empty texts, a second config, and keys that OCI does not have.
        let config = round_trip(&json!({
            "architecture": "amd64", "os": "linux", "docker_version": "20.10.23", "container": "0a1b",
            "author": null, "created": null,
            "container_config": {"Hostname": "x", "Cmd": null},
            "config": {"Hostname": "", "AttachStdin": false, "User": "", "Env": null, "Cmd": ["/hello"],
                "Image": "sha256:aa", "Volumes": null, "WorkingDir": "", "Entrypoint": null,
                "OnBuild": null, "Labels": null, "ExposedPorts": {"53/udp": null}, "Healthcheck": null},
            "rootfs": {"type": null, "diff_ids": null}, "history": null
        }));
        assert_eq!(
            config,
            json!({
                "architecture": "amd64", "os": "linux", "docker_version": "20.10.23",
                "container": "0a1b", "container_config": {"Hostname": "x", "Cmd": null},
                "config": {"Hostname": "", "AttachStdin": false, "Cmd": ["/hello"],
                    "Image": "sha256:aa", "ExposedPorts": {"53/udp": {}}},
                "rootfs": {"type": "layers", "diff_ids": []}
            })
        );
    }

    #[test]
    fn writes_maps_sorted_and_known_keys_in_order() {
        let config = ImageConfig::parse(
            br#"{"z":1,"os":"linux","a":{"y":1,"b":2},"architecture":"amd64",
                "config":{"Labels":{"b":"2","a":"1"},"Volumes":{"/b":{},"/a":{}},"User":"1:1"}}"#,
        );
        assert_eq!(
            String::from_utf8(config.unwrap().to_json()).unwrap(),
            r#"{"architecture":"amd64","os":"linux","config":{"User":"1:1","Volumes":{"/a":{},"/b":{}},"Labels":{"a":"1","b":"2"}},"rootfs":{"type":"layers","diff_ids":[]},"a":{"b":2,"y":1},"z":1}"#
        );
    }

    #[test]
    fn tells_an_empty_entrypoint_from_none() {
        let mut config = ImageConfig::parse(br#"{"config":{"Entrypoint":[],"Cmd":null}}"#).unwrap();
        assert_eq!((config.config.entrypoint.clone(), &config.config.cmd), (Some(vec![]), &None));
        assert!(String::from_utf8(config.to_json()).unwrap().contains(r#""Entrypoint":[]"#));
        config.config.entrypoint = None;
        assert!(!String::from_utf8(config.to_json()).unwrap().contains("Entrypoint"));
    }

    #[test]
    fn reads_an_empty_object_and_null_parts() {
        for text in ["{}", r#"{"config":null,"rootfs":null,"history":null,"os":null}"#] {
            assert_eq!(ImageConfig::parse(text.as_bytes()).unwrap(), ImageConfig::default());
        }
    }

    #[test]
    fn refuses_values_of_the_wrong_kind() {
        let deep = format!("{}{}", r#"{"a":"#.repeat(10_000), "1");
        for text in [
            "",
            "null",
            "[]",
            "1",
            "{",
            "not json",
            r#"{"config":1}"#,
            r#"{"config":{"Env":"A=1"}}"#,
            r#"{"config":{"User":0}}"#,
            r#"{"config":{"Labels":{"a":1}}}"#,
            r#"{"rootfs":{"diff_ids":[1]}}"#,
            r#"{"config":{"Healthcheck":{"Interval":"5s"}}}"#,
            r#"{"history":{}}"#,
            &deep,
            r#"{"os":"linux","os":"windows"}"#,
        ] {
            assert!(ImageConfig::parse(text.as_bytes()).is_err(), "{text:.40}");
        }
    }

    #[test]
    fn refuses_keys_that_go_takes_for_ours() {
        for (text, key) in [
            (r#"{"config":{"User":"65532","user":"0"}}"#, "user"),
            (r#"{"config":{"u\u017fer":"0"}}"#, "uſer"),
            (r#"{"config":{"ENTRYPOINT":["/bin/sh"]}}"#, "ENTRYPOINT"),
            (r#"{"Config":{"User":"0"}}"#, "Config"),
            (r#"{"config":{"Healthcheck":{"Test":["NONE"],"test":["CMD","/x"]}}}"#, "test"),
            (r#"{"config":{"Healthcheck":{"te\u017ft":["CMD","/x"]}}}"#, "teſt"),
            (r#"{"config":{"Healthcheck":{"startinterval":1}}}"#, "startinterval"),
        ] {
            let error = ImageConfig::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(&format!("`{key}`")), "{error}");
        }
        assert!(ImageConfig::parse(br#"{"config":{"users":"0"}}"#).is_ok());
        assert!(ImageConfig::parse(br#"{"config":{"Healthcheck":{"tests":1}}}"#).is_ok());
    }

    #[test]
    fn finds_variables_as_a_process_would() {
        let mut config = RunConfig {
            env: ["A=1", "PATH=/a", "AB=3", "A=2", "EMPTY=", "B"].map(String::from).to_vec(),
            ..RunConfig::default()
        };
        for (name, value) in
            [("A", Some("2")), ("AB", Some("3")), ("EMPTY", Some("")), ("B", None), ("C", None)]
        {
            assert_eq!(config.env(name), value, "{name}");
        }
        assert_eq!(config.path(), "/a");
        config.set_env("A", "4");
        config.set_env("C", "5");
        assert_eq!(config.env, ["A=4", "PATH=/a", "AB=3", "EMPTY=", "B", "C=5"]);
        assert_eq!(RunConfig::default().path(), DEFAULT_PATH);
        assert_eq!(RunConfig::default().workdir(), "/");
    }

    #[test]
    fn names_the_platform() {
        let config = ImageConfig::parse(hardened().to_string().as_bytes()).unwrap();
        assert_eq!(config.platform(), "linux/arm64/v8");
        let config = ImageConfig::parse(br#"{"os":"linux","architecture":"amd64"}"#).unwrap();
        assert_eq!(config.platform(), "linux/amd64");
    }

    proptest! {
        #[test]
        fn never_panics_on_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = ImageConfig::parse(&bytes);
        }
    }
}
