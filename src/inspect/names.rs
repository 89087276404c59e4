//! What names of files stand for: programs that install, compile or connect, records of packages,
//! what version control and editors leave behind.
//!
//! A name says nothing about right or wrong. Files of dependencies keep their authors' names, so
//! programs are looked for where programs are.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde::{Deserialize, Serialize};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Runs programs of a language.
    Interpreter,
    /// Starts other programs, or shows and edits any file.
    Helper,
    /// Runs a program as another user.
    Elevator,
    /// Installs packages of the system.
    PackageManager,
    /// Installs packages of a language.
    LanguageManager,
    /// Says which packages are installed.
    Record,
    /// Compiles or links.
    Compiler,
    /// Is read by a compiler or linker.
    Development,
    /// Connects, listens or looks into processes.
    NetworkTool,
    /// Lets people log in.
    RemoteLogin,
    /// The key of a host.
    HostKey,
    /// What a package manager keeps for the next time.
    Cache,
    /// The folder of a version control system.
    VersionControl,
    /// What is left of making an image, or of an editor.
    Leftover,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Interpreter,
        Self::Helper,
        Self::Elevator,
        Self::PackageManager,
        Self::LanguageManager,
        Self::Record,
        Self::Compiler,
        Self::Development,
        Self::NetworkTool,
        Self::RemoteLogin,
        Self::HostKey,
        Self::Cache,
        Self::VersionControl,
        Self::Leftover,
    ];
}

const PACKAGE_MANAGERS: &[&str] = &[
    "apk", "apt", "apt-get", "aptitude", "dpkg", "yum", "dnf", "dnf5", "microdnf", "tdnf", "rpm",
    "zypper", "pacman", "opkg",
];
const LANGUAGE_MANAGERS: &[&str] = &[
    "pip", "npm", "npx", "yarn", "yarnpkg", "pnpm", "pnpx", "corepack", "gem", "bundle", "bundler",
    "composer", "cargo", "go", "mvn", "gradle", "uv", "uvx", "poetry", "pipx", "conda", "mamba",
];
const INTERPRETERS: &[&str] = &[
    "perl", "python", "pypy", "ruby", "jruby", "php", "lua", "luajit", "tclsh", "wish", "expect",
    "awk", "gawk", "mawk", "node", "nodejs", "deno", "bun", "guile", "java",
];
const HELPERS: &[&str] = &[
    "env",
    "xargs",
    "find",
    "vim",
    "vi",
    "nano",
    "emacs",
    "ed",
    "less",
    "more",
    "nohup",
    "timeout",
    "coreutils",
    "script",
    "parallel",
    "watch",
];
const ELEVATORS: &[&str] =
    &["sudo", "su", "doas", "gosu", "su-exec", "setpriv", "runuser", "pkexec"];
const COMPILERS: &[&str] = &[
    "gcc", "g++", "cc", "c++", "clang", "clang++", "cpp", "ld", "ld.bfd", "ld.gold", "ld.lld",
    "as", "ar", "make", "cmake", "ninja", "rustc", "javac", "tcc", "autoconf", "automake",
];
const NETWORK_TOOLS: &[&str] = &[
    "curl",
    "wget",
    "nc",
    "ncat",
    "netcat",
    "socat",
    "ssh",
    "scp",
    "sftp",
    "telnet",
    "ftp",
    "rsync",
    "tcpdump",
    "nmap",
    "strace",
    "ltrace",
    "gdb",
    "gdbserver",
    "lldb",
    "perf",
];
const REMOTE_LOGINS: &[&str] =
    &["sshd", "dropbear", "telnetd", "in.telnetd", "inetd", "xinetd", "rlogind", "rshd", "vsftpd"];
const VERSION_CONTROL: &[&str] = &[".git", ".hg", ".svn", ".bzr"];
const LEFTOVERS: &[&str] = &[
    "Dockerfile",
    "Containerfile",
    "docker-compose.yml",
    "docker-compose.yaml",
    "compose.yaml",
    "compose.yml",
    ".DS_Store",
    "Thumbs.db",
    ".vscode",
    ".idea",
    ".bash_history",
    ".ash_history",
    ".python_history",
    ".node_repl_history",
    ".viminfo",
];
/// Folders of package managers whose content is there to be used again.
const CACHES: &[&str] = &[
    "/var/lib/apt/lists/",
    "/var/cache/apt/",
    "/var/cache/apk/",
    "/etc/apk/cache/",
    "/var/cache/dnf/",
    "/var/cache/yum/",
    "/var/cache/pacman/",
    "/var/cache/zypp/",
];
/// Folders of caches below anybody's home.
const CACHE_FOLDERS: &[&str] = &["/_cacache/", "/.cache/pip/", "/.cache/uv/", "/.cache/yarn/"];
/// Folders with files of dependencies.
const DEPENDENCIES: &[&str] = &[
    "/node_modules/",
    "/site-packages/",
    "/dist-packages/",
    "/vendor/",
    "/usr/share/",
    "/.venv/lib/",
    "/pkg/mod/",
    "/.cargo/registry/",
    "/gems/",
];

/// Folders of the system, below which an app has few files of its own.
const SYSTEM: &[&str] = &["/usr/", "/lib/", "/lib64/", "/bin/", "/sbin/", "/var/lib/", "/etc/ssl/"];
/// Folders below these that are an app's all the same.
const OWN: &[&str] = &["/usr/src/", "/usr/local/", "/usr/share/nginx/", "/usr/share/caddy/"];
/// Folders of web servers below `/usr/share`.
const WEB: [&str; 2] = ["/usr/share/nginx", "/usr/share/caddy"];
/// Names of programs by role; the first that has a name wins.
const PROGRAMS: [(Role, &[&str]); 8] = [
    (Role::PackageManager, PACKAGE_MANAGERS),
    (Role::LanguageManager, LANGUAGE_MANAGERS),
    (Role::Elevator, ELEVATORS),
    (Role::RemoteLogin, REMOTE_LOGINS),
    (Role::Compiler, COMPILERS),
    (Role::NetworkTool, NETWORK_TOOLS),
    (Role::Interpreter, INTERPRETERS),
    (Role::Helper, HELPERS),
];

/// Any of the parts, in one pass: every folder of a tree is asked.
static IN_DEPENDENCY: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(DEPENDENCIES).ok());
static IN_CACHE: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(CACHE_FOLDERS).ok());

/// Whether a path belongs to something that an app depends on rather than to the app.
pub fn is_dependency(path: &[u8]) -> bool {
    // What a web server hands out is an app's, although it lies where packages have their data.
    let path = WEB.iter().find_map(|root| path.strip_prefix(root.as_bytes())).unwrap_or(path);
    IN_DEPENDENCY.as_ref().is_some_and(|parts| parts.is_match(path))
}

/// `python3.13`, `perl5.40`, `clang-19` without the version.
fn stem(name: &str) -> &str {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    if stem.is_empty() { name } else { stem }
}

/// What the path of a folder says about everything in it; found out once for each folder.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    /// Whether it belongs to a dependency.
    pub(crate) dependency: bool,
    /// Whether it is part of the system rather than of an app.
    pub(crate) system: bool,
    cache: bool,
    records: Records,
}

/// The records of packages that a folder may hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Records {
    #[default]
    None,
    Dpkg,
    DpkgParts,
    Apk,
    Rpm,
    Release,
    Documents,
}

impl Place {
    /// Reads the path of a folder, which is empty for the root.
    pub(crate) fn of(folder: &[u8]) -> Self {
        let whole = [folder, b"/"].concat();
        Self {
            dependency: is_dependency(&whole),
            system: SYSTEM.iter().any(|root| whole.starts_with(root.as_bytes()))
                && !OWN.iter().any(|root| whole.starts_with(root.as_bytes())),
            cache: CACHES.iter().any(|root| whole.starts_with(root.as_bytes()))
                || IN_CACHE.as_ref().is_some_and(|parts| parts.is_match(&whole)),
            records: match folder {
                b"/var/lib/dpkg" => Records::Dpkg,
                b"/var/lib/dpkg/status.d" => Records::DpkgParts,
                b"/lib/apk/db" | b"/usr/lib/apk/db" => Records::Apk,
                b"/var/lib/rpm" | b"/usr/lib/sysimage/rpm" => Records::Rpm,
                b"/etc" | b"/usr/lib" => Records::Release,
                _ if whole.starts_with(b"/opt/docker/sbom/") => Records::Documents,
                _ => Records::None,
            },
        }
    }
}

impl Records {
    fn has(self, name: &[u8]) -> bool {
        match self {
            Self::None => false,
            Self::Dpkg => name == b"status",
            Self::DpkgParts => !name.ends_with(b".md5sums"),
            Self::Apk => name == b"installed",
            Self::Rpm => name.starts_with(b"rpmdb.") || name == b"Packages",
            Self::Release => name == b"os-release",
            Self::Documents => true,
        }
    }
}

/// The role of an executable file, or of a link to one, by its name, and the name that it has it by.
pub(crate) fn of_program(place: Place, name: &[u8]) -> Option<(Role, &'static str)> {
    let name = str::from_utf8(name).ok().filter(|_| !place.dependency)?;
    let find = |name: &str| {
        let mut hits = PROGRAMS
            .iter()
            .filter_map(|(role, list)| Some((*role, *list.iter().find(|known| **known == name)?)));
        hits.next()
    };
    find(name).or_else(|| find(stem(name)))
}

/// The role of any file by its name and place, whatever its permissions are.
pub(crate) fn of_file(place: Place, name: &[u8], size: u64) -> Option<Role> {
    if place.records.has(name) && size > 0 {
        return Some(Role::Record);
    }
    if name.starts_with(b"ssh_host_") && name.ends_with(b"_key") {
        return Some(Role::HostKey);
    }
    let text = str::from_utf8(name).ok()?;
    if place.cache && !matches!(text, "lock" | ".npmrc") && size > 0 {
        return Some(Role::Cache);
    }
    // A worktree or submodule has a file of that name, which only says where the history is.
    if text == ".git" {
        return Some(Role::Leftover);
    }
    let suffix = text.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    if matches!(suffix, "a" | "o" | "la" | "h" | "hpp" | "hh") && !text.starts_with('.') {
        return Some(Role::Development);
    }
    let is_core = text == "core" || text.strip_prefix("core.").is_some_and(is_number);
    let is_left = LEFTOVERS.contains(&text) || matches!(suffix, "swp" | "swo" | "orig" | "rej");
    (is_left || is_core && size > 1 << 16 || text.starts_with("Dockerfile."))
        .then_some(Role::Leftover)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The role of a folder by its name.
pub(crate) fn of_folder(name: &[u8]) -> Option<Role> {
    let name = str::from_utf8(name).ok()?;
    if VERSION_CONTROL.contains(&name) {
        return Some(Role::VersionControl);
    }
    LEFTOVERS.contains(&name).then_some(Role::Leftover)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_programs_where_programs_are() {
        let cases: [(&str, &str, Option<Role>); 10] = [
            ("/usr/bin", "apt-get", Some(Role::PackageManager)),
            ("/opt/venv/bin", "pip3.13", Some(Role::LanguageManager)),
            ("/usr/bin", "python3.13", Some(Role::Interpreter)),
            ("/usr/bin", "clang-19", Some(Role::Compiler)),
            ("/usr/bin", "g++", Some(Role::Compiler)),
            ("/usr/sbin", "sshd", Some(Role::RemoteLogin)),
            ("/app/node_modules/npm/bin", "npm", None),
            ("/usr/share/doc/find", "find", None),
            ("/app", "golang", None),
            ("/app", "finder", None),
        ];
        for (folder, name, expected) in cases {
            let found =
                of_program(Place::of(folder.as_bytes()), name.as_bytes()).map(|(role, _)| role);
            assert_eq!(found, expected, "{folder}/{name}");
        }
    }

    #[test]
    fn knows_files_by_name_and_place() {
        let cases: [(&str, &str, Option<Role>); 12] = [
            ("/var/lib/dpkg", "status", Some(Role::Record)),
            ("/var/lib/dpkg/status.d", "node", Some(Role::Record)),
            ("/var/lib/dpkg/status.d", "node.md5sums", None),
            ("/app", "status", None),
            ("/etc/ssh", "ssh_host_rsa_key", Some(Role::HostKey)),
            ("/etc/ssh", "ssh_host_rsa_key.pub", None),
            ("/var/lib/apt/lists", "deb.debian.org_Packages", Some(Role::Cache)),
            ("/var/lib/apt/lists", "lock", None),
            ("/root/.npm/_cacache/content-v2", "ab", Some(Role::Cache)),
            ("/app", "lib.a", Some(Role::Development)),
            ("/app", ".a", None),
            ("/app", ".foo.swp", Some(Role::Leftover)),
        ];
        for (folder, name, expected) in cases {
            assert_eq!(
                of_file(Place::of(folder.as_bytes()), name.as_bytes(), 9),
                expected,
                "{folder}/{name}"
            );
        }
    }
}
