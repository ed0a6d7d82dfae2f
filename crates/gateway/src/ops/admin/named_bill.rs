//! The bill that an operator names.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::Bill;
use serde::Deserialize;

use super::context::AdminContext;
use super::refusal::Refusal;
use crate::registry::RegisteredBiller;

/// Characters of one part of a bill's name; longer than any that the guide allows.
const PART_CHARS: usize = 200;

/// Characters of a reason.
const REASON_CHARS: usize = 500;

/// What stands where an operator gives none.
const NO_REASON: &str = "no reason given";

/// Characters of an operator's name.
const OPERATOR_CHARS: usize = 100;

/// A request that is about one bill. Parts that the bill has not are absent or empty.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NamedBill {
    biller: String,
    user_key: String,
    #[serde(default)]
    month: String,
    #[serde(default)]
    ordinal: String,
    #[serde(default)]
    notice_key: String,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    reason: Option<String>,
    #[serde(default)]
    operator: String,
}

/// The same, as it is registered.
pub(super) struct Found {
    pub(super) biller: Arc<RegisteredBiller>,
    pub(super) bill: Bill,
}

impl NamedBill {
    /// The bill, if the gateway could ever have heard of it.
    pub(super) fn find(&self, context: &AdminContext) -> Result<Found, Refusal> {
        let biller = context.biller(&self.biller)?;
        if self.user_key.is_empty() {
            return Err(Refusal::bad_request("user_key is empty"));
        }
        let parts = [
            ("user_key", &self.user_key),
            ("month", &self.month),
            ("ordinal", &self.ordinal),
            ("notice_key", &self.notice_key),
        ];
        let parameters = self.parameters.values().map(|value| ("parameters", value));
        for (name, part) in parts.into_iter().chain(parameters) {
            if part.chars().count() > PART_CHARS {
                let message = format!("{name} has more than {PART_CHARS} characters");
                return Err(Refusal::bad_request(message));
            }
        }
        let is_month = self.month.len() == 6 && self.month.bytes().all(|b| b.is_ascii_digit());
        if !self.month.is_empty() && !is_month {
            return Err(Refusal::bad_request("month is no YYYYMM"));
        }
        let known = &biller.settings.identity_parameters;
        if let Some(name) = self.parameters.keys().find(|name| !known.contains(name)) {
            let message = format!(
                "`{name}` does not tell this biller's bills apart; its identity_parameters: {}",
                if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                }
            );
            return Err(Refusal::bad_request(message));
        }
        let parameters: Vec<(&str, &str)> = self
            .parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let bill = Bill::from_parts(
            biller.code(),
            &self.user_key,
            &self.month,
            &self.ordinal,
            &self.notice_key,
            &parameters,
        );
        Ok(Found { biller, bill })
    }

    /// Why.
    pub(super) fn reason(&self) -> Result<String, Refusal> {
        let reason = self.reason.as_deref().unwrap_or(NO_REASON);
        said("reason", reason, REASON_CHARS)
    }

    /// Who says so.
    pub(super) fn operator(&self) -> Result<String, Refusal> {
        said("operator", &self.operator, OPERATOR_CHARS)
    }
}

fn said(name: &str, text: &str, most: usize) -> Result<String, Refusal> {
    let text = text.trim();
    let chars = text.chars().count();
    if chars == 0 || chars > most || text.chars().any(char::is_control) {
        let message = format!("{name} must be 1 to {most} characters on one line");
        return Err(Refusal::bad_request(message));
    }
    Ok(text.to_owned())
}
