"""Python's servers, from PyPI and Debian."""

from bench import tools
from bench.child import Child

from .server import Server

_UWSGI_PYTHON = "/usr/lib/uwsgi/plugins/python3_plugin.so"


def _start(site, name, command):
    for program in ("biller.py", "wsgi.py", "asgi.py", "aiohttp_biller.py", "django_biller.py"):
        site.program(program)
    return [Child(name, command, site.folder / "log", env=site.python_environment())]


def _gunicorn(*options):
    def start(site):
        command = [site.python.parent / "gunicorn", "--bind", f"127.0.0.1:{site.port}", *options, "wsgi:application"]
        return _start(site, "gunicorn", command)

    return start


def _uvicorn(site):
    command = [site.python.parent / "uvicorn", "--port", site.port, "--no-access-log", "asgi:application"]
    return _start(site, "uvicorn", command)


def _uvicorn_tls(site):
    command = [site.python.parent / "uvicorn", "--port", site.port, "--no-access-log", "--ssl-certfile",
               site.tls / "server.pem", "--ssl-keyfile", site.tls / "server.key", "asgi:application"]
    return _start(site, "uvicorn", command)


def _hypercorn(site):
    command = [site.python.parent / "hypercorn", "--bind", f"127.0.0.1:{site.port}", "asgi:application"]
    return _start(site, "hypercorn", command)


def _waitress(site):
    command = [site.python.parent / "waitress-serve", f"--listen=127.0.0.1:{site.port}", "--threads=20",
               "wsgi:application"]
    return _start(site, "waitress", command)


def _aiohttp(site):
    return _start(site, "aiohttp", [site.python, site.programs / "aiohttp_biller.py", site.port])


def _django(site):
    command = [site.python, site.programs / "django_biller.py", "runserver", f"127.0.0.1:{site.port}", "--noreload"]
    return _start(site, "django", command)


def _wsgiref(site):
    return _start(site, "wsgiref", [site.python, site.programs / "wsgi.py", site.port])


def _wsgiref_tls(site):
    return _start(site, "wsgiref", [site.python, site.programs / "wsgi.py", site.port, site.tls])


def _uwsgi(site):
    command = [tools.find("uwsgi"), "--plugin", "python3", "--http-socket", f"127.0.0.1:{site.port}",
               "--pythonpath", site.programs, "--module", "wsgi:application", "--threads", "20", "--die-on-term"]
    return _start(site, "uwsgi", command)


SERVERS = [
    Server("gunicorn-sync", _gunicorn("--workers", "2"), needs_pypi=True),
    Server("gunicorn-gthread", _gunicorn("--worker-class", "gthread", "--threads", "20"), needs_pypi=True),
    Server("uvicorn", _uvicorn, needs_pypi=True),
    Server("uvicorn-tls", _uvicorn_tls, needs_pypi=True, has_tls=True),
    Server("hypercorn", _hypercorn, needs_pypi=True),
    Server("waitress", _waitress, needs_pypi=True),
    Server("aiohttp", _aiohttp, needs_pypi=True),
    Server("django", _django, needs_pypi=True),
    Server("wsgiref", _wsgiref, needs_pypi=True),
    # It ends its answers with the connection, and TLS without close_notify.
    Server("wsgiref-tls", _wsgiref_tls, needs_pypi=True, has_tls=True),
    Server("uwsgi", _uwsgi, (("uwsgi", "uwsgi-core"), (_UWSGI_PYTHON, "uwsgi-plugin-python3"))),
]
