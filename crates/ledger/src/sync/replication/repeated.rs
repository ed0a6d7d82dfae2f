//! What comes again under a number that is known must be the same.

use std::collections::BTreeMap;

use super::published::is_same;
use crate::journal::{Entry, Reader};
use crate::node::Node;
use crate::sync::Share;
use crate::{Author, FactRecord};

/// Compares facts with those that the journal has under their numbers. Where they differ, two journals made them under one
/// identity: those that are new here are kept, too, as facts that this node learned.
pub(super) fn compare_repeated(
    (node, share): (&Node, &Share),
    author: Author,
    (known, reader): (&[(i64, FactRecord)], &Reader),
) {
    let Some((first, _)) = known.first() else {
        return;
    };
    let bounds = (known.len(), usize::MAX);
    let Ok(ours) = reader.records_after(Some(author), first - 1, bounds) else {
        return;
    };
    let ours: BTreeMap<i64, FactRecord> = ours.records.into_iter().collect();
    for (number, record) in known {
        // Of what was forgotten nothing is known any more.
        let is_known = |ours: &FactRecord| is_same(&ours.fact, &record.fact);
        if ours.get(number).is_none_or(is_known) {
            continue;
        }
        share.refused_entry();
        tracing::error!(
            %author, number,
            "two journals made facts under one identity and number, as after a disk was rolled back: both are kept"
        );
        let book = node.book_of(&record.fact.bill);
        let entry = Entry::of(vec![record.fact.clone()]).with_context(record.context.clone());
        drop(node.record(&mut book.lock(), entry));
    }
}
