//! Commands as text, split as a shell would: only to show the list that should be written.

/// What a text is to a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Split {
    /// Words that need no shell.
    Words(Vec<String>),
    /// It has something that only a shell does.
    NeedsShell(String),
    /// It has no words.
    Nothing,
}

/// The programs that run scripts given as text.
const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "busybox", "fish"];

/// Whether a program is a shell, by its name.
pub(super) fn is_shell(program: &str) -> bool {
    SHELLS.contains(&program.rsplit('/').next().unwrap_or(program))
}

/// Splits a command into words.
pub(super) fn split(text: &str) -> Split {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.trim().chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let open = word.get_or_insert_default();
                if !take_quoted(&mut characters, '\'', open) {
                    return Split::NeedsShell(text.to_owned());
                }
            }
            '"' => {
                let open = word.get_or_insert_default();
                if !take_quoted(&mut characters, '"', open) {
                    return Split::NeedsShell(text.to_owned());
                }
                if open.contains(['$', '`']) {
                    return Split::NeedsShell(open.clone());
                }
            }
            '\\' => word.get_or_insert_default().extend(characters.next()),
            '|' | '&' | ';' | '<' | '>' | '(' | ')' | '$' | '`' | '*' | '?' | '\n' | '#' => {
                return Split::NeedsShell(character.to_string());
            }
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    let assigns = |word: &String| {
        word.split_once('=').is_some_and(|(name, _)| super::template::is_name(name))
    };
    if words.first().is_some_and(|word| word == "exec") {
        words.remove(0);
    }
    match words.first() {
        None => Split::Nothing,
        Some(first) if assigns(first) => Split::NeedsShell(first.clone()),
        Some(_) => Split::Words(words),
    }
}

/// Takes characters up to the closing quote; `false`, if there is none.
fn take_quoted(characters: &mut std::str::Chars<'_>, quote: char, word: &mut String) -> bool {
    while let Some(character) = characters.next() {
        match character {
            _ if character == quote => return true,
            '\\' if quote == '"' => word.extend(characters.next()),
            _ => word.push(character),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_what_needs_no_shell() {
        for (text, words) in [
            ("node server.js", &["node", "server.js"][..]),
            ("  exec  node\t--x  ", &["node", "--x"]),
            ("nginx -g 'daemon off;'", &["nginx", "-g", "daemon off;"]),
            (r#"echo "a \"b\"" c\ d ''"#, &["echo", "a \"b\"", "c d", ""]),
            ("a=b-c/d=e", &["a=b-c/d=e"]),
        ] {
            match split(text) {
                Split::Words(split) => assert_eq!(split, words, "{text}"),
                other => assert!(text.starts_with("a="), "{other:?}"),
            }
        }
        assert_eq!(split(" "), Split::Nothing);
        assert_eq!(split("exec"), Split::Nothing);
    }

    #[test]
    fn knows_what_needs_a_shell() {
        for (text, what) in [
            ("a && b", "&"),
            ("node $X", "$"),
            ("node \"$X\"", "$X"),
            ("A=b node", "A=b"),
            ("ls *.js", "*"),
            ("echo 'a", "echo 'a"),
            ("a | b", "|"),
        ] {
            assert_eq!(split(text), Split::NeedsShell(what.to_owned()), "{text}");
        }
    }

    #[test]
    fn knows_shells_by_name() {
        for (program, shell) in [
            ("sh", true),
            ("/bin/bash", true),
            ("/usr/bin/busybox", true),
            ("node", false),
            ("/opt/sh/node", false),
            ("", false),
        ] {
            assert_eq!(is_shell(program), shell, "{program}");
        }
    }
}
