//! Who made a fact: a node with its journal.

use std::fmt;

/// The author of facts (contract section 4, "Nodes"). A journal that was copied, restored or rolled back is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Author {
    /// The number of the node.
    pub node: u32,
    /// The identity of its journal.
    pub journal: i64,
}

impl Author {
    /// Reads what `Display` wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (node, journal) = text.split_once('.')?;
        let journal = (journal.len() == 16).then(|| u64::from_str_radix(journal, 16));
        Some(Self {
            node: node.parse().ok()?,
            journal: journal?.ok()?.cast_signed(),
        })
    }
}

/// `NODE.JOURNAL`, the second as sixteen hex digits.
impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:016x}", self.node, self.journal.cast_unsigned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_reads_back_and_anything_else_is_none() {
        for (node, journal) in [(1, -1), (u32::MAX, i64::MIN), (7, 0)] {
            let author = Author { node, journal };
            assert_eq!(Author::parse(&author.to_string()), Some(author));
        }
        for text in [
            "",
            "1",
            "1.ff",
            "x.00000000000000ff",
            "4294967296.00000000000000ff",
            "1.00000000000000fg",
        ] {
            assert_eq!(Author::parse(text), None, "{text}");
        }
    }
}
