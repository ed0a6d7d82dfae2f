//! The members of JSON objects as read by `serde_json`, including duplicates.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of one object, in their order. Values are the source text, so that lone surrogates and numbers of
/// any size are accepted.
pub(crate) struct Members<'a>(pub(crate) Vec<Spelled<'a>>);

/// A member with the source text of its value.
pub(crate) struct Spelled<'a> {
    /// The unescaped name; `None` if it has a lone surrogate.
    name: Option<String>,
    pub(crate) value: &'a str,
}

impl<'a> Members<'a> {
    /// Returns the members of an object, or `None` if the text is not an object.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Returns the source texts of all values with this name.
    pub(crate) fn values(&self, name: &str) -> Vec<&'a str> {
        let named = |member: &&Spelled<'a>| member.name.as_deref() == Some(name);
        let named = self.0.iter().filter(named);
        named.map(|member| member.value).collect()
    }

    /// Whether all names are different. Names with a lone surrogate are ignored.
    pub(crate) fn are_distinct(&self) -> bool {
        let names = self.0.iter().filter_map(|member| member.name.as_deref());
        let mut names: Vec<&str> = names.collect();
        names.sort_unstable();
        names.array_windows().all(|[left, right]| left != right)
    }
}

/// Returns the content of a JSON string, or `None` if it is not a string or has a lone surrogate.
pub(crate) fn text(spelled: &str) -> Option<String> {
    serde_json::from_str(spelled).ok()
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            members.push(Spelled {
                name: text(name.get()),
                value: value.get(),
            });
        }
        Ok(Members(members))
    }
}

/// Whether a JSON value is within the contract's limits for requests: at most 128 levels and no lone surrogates.
pub(crate) fn is_within_limits(text: &str) -> bool {
    let mut levels = 0_usize;
    let mut deepest = 0;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '{' | '[' => {
                levels += 1;
                deepest = deepest.max(levels);
            }
            '}' | ']' => levels -= 1,
            '"' => {
                let mut is_escaped = false;
                let end = characters.find(|(_, character)| {
                    let is_end = *character == '"' && !is_escaped;
                    is_escaped = *character == '\\' && !is_escaped;
                    is_end
                });
                let end = end.expect("the text is JSON").0;
                // A valid string without content has a lone surrogate.
                if self::text(&text[at..=end]).is_none() {
                    return false;
                }
            }
            _ => {}
        }
    }
    deepest <= 128
}
