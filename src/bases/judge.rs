//! Whether a pair of bases will do, judged by their configs before anything is built.
//!
//! Refused: a development image or SDK as runtime, a runtime image that declares a shell or a
//! package manager or runs as root, a base past its end of life, a development and a runtime image
//! that do not belong together. Labels are only believed when they accuse; that there is no shell
//! is proven later, in the files. Today's date is an input.

use jiff::civil::Date;

use super::catalog::{Repository, find_distro};
use super::labels::{Declared, Support, is_sdk_tag};
use super::name::one_of;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::reference::Reference;

/// One image of a pair, as the registry has it.
#[derive(Debug, Clone)]
pub struct Side<'a> {
    /// Its name, for messages: as in the spec, or as the table made it.
    pub name: &'a str,
    /// Its labels.
    pub declared: &'a Declared,
    /// The user of its config.
    pub user: &'a str,
    /// Where the spec names it.
    pub span: Span,
}

/// Everything that is wrong with a runtime image; `has_user`: the spec names another user.
pub fn judge_runtime(runtime: &Side<'_>, has_user: bool, today: Date) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Some(stage) = &runtime.declared.stage {
        found.push(stage_as_runtime(runtime, stage));
    } else if is_dev(runtime) {
        // Its shell, its package manager and its root user are what makes it one.
        found.push(dev_as_runtime(runtime));
    } else {
        found.extend(declared_tools(runtime));
        if !has_user && is_root(runtime.user) {
            found.push(root_user(runtime));
        }
    }
    found.extend(end_of_life(runtime, today));
    found
}

/// Everything that is wrong with a development image, on its own and next to its runtime image.
pub fn judge_dev(dev: &Side<'_>, runtime: &Side<'_>, today: Date) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    // Said once for a pair that ends on the same day.
    if dev.declared.end_of_life != runtime.declared.end_of_life {
        found.extend(end_of_life(dev, today));
    }
    found.extend(mismatch(dev, runtime));
    found
}

/// Whether a user is root as far as the text tells: nothing, `root`, or a number that is zero.
pub fn is_root(user: &str) -> bool {
    let user = user.split(':').next().unwrap_or_default();
    // Engines read numbers with Go's Atoi, which takes one sign.
    let number = user.strip_prefix(['+', '-']).unwrap_or(user);
    matches!(user, "" | "root") || !number.is_empty() && number.bytes().all(|byte| byte == b'0')
}

fn is_dev(side: &Side<'_>) -> bool {
    let tag = tag_of(side.name);
    side.declared.is_dev() || tag.ends_with("-dev") || is_sdk_tag(tag)
}

fn dev_as_runtime(runtime: &Side<'_>) -> Diagnostic {
    let sdk = runtime.declared.is_sdk() || is_sdk_tag(tag_of(runtime.name));
    let kind = if sdk { "an SDK" } else { "a development image" };
    let message = format!(
        "`{}` is {kind}, with a shell and a package manager: it cannot be what ships",
        runtime.name
    );
    let plain = super::pair(runtime.name).map(|pair| pair.runtime.name);
    let help = match plain {
        Ok(name) if name != runtime.name => format!("write `{name}`"),
        _ => "name its runtime image: `base: {dev: …, runtime: …}`".to_owned(),
    };
    Diagnostic::error(Code::DevAsRuntime, runtime.span, message).help(help)
}

fn stage_as_runtime(runtime: &Side<'_>, stage: &str) -> Diagnostic {
    let message = format!(
        "`{}` holds the files of the stage `{stage}`, which nothing has proven: it cannot be what ships",
        runtime.name
    );
    Diagnostic::error(Code::DevAsRuntime, runtime.span, message)
        .help("build the app itself, without `/…` in `--target`")
}

fn declared_tools(runtime: &Side<'_>) -> Option<Diagnostic> {
    let declared = runtime.declared;
    let tools = match (&declared.shell, &declared.package_manager) {
        (None, None) => return None,
        (Some(shell), None) => format!("the shell `{shell}`"),
        (None, Some(manager)) => format!("the package manager `{manager}`"),
        (Some(shell), Some(manager)) => {
            format!("the shell `{shell}` and the package manager `{manager}`")
        }
    };
    let message = format!("`{}` declares {tools}: it cannot be what ships", runtime.name);
    let help = match declared.repository() {
        Some("golang") => "ship on `static`, or on `static:glibc` if cgo is used".to_owned(),
        Some("rust" | "dart") => {
            "ship on `static:glibc`, or on `static:musl` from alpine".to_owned()
        }
        Some(_) if declared.flavor.as_deref() == Some("compat") => {
            match runtime.name.rsplit_once("-compat") {
                Some((name, rest)) => format!("write `{name}{rest}`, without the shell"),
                None => "take the image without `compat`".to_owned(),
            }
        }
        _ => "ship on an image without them, such as `static:glibc` for a compiled program"
            .to_owned(),
    };
    Some(Diagnostic::error(Code::BaseDeclaresShell, runtime.span, message).help(help))
}

fn root_user(runtime: &Side<'_>) -> Diagnostic {
    let user = match runtime.user {
        "" => "names no user, which is root".to_owned(),
        user => format!("runs as `{user}`"),
    };
    Diagnostic::error(Code::BaseRunsAsRoot, runtime.span, format!("`{}` {user}", runtime.name))
        .help("name a user that is not root: `user: 65532`")
}

fn end_of_life(side: &Side<'_>, today: Date) -> Option<Diagnostic> {
    let name = side.name;
    let diagnostic = match side.declared.support(today)? {
        Support::NoDate(written) => {
            let message =
                format!("`{name}` declares the end of life `{written}`, which is no date");
            return Some(Diagnostic::warning(Code::EndOfLife, side.span, message));
        }
        Support::Ended(end) => {
            let message =
                format!("`{name}` is past its end of life, which was {end}: nobody patches it");
            Diagnostic::error(Code::EndOfLife, side.span, message)
        }
        Support::Ends(end, days) => {
            let left = match days {
                0 => "today".to_owned(),
                1 => "tomorrow".to_owned(),
                days => format!("in {days} days"),
            };
            let message = format!("`{name}` reaches its end of life {left}, on {end}");
            Diagnostic::warning(Code::EndOfLife, side.span, message)
        }
    };
    Some(diagnostic.help(newer(side)))
}

/// The lines of the same repository that this release knows.
fn newer(side: &Side<'_>) -> String {
    let family = side.declared.repository().and_then(Repository::find);
    let names = family.map_or_else(Vec::new, |family| {
        let tags = family.main_tags().into_iter().map(|tag| format!("{}:{tag}", family.name));
        tags.filter(|name| !side.name.ends_with(name.as_str())).take(2).collect()
    });
    if names.is_empty() {
        return "move to a version that is supported".to_owned();
    }
    format!("move to a version that is supported, such as {}", one_of(&names))
}

fn mismatch(dev: &Side<'_>, runtime: &Side<'_>) -> Option<Diagnostic> {
    distro_mismatch(dev, runtime).or_else(|| version_mismatch(dev, runtime))
}

fn distro_mismatch(dev: &Side<'_>, runtime: &Side<'_>) -> Option<Diagnostic> {
    let (built, shipped) = (dev.declared.distro.as_ref()?, runtime.declared.distro.as_ref()?);
    let is_static = runtime.declared.repository() == Some("static");
    if built == shipped || is_static && libc(runtime.declared).is_none() {
        // Without a C library, `static` has nothing that a program could be linked with.
        return None;
    }
    let message = format!(
        "`{}` builds on {built}, `{}` ships on {shipped}: what is linked there need not run here",
        dev.name, runtime.name
    );
    let libc = if built.starts_with("alpine") { "musl" } else { "glibc" };
    let token = built.replace('-', "");
    let help = if is_static {
        format!("write `runtime: static:{libc}-{token}`")
    } else {
        format!("take both images from one distro: a tag with `-{token}` for both")
    };
    Some(Diagnostic::error(Code::PairMismatch, runtime.span, message).help(help))
}

/// The C library in the version label of `static`.
fn libc(declared: &Declared) -> Option<&str> {
    declared.version.as_deref()?.split('-').find(|word| matches!(*word, "glibc" | "musl"))
}

fn version_mismatch(dev: &Side<'_>, runtime: &Side<'_>) -> Option<Diagnostic> {
    let (built, shipped) = (product(dev.declared)?, product(runtime.declared)?);
    if built.name != shipped.name {
        return None;
    }
    let depth = built.depth.min(shipped.depth);
    let pairs = built.numbers.iter().zip(&shipped.numbers).take(depth);
    let differs = pairs.into_iter().position(|(built, shipped)| built != shipped)?;
    let (built, shipped) = (&built.version, &shipped.version);
    let message = format!("`{}` builds for {built}, `{}` ships {shipped}", dev.name, runtime.name);
    let diagnostic = if differs < 2 {
        Diagnostic::error(Code::PairMismatch, runtime.span, message)
    } else {
        Diagnostic::warning(Code::PairMismatch, runtime.span, message)
    };
    Some(diagnostic.help("name the same version twice, or `base: NAME` for both"))
}

/// What a pair must agree on, such as Java 21 or Node 24.18.0.
struct Product<'a> {
    name: &'a str,
    version: String,
    numbers: Vec<u64>,
    /// How many of the numbers mean the same in another repository.
    depth: usize,
}

fn product(declared: &Declared) -> Option<Product<'_>> {
    let repository = declared.repository()?;
    let label = declared.version.as_deref()?;
    let word = |prefix: &str| {
        label
            .split('-')
            .find_map(|word| word.strip_prefix(prefix))
            .filter(|version| starts_with_digit(version))
    };
    let own = || Some(own_version(label));
    let (name, version, depth) = match repository {
        // Build tools carry the version of what they build for.
        "maven" | "gradle" => ("Java", word("jdk"), 1),
        "composer" => ("PHP", word("php"), 2),
        "php" => ("PHP", own(), usize::MAX),
        "eclipse-temurin" | "sapmachine" => ("Java", own(), usize::MAX),
        // Other vendors count updates in their own way.
        "amazoncorretto" | "azul" => ("Java", own(), 1),
        // SDKs count their patches apart.
        "dotnet" | "aspnetcore" => (".NET", own(), if declared.is_sdk() { 2 } else { usize::MAX }),
        _ => (repository, own(), usize::MAX),
    };
    let version = version.filter(|version| starts_with_digit(version))?;
    let runs = version.split(|letter: char| !letter.is_ascii_digit()).filter(|run| !run.is_empty());
    let mut numbers: Vec<u64> = runs.map(|run| run.parse().unwrap_or(u64::MAX)).collect();
    if name == "Java" && numbers.first() == Some(&8) {
        numbers.insert(1, 0); // 8u502 is 8.0.502
    }
    Some(Product { name, version: format!("{name} {version}"), numbers, depth })
}

/// The version in a version label, without package revision, family, distro and the rest.
fn own_version(label: &str) -> &str {
    let end = find_distro(label).map_or(label.len(), |(start, _)| start);
    label[..end].split('-').next().unwrap_or(label)
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_digit())
}

/// The tag of a name; nothing for what is no name.
fn tag_of(name: &str) -> &str {
    if Reference::parse(name).is_err() {
        return "";
    }
    let name = name.split('@').next().unwrap_or_default();
    let path = name.rfind('/').map_or(0, |slash| slash + 1);
    name[path..].split_once(':').map_or("", |(_, tag)| tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const SPAN: Span = Span::at(2, 7);

    /// `name | label value | label value | user value` → the side.
    fn labels(text: &str) -> (Declared, String) {
        let mut labels = BTreeMap::new();
        let mut user = "65532".to_owned();
        for (name, value) in text.split(" | ").filter_map(|pair| pair.split_once(' ')) {
            if name == "user" {
                value.trim().clone_into(&mut user);
            }
            labels.insert(format!("com.docker.dhi.{name}"), value.to_owned());
        }
        (Declared::read(&labels), user)
    }

    fn show(found: &[Diagnostic]) -> String {
        let show = |found: &Diagnostic| {
            let help = found.help.as_deref().unwrap_or_default();
            assert_eq!(found.span, SPAN);
            format!("{:?} {}: {} ({help})", found.severity, found.code, found.message)
        };
        found.iter().map(show).collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    fn runtime(name: &str, text: &str) -> String {
        let (declared, user) = labels(text);
        let side = Side { name, declared: &declared, user: &user, span: SPAN };
        show(&judge_runtime(&side, false, "2026-11-23".parse().unwrap()))
    }

    #[track_caller]
    fn pair(dev: (&str, &str), runtime: (&str, &str)) -> String {
        let (built, shipped) = (labels(dev.1).0, labels(runtime.1).0);
        let dev = Side { name: dev.0, declared: &built, user: "root", span: SPAN };
        let runtime = Side { name: runtime.0, declared: &shipped, user: "1", span: SPAN };
        show(&judge_dev(&dev, &runtime, "2026-11-23".parse().unwrap()))
    }

    #[test]
    fn lets_good_runtime_images_pass() {
        for (name, labels) in [
            ("node:24", "name dhi/node | variant runtime | version 24.18.0-debian13 | user node"),
            (
                "static:20250419",
                "name dhi/static | version 20250419-debian13 | shell  | user nonroot",
            ),
            ("acme/own:1", "user app:app"),
            ("ghcr.io/acme/sdks:1-devel", "user 1000:0"),
        ] {
            assert_eq!(runtime(name, labels), "", "{name}");
        }
    }

    #[test]
    fn refuses_development_images_as_runtime() {
        for (name, labels, help) in [
            ("node:24-dev", "user root", "write `node:24`"),
            ("acme/dhi-node:24-dev", "user root", "write `acme/dhi-node:24`"),
            ("dotnet:10-sdk", "name dhi/dotnet | variant runtime | user 0", "write `dotnet:10`"),
            ("acme/app:1", "name dhi/node | variant dev | shell bash", "name its runtime image"),
            ("acme/app:1", "version 26.7.0-alpine3.24-dev", "name its runtime image"),
            ("acme/net:1", "version 10.0.400-sdk-debian13", "name its runtime image"),
        ] {
            let text = runtime(name, labels);
            let sdk = name.contains("net");
            let kind = if sdk { "is an SDK, with" } else { "is a development image, with" };
            assert!(text.starts_with(&format!("Error REF-04: `{name}` {kind}")), "{text}");
            assert!(text.contains(help) && text.lines().count() == 1, "{text}");
        }
    }

    #[test]
    fn refuses_declared_shells_and_package_managers() {
        for (name, labels, message) in [
            (
                "golang:1",
                "name dhi/golang | shell bash",
                "declares the shell `bash`: it cannot be what ships (ship on `static`, or",
            ),
            ("rust:1", "name dhi/rust | shell bash", "(ship on `static:glibc`"),
            ("x:1", "name dhi/x | package-manager apt", "declares the package manager `apt`"),
            (
                "x:1",
                "shell bash | package-manager apt",
                "the shell `bash` and the package manager `apt`",
            ),
            (
                "nginx:1-compat",
                "name dhi/nginx | flavor compat | shell dash",
                "(write `nginx:1`, without the shell)",
            ),
        ] {
            let text = runtime(name, labels);
            assert!(text.starts_with(&format!("Error REF-05: `{name}` ")), "{text}");
            assert!(text.contains(message), "{text}");
        }
    }

    #[test]
    fn refuses_root_in_every_spelling() {
        for user in [
            "",
            "root",
            "0",
            "00",
            "0:0",
            "root:root",
            "root:1000",
            "000:5",
            ":1000",
            "0:nonroot",
            "+0",
            "-00:1",
        ] {
            assert!(is_root(user), "{user}");
            let text = runtime("docker:29", &format!("user {user}"));
            assert!(text.starts_with("Error REF-06: `docker:29` "), "{text}");
        }
        for user in [
            "nonroot",
            "65532",
            "1000:0",
            "01",
            "rooty",
            "node:root",
            "10",
            "+",
            "+1",
            "0x0",
            "+",
            "+1",
            "0x0",
            "0 ",
        ] {
            assert!(!is_root(user), "{user}");
        }
        let declared = Declared::default();
        let side = Side { name: "x:1", declared: &declared, user: "0", span: SPAN };
        assert!(judge_runtime(&side, true, "2026-11-23".parse().unwrap()).is_empty());
    }

    #[test]
    fn knows_the_end_of_life() {
        for (date, message) in [
            ("2029-10-31", ""),
            ("2027-02-22", ""),
            (
                "2027-02-21",
                "Warning REF-07: `node:22` reaches its end of life in 90 days, on 2027-02-21 (move to a version that is supported, such as `node:26` or `node:24`)",
            ),
            (
                "2026-11-24",
                "Warning REF-07: `node:22` reaches its end of life tomorrow, on 2026-11-24",
            ),
            (
                "2026-11-23",
                "Warning REF-07: `node:22` reaches its end of life today, on 2026-11-23",
            ),
            (
                "2026-11-22",
                "Error REF-07: `node:22` is past its end of life, which was 2026-11-22: nobody patches it (move",
            ),
            ("2020-01-01", "Error REF-07"),
            ("soon", "Warning REF-07: `node:22` declares the end of life `soon`, which is no date"),
            ("9999-12-31", ""),
        ] {
            let text = runtime("node:22", &format!("name dhi/node | date.end-of-life {date}"));
            assert!(
                text.starts_with(message) && text.is_empty() == message.is_empty(),
                "{date}: {text}"
            );
        }
        let old = "name dhi/node | date.end-of-life 2020-01-01";
        assert_eq!(pair(("node:9-dev", old), ("node:9", old)), "", "said for the runtime image");
        assert!(pair(("node:9-dev", old), ("static:1", "name dhi/static")).contains("REF-07"));
    }

    #[test]
    fn lets_images_that_belong_together_pass() {
        for (dev, runtime) in [
            (
                "name dhi/node | distro debian-13 | version 24.18.0-0-debian13-dev",
                "name dhi/node | distro debian-13 | version 24.18.0-debian13",
            ),
            (
                "name dhi/php | version 8.4.24-debian13-dev",
                "name dhi/php | version 8.4.24-debian13-fpm",
            ),
            (
                "name dhi/eclipse-temurin | version 21.0.12.8-jdk-debian13-dev",
                "name dhi/eclipse-temurin | version 21.0.12.8-debian13",
            ),
            (
                "name dhi/eclipse-temurin | version 8u502.b07-jdk-debian13-dev",
                "name dhi/eclipse-temurin | version 8.502.07-debian13",
            ),
            (
                "name dhi/maven | version 3.9.16-r0-jdk21-alpine3.24-dev | distro alpine-3.24",
                "name dhi/eclipse-temurin | version 21.0.12.8-alpine3.24 | distro alpine-3.24",
            ),
            (
                "name dhi/composer | version 2.10.2-debian13-php8.4-dev",
                "name dhi/php | version 8.4.24-debian13-fpm",
            ),
            (
                "name dhi/dotnet | version 10.0.400-sdk-debian13",
                "name dhi/aspnetcore | version 10.0.11-debian13",
            ),
            (
                "name dhi/rust | version 1.98.0-debian13-dev | distro debian-13",
                "name dhi/static | version 20250419-glibc-debian13 | distro debian-13",
            ),
            (
                "name dhi/golang | version 1.26.7-debian13-dev | distro debian-13",
                "name dhi/static | version 20260611-alpine3.24 | distro alpine-3.24",
            ),
            (
                "name dhi/uv | version 0.12.5-debian13-dev",
                "name dhi/python | version 3.13.13-debian13",
            ),
            (
                "name dhi/debian-base | version trixie-debian13-dev",
                "name dhi/debian-base | version trixie-debian13",
            ),
            ("", "name dhi/node | distro debian-13 | version 24.18.0-debian13"),
            ("name dhi/node | distro debian-13 | version 24.18.0-debian13", ""),
        ] {
            assert_eq!(pair(("dev:1", dev), ("runtime:1", runtime)), "", "{dev}");
        }
    }

    #[test]
    fn refuses_images_that_do_not_belong_together() {
        for (dev, runtime, message) in [
            (
                "distro debian-13",
                "distro alpine-3.24",
                "Error REF-08: `dev:1` builds on debian-13, `runtime:1` ships on alpine-3.24: what is linked there need not run here (take both images from one distro: a tag with `-debian13` for both)",
            ),
            ("distro debian-13", "distro debian-12", "Error REF-08"),
            (
                "distro alpine-3.24",
                "name dhi/static | version 20250419-glibc-debian13 | distro debian-13",
                "Error REF-08: `dev:1` builds on alpine-3.24, `runtime:1` ships on debian-13: what is linked there need not run here (write `runtime: static:musl-alpine3.24`)",
            ),
            (
                "name dhi/node | version 24.18.0-debian13-dev",
                "name dhi/node | version 26.1.0-debian13",
                "Error REF-08: `dev:1` builds for node 24.18.0, `runtime:1` ships node 26.1.0",
            ),
            (
                "name dhi/node | version 24.18.0-debian13-dev",
                "name dhi/node | version 24.19.0-debian13",
                "Error REF-08",
            ),
            (
                "name dhi/node | version 24.18.0-debian13-dev",
                "name dhi/node | version 24.18.1-debian13",
                "Warning REF-08: `dev:1` builds for node 24.18.0, `runtime:1` ships node 24.18.1",
            ),
            (
                "name dhi/maven | version 3.9.16-jdk25-debian13-dev",
                "name dhi/eclipse-temurin | version 21.0.12.8-debian13",
                "Error REF-08: `dev:1` builds for Java 25, `runtime:1` ships Java 21.0.12.8",
            ),
            (
                "name dhi/eclipse-temurin | version 8u502.b07-jdk-debian13-dev",
                "name dhi/eclipse-temurin | version 8u492.b09-debian13",
                "Warning REF-08",
            ),
            (
                "name dhi/eclipse-temurin | version 21.0.12.8-jdk-debian13-dev",
                "name dhi/amazoncorretto | version 17.0.1-debian13",
                "Error REF-08: `dev:1` builds for Java 21.0.12.8, `runtime:1` ships Java 17.0.1",
            ),
            (
                "name dhi/composer | version 2.10.2-php8.5-dev",
                "name dhi/php | version 8.4.24-fpm",
                "Error REF-08: `dev:1` builds for PHP 8.5, `runtime:1` ships PHP 8.4.24",
            ),
            (
                "name dhi/dotnet | version 9.0.317-sdk-debian13",
                "name dhi/aspnetcore | version 10.0.11-debian13",
                "Error REF-08",
            ),
        ] {
            let text = pair(("dev:1", dev), ("runtime:1", runtime));
            assert!(text.starts_with(message) && text.lines().count() == 1, "{dev}: {text}");
        }
    }
}
