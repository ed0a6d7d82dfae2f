//! What a server's error means for the next step.

use redis::{ServerError, ServerErrorKind};

use super::Node;

/// What a server's error asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It does not have the script: send its text.
    ScriptUnknown,
    /// Another server has the slot now.
    Moved(Node),
    /// Another server has this key already; the slot is still on its way.
    Ask(Node),
    /// Some of the keys are here and some there, for a moment.
    TryAgain,
    /// The server cannot serve anybody at this moment, or must not: close the connection.
    Unfit,
    /// Anything else; the connection is good.
    Other,
}

/// The codes of a server that is no primary any more, or no use as one.
const UNFIT: [&str; 9] = [
    "READONLY",
    "LOADING",
    "CLUSTERDOWN",
    "MASTERDOWN",
    "NOREPLICAS",
    "MISCONF",
    "OOM",
    "NOAUTH",
    "BUSY",
];

impl Refusal {
    /// What `error`, from the server `from`, asks for.
    pub(super) fn of(error: &ServerError, from: &Node) -> Self {
        let target = || {
            let detail = error.details()?;
            Node::parse(detail.split_ascii_whitespace().nth(1)?, from)
        };
        match error.kind() {
            Some(ServerErrorKind::NoScript) => Self::ScriptUnknown,
            Some(ServerErrorKind::TryAgain) => Self::TryAgain,
            Some(ServerErrorKind::Moved) => target().map_or(Self::Unfit, Self::Moved),
            Some(ServerErrorKind::Ask) => target().map_or(Self::Unfit, Self::Ask),
            _ if is_unfit(error) => Self::Unfit,
            _ => Self::Other,
        }
    }
}

/// Servers before version 7 wrap the error of a script's command in one of their own.
fn is_unfit(error: &ServerError) -> bool {
    let wrapped = || {
        let detail = error.details().unwrap_or_default();
        UNFIT
            .iter()
            .any(|code| detail.contains(&format!(" -{code} ")))
    };
    UNFIT.contains(&error.code()) || error.code() == "ERR" && wrapped()
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::*;

    #[test]
    fn an_error_says_what_to_do_next() {
        let from = Node::new("10.0.0.1", 7000);
        for (line, expected) in [
            ("NOSCRIPT No matching script.", Refusal::ScriptUnknown),
            (
                "MOVED 3999 10.0.0.2:7001",
                Refusal::Moved(Node::new("10.0.0.2", 7001)),
            ),
            (
                "MOVED 3999 :7001",
                Refusal::Moved(Node::new("10.0.0.1", 7001)),
            ),
            (
                "ASK 3999 10.0.0.2:7001",
                Refusal::Ask(Node::new("10.0.0.2", 7001)),
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
                Refusal::Unfit,
            ),
            (
                "OOM command not allowed when used memory > 'maxmemory'.",
                Refusal::Unfit,
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
