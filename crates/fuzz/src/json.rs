//! JSON as `serde_json` reads it, one level at a time: members as they come, twice or not.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of one object, in their order. Names and values are as they are spelled: neither a lone
/// surrogate nor a number beyond every range is an error.
pub(crate) struct Members<'a>(pub(crate) Vec<Spelled<'a>>);

/// A member, its value as it is spelled.
pub(crate) struct Spelled<'a> {
    /// The name after unescaping; `None` where a lone surrogate makes it no text.
    name: Option<String>,
    pub(crate) value: &'a str,
}

impl<'a> Members<'a> {
    /// The members of the object that this text is; `None` where it is none.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Every value that a member of this name has, as it is spelled.
    pub(crate) fn values(&self, name: &str) -> Vec<&'a str> {
        let named = |member: &&Spelled<'a>| member.name.as_deref() == Some(name);
        let named = self.0.iter().filter(named);
        named.map(|member| member.value).collect()
    }

    /// Whether no name that is text comes twice.
    pub(crate) fn are_distinct(&self) -> bool {
        let names = self.0.iter().filter_map(|member| member.name.as_deref());
        let mut names: Vec<&str> = names.collect();
        names.sort_unstable();
        names.array_windows().all(|[left, right]| left != right)
    }
}

/// What a string holds; `None` where it is no string, or no text.
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

/// What a request's text must not have beyond the grammar: levels below the 128th, lone surrogates. The
/// text is one JSON value.
pub(crate) fn is_moderate(text: &str) -> bool {
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
                // A string that is no text has a lone surrogate.
                if self::text(&text[at..=end]).is_none() {
                    return false;
                }
            }
            _ => {}
        }
    }
    deepest <= 128
}
