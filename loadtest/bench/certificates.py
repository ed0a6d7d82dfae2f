"""A private root and a server certificate for 127.0.0.1, created for each run."""

import subprocess


def make(folder):
    """Writes ca.pem, server.pem, server.key and server-and-key.pem, with P-256 keys."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"]
    _openssl(
        folder, "req", "-x509", *key, "-subj", "/CN=load test root", "-keyout", "ca.key", "-out", "ca.pem",
        "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign",
    )
    _openssl(
        folder, "req", "-x509", *key, "-subj", "/CN=127.0.0.1", "-keyout", "server.key",
        "-out", "server.pem", "-CA", "ca.pem", "-CAkey", "ca.key",
        "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-addext", "basicConstraints=CA:FALSE",
        "-addext", "extendedKeyUsage=serverAuth",
    )
    for name in ("ca.key", "server.key"):
        (folder / name).chmod(0o600)
    both = folder / "server-and-key.pem"
    both.write_text((folder / "server.pem").read_text() + (folder / "server.key").read_text())
    both.chmod(0o600)
    return folder


def _openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
