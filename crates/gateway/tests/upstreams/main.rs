//! What real servers do with answers and idle connections costs no call.
#![allow(clippy::too_many_lines, clippy::unwrap_used)]

mod answers;
mod idle;
