//! Facts of other authors, as a part of an entry.

use std::sync::Arc;

use bytes::Bytes;

use crate::{Author, Fact, FactContext, FactRecord, KeptAnswer};

/// What another author's facts have beside them, one for each of an entry's facts.
#[derive(Clone, Debug)]
pub struct ForeignFacts {
    pub(super) author: Author,
    /// All facts up to this number were here before.
    pub(super) after: i64,
    /// From this entry on all facts up to here are.
    pub(super) last: i64,
    pub(super) beside: Vec<Beside>,
}

/// What one of them has.
#[derive(Clone, Debug)]
pub(super) struct Beside {
    pub(super) number: i64,
    pub(super) context: FactContext,
    pub(super) body: Option<Bytes>,
    pub(super) answer: Option<Arc<KeptAnswer>>,
}

impl ForeignFacts {
    /// Parts an author's records, whose numbers lie behind `after` and grow, into facts and what is beside them; all of
    /// its facts up to `last` are known with them.
    pub fn of(
        author: Author,
        (after, last): (i64, i64),
        records: Vec<(i64, FactRecord)>,
    ) -> (Vec<Fact>, Self) {
        let (mut facts, mut beside) = (Vec::new(), Vec::new());
        for (number, record) in records {
            facts.push(record.fact);
            beside.push(Beside {
                number,
                context: record.context,
                body: record.body,
                answer: record.answer,
            });
        }
        let foreign = Self {
            author,
            after,
            last,
            beside,
        };
        (facts, foreign)
    }
}
