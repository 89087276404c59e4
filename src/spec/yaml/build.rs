//! The parser's events → the tree, with an own stack: depth costs no stack of the process.
//!
//! Reports on the way what YAML has and the language has not: anchors, aliases, tags, merge keys,
//! several documents, repeated keys.

use std::collections::BTreeMap;
use std::ops::Range;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StructureStyle};

use super::super::tree::{Entry, Node, Scalar, Value};
use super::{FILLER, MAX_DEPTH, MAX_NODES, bounded, quoting};
use crate::diagnostic::{Code, Diagnostic, Position, Span, Text};
use crate::words::quoted;

/// What came out of one pass over the text.
pub(super) struct Attempt {
    pub(super) root: Option<Node>,
    pub(super) problems: Vec<Diagnostic>,
    /// A syntax error, which ended the pass.
    pub(super) error: Option<ScanError>,
}

/// Reads a text; `repaired` says that it holds fillers.
pub(super) fn build(text: &str, repaired: bool) -> Attempt {
    let options = granit_parser::options! {
        emit_unresolved_aliases: true,
        emit_anchor_events: true,
        disallow_directives: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut builder = Builder { text, repaired, ..Builder::default() };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) if *error.kind() == ErrorKind::RecursionLimitExceeded => {
                let at = error.marker();
                builder.too_large(
                    place(*at, *at),
                    format!("values stand more than {MAX_DEPTH} deep in each other"),
                );
                break;
            }
            Err(error) => {
                return Attempt { root: None, problems: builder.problems, error: Some(error) };
            }
        };
        if !builder.take(event, span) {
            break;
        }
    }
    let root = builder.root.filter(|_| !builder.stopped);
    Attempt { root, problems: builder.problems, error: None }
}

fn place(start: granit_parser::Marker, end: granit_parser::Marker) -> Span {
    let position = |marker: granit_parser::Marker| Position {
        line: bounded(marker.line()),
        column: bounded(marker.col() + 1),
    };
    Span { start: position(start), end: position(end).max(position(start)) }
}

/// A node with what only the syntax knows of it.
struct Built {
    node: Node,
    bytes: Range<usize>,
    plain: bool,
}

struct Key {
    text: Text,
    usable: bool,
    end: usize,
}

enum Frame {
    List {
        items: Vec<Built>,
        start: granit_parser::Span,
        flow: bool,
    },
    Map {
        entries: Vec<Entry>,
        lines: BTreeMap<String, u32>,
        key: Option<Key>,
        start: granit_parser::Span,
    },
}

#[derive(Default)]
struct Builder<'a> {
    text: &'a str,
    repaired: bool,
    stack: Vec<Frame>,
    root: Option<Node>,
    problems: Vec<Diagnostic>,
    nodes: usize,
    documents: usize,
    stopped: bool,
}

impl Builder<'_> {
    /// Takes one event; `false` ends the reading.
    fn take(&mut self, event: Event<'_>, span: granit_parser::Span) -> bool {
        match event {
            Event::DocumentStart(..) => return self.start_document(span),
            Event::Scalar(text, style, _, tag) => {
                if self.refuse_tag(tag.is_some(), span) {
                    return self.add(Value::Broken, span, false);
                }
                return self.take_scalar(text.into_owned(), style, span);
            }
            Event::SequenceStart(style, _, tag) => {
                self.refuse_tag(tag.is_some(), span);
                return self.open(
                    Frame::List {
                        items: Vec::new(),
                        start: span,
                        flow: style == StructureStyle::Flow,
                    },
                    span,
                );
            }
            Event::MappingStart(_, _, tag) => {
                self.refuse_tag(tag.is_some(), span);
                let frame = Frame::Map {
                    entries: Vec::new(),
                    lines: BTreeMap::new(),
                    key: None,
                    start: span,
                };
                return self.open(frame, span);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.close(span),
            Event::Alias(_) => return self.take_alias(true, span),
            Event::UnresolvedAlias(_) => return self.take_alias(false, span),
            Event::Anchor(_, name) => self.refuse_anchor(&name, span),
            _ => {}
        }
        true
    }

    fn refuse_anchor(&mut self, name: &str, span: granit_parser::Span) {
        let shown = quoted(&format!("&{name}"));
        let message = format!("{shown} is an anchor, which is not part of the language");
        let help = "write the value out where it is needed; text that starts with `&` needs quotes";
        let at = place(span.start, span.end);
        self.report(Diagnostic::error(Code::NotPlainYaml, at, message).help(help));
    }

    fn start_document(&mut self, span: granit_parser::Span) -> bool {
        self.documents += 1;
        if self.documents > 1 {
            let problem = Diagnostic::error(
                Code::NotYaml,
                place(span.start, span.end),
                "a second document starts here; a file holds one spec",
            );
            self.report(
                problem.help("remove the `---`; several images of one file stand below `apps`"),
            );
            return false;
        }
        true
    }

    fn take_scalar(&mut self, text: String, style: ScalarStyle, span: granit_parser::Span) -> bool {
        let plain = style == ScalarStyle::Plain;
        let null = plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
        let value = if self.repaired && text.contains(FILLER) {
            Value::Broken
        } else if null {
            Value::Null
        } else {
            Value::Scalar(Scalar { text, plain })
        };
        self.add(value, span, plain)
    }

    fn take_alias(&mut self, anchored: bool, span: granit_parser::Span) -> bool {
        let written = span.slice(self.text).unwrap_or("*");
        let at = place(span.start, span.end);
        let problem = if anchored {
            Diagnostic::error(
                Code::NotPlainYaml,
                at,
                format!("{} is an alias, which is not part of the language", quoted(written)),
            )
            .help("write the value out where it is needed")
        } else {
            Diagnostic::error(
                Code::Quoting,
                at,
                format!("{} starts with `*`, which YAML reads as an alias", quoted(written)),
            )
            .help(format!("quote it: \"{written}\""))
        };
        self.report(problem);
        self.add(Value::Broken, span, false)
    }

    /// Reports a tag; `true`, if it was probably meant as the beginning of the text.
    fn refuse_tag(&mut self, tagged: bool, span: granit_parser::Span) -> bool {
        let Some(tag) = span.tag_span().filter(|_| tagged) else { return false };
        let written = tag.slice(self.text).unwrap_or("!");
        let at = place(tag.start, tag.end);
        let explicit = written.starts_with("!!") || written.starts_with("!<");
        let problem = if explicit {
            Diagnostic::error(
                Code::NotPlainYaml,
                at,
                format!("{} is a tag, which is not part of the language", quoted(written)),
            )
            .help("remove it; every value is text as it is written")
        } else {
            Diagnostic::error(
                Code::Quoting,
                at,
                format!("{} starts with `!`, which YAML reads as a tag", quoted(written)),
            )
            .help(format!("quote it: \"{written}\""))
        };
        self.report(problem);
        !explicit
    }

    /// Counts a value and refuses one too many.
    fn count(&mut self, span: granit_parser::Span) -> bool {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            self.too_large(
                place(span.start, span.start),
                format!("the file has more than {MAX_NODES} values"),
            );
            return false;
        }
        true
    }

    fn open(&mut self, frame: Frame, span: granit_parser::Span) -> bool {
        if self.stack.len() >= MAX_DEPTH {
            self.too_large(
                place(span.start, span.start),
                format!("values stand more than {MAX_DEPTH} deep in each other"),
            );
            return false;
        }
        self.stack.push(frame);
        self.count(span)
    }

    fn close(&mut self, end: granit_parser::Span) -> bool {
        let Some(frame) = self.stack.pop() else { return true };
        let (value, start, last) = match frame {
            Frame::List { items, start, flow } => {
                if flow {
                    self.problems.extend(quoting::find_cut_items(
                        self.text,
                        &items.iter().map(quoting::Item::from).collect::<Vec<_>>(),
                    ));
                }
                let last = items.last().map(|item| item.node.span.end);
                (Value::List(items.into_iter().map(|item| item.node).collect()), start, last)
            }
            Frame::Map { entries, start, .. } => {
                let last = entries.last().map(|entry| entry.value.span.end.max(entry.key.span.end));
                (Value::Map(entries), start, last)
            }
        };
        // The end of a block is known only by the next token; its last value says where it ends.
        let mut span = place(start.start, end.end);
        if let Some(last) = last.filter(|_| end.is_empty()) {
            span.end = last.max(span.start);
        }
        let bytes =
            start.byte_range().unwrap_or_default().start..end.byte_range().unwrap_or_default().end;
        self.attach(Built { node: Node { value, span }, bytes, plain: false });
        true
    }

    fn add(&mut self, value: Value, span: granit_parser::Span, plain: bool) -> bool {
        if !self.count(span) {
            return false;
        }
        let bytes = span.byte_range().unwrap_or_default();
        let span = Span { end: self.trimmed_end(&span), ..place(span.start, span.end) };
        self.attach(Built { node: Node { value, span }, bytes, plain });
        true
    }

    /// A block scalar reaches to the next token; its place ends with its last line.
    fn trimmed_end(&self, span: &granit_parser::Span) -> Position {
        let whole = place(span.start, span.end);
        let Some(slice) = span.slice(self.text).filter(|slice| slice.ends_with(['\n', ' '])) else {
            return whole.end;
        };
        let kept = slice.trim_end();
        let line = whole.start.line + bounded(kept.matches('\n').count());
        let column = match kept.rsplit_once('\n') {
            Some((_, last)) => bounded(last.chars().count() + 1),
            None => whole.start.column + bounded(kept.chars().count()),
        };
        Position { line, column }
    }

    /// Puts a finished value where it belongs.
    fn attach(&mut self, built: Built) {
        match self.stack.last_mut() {
            None => self.root = Some(built.node),
            Some(Frame::List { items, .. }) => items.push(built),
            Some(Frame::Map { entries, key: waiting, lines, .. }) => {
                let Some(key) = waiting.take() else {
                    let (key, problem) = read_key(built, lines);
                    *waiting = Some(key);
                    self.problems.extend(problem);
                    return;
                };
                if key.usable {
                    let colon = self.text[key.end..].trim_start().starts_with(':');
                    let bare = built.bytes.is_empty() && !colon;
                    entries.push(Entry { key: key.text, value: built.node, bare });
                }
            }
        }
    }

    fn report(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    fn too_large(&mut self, span: Span, message: String) {
        self.stopped = true;
        let problem = Diagnostic::error(Code::TooLarge, span, message);
        self.report(problem.help("is this the right file? a spec is a page of text"));
    }
}

/// What `quoting` looks at.
impl<'a> From<&'a Built> for quoting::Item<'a> {
    fn from(built: &'a Built) -> Self {
        let text = built.node.scalar().map_or("", |scalar| scalar.text.as_str());
        Self { text, bytes: built.bytes.clone(), span: built.node.span, plain: built.plain }
    }
}
/// A key, or why it is none.
fn read_key(built: Built, lines: &mut BTreeMap<String, u32>) -> (Key, Option<Diagnostic>) {
    let span = built.node.span;
    let end = built.bytes.end;
    let unusable = |problem| {
        let text = Text::new(String::new(), span);
        (Key { text, usable: false, end }, problem)
    };
    let text = match built.node.value {
        Value::Scalar(scalar) if built.plain && scalar.text == "<<" => {
            let problem = Diagnostic::error(
                Code::NotPlainYaml,
                span,
                "`<<` is a merge key, which is not part of the language",
            )
            .help("write the keys out; defaults of several apps stand at the top level");
            return unusable(Some(problem));
        }
        Value::Scalar(scalar) => scalar.text,
        Value::Null if !built.bytes.is_empty() => "null".to_owned(),
        Value::Broken => return unusable(None),
        Value::Null => {
            let problem = Diagnostic::error(Code::NotYaml, span, "a value without a key");
            return unusable(Some(problem.help("write the key before the `:`")));
        }
        Value::List(_) | Value::Map(_) => {
            let problem = Diagnostic::error(Code::NotYaml, span, "a list or map as a key");
            return unusable(Some(
                problem.help("keys are text; text that starts with `[` or `{` needs quotes"),
            ));
        }
    };
    if let Some(line) = lines.get(&text) {
        let message =
            format!("{} stands here a second time; the first is on line {line}", quoted(&text));
        let problem = Diagnostic::error(Code::DuplicateKey, span, message).help("keep one of them");
        return unusable(Some(problem));
    }
    lines.insert(text.clone(), span.start.line);
    (Key { text: Text::new(text, span), usable: true, end }, None)
}
