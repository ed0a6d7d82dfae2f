//! What the demonstration prints.

mod bill;
mod curl;
mod day;
mod exchange;
mod figures;
mod line;
mod operators;
mod parties;
mod summary;
mod terminal;
mod wrap;

pub(crate) use self::curl::show_curl_commands;
pub(crate) use self::day::show_day;
pub(crate) use self::exchange::show_exchange;
pub(crate) use self::operators::{show_end, show_operators_commands};
pub(crate) use self::parties::show_parties;
pub(crate) use self::summary::{show_keep_running, show_summary};
pub(crate) use self::terminal::Terminal;
