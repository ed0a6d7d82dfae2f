//! The rules that decide which calls have faults.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Fault;
use crate::request::Request;

/// Faults, and the conditions of the calls that have them. A new rule applies to every call; each condition
/// narrows it.
///
/// The rules of a party are checked in the order of their injection. The first rule that applies is used,
/// and later rules do not count this call. A rule that was used [`Rule::times`] times is removed, so such
/// rules take effect one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    faults: Vec<Fault>,
    path: Option<String>,
    biller_user_key: Option<String>,
    on_reused_connections: bool,
    skip: u64,
    times: Option<u64>,
    every: u64,
}

impl Rule {
    /// Returns a rule that applies to every call.
    pub fn new(fault: Fault) -> Self {
        Self::of(vec![fault])
    }

    fn of(faults: Vec<Fault>) -> Self {
        Self {
            faults,
            path: None,
            biller_user_key: None,
            on_reused_connections: false,
            skip: 0,
            times: None,
            every: 1,
        }
    }

    /// Adds a fault.
    #[must_use]
    pub fn and(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Restricts the rule to calls whose path ends with `path`, or contains it if `path` ends with `*`.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// Restricts the rule to calls for this customer.
    #[must_use]
    pub fn user_key(mut self, biller_user_key: &str) -> Self {
        self.biller_user_key = Some(biller_user_key.to_owned());
        self
    }

    /// Restricts the rule to calls that are not the first on their connection. It simulates a pooled
    /// connection that the server has closed.
    #[must_use]
    pub fn on_reused_connections(mut self) -> Self {
        self.on_reused_connections = true;
        self
    }

    /// Skips this many calls first.
    #[must_use]
    pub fn skip(mut self, calls: u64) -> Self {
        self.skip = calls;
        self
    }

    /// Applies to this many calls at most.
    #[must_use]
    pub fn times(mut self, calls: u64) -> Self {
        self.times = Some(calls);
        self
    }

    /// Applies to the n-th call only, counted from 1.
    #[must_use]
    pub fn nth(self, call: u64) -> Self {
        self.skip(call.saturating_sub(1)).times(1)
    }

    /// Applies to every n-th call: with 100, to one percent.
    #[must_use]
    pub fn every(mut self, nth: u64) -> Self {
        self.every = nth.max(1);
        self
    }

    /// Parses conditions and faults separated by spaces: `/kakao/prepay key=K1 skip=1 times=2 every=3 reused
    /// delay:100ms hang-head`. A word that begins with a slash is the path.
    ///
    /// # Errors
    /// A description of the first invalid word, or of the missing fault.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rule = Self::of(Vec::new());
        for word in text.split_whitespace() {
            rule = match word.split_once('=') {
                _ if word.starts_with('/') => rule.path(word),
                _ if word == "reused" => rule.on_reused_connections(),
                Some(("key", key)) => rule.user_key(key),
                Some(("skip", number)) => rule.skip(count(word, number)?),
                Some(("times", number)) => rule.times(count(word, number)?),
                Some(("every", number)) => rule.every(count(word, number)?),
                _ => rule.and(Fault::parse(word)?),
            };
        }
        if rule.faults.is_empty() {
            return Err(format!("rule `{text}` has no fault"));
        }
        Ok(rule)
    }

    fn matches(&self, request: &Request) -> bool {
        let path = self
            .path
            .as_deref()
            .is_none_or(|pattern| match pattern.strip_suffix('*') {
                Some(part) => request.path().contains(part),
                None => request.path().ends_with(pattern),
            });
        let connection = !self.on_reused_connections || request.call.nth_on_connection > 1;
        let customer = || {
            let key = self.biller_user_key.as_deref();
            key.is_none_or(|key| request.text("biller_user_key") == key)
        };
        path && connection && customer()
    }
}

fn count(word: &str, number: &str) -> Result<u64, String> {
    number
        .parse()
        .map_err(|_| format!("`{word}`: `{number}` is not a number"))
}

/// The rules of one simulated party.
#[derive(Debug, Default)]
pub(crate) struct Rules(Mutex<Vec<ActiveRule>>);

#[derive(Debug)]
struct ActiveRule {
    rule: Rule,
    seen: u64,
    applied: u64,
}

impl ActiveRule {
    fn applies(&mut self, request: &Request) -> bool {
        if self.is_spent() || !self.rule.matches(request) {
            return false;
        }
        self.seen += 1;
        let index = self.seen.saturating_sub(self.rule.skip);
        let applies = index > 0 && index.is_multiple_of(self.rule.every);
        self.applied += u64::from(applies);
        applies
    }

    fn is_spent(&self) -> bool {
        self.rule.times.is_some_and(|times| self.applied >= times)
    }
}

impl Rules {
    pub(crate) fn inject(&self, rule: Rule) {
        self.lock().push(ActiveRule {
            rule,
            seen: 0,
            applied: 0,
        });
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// Returns the faults of this call, usually none, and counts its use of a rule.
    pub(crate) fn faults_for(&self, request: &Request) -> Vec<Fault> {
        let mut rules = self.lock();
        let Some(index) = rules.iter_mut().position(|rule| rule.applies(request)) else {
            return Vec::new();
        };
        if rules[index].is_spent() {
            return rules.remove(index).rule.faults;
        }
        rules[index].rule.faults.clone()
    }

    /// A poisoned lock is ignored: after a panic, a counter is at most one too low.
    fn lock(&self) -> MutexGuard<'_, Vec<ActiveRule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::example;

    /// Returns one letter per call: the first of the fault's name, or a dot.
    fn script(rules: &[&str], calls: &[(&str, &str)]) -> String {
        let active = Rules::default();
        for rule in rules {
            active.inject(Rule::parse(rule).unwrap());
        }
        let fault = |(path, key): &(&str, &str)| {
            let body = format!(r#"{{"data":{{"biller_user_key":"{key}"}}}}"#);
            let faults = active.faults_for(&example(path, &body));
            faults
                .first()
                .map_or('.', |fault| fault.to_string().remove(0))
        };
        calls.iter().map(fault).collect()
    }

    #[test]
    fn rules_apply_to_the_calls_that_match() {
        const PREPAY: (&str, &str) = ("/kakao/prepay", "K1");
        for (rules, faults) in [
            (&["empty"][..], "eeeeee"),
            (&["skip=2 empty"], "..eeee"),
            (&["times=2 empty"], "ee...."),
            (&["skip=1 times=1 empty"], ".e...."),
            (&["every=3 empty"], "..e..e"),
            (&["skip=1 every=2 times=2 empty"], "..e.e."),
            (&["times=1 empty", "times=2 bom"], "ebb..."),
            (&["skip=1 times=1 empty", "times=1 bom"], "be...."),
            (&["key=K1 empty"], "eeeeee"),
            (&["key=K2 empty"], "......"),
            (&["/kakao/prepay empty"], "eeeeee"),
            (&["/kakao/notice empty"], "......"),
            (&["/kakao/* empty"], "eeeeee"),
            (&["reused empty"], "......"),
            (&[], "......"),
        ] {
            assert_eq!(script(rules, &[PREPAY; 6]), faults, "{rules:?}");
        }
    }

    #[test]
    fn a_path_may_have_a_prefix_and_a_query() {
        let calls = [
            ("/base/kakao/prepay?x=1", ""),
            ("/kakao/prepay/", ""),
            ("/prepay", ""),
        ];
        assert_eq!(script(&["/kakao/prepay empty"], &calls), "e..");
    }

    #[test]
    fn a_rule_may_have_several_faults_and_must_have_one() {
        let rule = Rule::parse("delay:5ms /kakao/notice cut:3").unwrap();
        assert_eq!(rule.faults.len(), 2);
        assert_eq!(
            rule,
            Rule::new(rule.faults[0].clone())
                .and(Fault::Cut(3))
                .path("/kakao/notice")
        );
        for text in ["", "/kakao/notice", "skip=x empty", "nonsense", "key=a"] {
            assert!(Rule::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn cleared_rules_apply_no_more() {
        let rules = Rules::default();
        rules.inject(Rule::new(Fault::Empty));
        rules.clear();
        assert!(rules.faults_for(&example("/", "")).is_empty());
    }
}
