"""Node, Perl, Ruby, Go, and lighttpd with a CGI script."""

import subprocess

from bench import tools
from bench.child import Child

from .server import Server


def _node(site):
    return [Child("node", ["node", site.program("biller.mjs"), site.port], site.folder / "log")]


def _starman(site):
    command = ["starman", "--listen", f"127.0.0.1:{site.port}", "--workers", "20", site.program("biller.psgi")]
    return [Child("starman", command, site.folder / "log")]


def _http_daemon(site):
    return [Child("perl", ["perl", site.program("daemon.pl"), site.port], site.folder / "log")]


def _puma(site):
    command = ["puma", "--bind", f"tcp://127.0.0.1:{site.port}", "--threads", "20:20", "--environment", "production",
               site.program("config.ru")]
    return [Child("puma", command, site.folder / "log")]


def _go(site):
    program = site.programs / "biller"
    subprocess.run(["go", "build", "-o", program, site.program("biller.go")], check=True, cwd=site.programs)
    return [Child("go", [program, site.port], site.folder / "log")]


def _lighttpd(site):
    site.program("biller.py")
    site.program("cgi.py")
    command = [tools.find("lighttpd"), "-D", "-f", site.configuration("lighttpd.conf")]
    return [Child("lighttpd", command, site.folder / "log")]


SERVERS = [
    Server("node", _node, (("node", "nodejs"),)),
    Server("starman", _starman, (("starman", "starman"),)),
    Server("http-daemon", _http_daemon, (("/usr/share/perl5/HTTP/Daemon.pm", "libhttp-daemon-perl"),)),
    Server("puma", _puma, (("puma", "puma"),)),
    Server("go", _go, (("go", "golang-go"),)),
    Server("lighttpd-cgi", _lighttpd, (("lighttpd", "lighttpd"),)),
]
