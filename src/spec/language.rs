//! The keys of the language, once: what each map may hold, what a key means, what its value looks
//! like. The decoder takes its valid words from here, and the schema is written from here.

/// A key, in the order of the fields; `required` before a key that must be there.
macro_rules! key {
    (required $name:expr, $kind:expr, $example:expr, $doc:expr $(,)?) => {
        Key { name: $name, doc: $doc, example: $example, kind: $kind, required: true }
    };
    ($name:expr, $kind:expr, $example:expr, $doc:expr $(,)?) => {
        Key { name: $name, doc: $doc, example: $example, kind: $kind, required: false }
    };
}

mod file;
mod harden;
mod steps;
mod testing;

pub(super) use file::{APP, ARGUMENT, FILE, HEALTHCHECK, PAIR, STAGE, WRITABLE};
pub(super) use harden::{ALLOW, FORBID, HARDEN, POLICY, PROFILES, WAIVER};
pub(super) use steps::{ADD, BIND, CACHE, COPY, LINK, MKDIR, PACKAGES, RUN, SECRET, WRITE};
pub(super) use testing::{TEST_HTTP, TEST_RUN, TEST_START};

use crate::words::nearest;

/// One kind of map.
#[derive(Debug)]
pub(super) struct Shape {
    /// Its name in the schema.
    pub(super) name: &'static str,
    /// What it is called in messages, with an article.
    pub(super) title: &'static str,
    /// What it means, in one sentence.
    pub(super) doc: &'static str,
    /// The keys that it may hold, in groups that other shapes share.
    pub(super) keys: &'static [&'static [Key]],
    /// Keys of the language that this release does not have.
    pub(super) later: &'static [&'static str],
    /// Words that people try, and what to write instead.
    pub(super) instead: &'static [(&'static str, &'static str)],
    /// Whether its keys come from two places.
    pub(super) merges: Merges,
}

/// Whether the keys of a map come from the defaults and from an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merges {
    /// The map stands alone.
    Never,
    /// It may be a default that an app completes: nothing is required of the default alone.
    ByKey,
    /// It is the app itself: `KEY: null` drops a default.
    OverDefaults,
}

impl Shape {
    /// All keys.
    pub(super) fn all(&self) -> impl Iterator<Item = &'static Key> {
        self.keys.iter().flat_map(|group| group.iter())
    }

    /// What to write instead of a word that people try.
    pub(super) fn instead(&self, name: &str) -> Option<&'static str> {
        let name = name.to_lowercase();
        self.instead.iter().find(|(word, _)| *word == name).map(|(_, instead)| *instead)
    }

    /// The key that a word which is none stands for.
    pub(super) fn meant(&self, name: &str) -> Option<&'static str> {
        let key = match self.instead(name) {
            Some(instead) => instead.strip_prefix("write `")?.strip_suffix('`'),
            None => nearest(name, self.all().map(|key| key.name)),
        };
        key.filter(|key| self.has(key))
    }

    /// Whether a key belongs here.
    pub(super) fn has(&self, name: &str) -> bool {
        self.all().any(|key| key.name == name)
    }
}

/// One key of a shape.
#[derive(Debug)]
pub(super) struct Key {
    /// The key.
    pub(super) name: &'static str,
    /// What it means, in one sentence.
    pub(super) doc: &'static str,
    /// A value, as YAML.
    pub(super) example: &'static str,
    /// What its value looks like.
    pub(super) kind: Kind,
    /// Whether the map means nothing without it.
    pub(super) required: bool,
}

/// What a value looks like.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A scalar of any look: text.
    Text,
    /// Text that matches a pattern, unless it holds `${…}`.
    Pattern(&'static str),
    /// Text that matches a pattern, and in which nothing is replaced.
    Fixed(&'static str),
    /// One of these words.
    Words(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A count, from 1.
    Count,
    /// Nothing at all.
    Null,
    /// A list.
    List(&'static Kind),
    /// A list that holds something.
    Filled(&'static Kind),
    /// One value, or a list of them.
    OneOrMore(&'static Kind),
    /// Any of these.
    Any(&'static [Kind]),
    /// A map with keys of the user's choice that match a pattern.
    Map(&'static str, &'static Kind),
    /// The stages of `build`: names that are no options of a stage.
    Stages(&'static Kind),
    /// A map with keys of the language.
    Shape(&'static Shape),
}

/// Octal permissions, as they are written.
pub(super) const MODE: Kind = Kind::Fixed("^(0o?)?[0-7]{1,4}$");
/// A port, a range, a protocol.
pub(super) const PORT: Kind = Kind::Pattern("^[0-9]{1,5}(-[0-9]{1,5})?(/(tcp|udp|sctp))?$");
/// A platform.
pub(super) const PLATFORM: Kind = Kind::Pattern("^linux/[a-z0-9]+(/[a-z0-9]+)?$");
/// A duration.
pub(super) const DURATION: Kind = Kind::Fixed("^(0|([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$");
/// The name of a build argument.
pub(super) const ARGUMENT_NAME: &str = "^[A-Za-z_][A-Za-z0-9_]*$";
/// The name of a variable, or of a label.
pub(super) const VARIABLE_NAME: &str = "^[^=]+$";
/// The name of a stage or an app.
pub(super) const NAME: &str = "^[a-z][a-z0-9._-]*$";
/// `NAME: value`.
pub(super) const VARIABLES: Kind = Kind::Map(VARIABLE_NAME, &Kind::Text);
/// An exec list.
pub(super) const COMMAND: Kind = Kind::Filled(&Kind::Text);
