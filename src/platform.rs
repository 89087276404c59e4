//! Platforms as people write them → platforms as BuildKit names them.
//!
//! The same folding as containerd's `platforms` package, since its result is what result maps,
//! `refs.platforms` and named contexts are keyed by: `linux/arm64/v8` is `linux/arm64`, `linux/arm`
//! is `linux/arm/v7`, `x86_64` is `linux/amd64`. Two differences: an operating system or
//! architecture that nobody knows is refused here and not at the registry, and operating system
//! versions (Windows) are not taken.

use std::fmt;

use crate::proto::pb;

/// What an image or a step runs on, folded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// `linux` and the like.
    pub os: String,
    /// Go's name of the processor: `amd64`, `arm64`.
    pub architecture: String,
    /// `v7` for `linux/arm/v7`; empty where there is only one.
    pub variant: String,
}

/// Why a text is not a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlatformError {
    /// More than `os/architecture/variant`, or characters that no platform has.
    #[error("{0:?} is not a platform")]
    Malformed(String),
    /// The first part is no operating system.
    #[error("{0:?} is not an operating system that is known")]
    UnknownOs(String),
    /// The part that should be one is no architecture.
    #[error("{0:?} is not an architecture that is known")]
    UnknownArchitecture(String),
}

const SYSTEMS: &[&str] = &[
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "wasip1",
    "windows",
    "zos",
];
const ARCHITECTURES: &[&str] = &[
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "arm64",
    "arm64be",
    "armbe",
    "loong64",
    "mips",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "mipsle",
    "ppc",
    "ppc64",
    "ppc64le",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
];

impl Platform {
    /// A platform from parts as a builder or an image states them; nothing is refused.
    #[must_use]
    pub fn new(os: &str, architecture: &str, variant: &str) -> Self {
        let os = match os.to_lowercase().as_str() {
            "" => "linux".to_owned(),
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        };
        let (architecture, variant) = fold_architecture(architecture, variant);
        Self { os, architecture, variant }
    }

    /// Reads `os/architecture[/variant]`, an architecture alone (on Linux), or an operating system
    /// alone (on the builder's own architecture).
    pub fn parse(text: &str, builder: &Self) -> Result<Self, PlatformError> {
        let malformed = || PlatformError::Malformed(text.to_owned());
        let parts: Vec<&str> = text.splitn(4, '/').collect();
        if parts.len() > 3 || !parts.iter().all(|part| is_word(part)) {
            return Err(malformed());
        }
        let platform = match *parts.as_slice() {
            [one] if is_system(one) => Self { os: lower_os(one), ..builder.clone() },
            [one] => Self::new("linux", one, ""),
            [os, architecture] => Self::new(os, architecture, ""),
            [os, architecture, variant] => Self::new(os, architecture, variant),
            _ => return Err(malformed()),
        };
        if !is_system(&platform.os) {
            return Err(PlatformError::UnknownOs(parts[0].to_owned()));
        }
        if !ARCHITECTURES.contains(&platform.architecture.as_str()) {
            let at = usize::from(parts.len() > 1);
            return Err(PlatformError::UnknownArchitecture(parts[at].to_owned()));
        }
        Ok(platform)
    }

    /// The key of this platform in results and in the names of contexts: `linux/arm/v7`.
    #[must_use]
    pub fn id(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() { Ok(()) } else { write!(f, "/{}", self.variant) }
    }
}

impl From<&Platform> for pb::Platform {
    fn from(platform: &Platform) -> Self {
        Self {
            os: platform.os.clone(),
            architecture: platform.architecture.clone(),
            variant: platform.variant.clone(),
            ..Self::default()
        }
    }
}

impl From<&pb::Platform> for Platform {
    fn from(platform: &pb::Platform) -> Self {
        Self::new(&platform.os, &platform.architecture, &platform.variant)
    }
}

fn is_word(part: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    !part.is_empty() && part.bytes().all(allowed)
}

fn lower_os(text: &str) -> String {
    if text.eq_ignore_ascii_case("macos") { "darwin".to_owned() } else { text.to_lowercase() }
}

fn is_system(text: &str) -> bool {
    SYSTEMS.contains(&lower_os(text).as_str())
}

/// containerd's `normalizeArch` (platforms/database.go).
fn fold_architecture(architecture: &str, variant: &str) -> (String, String) {
    let (architecture, variant) = (architecture.to_lowercase(), variant.to_lowercase());
    let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
        ("i386", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64" | "amd64", other) => ("amd64", other),
        ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
        ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
        ("aarch64" | "arm64", other) => ("arm64", other),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "8") => ("arm", "v8"),
        (other, variant) => (other, variant),
    };
    (architecture.to_owned(), variant.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Platform, PlatformError> {
        Platform::parse(text, &Platform::new("linux", "riscv64", ""))
    }

    #[test]
    fn folds_what_people_write_as_containerd_does() {
        for (text, id) in [
            ("linux/amd64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v2", "linux/amd64/v2"),
            ("amd64", "linux/amd64"),
            ("x86_64", "linux/amd64"),
            ("linux/x86-64", "linux/amd64"),
            ("LINUX/AMD64", "linux/amd64"),
            ("linux/arm64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm64/8", "linux/arm64"),
            ("linux/arm64/v8.0", "linux/arm64"),
            ("linux/arm64/9", "linux/arm64/v9"),
            ("linux/arm64/v8.1", "linux/arm64/v8.1"),
            ("aarch64", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/arm/7", "linux/arm/v7"),
            ("linux/arm/v6", "linux/arm/v6"),
            ("linux/arm/6", "linux/arm/v6"),
            ("linux/arm/5", "linux/arm/v5"),
            ("armhf", "linux/arm/v7"),
            ("linux/armhf", "linux/arm/v7"),
            ("armel", "linux/arm/v6"),
            ("i386", "linux/386"),
            ("linux/i386/v1", "linux/386"),
            ("macos/arm64", "darwin/arm64"),
            ("linux", "linux/riscv64"),
            ("windows/amd64", "windows/amd64"),
            ("linux/ppc64le", "linux/ppc64le"),
        ] {
            assert_eq!(parse(text).map(|platform| platform.id()), Ok(id.to_owned()), "{text}");
        }
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for text in ["linux/arm64/v8", "armhf", "x86_64", "linux/amd64/v3", "macos/arm64"] {
            let once = parse(text).unwrap();
            assert_eq!(parse(&once.id()), Ok(once));
        }
    }

    #[test]
    fn refuses_what_is_no_platform() {
        let malformed = |text: &str| PlatformError::Malformed(text.to_owned());
        for (text, error) in [
            ("", malformed("")),
            ("linux/", malformed("linux/")),
            ("/amd64", malformed("/amd64")),
            ("linux/*", malformed("linux/*")),
            ("linux/amd64/v1/x", malformed("linux/amd64/v1/x")),
            ("windows(10.0.17763)/amd64", malformed("windows(10.0.17763)/amd64")),
            ("linux/amd 64", malformed("linux/amd 64")),
            (" linux/amd64", malformed(" linux/amd64")),
            ("amd64/linux", PlatformError::UnknownOs("amd64".to_owned())),
            ("linux/amd46", PlatformError::UnknownArchitecture("amd46".to_owned())),
            ("pdp11", PlatformError::UnknownArchitecture("pdp11".to_owned())),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }
}
