//! A strict reader of XML, and of HTML that is written like it: every tag is closed, every attribute
//! quoted, every character allowed. Panics where a browser would guess.

/// Tags of HTML that have no end.
pub(crate) const VOID: &[&str] = &["meta", "input", "br"];

/// Fails unless the text is well formed.
pub(crate) fn well_formed(text: &str, void: &[&str]) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        characters(&rest[..start]);
        rest = &rest[start + 1..];
        let end = rest.find('>').unwrap_or_else(|| panic!("a tag that does not end: {rest}"));
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if tag.starts_with('?') || tag.starts_with("!DOCTYPE") {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "</{name}>");
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
        assert!(name.chars().all(is_name) && !name.is_empty(), "<{tag}>");
        attributes(tag[name.len()..].trim_end_matches('/'));
        if tag.ends_with('/') || void.contains(&name) {
            continue;
        }
        open.push(name);
        if ["style", "script"].contains(&name) && !void.is_empty() {
            let end = rest.find(&format!("</{name}")).unwrap();
            rest = &rest[end..];
        }
    }
    characters(rest);
    assert_eq!(open, Vec::<&str>::new());
}

fn attributes(mut rest: &str) {
    while let Some(trimmed) = rest.strip_prefix(' ') {
        let end = trimmed.find(['=', ' ']).unwrap_or(trimmed.len());
        let name = &trimmed[..end];
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{name}={rest}");
        rest = &trimmed[end..];
        if let Some(value) = rest.strip_prefix("=\"") {
            let end = value.find('"').unwrap();
            characters(&value[..end]);
            rest = &value[end + 1..];
        }
    }
    assert_eq!(rest, "");
}

/// Text between tags and in quotes.
fn characters(text: &str) {
    for (index, character) in text.char_indices() {
        let is_allowed =
            matches!(character, '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(is_allowed && character != '>', "{character:?} in {text}");
        if character == '&' {
            let end = text[index..].find(';').unwrap();
            let entity = &text[index + 1..index + end];
            assert!(["amp", "lt", "gt", "quot", "#39"].contains(&entity), "&{entity};");
        }
    }
}
