"""Every form of an answer, on each of Kakao Pay's three calls."""

from real import answers, calls

BILLER = "FORMS"
ERROR_PAGES = 25


def run(results, server, gateway, site):
    """Adds a row for each form, one for the copies of accepted pay-results, and one for the circuit."""
    caller = calls.Caller(gateway.port)
    for form in answers.FORMS:
        expected = _expected(form)
        seen = {api: _judge(form, caller.post(calls.PATHS[api].format(BILLER), _body(api, form)))
                for api in ("notice", "prepay")}
        seen["pay-result"] = _pay_result(caller, form, site)
        results.compare(server.name, f"answer {form}", expected, _in_words(seen, expected))
    for _ in range(ERROR_PAGES):
        caller.post(calls.PATHS["notice"].format(BILLER), _body("notice", answers.ERROR_PAGE))
    after = _judge(answers.PLAIN, caller.post(calls.PATHS["notice"].format(BILLER), _body("notice", answers.PLAIN)))
    results.compare(server.name, f"a notice after {ERROR_PAGES} error pages in a row", "relayed", after)
    caller.close()


def _body(api, form):
    number = calls.number()
    return calls.body(api, f"{form}/{number}", number)


def _expected(form):
    if form.is_whole_json:
        return "relayed"
    return "E808/500" if form.text == "page" else "E808 or E809"


def _judge(form, reply):
    """Returns in a word what became of an answer."""
    if form.is_whole_json:
        is_relayed = reply.status == 200 and reply.body == form.body
        return "relayed" if is_relayed else str(reply)
    if form.text == "half" and reply.res_code in ("E808", "E809"):
        return "E808 or E809"
    return str(reply)


def _pay_result(caller, form, site):
    """Sends a pay-result twice; the copy of an accepted one must get the same answer without the biller."""
    number = calls.number()
    content = calls.body("pay_result", f"{form}/{number}", number)
    path = calls.PATHS["pay_result"].format(BILLER)
    reply = caller.post(path, content)
    seen = _judge(form, reply)
    if seen == "relayed":
        copy = caller.post(path, content)
        if copy.body != reply.body or copy.headers.get("x-relay-replayed") != "true":
            return f"copy not replayed but {copy}"
    heard = site.payments().get(number, 0)
    return seen if heard == 1 else f"{seen}, heard {heard} times"


def _in_words(seen, expected):
    """Returns one word if all three calls were as expected, else what each of the others became."""
    others = {api: word for api, word in seen.items() if word != expected}
    return ", ".join(f"{api} {word}" for api, word in others.items()) or expected
