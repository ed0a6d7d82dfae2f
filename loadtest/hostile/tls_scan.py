"""A scan of the TLS listener by sslyze: accepted versions and suites, and weaknesses."""

import json
import subprocess
import sys

from bench.objective import Objective
from bench.paths import CACHE, LOADTEST
from hostile import under_attack

_OLD = ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1")
_NEW = ("tls_1_2", "tls_1_3")

_SCANS = """certinfo sslv2 sslv3 tlsv1 tlsv1_1 tlsv1_2 tlsv1_3 compression openssl_ccs fallback heartbleed robot
reneg elliptic_curves ems early_data resum""".split()


def run(environment, _options):
    """Yields an objective per version, vulnerability and property."""
    gateway = under_attack.start(environment, "tls")
    out = environment.folder / "sslyze.json"
    root = str(environment.tls / "ca.pem")
    command = [_python(), "-m", "sslyze", *(f"--{scan}" for scan in _SCANS)]
    command += ["--mozilla_config", "intermediate", "--certinfo_ca_file", root]
    command += ["--json_out", str(out), f"127.0.0.1:{gateway.port}"]
    scan = subprocess.run(command, capture_output=True, text=True, check=False)
    (environment.folder / "sslyze.txt").write_text(scan.stdout + scan.stderr)
    if not out.exists():
        sys.exit(f"sslyze failed: {scan.stderr}")
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
        yield Objective(name, is_met, "yes" if is_met else "NO")
    curves = [curve["name"] for curve in found["elliptic_curves"]["supported_curves"] or []]
    yield Objective("elliptic curves", bool(curves), ", ".join(curves))
    compliance = scan.stdout.partition("COMPLIANCE")[2].splitlines()[4:]
    print("Mozilla's \"intermediate\" configuration, by sslyze:", *filter(None, map(str.strip, compliance)), sep="\n  ")


def _suites(found, version):
    result = found[f"{version}_cipher_suites"]
    return [one["cipher_suite"]["name"] for one in result["accepted_cipher_suites"]]


def _is_weak(suite):
    """Returns whether a suite lacks forward secrecy or authenticated encryption."""
    is_tls_1_3 = suite.startswith(("TLS_AES_", "TLS_CHACHA20_"))
    return not is_tls_1_3 and not (suite.startswith("TLS_ECDHE_") and ("_GCM_" in suite or "CHACHA20" in suite))


def _vulnerabilities(found):
    renegotiation = found["session_renegotiation"]
    return {
        "not vulnerable to Heartbleed": not found["heartbleed"]["is_vulnerable_to_heartbleed"],
        "not vulnerable to CCS injection": not found["openssl_ccs_injection"]["is_vulnerable_to_ccs_injection"],
        "not vulnerable to ROBOT": found["robot"]["robot_result"].startswith("NOT_VULNERABLE"),
        "no TLS compression": not found["tls_compression"]["supports_compression"],
        "no renegotiation by clients": not renegotiation["is_vulnerable_to_client_renegotiation_dos"],
        "renegotiation is secure": renegotiation["supports_secure_renegotiation"],
        "no early data": not found["tls_1_3_early_data"]["supports_early_data"],
        "fallback is signalled": found["tls_fallback_scsv"]["supports_fallback_scsv"],
        "extended master secret": found["tls_extended_master_secret"]["supports_ems_extension"],
    }


def _python():
    """Returns the Python of a virtual environment with sslyze in the cache; requirements.txt pins its version."""
    venv = CACHE / "sslyze"
    wanted = (LOADTEST / "hostile" / "requirements.txt").read_text()
    installed = venv / "installed.txt"
    if not installed.exists() or installed.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
        requirements = str(LOADTEST / "hostile" / "requirements.txt")
        subprocess.run([str(venv / "bin" / "pip"), "install", "-q", "-r", requirements], check=True)
        installed.write_text(wanted)
    return str(venv / "bin" / "python")
