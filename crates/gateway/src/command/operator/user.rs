//! The name of the user who runs a command: the operator, unless another name is given.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};

use super::Failure;

/// The variables that hold the name, in the order in which they are asked.
const VARIABLES: [&str; 2] = ["USER", "LOGNAME"];

/// The local users, one line each: `name:password:uid:…`.
const USERS: &str = "/etc/passwd";

/// The most bytes of that file that are read.
const USERS_BYTES_MAX: u64 = 4 << 20;

/// Returns the user's name.
///
/// # Errors
/// A usage error if neither variable is set and the user has no entry among the local users, as in a container that
/// runs under a bare number.
pub(in crate::command) fn user_name() -> Result<String, Failure> {
    let of_environment = VARIABLES.iter().filter_map(|name| std::env::var(name).ok());
    of_environment
        .map(|name| name.trim().to_owned())
        .find(|name| !name.is_empty())
        .or_else(of_local_users)
        .ok_or_else(|| {
            let message = "no operator: the user has no name here; give one with --operator";
            Failure::Usage(message.to_owned())
        })
}

fn of_local_users() -> Option<String> {
    let uid = rustix::process::getuid().as_raw();
    let users = BufReader::new(File::open(USERS).ok()?.take(USERS_BYTES_MAX));
    let mut lines = users.lines().map_while(Result::ok);
    lines.find_map(|line| name_of(&line, uid).map(str::to_owned))
}

/// Returns the name in a line if it is this user's.
fn name_of(line: &str, uid: u32) -> Option<&str> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty())?;
    (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_user_with_its_number() {
        for (line, uid, expected) in [
            ("root:x:0:0:root:/root:/bin/bash", 0, Some("root")),
            ("kim:x:1000:1000:,,,:/home/kim:/bin/sh", 1000, Some("kim")),
            ("kim:x:1000:1000:,,,:/home/kim:/bin/sh", 100, None),
            (":x:0:0:::", 0, None),
            ("+::::::", 0, None),
            ("kim", 0, None),
        ] {
            assert_eq!(name_of(line, uid), expected, "{line}");
        }
    }
}
