//! Faults of a client's bytes that are found before a request exists.

/// The method of a synthetic request. A client's request with this method is refused, so none can be forged.
pub(super) const SYNTHETIC_METHOD: &[u8] = b"RELAY-EARLY-FAULT";

/// Defines [`EarlyFault`] by a table of variants, statuses and reasons.
macro_rules! early_faults {
    ($($(#[$what:meta])* $variant:ident $status:literal $reason:literal)+) => {
        /// Why the bytes of a connection are not a request or not the rest of one.
        ///
        /// The handler receives it as [`IncomingRequest::fault`](super::IncomingRequest::fault) and answers it like
        /// any other refusal, so that early faults, too, have the body of contract section 3 and are counted and
        /// logged.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EarlyFault {
            $($(#[$what])* $variant,)+
        }

        impl EarlyFault {
            /// Every fault.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The HTTP status of the answer.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// The rule that was broken, as a stable word for the log. It holds nothing that the client sent.
            pub const fn reason(self) -> &'static str {
                match self { $(Self::$variant => $reason,)+ }
            }
        }
    };
}

early_faults! {
    /// The first byte begins no method: a TLS handshake on a plain port, for example.
    NotHttp 400 "not-http"
    /// More than one empty line stands before a request line.
    EmptyLines 400 "empty-lines"
    /// The method has another byte than letters and hyphens, or is one that the listener refuses: `CONNECT`.
    Method 400 "method"
    /// The target is neither a path nor an absolute `http` or `https` URL, or has a byte that must be escaped.
    Target 400 "target"
    /// The target is longer than [`TARGET_MAX_BYTES`](super::TARGET_MAX_BYTES).
    TargetTooLong 400 "target-too-long"
    /// The request line does not end with ` HTTP/1.1` or ` HTTP/1.0`.
    Version 400 "version"
    /// A line ends with a line feed that follows no carriage return.
    BareLf 400 "bare-lf"
    /// A carriage return that no line feed follows.
    BareCr 400 "bare-cr"
    /// A NUL byte.
    Nul 400 "nul"
    /// Another control character.
    ControlCharacter 400 "control-character"
    /// A header line begins with a space or a tab.
    FoldedLine 400 "folded-line"
    /// A space or a tab stands between a header's name and its colon.
    SpaceBeforeColon 400 "space-before-colon"
    /// A header line has no colon.
    NoColon 400 "no-colon"
    /// A header's name is empty or no token.
    HeaderName 400 "header-name"
    /// HTTP/1.1 without `Host`.
    NoHost 400 "no-host"
    /// `Host` twice.
    TwoHosts 400 "two-hosts"
    /// `Host` is no host with an optional port.
    Host 400 "host"
    /// `Content-Length` is not plain digits, or too many of them.
    ContentLength 400 "content-length"
    /// `Content-Length` twice.
    TwoContentLengths 400 "two-content-lengths"
    /// `Content-Length` with `Transfer-Encoding`.
    ContentLengthAndTransferEncoding 400 "content-length-and-transfer-encoding"
    /// A `POST` in HTTP/1.0 without `Content-Length`.
    NoContentLength 400 "no-content-length"
    /// A transfer coding other than `chunked`.
    TransferEncoding 400 "transfer-encoding"
    /// `Transfer-Encoding` twice.
    TwoTransferEncodings 400 "two-transfer-encodings"
    /// `Transfer-Encoding` in HTTP/1.0.
    TransferEncodingInHttp10 400 "transfer-encoding-in-http-1.0"
    /// A chunk's size is no hexadecimal number of at most eight digits.
    ChunkSize 400 "chunk-size"
    /// A chunk extension has a blank or a control character, or is too long.
    ChunkExtension 400 "chunk-extension"
    /// A chunk's data is longer than its size, or no line end follows it.
    ChunkData 400 "chunk-data"
    /// A trailer follows the last chunk.
    Trailer 400 "trailer"
    /// The head did not arrive within `limits.head_timeout` of its first byte.
    HeadLate 408 "head-late"
    /// The head is longer than [`HEAD_MAX_BYTES`](super::HEAD_MAX_BYTES).
    HeadTooLong 431 "head-too-long"
    /// The head has more than [`HEADERS_MAX`](super::HEADERS_MAX) headers.
    TooManyHeaders 431 "too-many-headers"
}

impl EarlyFault {
    /// The well-formed request in place of the refused one. As a request it is answered in order, after the
    /// earlier requests of the connection.
    pub(super) const fn synthetic_request(self) -> &'static [u8] {
        match self.status() {
            408 => b"RELAY-EARLY-FAULT /408 HTTP/1.1\r\nhost: -\r\nconnection: close\r\n\r\n",
            431 => b"RELAY-EARLY-FAULT /431 HTTP/1.1\r\nhost: -\r\nconnection: close\r\n\r\n",
            _ => b"RELAY-EARLY-FAULT /400 HTTP/1.1\r\nhost: -\r\nconnection: close\r\n\r\n",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_fault_has_a_reason_of_its_own_in_small_letters() {
        let reasons: BTreeSet<_> = EarlyFault::ALL.iter().map(|fault| fault.reason()).collect();
        assert_eq!(reasons.len(), EarlyFault::ALL.len());
        let allowed = |byte: u8| byte.is_ascii_lowercase() || b"-.01".contains(&byte);
        assert!(reasons.iter().all(|reason| reason.bytes().all(allowed)));
    }
}
