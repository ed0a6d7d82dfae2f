//! A [`Refusal`] says what a server's error means for the next step.

use redis::{ServerError, ServerErrorKind};

use crate::redis::settings::address::ServerAddress;

/// A `Refusal` is what a server's error asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The server does not have the script: send its text.
    ScriptUnknown,
    /// Another server has the slot now.
    Moved(ServerAddress),
    /// Another server has this key already; the slot is still on its way.
    Ask(ServerAddress),
    /// Some of the slot's keys are on this server and some on another: try again soon.
    TryAgain,
    /// The server takes no writes at this moment from any client. It is the primary all the same, and
    /// what it holds can be read.
    NoWrites,
    /// The server cannot serve anybody at this moment, or must not: close the connection.
    Unfit,
    /// Anything else; the connection is good.
    Other,
}

/// These codes come from a primary that takes no writes: too few replicas, a disk that fails, no memory.
const NO_WRITES: [&str; 3] = ["NOREPLICAS", "MISCONF", "OOM"];

/// These codes come from a server that is no primary any more, or cannot serve as one. `READONLY` is among them
/// although the server could be read: a replica sends it, and a replica may be behind, or cut off from a primary that
/// others write to.
const UNFIT: [&str; 6] = [
    "READONLY",
    "LOADING",
    "CLUSTERDOWN",
    "MASTERDOWN",
    "NOAUTH",
    "BUSY",
];

impl Refusal {
    /// Returns what `error`, from the server `from`, asks for.
    pub(crate) fn of(error: &ServerError, from: &ServerAddress) -> Self {
        let target = || {
            let detail = error.details()?;
            ServerAddress::parse(detail.split_ascii_whitespace().nth(1)?, from)
        };
        match error.kind() {
            Some(ServerErrorKind::NoScript) => Self::ScriptUnknown,
            Some(ServerErrorKind::TryAgain) => Self::TryAgain,
            Some(ServerErrorKind::Moved) => target().map_or(Self::Unfit, Self::Moved),
            Some(ServerErrorKind::Ask) => target().map_or(Self::Unfit, Self::Ask),
            _ if is_one_of(&UNFIT, error) => Self::Unfit,
            _ if is_one_of(&NO_WRITES, error) => Self::NoWrites,
            _ => Self::Other,
        }
    }
}

/// Servers before version 7 wrap the error of a script's command in one of their own.
fn is_one_of(codes: &[&str], error: &ServerError) -> bool {
    let wrapped = || {
        let detail = error.details().unwrap_or_default();
        let is_in = |code: &&str| detail.contains(&format!(" -{code} "));
        codes.iter().any(is_in)
    };
    codes.contains(&error.code()) || error.code() == "ERR" && wrapped()
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::*;

    #[test]
    fn an_error_says_what_to_do_next() {
        let from = ServerAddress::new("10.0.0.1", 7000);
        for (line, expected) in [
            ("NOSCRIPT No matching script.", Refusal::ScriptUnknown),
            (
                "MOVED 3999 10.0.0.2:7001",
                Refusal::Moved(ServerAddress::new("10.0.0.2", 7001)),
            ),
            (
                "MOVED 3999 :7001",
                Refusal::Moved(ServerAddress::new("10.0.0.1", 7001)),
            ),
            (
                "ASK 3999 10.0.0.2:7001",
                Refusal::Ask(ServerAddress::new("10.0.0.2", 7001)),
            ),
            ("MOVED", Refusal::Unfit),
            (
                "TRYAGAIN Multiple keys request during rehashing of slot",
                Refusal::TryAgain,
            ),
            (
                "READONLY You can't write against a read only replica.",
                Refusal::Unfit,
            ),
            (
                "LOADING Redis is loading the dataset in memory",
                Refusal::Unfit,
            ),
            (
                "NOREPLICAS Not enough good replicas to write.",
                Refusal::NoWrites,
            ),
            (
                "OOM command not allowed when used memory > 'maxmemory'.",
                Refusal::NoWrites,
            ),
            (
                "MISCONF Errors writing to the AOF file: No space left on device",
                Refusal::NoWrites,
            ),
            (
                "ERR Error running script: @user_script:3: -OOM command not allowed",
                Refusal::NoWrites,
            ),
            (
                "ERR Error running script: @user_script:3: -READONLY You can't",
                Refusal::Unfit,
            ),
            ("ERR something else", Refusal::Other),
            (
                "NOPERM no permissions to run the 'eval' command",
                Refusal::Other,
            ),
        ] {
            let Ok(Value::ServerError(error)) =
                redis::parse_redis_value(format!("-{line}\r\n").as_bytes())
            else {
                panic!("{line} is no error");
            };
            assert_eq!(Refusal::of(&error, &from), expected, "{line}");
        }
    }
}
