"""Where things lie."""

import os
import pathlib

LOADTEST = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = LOADTEST.parent
PEERS = LOADTEST / "peers"
BODIES = LOADTEST / "bodies"
SCENARIOS = LOADTEST / "scenarios"

# Another build of the gateway can be measured by naming its folder.
BINARIES = pathlib.Path(os.environ.get("RELAY_BINARIES", REPOSITORY / "target" / "release"))

# Tools that a run installs stay outside of the repository.
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "relay-loadtest"
