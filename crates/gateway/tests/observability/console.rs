//! The console page.

use test_support::{Setup, Upstream};

use crate::{HOSTILE_NAME, named};

#[test]
fn the_console_shows_the_status_and_no_name_becomes_markup() {
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .biller("B0001", &upstream.url(), &named(HOSTILE_NAME))
        .biller("B0002", &upstream.url(), "status = \"suspended\"\n")
        .start();
    let reply = gateway.get_ops("/");
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let page = reply.text();
    for shown in [
        "<b class=good>ready</b>",
        "B0001",
        "<b class=bad>suspended</b>",
        "테스트",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("<b>&amp;</b>"), "{page}");
    assert!(page.contains("&lt;b&gt;&amp;amp;&lt;/b&gt;"), "{page}");
}
