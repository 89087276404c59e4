//! What puts files somewhere: `copy`, `add`, `write`, `mkdir`, `link`.

use super::super::language;
use super::super::model::{Add, Checksum, Copy, Link, Mkdir, Place, Variable, Write};
use super::super::template::is_open;
use super::super::tree::{Entry, Value};
use super::super::value::fetch::{self, Source};
use super::super::value::{path, runtime};
use super::Decoder;
use super::fields::{Field, Fields};
use super::scalars::text_of;
use crate::diagnostic::{Code, Diagnostic, Span, Text};
use crate::remote;
use crate::words::quoted;

impl Decoder {
    /// The item of a word other than `run` and `packages`.
    pub(super) fn place(&mut self, word: &str, entries: &[Entry], span: Span) -> Option<Place> {
        match word {
            "copy" => {
                let fields = self.open(entries, span, &language::COPY);
                self.copy(&fields).map(Place::Copy)
            }
            "add" => {
                let fields = self.open(entries, span, &language::ADD);
                self.add(&fields).map(Place::Add)
            }
            "write" => {
                let fields = self.open(entries, span, &language::WRITE);
                self.write(&fields).map(Place::Write)
            }
            "mkdir" => {
                let fields = self.open(entries, span, &language::MKDIR);
                self.mkdir(&fields).map(Place::Mkdir)
            }
            _ => {
                let fields = self.open(entries, span, &language::LINK);
                self.link(&fields).map(Place::Link)
            }
        }
    }

    fn copy(&mut self, fields: &Fields<'_>) -> Option<Copy> {
        let from = fields.get("from").and_then(|field| self.checked_text(&field, source_name));
        let check = if fields.get("from").is_some() { path::any } else { path::in_context };
        let sources = self.texts(&fields.get("copy")?, check);
        let platform = fields.get("platform");
        if let Some(platform) = platform.filter(|_| fields.get("from").is_none()) {
            let help = "remove it, or write the image behind `from`";
            self.error(
                Code::ConflictingKeys,
                platform.key_span(),
                "`platform` without `from`: it is the platform of an image",
                help,
            );
        }
        Some(Copy {
            sources,
            from,
            to: fields.get("to").and_then(|field| self.checked_text(&field, path::any)),
            parents: self.is_set(fields, "parents"),
            exclude: fields
                .get("exclude")
                .map(|field| self.texts(&field, pattern))
                .unwrap_or_default(),
            mode: fields.get("mode").and_then(|field| self.mode(&field)),
            optional: self.is_set(fields, "optional"),
            platform: platform.and_then(|field| self.checked_text(&field, runtime::platform)),
            span: fields.span(),
        })
    }

    /// A flag that is `false` by default.
    pub(super) fn is_set(&mut self, fields: &Fields<'_>, name: &str) -> bool {
        fields.get(name).and_then(|field| self.flag(&field)).is_some_and(|flag| flag.value)
    }

    fn add(&mut self, fields: &Fields<'_>) -> Option<Add> {
        let sources = self.texts(&fields.get("add")?, added_source);
        let add = Add {
            sources,
            to: fields.get("to").and_then(|field| self.checked_text(&field, path::any)),
            checksum: fields.get("checksum").and_then(|field| self.checksum(&field)),
            unpack: fields.get("unpack").and_then(|field| self.flag(&field)),
            exclude: fields
                .get("exclude")
                .map(|field| self.texts(&field, pattern))
                .unwrap_or_default(),
            mode: fields.get("mode").and_then(|field| self.mode(&field)),
            span: fields.span(),
        };
        self.check_pins(&add, fields);
        Some(add)
    }

    /// Everything that is fetched says what it must be.
    fn check_pins(&mut self, add: &Add, fields: &Fields<'_>) {
        let urls: Vec<&Text> =
            add.sources.iter().filter(|text| fetch::source(&text.value) == Source::Url).collect();
        let Some(checksum) = fields.get("checksum") else {
            for url in urls {
                let shown = remote::shown(&url.value);
                let message = format!("{} has no `checksum`", quoted(&shown));
                let address = if url.value.contains('?') { "ADDRESS" } else { &shown };
                let help = format!(
                    "write `checksum: sha256:…`; `curl -fsSL {address} | sha256sum` prints it"
                );
                self.error(Code::MissingChecksum, url.span, message, help);
            }
            return;
        };
        let open = add.sources.iter().any(|text| is_open(&text.value));
        let (message, help) = match urls.as_slice() {
            [_] if add.sources.len() == 1 => return,
            [] if open => return,
            [] => (
                "`checksum` belongs to a URL",
                "remove it: what is local is checked as a part of the build context",
            ),
            _ => ("one `checksum` for several sources", "write an `add` step for each URL"),
        };
        self.error(Code::ConflictingKeys, checksum.key_span(), message, help);
    }

    fn checksum(&mut self, field: &Field<'_>) -> Option<Checksum> {
        let Value::Map(entries) = &field.node().value else {
            return self.checked_text(field, fetch::checksum).map(Checksum::One);
        };
        if entries.is_empty() {
            self.error(Code::InvalidValue, field.span(), "`checksum` is empty", field.example());
        }
        let mut checksums = Vec::new();
        for entry in entries {
            self.check(runtime::platform(&entry.key));
            match text_of(&entry.value) {
                Some(value) => {
                    self.check_closed(&value, fetch::checksum);
                    checksums.push(Variable { name: entry.key.clone(), value });
                }
                None => self.wrong_item(field, &entry.value, "text"),
            }
        }
        Some(Checksum::PerPlatform(checksums))
    }

    fn write(&mut self, fields: &Fields<'_>) -> Option<Write> {
        let path = self.checked_text(&fields.get("write")?, file_path)?;
        let content = fields.get("content").and_then(|field| match field.node().value {
            Value::Null => {
                let help =
                    "write the text behind `content: |`; an empty file is written `content: \"\"`";
                self.error(Code::WrongType, field.key_span(), "`content` has no value", help);
                None
            }
            _ => self.text(&field),
        });
        let mode = fields.get("mode").and_then(|field| self.mode(&field));
        Some(Write { path, content: content?, mode, span: fields.span() })
    }

    fn mkdir(&mut self, fields: &Fields<'_>) -> Option<Mkdir> {
        let paths = self.texts(&fields.get("mkdir")?, path::below_root);
        let mode = fields.get("mode").and_then(|field| self.mode(&field));
        Some(Mkdir { paths, mode, span: fields.span() })
    }

    fn link(&mut self, fields: &Fields<'_>) -> Option<Link> {
        let target = fields.get("link").and_then(|field| self.checked_text(&field, link_target));
        let to = fields.get("to").and_then(|field| self.checked_text(&field, file_path));
        Some(Link { target: target?, to: to?, span: fields.span() })
    }
}

/// What `from` can name at all; whether it exists is a later question.
fn source_name(text: &Text) -> Result<(), Diagnostic> {
    if text.value.trim().is_empty() {
        return Err(Diagnostic::error(Code::InvalidValue, text.span, "`from` is empty")
            .help("write the name of a stage, or leave it out to copy from the build context"));
    }
    Ok(())
}

fn pattern(text: &Text) -> Result<(), Diagnostic> {
    if text.value.trim().is_empty() || text.value.chars().any(char::is_control) {
        return Err(Diagnostic::error(
            Code::InvalidValue,
            text.span,
            format!("{} is not a pattern", quoted(&text.value)),
        )
        .help("write a pattern as in .dockerignore, such as `\"**/*.md\"`"));
    }
    Ok(())
}

fn added_source(text: &Text) -> Result<(), Diagnostic> {
    match fetch::source(&text.value) {
        Source::Local => path::in_context(text),
        Source::Url => fetch::no_credentials(text),
        Source::Git => {
            fetch::no_credentials(text)?;
            fetch::git_commit(text).map(drop)
        }
    }
}

/// The path of a file or link, which has a name.
fn file_path(text: &Text) -> Result<(), Diagnostic> {
    path::below_root(text)?;
    if text.value.ends_with('/')
        || text.value.ends_with("/.")
        || text.value.ends_with("/..")
        || matches!(text.value.as_str(), "." | "..")
    {
        let message = format!("{} is a folder", quoted(&text.value));
        return Err(Diagnostic::error(Code::InvalidPath, text.span, message)
            .help("write the path with the name of the file"));
    }
    Ok(())
}

/// What a link says may lead anywhere, but it must say something.
fn link_target(text: &Text) -> Result<(), Diagnostic> {
    if text.value.is_empty() || text.value.chars().any(char::is_control) {
        let message = format!("{} cannot be the target of a link", quoted(&text.value));
        return Err(Diagnostic::error(Code::InvalidPath, text.span, message)
            .help("write the path that the link leads to"));
    }
    Ok(())
}
