//! Whether the process may open as many files and sockets as the configuration lets it need.

use std::error::Error;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors beside those of calls: the journal, Redis, the ops listener's connections, the log, the runtime, and idle
/// connections to upstreams.
const RESERVE: u64 = 128;

/// A caller's connection, and the upstream's that its call uses.
const PER_CONNECTION: u64 = 2;

/// Raises the soft limit of open files to what `connections` callers at once need, and returns how many connections
/// there is room for.
///
/// # Errors
/// If there is no room for a single one.
pub(super) fn connections_within_limit(connections: u32) -> Result<u32, Box<dyn Error>> {
    let needed = RESERVE + PER_CONNECTION * u64::from(connections);
    let limit = raised_to(needed);
    let Some(limit) = limit.filter(|limit| *limit < needed) else {
        return Ok(connections);
    };
    let room = limit.saturating_sub(RESERVE) / PER_CONNECTION;
    let room = u32::try_from(room).unwrap_or(u32::MAX);
    if room == 0 {
        return Err(format!(
            "the process may open {limit} files only, and at least {} are needed: raise the limit (ulimit -n, \
             LimitNOFILE= of systemd)",
            RESERVE + PER_CONNECTION
        )
        .into());
    }
    tracing::warn!(
        limit,
        needed,
        connections = room,
        configured = connections,
        "limits.connections: the process may not open as many files as that many connections need, so it takes fewer: \
         raise the limit (ulimit -Hn, LimitNOFILE= of systemd), or lower the setting"
    );
    Ok(room)
}

/// Raises the soft limit as far as needed and allowed; returns what it is then, `None` for unlimited.
fn raised_to(needed: u64) -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let soft = limit.current?;
    if soft >= needed {
        return Some(soft);
    }
    let raised = limit.maximum.map_or(needed, |hard| hard.min(needed));
    let wanted = Rlimit {
        current: Some(raised),
        ..limit
    };
    match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => Some(raised.max(soft)),
        Err(_) => Some(soft),
    }
}
