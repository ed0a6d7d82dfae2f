//! Spans in OTLP JSON (OpenTelemetry protocol 1.x, "JSON Protobuf Encoding"): member names in lowerCamelCase, ids in
//! hex, 64-bit numbers as decimal strings, enums as numbers.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use protocol::{Api, BillerCode, Caller};
use serde::Serialize;

use super::{CallSpans, UpstreamTiming};

use crate::logging::Outcome;

/// `service.name`, and the name of the instrumentation scope.
const SERVICE: &str = "relay-gateway";

/// Stands for an unknown API or an unregistered biller, as in the log.
const UNKNOWN: &str = "unknown";

/// Kakao Pay as an upstream, as in the metrics.
const KAKAO: &str = "kakao";

/// `SPAN_KIND_SERVER` and `SPAN_KIND_CLIENT`.
const SERVER: u8 = 2;
const CLIENT: u8 = 3;

/// `STATUS_CODE_UNSET` and `STATUS_CODE_ERROR`.
const UNSET: u8 = 0;
const ERROR: u8 = 2;

/// Returns the body of an `ExportTraceServiceRequest`. `new_span_id` returns the ids of server spans; client spans have
/// the ids that were sent to the upstreams.
pub(super) fn export_request(
    calls: &[CallSpans],
    mut new_span_id: impl FnMut() -> String,
) -> serde_json::Result<Vec<u8>> {
    let mut spans = Vec::with_capacity(calls.len() * CallSpans::MAX_COUNT);
    for call in calls {
        let span_id = new_span_id();
        if let Some(timing) = call.upstream {
            spans.push(client_span(call, timing, span_id.clone()));
        }
        spans.push(server_span(call, span_id));
    }
    let version = env!("CARGO_PKG_VERSION");
    serde_json::to_vec(&ExportRequest {
        resource_spans: [ResourceSpans {
            resource: Resource {
                attributes: [
                    text("service.name", SERVICE),
                    text("service.version", version),
                ],
            },
            scope_spans: [ScopeSpans {
                scope: Scope {
                    name: SERVICE,
                    version,
                },
                spans,
            }],
        }],
    })
}

fn server_span(call: &CallSpans, span_id: String) -> Span<'_> {
    let mut attributes = common_attributes(call);
    attributes.extend([
        text("relay.res_code", call.res_code.as_str()),
        text("relay.outcome", call.outcome.label()),
        attribute(
            "http.response.status_code",
            Value::Integer(call.status.to_string()),
        ),
    ]);
    attributes.extend(call.stages.iter().map(|(stage, time)| Attribute {
        key: Cow::Owned(format!("relay.stage.{}_seconds", stage.name())),
        value: Value::Float(time.as_secs_f64()),
    }));
    Span {
        trace_id: call.trace.trace_id(),
        id: Cow::Owned(span_id),
        parent_span_id: call.trace.parent_span_id().map(Cow::Borrowed),
        name: call.api.map_or(UNKNOWN, Api::label),
        kind: SERVER,
        start_time_unix_nano: unix_nano(call.started_at()),
        end_time_unix_nano: unix_nano(call.ended_at),
        attributes,
        status: status(call.outcome),
    }
}

fn client_span(call: &CallSpans, timing: UpstreamTiming, server_span_id: String) -> Span<'_> {
    let upstream = match call.api.map(Api::caller) {
        Some(Caller::Biller) => KAKAO,
        Some(Caller::KakaoPay) | None => biller(call),
    };
    let mut attributes = common_attributes(call);
    attributes.push(text("relay.upstream", upstream));
    let started_at = call.started_at() + timing.offset;
    Span {
        trace_id: call.trace.trace_id(),
        id: Cow::Borrowed(call.trace.span_id()),
        parent_span_id: Some(Cow::Owned(server_span_id)),
        name: call.api.map_or(UNKNOWN, Api::label),
        kind: CLIENT,
        start_time_unix_nano: unix_nano(started_at),
        end_time_unix_nano: unix_nano(started_at + timing.duration),
        attributes,
        status: status(call.outcome),
    }
}

/// Returns the attributes that both spans of a call have.
fn common_attributes(call: &CallSpans) -> Vec<Attribute<'_>> {
    vec![
        text("relay.api", call.api.map_or(UNKNOWN, Api::label)),
        text("relay.biller", biller(call)),
        // `request_id` accepts only ASCII.
        text(
            "relay.request_id",
            call.request_id.to_str().unwrap_or_default(),
        ),
    ]
}

fn biller(call: &CallSpans) -> &str {
    call.biller.as_ref().map_or(UNKNOWN, BillerCode::as_str)
}

/// Returns an error for failures of the gateway or the upstream, not for refused calls or overload.
const fn status(outcome: Outcome) -> Status {
    let code = match outcome {
        Outcome::Timeout
        | Outcome::NoAnswer
        | Outcome::BadAnswer
        | Outcome::Circuit
        | Outcome::Error => ERROR,
        Outcome::Relayed
        | Outcome::Replayed
        | Outcome::ShortCircuit
        | Outcome::Refused
        | Outcome::Overload => UNSET,
    };
    Status { code }
}

fn unix_nano(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO).as_nanos().to_string()
}

const fn text<'a>(key: &'static str, value: &'a str) -> Attribute<'a> {
    attribute(key, Value::Text(value))
}

const fn attribute<'a>(key: &'static str, value: Value<'a>) -> Attribute<'a> {
    Attribute {
        key: Cow::Borrowed(key),
        value,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExportRequest<'a> {
    resource_spans: [ResourceSpans<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans<'a> {
    resource: Resource<'a>,
    scope_spans: [ScopeSpans<'a>; 1],
}

#[derive(Serialize)]
struct Resource<'a> {
    attributes: [Attribute<'a>; 2],
}

#[derive(Serialize)]
struct ScopeSpans<'a> {
    scope: Scope,
    spans: Vec<Span<'a>>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Span<'a> {
    trace_id: &'a str,
    #[serde(rename = "spanId")]
    id: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<Cow<'a, str>>,
    name: &'static str,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute<'a>>,
    status: Status,
}

#[derive(Serialize)]
struct Attribute<'a> {
    key: Cow<'static, str>,
    value: Value<'a>,
}

#[derive(Serialize)]
enum Value<'a> {
    #[serde(rename = "stringValue")]
    Text(&'a str),
    /// In decimal digits.
    #[serde(rename = "intValue")]
    Integer(String),
    #[serde(rename = "doubleValue")]
    Float(f64),
}

#[derive(Serialize)]
struct Status {
    code: u8,
}

#[cfg(test)]
pub(super) mod tests;
