//! The bill that a request of the admin API names.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::Bill;
use serde::Deserialize;

use super::context::AdminContext;
use super::refusal::Refusal;
use crate::registry::RegisteredBiller;

/// Most characters of one member of a bill's identity; more than the guide allows.
const PART_CHARS: usize = 200;

/// Most characters of a reason.
const REASON_CHARS: usize = 500;

/// Most characters of an operator's name.
const OPERATOR_CHARS: usize = 100;

/// Body of a request about one bill. Members that the bill does not have are absent or empty.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with biller and user_key")]
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
    #[serde(default)]
    reason: String,
    #[serde(default)]
    operator: String,
    /// For a clearing: closes the refused pay-results of the bill too.
    #[serde(default)]
    pub(super) even_refused: bool,
}

/// A named bill and its biller.
pub(super) struct ResolvedBill {
    /// `None` for a biller that is not registered any more.
    pub(super) biller: Option<Arc<RegisteredBiller>>,
    pub(super) bill: Bill,
}

impl NamedBill {
    /// Returns the bill, if its members could come from a call of the biller. A biller that is not registered any more
    /// may have had any identity parameters.
    pub(super) fn find(&self, context: &AdminContext) -> Result<ResolvedBill, Refusal> {
        let code = context.known_biller(&self.biller)?;
        let biller = context.biller(&self.biller).ok();
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
        let known = biller
            .as_ref()
            .map(|biller| &biller.settings.identity_parameters);
        if let Some(known) = known
            && let Some(name) = self.parameters.keys().find(|name| !known.contains(name))
        {
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
            code,
            &self.user_key,
            &self.month,
            &self.ordinal,
            &self.notice_key,
            &parameters,
        );
        Ok(ResolvedBill { biller, bill })
    }

    /// Returns the operator's reason.
    pub(super) fn reason(&self) -> Result<String, Refusal> {
        reason_line(&self.reason)
    }

    /// Returns the operator's name.
    pub(super) fn operator(&self) -> Result<String, Refusal> {
        operator_line(&self.operator)
    }
}

/// Returns the reason of an act, if it is one.
pub(super) fn reason_line(text: &str) -> Result<String, Refusal> {
    line("reason", text, REASON_CHARS)
}

/// Returns the name of an operator, if it is one.
pub(super) fn operator_line(text: &str) -> Result<String, Refusal> {
    line("operator", text, OPERATOR_CHARS)
}

fn line(name: &str, text: &str, most: usize) -> Result<String, Refusal> {
    let text = text.trim();
    let chars = text.chars().count();
    if chars == 0 || chars > most || text.chars().any(char::is_control) {
        let message = format!("{name} must be 1 to {most} characters on one line");
        return Err(Refusal::bad_request(message));
    }
    Ok(text.to_owned())
}
