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
    "apk",
    "apt",
    "apt-get",
    "aptitude",
    "dpkg",
    "yum",
    "dnf",
    "dnf5",
    "microdnf",
    "tdnf",
    "rpm",
    "zypper",
    "pacman",
    "opkg",
    "apk.static",
];
const LANGUAGE_MANAGERS: &[&str] = &[
    "pip", "npm", "npx", "yarn", "yarnpkg", "pnpm", "pnpx", "corepack", "gem", "bundle", "bundler",
    "composer", "cargo", "go", "mvn", "gradle", "uv", "uvx", "poetry", "pipx", "pipenv", "pdm",
    "conda", "mamba", "luarocks",
];
const INTERPRETERS: &[&str] = &[
    "perl", "python", "pypy", "ruby", "jruby", "php", "php-cgi", "php-fpm", "lua", "luajit",
    "tclsh", "wish", "expect", "awk", "gawk", "mawk", "nawk", "node", "nodejs", "deno", "bun",
    "guile", "java",
];
const HELPERS: &[&str] = &[
    "env",
    "xargs",
    "find",
    "vim",
    "vi",
    "vim.basic",
    "vim.tiny",
    "vim.nox",
    "nvim",
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
    &["sudo", "sudo-rs", "su", "su-rs", "doas", "gosu", "su-exec", "setpriv", "runuser", "pkexec"];
const COMPILERS: &[&str] = &[
    "gcc", "g++", "cc", "c++", "clang", "clang++", "cpp", "ld", "ld.bfd", "ld.gold", "ld.lld",
    "as", "ar", "make", "cmake", "ninja", "rustc", "javac", "tcc", "autoconf", "automake",
    "gfortran", "ld.mold", "mold", "lld", "zig", "cc1", "cc1plus", "collect2",
];
const NETWORK_TOOLS: &[&str] = &[
    "curl",
    "wget",
    "nc",
    "ncat",
    "nc.openbsd",
    "nc.traditional",
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
const REMOTE_LOGINS: &[&str] = &[
    "sshd",
    "sshd-session",
    "dropbear",
    "dropbearmulti",
    "tinysshd",
    "in.rshd",
    "in.rlogind",
    "telnetd",
    "in.telnetd",
    "inetd",
    "xinetd",
    "rlogind",
    "rshd",
    "vsftpd",
];
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
    ".zsh_history",
    ".mysql_history",
    ".psql_history",
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
    "/var/cache/libdnf5/",
    "/var/cache/pacman/",
    "/var/cache/zypp/",
];
/// Folders of caches below anybody's home.
const CACHE_FOLDERS: &[&str] = &[
    "/_cacache/",
    "/.cache/pip/",
    "/.cache/uv/",
    "/.cache/yarn/",
    "/.cache/go-build/",
    "/.cache/pypoetry/",
    "/.cache/composer/",
    "/.cargo/registry/cache/",
];
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
    // Where pip puts headers in a virtual environment.
    "/include/site/",
];
/// Folders whose scripts are called like the program that they are about.
const SCRIPTS: &[&str] = &["/etc/init.d/", "/etc/cron."];

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

/// `python3.13`, `perl5.40`, `clang-19` without the version, `gosu-amd64` and `composer.phar` without
/// what they are downloaded as.
fn stem(name: &str) -> &str {
    let mut parts = ["-amd64", "-arm64", ".phar"].iter();
    let name = parts.find_map(|part| name.strip_suffix(part)).unwrap_or(name);
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    if stem.is_empty() { name } else { stem }
}

/// `x86_64-linux-gnu-gcc` without the machine, which compilers are called by as well: what `gcc` is
/// a link to.
fn without_machine(name: &str) -> Option<&str> {
    ["-linux-gnu-", "-linux-musl-", "-linux-gnueabihf-", "-linux-musleabihf-"]
        .iter()
        .find_map(|system| name.split_once(system).map(|(_, name)| name))
}

/// What the path of a folder says about everything in it; found out once for each folder.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    /// Whether it belongs to a dependency.
    pub(crate) dependency: bool,
    /// Whether it is part of the system rather than of an app.
    pub(crate) system: bool,
    /// Whether it has files that are called after programs and are none.
    pub(crate) namesakes: bool,
    holds: Holds,
}

/// What a folder is there for: records of packages, each kind by its names, or what is kept for later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Holds {
    #[default]
    Anything,
    Cache,
    Dpkg,
    DpkgParts,
    Apk,
    Rpm,
    /// What distroless images of Azure Linux have instead.
    RpmList,
    /// What chiselled images of Ubuntu have.
    Chisel,
    Pacman,
    Release,
    Documents,
}

impl Place {
    /// Reads the path of a folder, which is empty for the root.
    pub(crate) fn of(folder: &[u8]) -> Self {
        let whole = [folder, b"/"].concat();
        let dependency = is_dependency(&whole);
        let is_cache = CACHES.iter().any(|root| whole.starts_with(root.as_bytes()))
            || IN_CACHE.as_ref().is_some_and(|parts| parts.is_match(&whole));
        Self {
            dependency,
            namesakes: dependency || SCRIPTS.iter().any(|root| whole.starts_with(root.as_bytes())),
            system: SYSTEM.iter().any(|root| whole.starts_with(root.as_bytes()))
                && !OWN.iter().any(|root| whole.starts_with(root.as_bytes())),
            holds: match folder {
                _ if is_cache => Holds::Cache,
                b"/var/lib/dpkg" => Holds::Dpkg,
                b"/var/lib/dpkg/status.d" => Holds::DpkgParts,
                b"/lib/apk/db" | b"/usr/lib/apk/db" => Holds::Apk,
                b"/var/lib/rpm" | b"/usr/lib/sysimage/rpm" => Holds::Rpm,
                b"/var/lib/rpmmanifest" => Holds::RpmList,
                b"/var/lib/chisel" => Holds::Chisel,
                b"/etc" | b"/usr/lib" => Holds::Release,
                _ if whole.starts_with(b"/var/lib/pacman/local/") => Holds::Pacman,
                _ if whole.starts_with(b"/opt/docker/sbom/") => Holds::Documents,
                _ => Holds::Anything,
            },
        }
    }
}

impl Holds {
    fn has_record(self, name: &[u8]) -> bool {
        match self {
            Self::Anything | Self::Cache => false,
            Self::Dpkg => name == b"status",
            Self::DpkgParts => !name.ends_with(b".md5sums"),
            Self::Apk => name == b"installed",
            Self::Rpm => matches!(name, b"rpmdb.sqlite" | b"Packages" | b"Packages.db"),
            Self::RpmList => name.starts_with(b"container-manifest-"),
            Self::Chisel => name.ends_with(b".wall"),
            Self::Pacman => name == b"desc",
            Self::Release => name == b"os-release",
            Self::Documents => true,
        }
    }
}

/// The role of an executable file, or of a link to one, by its name, and the name that it has it by.
/// Where a [`Place`] has namesakes, what is no ELF file is none.
pub(crate) fn of_program(name: &[u8]) -> Option<(Role, &'static str)> {
    let name = str::from_utf8(name).ok()?;
    let find = |name: &str| {
        let mut hits = PROGRAMS
            .iter()
            .filter_map(|(role, list)| Some((*role, *list.iter().find(|known| **known == name)?)));
        hits.next()
    };
    let name = without_machine(name).unwrap_or(name);
    find(name).or_else(|| find(stem(name)))
}

/// The role of any file by its name and place, whatever its permissions are.
pub(crate) fn of_file(place: Place, name: &[u8], (size, executable): (u64, bool)) -> Option<Role> {
    if place.holds.has_record(name) && size > 0 {
        return Some(Role::Record);
    }
    let is_dropbear = name.starts_with(b"dropbear_") && name.ends_with(b"_host_key");
    if name.starts_with(b"ssh_host_") && name.ends_with(b"_key") || is_dropbear {
        return Some(Role::HostKey);
    }
    let text = str::from_utf8(name).ok()?;
    if place.holds == Holds::Cache && !matches!(text, "lock" | ".npmrc") && size > 0 {
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
    // A program may be called so; what the kernel leaves behind is none.
    let is_core =
        !executable && (text == "core" || text.strip_prefix("core.").is_some_and(is_number));
    let is_left = LEFTOVERS.contains(&text) || matches!(suffix, "swp" | "swo" | "orig" | "rej");
    let is_variant = text.starts_with("Dockerfile.")
        || suffix == "Dockerfile"
        || text.starts_with("docker-compose.") && matches!(suffix, "yml" | "yaml");
    (is_left || is_core && size > 1 << 16 || is_variant).then_some(Role::Leftover)
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
        let cases: [(&str, &str, Option<Role>); 15] = [
            ("/usr/bin", "apt-get", Some(Role::PackageManager)),
            ("/opt/venv/bin", "pip3.13", Some(Role::LanguageManager)),
            ("/usr/bin", "python3.13", Some(Role::Interpreter)),
            ("/usr/bin", "clang-19", Some(Role::Compiler)),
            ("/usr/bin", "g++", Some(Role::Compiler)),
            ("/usr/sbin", "sshd", Some(Role::RemoteLogin)),
            ("/opt", "x86_64-linux-gnu-gcc-14", Some(Role::Compiler)),
            ("/opt", "aarch64-alpine-linux-musl-ld", Some(Role::Compiler)),
            ("/opt", "x86_64-linux-gnu-file", None),
            ("/opt", "nc.openbsd", Some(Role::NetworkTool)),
            ("/sbin", "apk.static", Some(Role::PackageManager)),
            ("/opt", "gosu-amd64", Some(Role::Elevator)),
            ("/app", "composer.phar", Some(Role::LanguageManager)),
            ("/app", "golang", None),
            ("/app", "finder", None),
        ];
        for (folder, name, expected) in cases {
            let found = of_program(name.as_bytes()).map(|(role, _)| role);
            assert_eq!(found, expected, "{folder}/{name}");
            assert!(!Place::of(folder.as_bytes()).namesakes, "{folder}");
        }
    }

    #[test]
    fn knows_files_by_name_and_place() {
        let cases: [(&str, &str, Option<Role>); 20] = [
            ("/var/lib/dpkg", "status", Some(Role::Record)),
            ("/var/lib/dpkg/status.d", "node", Some(Role::Record)),
            ("/var/lib/dpkg/status.d", "node.md5sums", None),
            ("/app", "status", None),
            ("/usr/lib/sysimage/rpm", "Packages.db", Some(Role::Record)),
            ("/var/lib/rpm", "rpmdb.sqlite-shm", None),
            ("/var/lib/rpmmanifest", "container-manifest-2", Some(Role::Record)),
            ("/var/lib/chisel", "manifest.wall", Some(Role::Record)),
            ("/etc/dropbear", "dropbear_rsa_host_key", Some(Role::HostKey)),
            ("/etc/ssh", "ssh_host_rsa_key", Some(Role::HostKey)),
            ("/etc/ssh", "ssh_host_rsa_key.pub", None),
            ("/var/lib/apt/lists", "deb.debian.org_Packages", Some(Role::Cache)),
            ("/var/lib/apt/lists", "lock", None),
            ("/root/.npm/_cacache/content-v2", "ab", Some(Role::Cache)),
            ("/app", "prod.Dockerfile", Some(Role::Leftover)),
            ("/app", "docker-compose.prod.yml", Some(Role::Leftover)),
            ("/app", "docker-compose.md", None),
            ("/app", "lib.a", Some(Role::Development)),
            ("/app", ".a", None),
            ("/app", ".foo.swp", Some(Role::Leftover)),
        ];
        for (folder, name, expected) in cases {
            assert_eq!(
                of_file(Place::of(folder.as_bytes()), name.as_bytes(), (9, false)),
                expected,
                "{folder}/{name}"
            );
        }
    }
}
