"""Python's clients: `python_client.py LIBRARY URL CALLS CA`."""

import asyncio
import http.client
import ssl
import sys
import urllib.parse
import urllib.request

CONTENT_TYPE = "application/json;charset=utf-8"


def read_calls(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            path, authorization, body = line.rstrip("\n").split("\t")
            headers = {"Content-Type": CONTENT_TYPE}
            if authorization != "-":
                headers["Authorization"] = authorization
            yield path, headers, body.encode()


def show(status, text):
    print(status, text.replace("\n", " "), sep="\t")


def with_requests(url, calls, ca):
    import requests

    session = requests.Session()
    # REQUESTS_CA_BUNDLE would replace the authority.
    session.trust_env = False
    session.verify = ca or True
    for path, headers, body in calls:
        answer = session.post(url + path, data=body, headers=headers, timeout=10)
        show(answer.status_code, answer.content.decode())


def with_httpx(url, calls, ca):
    import httpx

    with httpx.Client(verify=_context(ca), timeout=10) as client:
        for path, headers, body in calls:
            answer = client.post(url + path, content=body, headers=headers)
            show(answer.status_code, answer.text)


def with_aiohttp(url, calls, ca):
    import aiohttp

    async def run():
        connector = aiohttp.TCPConnector(ssl=_context(ca))
        async with aiohttp.ClientSession(connector=connector) as session:
            for path, headers, body in calls:
                async with session.post(url + path, data=body, headers=headers) as answer:
                    show(answer.status, await answer.text())

    asyncio.run(run())


def with_urllib(url, calls, ca):
    for path, headers, body in calls:
        request = urllib.request.Request(url + path, body, headers)
        with urllib.request.urlopen(request, timeout=10, context=_context(ca) if ca else None) as answer:
            show(answer.status, answer.read().decode())


def with_http_client(url, calls, ca):
    """http.client with a body of unknown length, which it sends in chunks."""
    host = urllib.parse.urlsplit(url).netloc
    connection = http.client.HTTPSConnection(host, context=_context(ca)) if ca else http.client.HTTPConnection(host)
    for path, headers, body in calls:
        connection.request("POST", path, iter([body[:10], body[10:]]), headers, encode_chunked=True)
        answer = connection.getresponse()
        show(answer.status, answer.read().decode())


def _context(ca):
    return ssl.create_default_context(cafile=ca) if ca else ssl.create_default_context()


_LIBRARIES = {
    "requests": with_requests, "httpx": with_httpx, "aiohttp": with_aiohttp, "urllib": with_urllib,
    "http.client": with_http_client,
}

if __name__ == "__main__":
    library, url, calls, ca = sys.argv[1:]
    _LIBRARIES[library](url, read_calls(calls), ca)
