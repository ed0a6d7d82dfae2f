"""The folders that a run reads and writes."""

import os
import pathlib

LOADTEST = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = LOADTEST.parent
PEERS = LOADTEST / "peers"
BODIES = LOADTEST / "bodies"
SCENARIOS = LOADTEST / "scenarios"

# The folder of another build of the gateway, if one is to be measured.
OTHER_BINARIES = os.environ.get("RELAY_BINARIES")
BINARIES = pathlib.Path(OTHER_BINARIES or REPOSITORY / "target" / "release").resolve()

# Tools that a run installs are outside of the repository.
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "relay-loadtest"
