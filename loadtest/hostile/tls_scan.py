"""sslyze against the TLS listener: what it accepts, and what is weak in it."""

import json
import subprocess
import sys

from hostile.besieged import besieged
from lab.objective import Objective
from lab.paths import CACHE, LOADTEST

_OLD = ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1")
_NEW = ("tls_1_2", "tls_1_3")

_SCANS = """certinfo sslv2 sslv3 tlsv1 tlsv1_1 tlsv1_2 tlsv1_3 compression openssl_ccs fallback heartbleed robot
reneg elliptic_curves ems early_data resum""".split()


def play(lab, _options):
    """One scan, digested."""
    gateway = besieged(lab, "tls")
    out = lab.folder / "sslyze.json"
    root = str(lab.tls / "ca.pem")
    command = [_python(), "-m", "sslyze", *(f"--{scan}" for scan in _SCANS)]
    command += ["--mozilla_config", "intermediate", "--certinfo_ca_file", root]
    command += ["--json_out", str(out), f"127.0.0.1:{gateway.port}"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    (lab.folder / "sslyze.txt").write_text(told.stdout + told.stderr)
    if not out.exists():
        sys.exit(f"sslyze failed: {told.stderr}")
    [server] = json.loads(out.read_text())["server_scan_results"]
    found = {name: one["result"] for name, one in server["scan_result"].items() if one["result"]}
    for version in _OLD:
        accepted = _suites(found, version)
        yield Objective(f"{version} refused", not accepted, ", ".join(accepted) or "nothing accepted")
    for version in _NEW:
        accepted = _suites(found, version)
        weak = [suite for suite in accepted if _is_weak(suite)]
        yield Objective(f"{version}: no weak cipher suite", bool(accepted) and not weak, ", ".join(accepted))
    for name, is_met in _vulnerabilities(found).items():
        yield Objective(name, is_met, "so" if is_met else "NOT so")
    curves = [curve["name"] for curve in found["elliptic_curves"]["supported_curves"] or []]
    yield Objective("elliptic curves", bool(curves), ", ".join(curves))
    verdict = told.stdout.partition("COMPLIANCE")[2].splitlines()
    print("Mozilla's \"intermediate\" configuration, by sslyze:", *filter(None, map(str.strip, verdict[4:])), sep="\n  ")


def _suites(found, version):
    result = found[f"{version}_cipher_suites"]
    return [one["cipher_suite"]["name"] for one in result["accepted_cipher_suites"]]


def _is_weak(suite):
    """Forward secrecy and authenticated encryption, or it is weak."""
    is_tls_1_3 = suite.startswith(("TLS_AES_", "TLS_CHACHA20_"))
    return not is_tls_1_3 and not (suite.startswith("TLS_ECDHE_") and ("_GCM_" in suite or "CHACHA20" in suite))


def _vulnerabilities(found):
    renegotiation = found["session_renegotiation"]
    return {
        "not open to Heartbleed": not found["heartbleed"]["is_vulnerable_to_heartbleed"],
        "not open to CCS injection": not found["openssl_ccs_injection"]["is_vulnerable_to_ccs_injection"],
        "not open to ROBOT": found["robot"]["robot_result"].startswith("NOT_VULNERABLE"),
        "no TLS compression": not found["tls_compression"]["supports_compression"],
        "no renegotiation by clients": not renegotiation["is_vulnerable_to_client_renegotiation_dos"],
        "renegotiation is secure": renegotiation["supports_secure_renegotiation"],
        "no early data": not found["tls_1_3_early_data"]["supports_early_data"],
        "fallback is signalled": found["tls_fallback_scsv"]["supports_fallback_scsv"],
        "extended master secret": found["tls_extended_master_secret"]["supports_ems_extension"],
    }


def _python():
    """The scanner's own environment in the cache, with what requirements.txt pins."""
    environment = CACHE / "sslyze"
    wanted = (LOADTEST / "hostile" / "requirements.txt").read_text()
    installed = environment / "installed.txt"
    if not installed.exists() or installed.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True)
        requirements = str(LOADTEST / "hostile" / "requirements.txt")
        subprocess.run([str(environment / "bin" / "pip"), "install", "-q", "-r", requirements], check=True)
        installed.write_text(wanted)
    return str(environment / "bin" / "python")
