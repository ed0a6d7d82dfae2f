"""A Redis server for one run."""

import socket

from bench import tools
from bench.child import Child
from bench.port import free_port


class Redis:
    """A server without persistence; it can be killed and started again on the same port."""

    def __init__(self, environment, name="redis", cores=None):
        self.port = free_port()
        self._folder = environment.folder / name
        self._folder.mkdir(exist_ok=True)
        self._cores = cores or environment.load_cores
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        command = [tools.find("redis-server"), "--port", self.port, "--bind", "127.0.0.1", "--save", ""]
        command += ["--appendonly", "no", "--dir", self._folder]
        self.child = Child("redis", command, self._folder / "log", self._cores)
        self.child.await_port(self.port)

    def command(self, *words):
        """Sends one command and returns the first line of its reply."""
        encoded = b"*%d\r\n" % len(words)
        for word in map(str.encode, words):
            encoded += b"$%d\r\n%s\r\n" % (len(word), word)
        with socket.create_connection(("127.0.0.1", self.port), 30) as connection:
            connection.sendall(encoded)
            return connection.makefile("rb").readline().decode().strip()
