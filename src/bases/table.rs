//! The pair table: the name in `base` → the development image that builds and the runtime image
//! that ships.
//!
//! The rule is `node:24` → `node:24-dev` and `node:24`. What breaks it is decided here by family
//! (a JDK for a JRE, an SDK for .NET, `static` for languages whose runtime image has a toolchain)
//! and by what the catalogue holds. Tags that this release does not know follow their family: the
//! registry has the last word. Names with a slash are taken as they are written.

use super::catalog::{DEFAULT_DISTRO, Parts, Repository, Tag, by_version};
use super::name::{ImageName, NameError, PairNames, Written};
use crate::reference::Reference;

/// The pair of `base: NAME`.
pub fn pair(name: &str) -> Result<PairNames, NameError> {
    let written = Written::read(name)?;
    let missing =
        |help| Err(no_pair(format!("`{name}` has a digest, which names one image"), help));
    if written.digest.is_some() {
        let help = format!("name both: `base: {{dev: …-dev@sha256:…, runtime: {name}}}`");
        return missing(help);
    }
    let Some(family) = written.family() else { return plain_pair(&written) };
    let parts = family.split(written.need_tag(&family)?);
    Ok(PairNames {
        dev: dev_of(&family, &parts, name)?,
        runtime: runtime_of(&family, &parts, name)?,
    })
}

/// The development image of `dev: NAME`, and of a stage's `base: NAME`: `-dev` is added once.
pub fn dev(name: &str) -> Result<ImageName, NameError> {
    let written = Written::read(name)?;
    if written.has_slash || written.digest.is_some() {
        return Ok(ImageName::as_written(name));
    }
    match written.family() {
        Some(family) => {
            let parts = family.split(written.need_tag(&family)?);
            dev_of(&family, &parts, name)
        }
        None => Ok(plain_pair(&written)?.dev),
    }
}

/// The runtime image of `runtime: NAME`. Only short tags of `static` are completed, for the distro
/// of the development image `dev` where there is one.
pub fn runtime(name: &str, dev: Option<&str>) -> Result<ImageName, NameError> {
    let written = Written::read(name)?;
    if written.has_slash || written.digest.is_some() {
        return Ok(ImageName::as_written(name));
    }
    let Some(family) = written.family() else {
        written.need_any_tag()?;
        return Ok(ImageName::as_written(name));
    };
    if family.name == "static" {
        let parts = family.split(written.tag.unwrap_or_default());
        if parts.version.is_empty() || parts.version == "latest" {
            let distro = dev.map(distro_of);
            return newest_static(&family, &parts, distro.as_deref())
                .map(|tag| completed("static", &tag.parts, parts.fips))
                .ok_or_else(|| no_static(name, distro.as_deref().unwrap_or(DEFAULT_DISTRO)));
        }
    }
    written.need_tag(&family)?;
    Ok(ImageName::as_written(name))
}

/// The pair of `base: {dev: NAME, runtime: NAME}`; both mistakes at once.
pub fn explicit(dev_name: &str, runtime_name: &str) -> Result<PairNames, Vec<NameError>> {
    match (dev(dev_name), runtime(runtime_name, Some(dev_name))) {
        (Ok(dev), Ok(runtime)) => Ok(PairNames { dev, runtime }),
        (dev, runtime) => Err([dev.err(), runtime.err()].into_iter().flatten().collect()),
    }
}

/// The plain rule, for names that the catalogue does not know.
fn plain_pair(written: &Written<'_>) -> Result<PairNames, NameError> {
    let tag = written.need_any_tag()?;
    let tag = tag.strip_suffix("-dev").unwrap_or(tag);
    let runtime = format!("{}:{tag}", written.repository);
    Ok(PairNames {
        dev: ImageName::as_written(&format!("{runtime}-dev")),
        runtime: ImageName::as_written(&runtime),
    })
}

fn named(repository: &str, parts: &Parts) -> ImageName {
    ImageName::as_written(&format!("{repository}:{parts}"))
}

fn dev_of(family: &Repository, parts: &Parts, name: &str) -> Result<ImageName, NameError> {
    if matches!(family.name, "dotnet" | "aspnetcore") && !(parts.dev && family.tag(parts).is_some())
    {
        // SDKs count their patches apart: 10.0.11 was built by 10.0.400-sdk.
        let version = if parts.infix == "sdk" { &parts.version } else { minor(&parts.version) };
        let (version, infix) = (version.to_owned(), "sdk".to_owned());
        return Ok(named("dotnet", &Parts { version, infix, dev: false, ..parts.clone() }));
    }
    match dev_tag(family, parts) {
        Some(tag) => Ok(named(family.name, &tag)),
        None => Err(no_dev(family, parts, name)),
    }
}

/// The tag of the development image: the first candidate that exists, or for a version that this
/// release does not know, the first of a kind that exists.
fn dev_tag(family: &Repository, parts: &Parts) -> Option<Parts> {
    let dev = Parts { dev: true, ..parts.clone() };
    let mut candidates = Vec::new();
    if parts.dev {
        candidates.push(dev.clone());
    }
    if parts.infix.is_empty() {
        // Without it, the image has a JRE, on which nothing can be compiled.
        candidates.push(Parts { infix: "jdk".to_owned(), ..dev.clone() });
    }
    candidates.push(dev.clone());
    if matches!(parts.flavor.as_str(), "fpm" | "compat") {
        candidates.push(Parts { flavor: String::new(), ..dev.clone() });
    }
    let public = |tag: &Parts| Parts { fips: false, ..tag.clone() };
    if let Some(found) = candidates.iter().find(|tag| family.tag(&public(tag)).is_some()) {
        return Some(found.clone());
    }
    let undeveloped = Parts { dev: false, ..public(parts) };
    if let Some(known) = family.tag(&undeveloped) {
        // `build` and the like are development images by their plain tags.
        return known.is_dev.then_some(undeveloped);
    }
    if is_version(&parts.version)
        && let Some(found) = candidates.iter().find(|tag| family.has_like(tag))
    {
        return Some(found.clone());
    }
    family.tags.iter().any(|tag| tag.parts.dev).then_some(dev)
}

fn runtime_of(family: &Repository, parts: &Parts, name: &str) -> Result<ImageName, NameError> {
    let tag = Parts { dev: false, ..parts.clone() };
    let version = |version: &str| Parts {
        version: version.to_owned(),
        distro: carried(family, parts),
        ..Parts::default()
    };
    match family.name {
        "golang" | "rust" | "dart" => return static_for(family, parts, name),
        "maven" | "gradle" => {
            let jdk = parts.infix.strip_prefix("jdk").filter(|jdk| is_version(jdk));
            let jdk = jdk.map(|jdk| named("eclipse-temurin", &version(jdk)));
            return jdk.ok_or_else(|| names_none(parts, name, "JDK", "eclipse-temurin:21"));
        }
        "composer" => {
            let php = parts.flavor.strip_prefix("php").filter(|php| is_version(php));
            let php = php.map(|php| named("php", &version(php)));
            return php.ok_or_else(|| names_none(parts, name, "PHP", "php:8.4"));
        }
        _ => {}
    }
    if family.tags.iter().all(|tag| tag.is_dev) {
        return Err(no_pair(
            format!("`{name}` only builds: no runtime image belongs to it"),
            format!("name what ships: `base: {{dev: {name}, runtime: debian-base:trixie}}`"),
        ));
    }
    Ok(match (parts.infix.as_str(), parts.flavor.as_str()) {
        ("sdk", _) if family.name == "dotnet" => {
            let version = minor(&parts.version).to_owned();
            named(family.name, &Parts { version, infix: String::new(), ..tag })
        }
        ("jdk", _) => named(family.name, &Parts { infix: String::new(), ..tag }),
        (_, "sfw" | "sfw-ent") => named(family.name, &Parts { flavor: String::new(), ..tag }),
        _ => named(family.name, &tag),
    })
}

/// `static` for a language whose own runtime image has a toolchain and a shell: with the C library
/// that the compiler links by default, and for the distro that it links on.
fn static_for(family: &Repository, parts: &Parts, name: &str) -> Result<ImageName, NameError> {
    let distro = family.distro(&Parts { fips: false, ..parts.clone() });
    let libc = if distro.starts_with("alpine") { "musl" } else { "glibc" };
    // FIPS variants of `static` have a C library, the plain one does not exist.
    let needs_libc = family.name != "golang" || parts.fips;
    let infix = if needs_libc { libc.to_owned() } else { String::new() };
    let wanted = Parts { infix, ..Parts::default() };
    let found = Repository::find("static")
        .and_then(|family| newest_static(&family, &wanted, Some(&distro)).cloned())
        .filter(|tag| tag.distro == distro);
    match found {
        Some(tag) => Ok(completed("static", &tag.parts, parts.fips)),
        None => Err(no_static(name, &distro)),
    }
}

/// The newest tag of `static` that fits a short one: of the wanted distro if there is one, otherwise
/// of the default distro, otherwise the newest.
fn newest_static<'a>(
    family: &'a Repository,
    short: &Parts,
    distro: Option<&str>,
) -> Option<&'a Tag> {
    let fits = |tag: &&Tag| {
        tag.parts.infix == short.infix
            && match short.distro.as_str() {
                // The shortest name, but Alpine by its number: what `-alpine` means changes.
                "" => tag.parts.distro.is_empty() || tag.distro != DEFAULT_DISTRO && exact(tag),
                distro => tag.parts.distro == distro,
            }
    };
    family.tags.iter().filter(fits).max_by(|a, b| {
        let wanted =
            |tag: &Tag| (Some(tag.distro.as_str()) == distro, tag.distro == DEFAULT_DISTRO);
        let version = by_version(&a.parts.version, &b.parts.version);
        wanted(a).cmp(&wanted(b)).then(version).then(by_version(&a.distro, &b.distro))
    })
}

fn exact(tag: &Tag) -> bool {
    tag.parts.distro == tag.distro
}

fn completed(repository: &str, parts: &Parts, fips: bool) -> ImageName {
    let name = format!("{repository}:{}", Parts { fips, ..parts.clone() });
    ImageName { name, completed: true }
}

/// The distro for an image of another repository: `-alpine` is not the same release everywhere.
fn carried(family: &Repository, parts: &Parts) -> String {
    let floating = matches!(parts.distro.as_str(), "" | "debian");
    if floating { parts.distro.clone() } else { family.distro(parts) }
}

/// The distro of any image's name, as far as its tag tells.
fn distro_of(name: &str) -> String {
    let repository = Reference::parse(name).ok();
    let tag = repository.as_ref().and_then(Reference::tag).unwrap_or_default();
    // Mirrors keep the name: `docker.io/acme/dhi-rust`.
    let path = repository.as_ref().map(Reference::path).unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let last = last.strip_prefix("dhi-").unwrap_or(last);
    let Some(family) = Repository::find(last).or_else(|| Repository::find("static")) else {
        return DEFAULT_DISTRO.to_owned();
    };
    family.distro(&family.split(tag))
}

/// Major and minor version.
fn minor(version: &str) -> &str {
    let end = version.match_indices('.').nth(1).map_or(version.len(), |(place, _)| place);
    &version[..end]
}

/// Whether a part of a tag can be a version: `24`, `v1.2`, `8u502.b07`, `24.19.0-0`, `3.9.16-r0`.
fn is_version(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    let digits = |text: &str| text.starts_with(|letter: char| letter.is_ascii_digit());
    digits(first.strip_prefix('v').unwrap_or(first))
        && !first.contains('_')
        && parts.all(|part| digits(part.strip_prefix('r').unwrap_or(part)))
}

fn no_pair(message: String, help: String) -> NameError {
    NameError::NoPair { message, help }
}

fn no_dev(family: &Repository, parts: &Parts, name: &str) -> NameError {
    let builder = match family.name {
        "static" => "golang:1".to_owned(),
        "azul" => format!("eclipse-temurin:{}", parts.version),
        _ => "debian-base:trixie".to_owned(),
    };
    no_pair(
        format!("`{name}` has no development image to build in"),
        format!("name what builds: `base: {{dev: {builder}, runtime: {name}}}`"),
    )
}

/// A build tool whose tag leaves open which `what` the runtime image is to have.
fn names_none(parts: &Parts, name: &str, what: &str, other: &str) -> NameError {
    let tool = name.split(':').next().unwrap_or(name);
    let like = match what {
        "JDK" => Parts { infix: "jdk21".to_owned(), dev: false, ..parts.clone() },
        _ => Parts { flavor: "php8.4".to_owned(), dev: false, ..parts.clone() },
    };
    no_pair(
        format!("`{name}` does not say which {what} ships"),
        format!("write `{tool}:{like}`, or name both: `base: {{dev: {name}, runtime: {other}}}`"),
    )
}

fn no_static(name: &str, distro: &str) -> NameError {
    no_pair(
        format!("`{name}` ships on `static`, of which this release knows no tag for {distro}"),
        format!(
            "name both: `base: {{dev: {name}, runtime: static:DATE-{distro}}}`, or `-glibc-` or `-musl-` before the distro"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "@sha256:7cc4b5aefd1d0cadf8d97d4350462ba51c694ebca145b08d7d41b41acc8db5aa";

    fn show(pair: &PairNames) -> String {
        let show = |name: &ImageName| {
            format!("{}{}", name.name, if name.completed { " (newest)" } else { "" })
        };
        format!("{} -> {}", show(&pair.dev), show(&pair.runtime))
    }

    #[test]
    fn gives_the_pair_of_each_family() {
        for (name, expected) in [
            ("node:24", "node:24-dev -> node:24"),
            ("node:24-dev", "node:24-dev -> node:24"),
            ("node:24-alpine3.24", "node:24-alpine3.24-dev -> node:24-alpine3.24"),
            ("node:24-sfw", "node:24-sfw-dev -> node:24"),
            ("node:24-alpine-sfw-ent-dev", "node:24-alpine-sfw-ent-dev -> node:24-alpine"),
            ("node:99", "node:99-dev -> node:99"),
            ("python:3.13.15-fips", "python:3.13.15-fips-dev -> python:3.13.15-fips"),
            ("python:3.13-fips-dev", "python:3.13-fips-dev -> python:3.13-fips"),
            ("golang:1", "golang:1-dev -> static:20250419 (newest)"),
            ("golang:1.27-alpine", "golang:1.27-alpine-dev -> static:20260611-alpine3.24 (newest)"),
            (
                "golang:1-alpine3.22-dev",
                "golang:1-alpine3.22-dev -> static:20260611-alpine3.22 (newest)",
            ),
            ("golang:1-debian12", "golang:1-debian12-dev -> static:20250419-debian12 (newest)"),
            ("golang:1-sfw-ent", "golang:1-sfw-ent-dev -> static:20250419 (newest)"),
            ("golang:1-fips", "golang:1-fips-dev -> static:20250419-glibc-fips (newest)"),
            ("rust:1.98", "rust:1.98-dev -> static:20250419-glibc (newest)"),
            ("rust:1-debian13-sfw", "rust:1-debian13-sfw-dev -> static:20250419-glibc (newest)"),
            ("rust:1-alpine", "rust:1-alpine-dev -> static:20260611-musl-alpine3.24 (newest)"),
            (
                "rust:1.97-alpine3.23",
                "rust:1.97-alpine3.23-dev -> static:20260611-musl-alpine3.23 (newest)",
            ),
            ("dart:3", "dart:3-dev -> static:20250419-glibc (newest)"),
            ("eclipse-temurin:21", "eclipse-temurin:21-jdk-dev -> eclipse-temurin:21"),
            ("eclipse-temurin:21-dev", "eclipse-temurin:21-jdk-dev -> eclipse-temurin:21"),
            ("eclipse-temurin:21-jdk", "eclipse-temurin:21-jdk-dev -> eclipse-temurin:21"),
            ("eclipse-temurin:21-jdk-dev", "eclipse-temurin:21-jdk-dev -> eclipse-temurin:21"),
            (
                "eclipse-temurin:21-alpine",
                "eclipse-temurin:21-jdk-alpine-dev -> eclipse-temurin:21-alpine",
            ),
            (
                "eclipse-temurin:21-alpine-dev",
                "eclipse-temurin:21-alpine-dev -> eclipse-temurin:21-alpine",
            ),
            ("eclipse-temurin:27", "eclipse-temurin:27-jdk-dev -> eclipse-temurin:27"),
            (
                "eclipse-temurin:21-fips",
                "eclipse-temurin:21-jdk-fips-dev -> eclipse-temurin:21-fips",
            ),
            ("sapmachine:21", "sapmachine:21-jdk-dev -> sapmachine:21"),
            ("amazoncorretto:21", "amazoncorretto:21-dev -> amazoncorretto:21"),
            ("dotnet:10", "dotnet:10-sdk -> dotnet:10"),
            ("dotnet:10-sdk", "dotnet:10-sdk -> dotnet:10"),
            ("dotnet:10.0.11", "dotnet:10.0-sdk -> dotnet:10.0.11"),
            (
                "dotnet:10.0.400-sdk-debian13",
                "dotnet:10.0.400-sdk-debian13 -> dotnet:10.0-debian13",
            ),
            ("aspnetcore:10", "dotnet:10-sdk -> aspnetcore:10"),
            (
                "aspnetcore:9.0.18-alpine3.23",
                "dotnet:9.0-sdk-alpine3.23 -> aspnetcore:9.0.18-alpine3.23",
            ),
            ("aspnetcore:10-dev", "aspnetcore:10-dev -> aspnetcore:10"),
            ("php:8.4", "php:8.4-dev -> php:8.4"),
            ("php:8.4-fpm", "php:8.4-dev -> php:8.4-fpm"),
            ("php:8.4-fpm-dev", "php:8.4-dev -> php:8.4-fpm"),
            ("php:8.9-alpine-fpm", "php:8.9-alpine-dev -> php:8.9-alpine-fpm"),
            ("maven:3-jdk21", "maven:3-jdk21-dev -> eclipse-temurin:21"),
            (
                "maven:3-jdk21-debian13-dev",
                "maven:3-jdk21-debian13-dev -> eclipse-temurin:21-debian13",
            ),
            ("gradle:9-jdk25-alpine", "gradle:9-jdk25-alpine-dev -> eclipse-temurin:25-alpine3.24"),
            ("composer:2-php8.4", "composer:2-php8.4-dev -> php:8.4"),
            ("composer:2-alpine-php8.4", "composer:2-alpine-php8.4-dev -> php:8.4-alpine3.22"),
            ("nginx:1", "nginx:1-dev -> nginx:1"),
            ("nginx:1-compat", "nginx:1-dev -> nginx:1-compat"),
            ("redis:8-compat", "redis:8-dev -> redis:8-compat"),
            ("deno:2", "deno:2-dev -> deno:2"),
            ("debian-base:trixie", "debian-base:trixie-dev -> debian-base:trixie"),
            // Names that the catalogue does not have follow the plain rule.
            ("our-own:1", "our-own:1-dev -> our-own:1"),
            ("our-own:1-dev", "our-own:1-dev -> our-own:1"),
            // Names with a slash are not looked up.
            ("dhi.io/node:24", "dhi.io/node:24-dev -> dhi.io/node:24"),
            ("acme/dhi-node:24-dev", "acme/dhi-node:24-dev -> acme/dhi-node:24"),
            (
                "localhost:5000/php:8-fpm",
                "localhost:5000/php:8-fpm-dev -> localhost:5000/php:8-fpm",
            ),
        ] {
            let pair = pair(name).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(show(&pair), expected, "{name}");
        }
    }

    #[test]
    fn says_what_to_write_where_there_is_no_pair() {
        for (name, message, help) in [
            ("node", "`node` has no tag, and hardened images", "`node:26`, `node:24` or `node:22`"),
            ("node:latest", "`node:latest` does not exist", "`node:26`, `node:24` or"),
            ("maven", "`maven` has no tag", "`maven:3-jdk25`, `maven:3-jdk21` or `maven:3-jdk17`"),
            ("our-own", "`our-own` has no tag", "write the tag that is meant"),
            ("dhi.io/node", "`dhi.io/node` has no tag", "write the tag"),
            ("static", "`static` has no development image", "{dev: golang:1, runtime: static}"),
            ("static:glibc", "has no development image", "runtime: static:glibc}"),
            (
                "azul:21-jdk-zulu",
                "has no development",
                "{dev: eclipse-temurin:21, runtime: azul:21-jdk-zulu}",
            ),
            (
                "prometheus:3",
                "has no development",
                "{dev: debian-base:trixie, runtime: prometheus:3}",
            ),
            ("calico-cni:v3.31.7", "has no development", "{dev: debian-base:trixie"),
            ("composer:2-alpine", "does not say which PHP", "write `composer:2-alpine-php8.4`"),
            ("maven:3", "does not say which JDK", "write `maven:3-jdk21`"),
            ("miniconda3:26", "only builds", "runtime: debian-base:trixie}"),
            ("golang:1-alpine3.99", "no tag for alpine3.99", "runtime: static:DATE-alpine3.99}"),
        ] {
            let error = pair(name).expect_err(name);
            assert!(error.to_string().contains(message), "{name}: {error}");
            assert!(error.help().unwrap().contains(help), "{name}: {:?}", error.help());
        }
        for name in [format!("node:24{DIGEST}"), format!("dhi.io/node:24{DIGEST}")] {
            let error = pair(&name).expect_err(&name);
            assert!(error.to_string().contains("has a digest"), "{error}");
            assert!(error.help().unwrap().contains("{dev: …-dev@sha256:…, runtime:"), "{error}");
        }
        for name in ["", "Node:24", "node:", "no de", "node@sha256:1"] {
            assert!(matches!(pair(name), Err(NameError::Reference(_))), "{name}");
        }
    }

    #[test]
    fn takes_each_side_of_an_explicit_pair() {
        let pinned = format!("node:24{DIGEST}");
        for (dev, runtime, expected) in [
            ("rust:1.98", "static:glibc", "rust:1.98-dev -> static:20250419-glibc (newest)"),
            ("rust:1.98-dev", "static:glibc", "rust:1.98-dev -> static:20250419-glibc (newest)"),
            (
                "rust:1-alpine",
                "static:musl",
                "rust:1-alpine-dev -> static:20260611-musl-alpine3.24 (newest)",
            ),
            (
                "rust:1-alpine3.22",
                "static:musl",
                "rust:1-alpine3.22-dev -> static:20260611-musl-alpine3.22 (newest)",
            ),
            (
                "bun:1-alpine",
                "static:musl",
                "bun:1-alpine-dev -> static:20260611-musl-alpine3.22 (newest)",
            ),
            (
                "rust:1-debian12",
                "static:glibc",
                "rust:1-debian12-dev -> static:20250419-glibc-debian12 (newest)",
            ),
            (
                "acme/dhi-rust:1-debian12-dev",
                "static:glibc",
                "acme/dhi-rust:1-debian12-dev -> static:20250419-glibc-debian12 (newest)",
            ),
            (
                "acme/own:1-alpine3.23",
                "static",
                "acme/own:1-alpine3.23 -> static:20260611-alpine3.23 (newest)",
            ),
            ("golang:1", "static", "golang:1-dev -> static:20250419 (newest)"),
            ("golang:1", "static:musl", "golang:1-dev -> static:20260611-musl-alpine3.24 (newest)"),
            (
                "golang:1",
                "static:alpine3.23",
                "golang:1-dev -> static:20260611-alpine3.23 (newest)",
            ),
            (
                "golang:1",
                "static:glibc-fips",
                "golang:1-dev -> static:20250419-glibc-fips (newest)",
            ),
            ("golang:1", "static:20250419-glibc", "golang:1-dev -> static:20250419-glibc"),
            ("golang:1", "golang:1", "golang:1-dev -> golang:1"),
            ("maven:3-jdk21", "tomcat:11", "maven:3-jdk21-dev -> tomcat:11"),
            (
                "eclipse-temurin:21",
                "azul:21-jdk-zulu",
                "eclipse-temurin:21-jdk-dev -> azul:21-jdk-zulu",
            ),
            ("uv:0", "python:3.13", "uv:0-dev -> python:3.13"),
            ("acme/tools:1", "node:24", "acme/tools:1 -> node:24"),
            (&pinned, "node:24", &format!("{pinned} -> node:24")),
            ("node:24", &pinned, &format!("node:24-dev -> {pinned}")),
        ] {
            let pair = explicit(dev, runtime).unwrap_or_else(|errors| panic!("{dev}: {errors:?}"));
            assert_eq!(show(&pair), expected, "{dev} {runtime}");
        }
        assert_eq!(explicit("static", "node").unwrap_err().len(), 2);
        assert_eq!(explicit("node:24", "node:latest").unwrap_err().len(), 1);
        assert_eq!(runtime("static", None).unwrap().name, "static:20250419");
        assert!(runtime("static:rust", None).is_ok(), "as written: the registry knows better");
        assert_eq!(runtime("prometheus:3", None).unwrap().name, "prometheus:3");
        assert_eq!(dev("maven:3").unwrap().name, "maven:3-dev");
        assert_eq!(dev("build:2-debian13").unwrap().name, "build:2-debian13");
    }
}
