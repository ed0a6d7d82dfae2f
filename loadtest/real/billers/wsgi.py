"""A WSGI biller. WSGI leaves `Connection` to the server."""

import ssl
import sys
from http import HTTPStatus
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

from biller import Answer


def application(environ, start_response):
    answer = Answer(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    headers = [("Content-Type", answer.content_type)]
    if answer.has_length:
        headers.append(("Content-Length", str(len(answer.body))))
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
    return [answer.body] if answer.has_length else iter(answer.pieces())


class _ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


if __name__ == "__main__":
    server = make_server("127.0.0.1", int(sys.argv[1]), application, _ThreadingServer)
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{sys.argv[2]}/server.pem", f"{sys.argv[2]}/server.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
