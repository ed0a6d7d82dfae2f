//! Names of fields as they stand in a line, kept from one line to the next.

use super::escaped::Escaped;

/// Members that every line has at its beginning.
const RESERVED: [&str; 2] = ["time", "level"];

/// Fields whose value is never written, whoever passes it and by mistake. The rule is not to pass
/// them.
const NEVER_WRITTEN: [&str; 10] = [
    "account_no",
    "authorization",
    "bank_accounts",
    "biller_user_key",
    "body",
    "card_no",
    "parameters",
    "password",
    "token",
    "user_birth",
];

/// Places for names: several times as many as there are names.
const PLACES: usize = 256;

/// So many places, one behind another, may be a name's. One that finds others in all of them takes the first.
const CHOICES: usize = 4;

/// A name as it stands in a line.
#[derive(Debug)]
pub(super) struct Spelled {
    name: &'static str,
    /// `,"name":`.
    pub(super) text: Box<[u8]>,
    /// Whether its value is never written.
    pub(super) is_hidden: bool,
}

/// The names of the last lines; those of calls are always the same.
#[derive(Debug)]
pub(super) struct Names(Box<[Option<Spelled>]>);

impl Default for Names {
    fn default() -> Self {
        Self((0..PLACES).map(|_| None).collect())
    }
}

impl Names {
    /// How this name stands in a line.
    pub(super) fn spell(&mut self, name: &'static str) -> &Spelled {
        let first = first_place(name);
        let is_its_own = |place: &usize| {
            let kept = self.0[*place].as_ref();
            kept.is_none_or(|kept| std::ptr::eq(kept.name, name))
        };
        let mut places = (first..first + CHOICES).map(|place| place % PLACES);
        let place = &mut self.0[places.find(is_its_own).unwrap_or(first)];
        if place
            .as_ref()
            .is_some_and(|kept| !std::ptr::eq(kept.name, name))
        {
            *place = None;
        }
        place.get_or_insert_with(|| Spelled::of(name))
    }
}

/// By the name's address: it is one of the program's own texts, so that tells it from all others.
fn first_place(name: &'static str) -> usize {
    let address = name.as_ptr().addr() ^ name.len();
    (address ^ address >> 8) % PLACES
}

impl Spelled {
    fn of(name: &'static str) -> Self {
        let mut text = b",\"".to_vec();
        if RESERVED.contains(&name) {
            text.extend_from_slice(b"field.");
        }
        Escaped::unbounded(&mut text).push(name);
        text.extend_from_slice(b"\":");
        Self {
            name,
            text: text.into(),
            is_hidden: NEVER_WRITTEN.contains(&name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_whose_values_are_never_written_are_known_and_none_beside_them() {
        let mut names = Names::default();
        for name in NEVER_WRITTEN {
            assert!(names.spell(name).is_hidden, "{name}");
            assert!(!names.spell(&name[1..]).is_hidden, "{name}");
        }
        for name in ["", "token_", "Token", "biller", "total_ms", "é"] {
            assert!(!names.spell(name).is_hidden, "{name}");
        }
    }

    #[test]
    fn names_that_share_a_place_are_told_apart() {
        // Every part of one text, so that all places are taken many times.
        const TEXT: &str = "time, level, body and whatever else a field may be called: \"quoted\"";
        let mut names = Names::default();
        for _ in 0..2 {
            for from in 0..TEXT.len() {
                for to in from..=TEXT.len() {
                    let name = &TEXT[from..to];
                    let spelled = names.spell(name);
                    let expected = Spelled::of(name);
                    assert_eq!(spelled.text, expected.text, "{name}");
                    assert_eq!(spelled.is_hidden, expected.is_hidden, "{name}");
                }
            }
        }
        assert_eq!(*names.spell("time").text, *b",\"field.time\":");
        assert!(names.spell("body").is_hidden);
        assert_eq!(*names.spell("a\"b").text, *b",\"a\\\"b\":");
    }
}
