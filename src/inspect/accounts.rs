//! Reads `/etc/passwd` and `/etc/group`, and finds out who a `USER` really is.
//!
//! Both follow moby/sys `user.GetExecUser` (v0.4.1), which is what Docker and BuildKit ask: broken
//! numbers are 0, the first line wins, digits are never a name, a uid without a line keeps group 0,
//! and a line that is too long makes the whole file unusable. Differences would be wrong answers.

use serde::{Deserialize, Serialize};

use super::entry::Attributes;
use super::escape::escape;

/// The largest passwd or group that BuildKit reads (`executor/oci/user.go`).
pub(crate) const MAX_FILE: u64 = 10 << 20;
/// `bufio.Scanner` takes lines below this in passwd, and below 1 MiB in group.
const MAX_PASSWD_LINE: usize = 64 << 10;
const MAX_GROUP_LINE: usize = 1 << 20;
/// The most lines of each file, and the most members of all groups, that are read: each takes many
/// times its bytes in memory.
const MAX_LINES: usize = 500_000;
/// The most groups that Linux gives to a process (`NGROUPS_MAX`).
const MAX_GROUPS: usize = 65_536;
/// The most entries of each file that are kept as evidence.
const MAX_ENTRIES: usize = 1_024;
/// The longest field that is kept.
const MAX_FIELD: usize = 256;
/// The most members of all groups together that are kept.
const MAX_MEMBERS: usize = 4_096;
/// The largest uid and gid that Docker takes from a `USER`.
const MAX_ID: i64 = i32::MAX as i64;

/// What stands in the password field; the text itself is never kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Password {
    /// Nothing: anyone may log in.
    Empty,
    /// `x`: it is in shadow.
    Shadowed,
    /// `*`, `!…`: no password works.
    Locked,
    /// Something that may be a hash.
    Set,
}

/// A line of passwd. Numbers are Go's `int`, as broken as the file has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The name.
    pub name: String,
    /// What stands in the password field.
    pub password: Password,
    /// The uid; 0 where the file has no number.
    pub uid: i64,
    /// The primary group.
    pub gid: i64,
    /// The home folder.
    pub home: String,
    /// The login shell.
    pub shell: String,
}

/// A line of group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The name.
    pub name: String,
    /// The gid; 0 where the file has no number.
    pub gid: i64,
    /// Names of the users that have it as supplementary group.
    pub members: Vec<String>,
}

/// The two files of one root file system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Accounts {
    /// The lines of passwd, in order.
    pub users: Vec<User>,
    /// The lines of group, in order.
    pub groups: Vec<Group>,
    /// Why passwd cannot be used although it is there; then every lookup fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passwd_trouble: Option<String>,
    /// Why group cannot be used although it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_trouble: Option<String>,
    /// Whether lines, fields or members were left out of this evidence.
    pub truncated: bool,
}

/// Who a process runs as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The uid that the kernel gets.
    pub uid: u32,
    /// The gid that the kernel gets.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// The name of the matching line of passwd, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Identity {
    /// The permission bits that count for it, as the kernel chooses them: those of the first class
    /// that it is in.
    pub fn class(&self, what: &Attributes) -> u32 {
        let bits = if self.uid == what.uid {
            what.mode >> 6
        } else if self.gid == what.gid || self.groups.contains(&what.gid) {
            what.mode >> 3
        } else {
            what.mode
        };
        bits & 7
    }

    /// Whether it may read a file.
    pub fn may_read(&self, what: &Attributes) -> bool {
        self.uid == 0 || self.class(what) & 4 != 0
    }

    /// Whether it may pass a folder.
    pub fn may_search(&self, what: &Attributes) -> bool {
        self.uid == 0 || self.class(what) & 1 != 0
    }
}

/// Why a `USER` is nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "text")]
pub enum UserError {
    /// A number that no engine takes.
    #[error("\"{0}\" is not between 0 and 2147483647")]
    Range(String),
    /// No line of passwd has the name.
    #[error("/etc/passwd has no user \"{0}\"")]
    NoSuchUser(String),
    /// No line of group has the name.
    #[error("/etc/group has no group \"{0}\"")]
    NoSuchGroup(String),
    /// passwd or group cannot be used.
    #[error("{0}")]
    Unreadable(String),
}

impl Accounts {
    /// Reads both files; `None` stands for a file that is not there.
    pub fn parse(passwd: Option<&[u8]>, group: Option<&[u8]>) -> Self {
        let mut accounts = Self::default();
        match lines(passwd.unwrap_or_default(), MAX_PASSWD_LINE) {
            Ok(lines) => accounts.read_passwd(&lines),
            Err(why) => accounts.passwd_trouble = Some(unreadable("/etc/passwd", &why)),
        }
        match lines(group.unwrap_or_default(), MAX_GROUP_LINE) {
            Ok(lines) => accounts.read_group(&lines),
            Err(why) => accounts.group_trouble = Some(unreadable("/etc/group", &why)),
        }
        accounts
    }

    fn read_passwd(&mut self, lines: &[&[u8]]) {
        for line in lines.iter().filter(|line| !line.is_empty()) {
            let mut fields = line.split(|byte| *byte == b':');
            let mut next = || fields.next().unwrap_or_default();
            let (name, password) = (self.keep(next()), password(next()));
            let (uid, gid, _gecos) = (go_number(next()), go_number(next()), next());
            let (home, shell) = (self.keep(next()), self.keep(next()));
            self.users.push(User { name, password, uid, gid, home, shell });
        }
    }

    fn read_group(&mut self, lines: &[&[u8]]) {
        for line in lines.iter().filter(|line| !line.is_empty() && line[0] != b'#') {
            let mut fields = line.split(|byte| *byte == b':');
            let mut next = || fields.next().unwrap_or_default();
            let (name, _password, gid) = (self.keep(next()), next(), go_number(next()));
            let list = next();
            let names = list.split(|byte| *byte == b',').filter(|_| !list.is_empty());
            let members = names.map(|name| self.keep(name)).collect();
            self.groups.push(Group { name, gid, members });
        }
    }

    /// Text as it is, or escaped where it is none, cut where it is longer than any real one.
    fn keep(&mut self, field: &[u8]) -> String {
        self.truncated |= field.len() > MAX_FIELD;
        let field = &field[..field.len().min(MAX_FIELD)];
        str::from_utf8(field).map_or_else(|_| escape(field), str::to_owned)
    }

    /// Leaves out what is more than evidence may hold; whoever needs all of it asks before.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.truncated |= self.users.len() > MAX_ENTRIES || self.groups.len() > MAX_ENTRIES;
        self.users.truncate(MAX_ENTRIES);
        self.groups.truncate(MAX_ENTRIES);
        let mut left = MAX_MEMBERS;
        for group in &mut self.groups {
            self.truncated |= group.members.len() > left;
            group.members.truncate(left);
            left -= group.members.len();
        }
        self
    }

    /// Who `USER user` runs as; an empty text is root.
    pub fn identify(&self, user: &str) -> Result<Identity, UserError> {
        let mut parts = user.split(':');
        let (user, group) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (uid, gid) = (user_number(user)?, user_number(group)?);
        let mut identity = self.find_user(user, uid)?;
        if group.is_empty() {
            let Some(name) = &identity.name else { return Ok(identity) };
            self.check_group_file()?;
            let member = |group: &&Group| group.members.contains(name);
            identity.groups = self.groups.iter().filter(member).map(|g| kernel_id(g.gid)).collect();
            if identity.groups.len() > MAX_GROUPS {
                let why = format!("user \"{name}\" is in more than {MAX_GROUPS} groups");
                return Err(UserError::Unreadable(why));
            }
            return Ok(identity);
        }
        self.check_group_file()?;
        let matches = |known: &&Group| gid.map_or(known.name == group, |gid| known.gid == gid);
        let found = self.groups.iter().find(matches).map(|known| known.gid).or(gid);
        let Some(found) = found else { return Err(UserError::NoSuchGroup(group.to_owned())) };
        identity.gid = kernel_id(found);
        Ok(identity)
    }

    fn find_user(&self, user: &str, uid: Option<i64>) -> Result<Identity, UserError> {
        if let Some(trouble) = &self.passwd_trouble {
            return Err(UserError::Unreadable(trouble.clone()));
        }
        let wanted = if user.is_empty() { Some(0) } else { uid };
        let matches = |known: &&User| wanted.map_or(known.name == user, |uid| known.uid == uid);
        match (self.users.iter().find(matches), wanted) {
            (Some(known), _) => Ok(Identity {
                uid: kernel_id(known.uid),
                gid: kernel_id(known.gid),
                groups: Vec::new(),
                name: Some(known.name.clone()).filter(|name| !name.is_empty()),
            }),
            // Without a line the group stays what it was: root's.
            (None, Some(uid)) => {
                Ok(Identity { uid: kernel_id(uid), gid: 0, groups: Vec::new(), name: None })
            }
            (None, None) => Err(UserError::NoSuchUser(user.to_owned())),
        }
    }

    fn check_group_file(&self) -> Result<(), UserError> {
        self.group_trouble.clone().map_or(Ok(()), |trouble| Err(UserError::Unreadable(trouble)))
    }
}

fn unreadable(file: &str, why: &str) -> String {
    format!("{file} cannot be read: {why}")
}

/// The lines of a file without the blanks around them; why the file cannot be used.
fn lines(content: &[u8], limit: usize) -> Result<Vec<&[u8]>, String> {
    let parts = memchr::memchr2_iter(b'\n', b',', content).count();
    if parts > MAX_LINES {
        return Err(format!("it has more than {MAX_LINES} lines or members"));
    }
    let mut lines = Vec::new();
    for (index, line) in content.split(|byte| *byte == b'\n').enumerate() {
        if line.len() >= limit {
            return Err(format!("line {} is too long", index + 1));
        }
        lines.push(trim(line));
    }
    Ok(lines)
}

/// Go's `bytes.TrimSpace`.
fn trim(line: &[u8]) -> &[u8] {
    if let Ok(text) = str::from_utf8(line) {
        return text.trim().as_bytes();
    }
    let blank = |byte: &u8| matches!(byte, b'\t'..=b'\r' | b' ');
    let start = line.iter().position(|byte| !blank(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &line[start..end]
}

pub(crate) fn password(field: &[u8]) -> Password {
    match field.first() {
        None => Password::Empty,
        Some(b'x') if field.len() == 1 => Password::Shadowed,
        Some(b'*' | b'!') => Password::Locked,
        Some(_) => Password::Set,
    }
}

/// What `strconv.Atoi` finds in a text.
enum Atoi {
    Number(i64),
    NoNumber,
    /// Out of range; Go gives the nearest number beside the error.
    TooLarge(i64),
}

fn atoi(text: &[u8]) -> Atoi {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Atoi::NoNumber;
    }
    match str::from_utf8(text).ok().and_then(|text| text.parse().ok()) {
        Some(number) => Atoi::Number(number),
        None => Atoi::TooLarge(if negative { i64::MIN } else { i64::MAX }),
    }
}

/// A number of passwd or group: errors are ignored, as Go's reader does.
fn go_number(field: &[u8]) -> i64 {
    match atoi(field) {
        Atoi::Number(number) | Atoi::TooLarge(number) => number,
        Atoi::NoNumber => 0,
    }
}

/// A number in `USER`; `None` for a name.
fn user_number(text: &str) -> Result<Option<i64>, UserError> {
    match atoi(text.as_bytes()) {
        Atoi::NoNumber => Ok(None),
        Atoi::Number(number) if (0..=MAX_ID).contains(&number) => Ok(Some(number)),
        Atoi::Number(_) | Atoi::TooLarge(_) => Err(UserError::Range(text.to_owned())),
    }
}

/// What is left of a number when it is made a `uint32`, as BuildKit does: 4294967296 is root.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "Go's conversion")]
fn kernel_id(number: i64) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/sh\n\
        node:x:1000:1000::/home/node:/bin/sh\r\n  spaced:*:7:8:::\n\
        again:x:1000:5:::\nsneaky:x:0:0:::\nshort:x:9\nword:x:abc:def:::\n\
        77:x:0:0:::\nhuge:x:4294967296:4294967297:::\n\xff\xfe:x:5:5:::\n";
    const GROUP: &[u8] = b"root:x:0:\nnode:x:1000:\n#comment:x:1:node\n\
        extra:x:44:node,other\nmore:x:45:other\nlast:x:46:node\n";

    fn identify(user: &str) -> Result<(u32, u32, Vec<u32>), String> {
        let accounts = Accounts::parse(Some(PASSWD), Some(GROUP));
        let found = accounts.identify(user).map_err(|error| error.to_string())?;
        Ok((found.uid, found.gid, found.groups))
    }

    #[test]
    fn finds_whom_docker_finds() {
        let cases: &[(&str, u32, u32, &[u32])] = &[
            ("", 0, 0, &[]),
            ("0", 0, 0, &[]),
            ("00", 0, 0, &[]),
            ("+0", 0, 0, &[]),
            ("root:root", 0, 0, &[]),
            (":1000", 0, 1000, &[]),
            ("node", 1000, 1000, &[44, 46]),
            ("node:", 1000, 1000, &[44, 46]),
            ("1000", 1000, 1000, &[44, 46]), // the first line wins
            ("node:node", 1000, 1000, &[]),
            ("node:root", 1000, 0, &[]),
            ("node:0", 1000, 0, &[]),
            ("1234", 1234, 0, &[]), // the trap: no line, group root
            ("1234:1234", 1234, 1234, &[]),
            ("spaced", 7, 8, &[]),
            ("sneaky", 0, 0, &[]),
            ("short", 9, 0, &[]),
            ("word", 0, 0, &[]),
            ("77", 77, 0, &[]), // digits are never a name
            ("huge", 0, 1, &[]),
            ("2147483647", i32::MAX as u32, 0, &[]),
        ];
        for (user, uid, gid, groups) in cases {
            assert_eq!(identify(user), Ok((*uid, *gid, groups.to_vec())), "{user}");
        }
    }

    #[test]
    fn refuses_whom_docker_refuses() {
        let cases = [
            ("nobody", "/etc/passwd has no user \"nobody\""),
            ("node:wheel", "/etc/group has no group \"wheel\""),
            ("node:comment", "/etc/group has no group \"comment\""),
            ("2147483648", "\"2147483648\" is not between 0 and 2147483647"),
            ("4294967296", "\"4294967296\" is not between 0 and 2147483647"),
            ("99999999999999999999", "\"99999999999999999999\" is not between 0 and 2147483647"),
            ("-1", "\"-1\" is not between 0 and 2147483647"),
            ("1:4294967295", "\"4294967295\" is not between 0 and 2147483647"),
            ("0x0", "/etc/passwd has no user \"0x0\""),
        ];
        for (user, message) in cases {
            assert_eq!(identify(user), Err(message.to_owned()), "{user}");
        }
    }

    #[test]
    fn takes_numbers_without_any_file() {
        let none = Accounts::parse(None, None);
        let found = none.identify("65532:65532").unwrap();
        assert_eq!((found.uid, found.gid), (65532, 65532));
        assert!(matches!(none.identify("nonroot"), Err(UserError::NoSuchUser(_))));
    }

    #[test]
    fn a_file_of_more_lines_than_fit_is_unusable() {
        let lines = |count: usize| ":\n".repeat(count);
        let accounts = Accounts::parse(Some(lines(MAX_LINES).as_bytes()), None);
        assert_eq!(accounts.passwd_trouble, None);
        let accounts = Accounts::parse(None, Some(lines(MAX_LINES + 1).as_bytes()));
        let expected = "/etc/group cannot be read: it has more than 500000 lines or members";
        assert_eq!(accounts.group_trouble.as_deref(), Some(expected));
    }

    #[test]
    fn a_process_is_in_no_more_groups_than_linux_has_room_for() {
        let of = |count: usize| {
            let groups = "g:x:1:node\n".repeat(count);
            Accounts::parse(Some(PASSWD), Some(groups.as_bytes())).identify("node")
        };
        assert_eq!(of(MAX_GROUPS).unwrap().groups.len(), MAX_GROUPS);
        assert!(matches!(of(MAX_GROUPS + 1), Err(UserError::Unreadable(_))));
    }

    #[test]
    fn a_line_of_ten_megabytes_makes_the_file_unusable() {
        let long = [PASSWD, &vec![b'a'; 10 << 20]].concat();
        let accounts = Accounts::parse(Some(&long), Some(GROUP));
        assert!(accounts.users.is_empty());
        let error = accounts.identify("node").unwrap_err();
        assert_eq!(error.to_string(), "/etc/passwd cannot be read: line 11 is too long");
        let just_fits = [b"n:x:5:5:".as_slice(), &vec![b'a'; MAX_PASSWD_LINE - 9], b"\n"].concat();
        assert_eq!(Accounts::parse(Some(&just_fits), None).identify("n").unwrap().uid, 5);
        let too_long = [b"n:x:5:5:".as_slice(), &vec![b'a'; MAX_PASSWD_LINE - 8], b"\n"].concat();
        assert!(Accounts::parse(Some(&too_long), None).identify("n").is_err());
    }

    #[test]
    fn evidence_is_bounded_and_says_so() {
        let many = "u:x:1:1::/:\n".repeat(MAX_ENTRIES + 1);
        let bounded = Accounts::parse(Some(many.as_bytes()), None).bounded();
        assert_eq!((bounded.users.len(), bounded.truncated), (MAX_ENTRIES, true));
        assert!(!Accounts::parse(Some(PASSWD), Some(GROUP)).bounded().truncated);
        let members = format!("g:x:1:{}\n", vec!["m"; MAX_MEMBERS].join(","));
        let bounded = Accounts::parse(None, Some(members.repeat(2).as_bytes())).bounded();
        let kept: Vec<_> = bounded.groups.iter().map(|group| group.members.len()).collect();
        assert_eq!((kept, bounded.truncated), (vec![MAX_MEMBERS, 0], true));
    }

    #[test]
    fn never_keeps_a_password() {
        let accounts = Accounts::parse(Some(b"a:$6$salt$hash:1:1:::\nb::1:1:::\nc:!:1:1:::"), None);
        let found: Vec<_> = accounts.users.iter().map(|user| user.password).collect();
        assert_eq!(found, [Password::Set, Password::Empty, Password::Locked]);
        assert!(!serde_json::to_string(&accounts).unwrap().contains("hash"));
    }
}
