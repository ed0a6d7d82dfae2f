//! The state that all connections of a simulated party share: its calls, its rules and its service.

use std::sync::Arc;
use std::time::Duration;

use super::{FaultHeader, Settings};
use crate::answer::Answer;
use crate::call::Calls;
use crate::fault::{Fault, Rules};
use crate::latency::Latency;
use crate::request::Request;

const FAULT_HEADER: &str = "X-Simulator-Fault";

/// The behaviour of a party.
pub(crate) trait Service: Send + Sync + std::fmt::Debug + 'static {
    /// Processes the request and returns its answer.
    fn answer(&self, request: &Request) -> Answer;
}

/// The shared state of one party.
#[derive(Debug)]
pub(super) struct ServerState {
    pub(super) calls: Calls,
    pub(super) rules: Rules,
    pub(super) idle_timeout: Duration,
    service: Arc<dyn Service>,
    seed: u64,
    latency: Latency,
    fault_header: FaultHeader,
}

/// The planned answer of one call.
pub(super) struct PlannedAnswer {
    /// The wait before the first byte is written.
    pub(super) wait: Duration,
    pub(super) answer: Answer,
    /// How the writing of the answer is disturbed, if at all.
    pub(super) transmission_fault: Option<Fault>,
}

impl ServerState {
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

    /// Processes the request, unless a fault prevents it, and plans the answer.
    pub(super) fn plan(&self, request: &Request) -> PlannedAnswer {
        let mut wait = self.latency.of(self.seed, request.call.sequence);
        let mut transmission_fault = None;
        let answer = match self.faults(request) {
            Ok(faults) => {
                let replacement = faults.iter().rev().find_map(Fault::replacement);
                let mut answer = replacement.unwrap_or_else(|| self.service.answer(request));
                for fault in faults {
                    fault.alter(&mut answer);
                    match fault {
                        Fault::Delay(delay) => wait += delay,
                        fault if fault.is_transmission_fault() => transmission_fault = Some(fault),
                        _ => {}
                    }
                }
                answer
            }
            Err(reason) => Answer::json(400, reason),
        };
        PlannedAnswer {
            wait,
            answer,
            transmission_fault,
        }
    }

    fn faults(&self, request: &Request) -> Result<Vec<Fault>, String> {
        let header = match self.fault_header {
            FaultHeader::Ignored => None,
            FaultHeader::Obeyed => request.call.header(FAULT_HEADER),
        };
        match header {
            Some(text) => Fault::parse_all(text),
            None => Ok(self.rules.faults_for(request)),
        }
    }
}
