"""Where things lie."""

import os
import pathlib

LOADTEST = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = LOADTEST.parent
PEERS = LOADTEST / "peers"
BODIES = LOADTEST / "bodies"
SCENARIOS = LOADTEST / "scenarios"

# Another build of the gateway can be measured by naming its folder.
OTHER_BINARIES = os.environ.get("RELAY_BINARIES")
BINARIES = pathlib.Path(OTHER_BINARIES or REPOSITORY / "target" / "release").resolve()

# Tools that a run installs stay outside of the repository.
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "relay-loadtest"
