//! The configuration as a whole: what is shipped, what a fault looks like, and that nothing panics.

#![allow(clippy::unwrap_used)]

mod defaults;
mod faults;
mod folder;
mod robustness;
mod several_files;
mod shipped;
mod warnings;
