//! Who may come in, and how much of it: the contract's checks 1 to 4, in one file per check.

pub mod address;
pub mod authorization;
pub mod body;
pub mod in_flight;
pub mod rate;
