//! What all connections of a stand-in share: its calls, its rules, and what it answers.

use std::sync::Arc;
use std::time::Duration;

use super::{FaultHeader, Settings};
use crate::answer::Answer;
use crate::call::Calls;
use crate::fault::{Fault, Rules};
use crate::latency::Latency;
use crate::request::Request;

const FAULT_HEADER: &str = "X-Simulator-Fault";

/// A party's own behaviour.
pub(crate) trait Service: Send + Sync + std::fmt::Debug + 'static {
    /// Does what the request asks for and answers it.
    fn answer(&self, request: &Request) -> Answer;
}

/// One stand-in's shared state.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) calls: Calls,
    pub(super) rules: Rules,
    pub(super) idle_timeout: Duration,
    service: Arc<dyn Service>,
    seed: u64,
    latency: Latency,
    fault_header: FaultHeader,
}

/// How one call is answered.
pub(super) struct Plan {
    /// Before anything is written.
    pub(super) wait: Duration,
    pub(super) answer: Answer,
    /// A fault of delivery; `None`: the answer is written as it should be.
    pub(super) spoiled: Option<Fault>,
}

impl Desk {
    pub(super) fn new(settings: &Settings, service: Arc<dyn Service>) -> Self {
        Self {
            calls: Calls::new(),
            rules: Rules::default(),
            idle_timeout: settings.idle_timeout,
            service,
            seed: settings.seed,
            latency: settings.latency,
            fault_header: settings.fault_header,
        }
    }

    /// Does what the request asks for, unless a fault keeps it from that, and plans the answer.
    pub(super) fn plan(&self, request: &Request) -> Plan {
        let wait = self.latency.of(self.seed, request.call.sequence);
        match self.faults(request) {
            Ok(faults) if faults.is_empty() => Plan {
                wait,
                answer: self.service.answer(request),
                spoiled: None,
            },
            Ok(faults) => self.plan_with(request, wait, faults),
            Err(reason) => {
                let answer = Answer::json(400, reason);
                Plan {
                    wait,
                    answer,
                    spoiled: None,
                }
            }
        }
    }

    fn plan_with(&self, request: &Request, mut wait: Duration, faults: Vec<Fault>) -> Plan {
        let replacement = faults.iter().rev().find_map(Fault::replacement);
        let mut answer = replacement.unwrap_or_else(|| self.service.answer(request));
        let mut spoiled = None;
        for fault in faults {
            fault.alter(&mut answer);
            match fault {
                Fault::Delay(delay) => wait += delay,
                fault if fault.is_of_delivery() => spoiled = Some(fault),
                _ => {}
            }
        }
        Plan {
            wait,
            answer,
            spoiled,
        }
    }

    fn faults(&self, request: &Request) -> Result<Vec<Fault>, String> {
        let header = match self.fault_header {
            FaultHeader::Ignored => None,
            FaultHeader::Obeyed => request.call.header(FAULT_HEADER),
        };
        match header {
            Some(text) => Fault::parse_all(text),
            None => Ok(self.rules.strike(request)),
        }
    }
}
