"""Real clients as billers and Kakao Pay: the five calls of a bill's life, plain and with TLS."""

import json
import subprocess

from real import calls, clients, install
from real.gateway import AUTHORIZATION
from real.simulators import BILLER, Simulators

NAMES = [client.name for client in clients.CLIENTS]
# The last is a copy, so that a kept connection is used after an answer of every kind.
_LIFE = ("link_create", "link_recreate", "notice", "prepay", "pay_result", "pay_result")


def run(results, environment, options):
    """Adds a row for each client and transport."""
    folder, simulators = environment.folder, Simulators(environment.folder)
    tls = f'[listen.tls]\ncertificate = "{environment.tls}/server.pem"\nprivate_key = "{environment.tls}/server.key"'
    plain = simulators.gateway(folder, "plain")
    secure = simulators.gateway(folder, "tls", listen=tls)
    ca = str(_authority(environment.tls))
    for client in clients.CLIENTS:
        if client.name in options.skip or (options.only and client.name not in options.only):
            continue
        try:
            install.debian(client.debian)
            for url, given in ((f"http://127.0.0.1:{plain.port}", ""), (f"https://127.0.0.1:{secure.port}", ca)):
                _one(results, client, folder, url, given)
        except install.Unavailable as error:
            results.add(client.name, "installed", "yes", f"no: {error}", None if options.skip_missing else False)
    for started in (plain, secure, simulators):
        started.end()


def _one(results, client, folder, url, ca):
    # The simulated biller reads the amount off the last three digits.
    user_key = f"CLIENT{calls.number()}001"
    path = folder / f"{user_key}.calls"
    pay_id = calls.number()
    path.write_text("".join(_line(api, user_key, pay_id) for api in _LIFE), encoding="utf-8")
    seen = clients.call(client, url, path, ca)
    case = f"a bill's life over {url.split(':', maxsplit=1)[0]}"
    results.compare(client.name, case, f"{len(_LIFE)} times OK", _in_words(seen))


def _line(api, user_key, pay_id):
    authorization = AUTHORIZATION if api.startswith("link") else "-"
    body = calls.body(api, user_key, pay_id).decode()
    return f"{calls.PATHS[api].format(BILLER)}\t{authorization}\t{body}\n"


def _in_words(seen):
    codes = []
    for line in seen:
        status, _, text = line.partition("\t")
        try:
            code = json.loads(text)["res_code"]
        except (ValueError, KeyError, TypeError):
            codes.append(line.strip())
        else:
            codes.append("OK" if (code, status) == ("OK", "200") else f"{code}/{status}")
    return f"{len(codes)} times OK" if set(codes) == {"OK"} else ", ".join(codes)


def _authority(folder):
    """Returns the path of the root; beside it is a key store for Java, whose password is the usual one."""
    ca = folder / "ca.pem"
    command = ["keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", ca, "-keystore", f"{ca}.p12",
               "-storetype", "PKCS12", "-storepass", "changeit"]
    install.debian((("keytool", "default-jdk-headless"),))
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    return ca
