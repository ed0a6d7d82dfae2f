"""A private root and a server certificate for 127.0.0.1, created for each run."""

import hashlib
import ssl
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


def make_client(folder, name):
    """Writes NAME.pem and NAME.key, a client certificate of the same root; returns the SHA-256 of its DER form."""
    _openssl(
        folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
        "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-CA", "ca.pem", "-CAkey", "ca.key",
        "-addext", "basicConstraints=CA:FALSE", "-addext", "extendedKeyUsage=clientAuth",
    )
    pem = (folder / f"{name}.pem").read_text()
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def _openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
