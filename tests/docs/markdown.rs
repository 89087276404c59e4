//! Markdown as far as the tests need it: fenced blocks with the comments that stand right before
//! them, headings, links.

use std::path::{Path, PathBuf};

/// A fenced block.
pub(crate) struct Block {
    pub(crate) line: usize,
    pub(crate) language: String,
    pub(crate) text: String,
    directives: Vec<String>,
}

impl Block {
    /// The value of a comment such as `<!-- file: hardpan.yaml -->`.
    pub(crate) fn directive(&self, name: &str) -> Option<&str> {
        let found = self.directives.iter().find_map(|one| one.strip_prefix(name));
        found.map(|rest| rest.trim_start_matches(':').trim())
    }

    pub(crate) fn directives(&self) -> &[String] {
        &self.directives
    }

    pub(crate) fn is_command(&self) -> bool {
        ["sh", "console"].contains(&self.language.as_str())
    }

    /// The text with what stands for something else here put in place.
    pub(crate) fn replaced(&self) -> String {
        let rules = self.directives.iter().filter_map(|one| one.strip_prefix("replaced when run:"));
        rules.fold(self.text.clone(), |text, rule| {
            let words: Vec<&str> = rule.split('"').collect();
            let [_, from, _, to, _] = words[..] else { panic!("no `\"A\" by \"B\"`: {rule}") };
            assert!(text.contains(from), "line {}: nothing to replace: {from}", self.line);
            text.replace(from, to)
        })
    }
}

/// The fenced blocks of a document.
pub(crate) fn blocks(document: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    let mut directives = Vec::new();
    for (index, line) in document.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, Some(language)) => {
                let language = language.trim().to_owned();
                let directives = std::mem::take(&mut directives);
                open = Some(Block { line: index + 1, language, text: String::new(), directives });
            }
            (None, None) => match comment(line) {
                Some(comment) => directives.push(comment.to_owned()),
                None => directives.clear(),
            },
        }
    }
    assert!(open.is_none(), "a block is not closed");
    found
}

fn comment(line: &str) -> Option<&str> {
    Some(line.trim().strip_prefix("<!--")?.strip_suffix("-->")?.trim())
}

/// The targets of `[…](…)`, with their lines; not those in blocks and code.
pub(crate) fn links(document: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(document) {
        let plain: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for rest in plain.split("](").skip(1) {
            if let Some((target, _)) = rest.split_once(')') {
                found.push((number, target.to_owned()));
            }
        }
    }
    found
}

/// The anchors that headings give, as GitHub makes them.
pub(crate) fn anchors(document: &str) -> Vec<String> {
    let headings = prose(document).filter_map(|(_, line)| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len()).then(|| title.trim().to_lowercase())
    });
    let slug = |title: String| {
        let kept = title.chars().filter(|&one| one.is_alphanumeric() || " -_".contains(one));
        kept.map(|one| if one == ' ' { '-' } else { one }).collect()
    };
    headings.map(slug).collect()
}

fn prose(document: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    document.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.starts_with("```");
        inside ^= fence;
        (!inside && !fence).then_some((index + 1, line))
    })
}

/// Where a link of a document leads, `None` if it leaves the project.
pub(crate) fn resolve(document: &Path, target: &str) -> Option<(PathBuf, Option<String>)> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = match target.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor.to_owned())),
        None => (target, None),
    };
    let path = match path {
        "" => document.to_owned(),
        path => document.parent().unwrap().join(path),
    };
    Some((path, anchor))
}
