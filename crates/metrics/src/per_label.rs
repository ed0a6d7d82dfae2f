//! One child per value of a label, found by its index.

use std::marker::PhantomData;

use crate::label::Label;

/// One `M` for each value of the label `L`.
pub(crate) struct PerLabel<L, M> {
    children: Box<[M]>,
    label: PhantomData<L>,
}

impl<L: Label, M> PerLabel<L, M> {
    pub(crate) fn new(child: impl FnMut(L) -> M) -> Self {
        Self {
            children: L::ALL.iter().copied().map(child).collect(),
            label: PhantomData,
        }
    }

    pub(crate) fn get(&self, label: L) -> &M {
        // There is a child for every value, and an index is a place among the values.
        &self.children[label.index()]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &M> {
        self.children.iter()
    }
}
