//! Items of a flow list that a comma has cut: `[-Xlog:aot,cds]` is two items.
//!
//! YAML is content with such a list, so this is decided by how it is written. Refused: an option
//! with a value (`-Xlog:aot`, `--list=a`), a comma without a blank, and a word that is no option.
//! Warned about: one comma without a blank among others with one. A list without any blanks,
//! such as `[80,443]`, is a matter of taste.

use std::ops::Range;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::words::quoted;

/// An item of a flow list.
pub(super) struct Item<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: Range<usize>,
    pub(super) span: Span,
    pub(super) plain: bool,
}

/// The items that look cut.
pub(super) fn find_cut_items(source: &str, items: &[Item<'_>]) -> Vec<Diagnostic> {
    let separators: Vec<&str> = items
        .windows(2)
        .map(|pair| source.get(pair[0].bytes.end..pair[1].bytes.start).unwrap_or(", "))
        .collect();
    let some_blanks = separators.iter().any(|separator| *separator != ",");
    let mut found = Vec::new();
    for (pair, separator) in items.windows(2).zip(&separators) {
        let [left, right] = pair else { continue };
        let tight = *separator == "," && left.plain && right.plain;
        if !tight || right.text.starts_with('-') || left.text.is_empty() || right.text.is_empty() {
            continue;
        }
        let span = Span { start: left.span.start, end: right.span.end };
        let whole = format!("{},{}", left.text, right.text);
        let message = format!("{} is two items: a comma ends an item", quoted(&whole));
        let help = format!(
            "quote it if it is one: \"{whole}\"; write a blank behind the comma if it is two"
        );
        if is_option_with_value(left.text) {
            found.push(Diagnostic::error(Code::Quoting, span, message).help(help));
        } else if some_blanks {
            found.push(Diagnostic::warning(Code::Quoting, span, message).help(help));
        }
    }
    found
}

fn is_option_with_value(text: &str) -> bool {
    text.starts_with('-') && text.contains(['=', ':'])
}
