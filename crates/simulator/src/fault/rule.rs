//! When a fault strikes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Fault;
use crate::request::Request;

/// Faults and the calls they strike. A new rule strikes every call; each condition narrows it.
///
/// The rules of a stand-in are asked in the order they were injected, and the first that strikes
/// wins; a call that an earlier rule took is not counted by the later ones. A rule that struck as
/// often as it may is gone. So rules with [`Rule::times`] make a script, one after the other.
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
    /// Strikes every call.
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

    /// With one more fault.
    #[must_use]
    pub fn and(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Only calls whose path is this, or ends with it (`/kakao/prepay`); with `*` at its end, those
    /// whose path contains what stands before the star.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// Only calls about this customer.
    #[must_use]
    pub fn user_key(mut self, biller_user_key: &str) -> Self {
        self.biller_user_key = Some(biller_user_key.to_owned());
        self
    }

    /// Only calls that are not their connection's first: what a caller with a pool meets when the
    /// connection was closed meanwhile.
    #[must_use]
    pub fn on_reused_connections(mut self) -> Self {
        self.on_reused_connections = true;
        self
    }

    /// Lets so many calls pass first.
    #[must_use]
    pub fn skip(mut self, calls: u64) -> Self {
        self.skip = calls;
        self
    }

    /// Strikes so many calls at most.
    #[must_use]
    pub fn times(mut self, calls: u64) -> Self {
        self.times = Some(calls);
        self
    }

    /// Strikes the n-th call only, counted from 1.
    #[must_use]
    pub fn nth(self, call: u64) -> Self {
        self.skip(call.saturating_sub(1)).times(1)
    }

    /// Strikes each n-th call: with 100, one in a hundred.
    #[must_use]
    pub fn every(mut self, nth: u64) -> Self {
        self.every = nth.max(1);
        self
    }

    /// Reads conditions and faults, with blanks between: `/kakao/prepay key=K1 skip=1 times=2 every=3
    /// reused delay:100ms hang-head`. A word that begins with a slash is the path.
    ///
    /// # Errors
    /// Says which word is neither, or that there is no fault.
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
            return Err(format!("rule `{text}` names no fault"));
        }
        Ok(rule)
    }

    fn concerns(&self, request: &Request) -> bool {
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
        .map_err(|_| format!("`{word}`: `{number}` is no number"))
}

/// The rules of one stand-in.
#[derive(Debug, Default)]
pub(crate) struct Rules(Mutex<Vec<Armed>>);

#[derive(Debug)]
struct Armed {
    rule: Rule,
    seen: u64,
    struck: u64,
}

impl Armed {
    fn strikes(&mut self, request: &Request) -> bool {
        if self.is_spent() || !self.rule.concerns(request) {
            return false;
        }
        self.seen += 1;
        let index = self.seen.saturating_sub(self.rule.skip);
        let strikes = index > 0 && index.is_multiple_of(self.rule.every);
        self.struck += u64::from(strikes);
        strikes
    }

    fn is_spent(&self) -> bool {
        self.rule.times.is_some_and(|times| self.struck >= times)
    }
}

impl Rules {
    pub(crate) fn inject(&self, rule: Rule) {
        self.lock().push(Armed {
            rule,
            seen: 0,
            struck: 0,
        });
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// The faults of this call; mostly none.
    pub(crate) fn strike(&self, request: &Request) -> Vec<Fault> {
        let mut rules = self.lock();
        let Some(hit) = rules.iter_mut().position(|armed| armed.strikes(request)) else {
            return Vec::new();
        };
        if rules[hit].is_spent() {
            return rules.remove(hit).rule.faults;
        }
        rules[hit].rule.faults.clone()
    }

    /// A panic elsewhere leaves the rules whole: a counter is at most one short.
    fn lock(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::example;

    /// One letter per call: the first of the struck fault's name, or a dot.
    fn script(rules: &[&str], calls: &[(&str, &str)]) -> String {
        let armed = Rules::default();
        for rule in rules {
            armed.inject(Rule::parse(rule).unwrap());
        }
        let strike = |(path, key): &(&str, &str)| {
            let body = format!(r#"{{"data":{{"biller_user_key":"{key}"}}}}"#);
            let faults = armed.strike(&example(path, &body));
            faults
                .first()
                .map_or('.', |fault| fault.to_string().remove(0))
        };
        calls.iter().map(strike).collect()
    }

    #[test]
    fn rules_strike_the_calls_they_name() {
        const PREPAY: (&str, &str) = ("/kakao/prepay", "K1");
        for (rules, struck) in [
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
            assert_eq!(script(rules, &[PREPAY; 6]), struck, "{rules:?}");
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
    fn rules_that_are_cleared_strike_no_more() {
        let rules = Rules::default();
        rules.inject(Rule::new(Fault::Empty));
        rules.clear();
        assert!(rules.strike(&example("/", "")).is_empty());
    }
}
