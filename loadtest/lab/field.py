"""Everything that a comparison sets up: upstream, Redis, the peers, and the gateway with both ledgers."""

import os

from lab import peers
from lab.gateway import Gateway, Settings
from lab.redis import Redis
from lab.upstream import Upstream

# Which relays carry which API, the one that all are compared with first.
ENTRANTS = {
    "notice": ("nginx", "haproxy", "gateway"),
    "prepay": ("nginx", "haproxy", "nginx-lua", "gateway", "gateway-redis"),
    "pay_result": ("nginx", "haproxy", "gateway", "gateway-redis"),
    "link_create": ("nginx", "haproxy", "gateway", "gateway-redis"),
}

# A log beyond this is cut between slices: a run writes gigabytes of call lines.
_LOG_BYTES = 64 << 20


class Field:
    """One of each, for both transports."""

    def __init__(self, lab, transports):
        self.lab = lab
        self.upstream = Upstream(lab)
        self.redis = Redis(lab)
        common = {
            "nginx": peers.nginx(lab, self.upstream),
            "haproxy": peers.haproxy(lab, self.upstream),
            "nginx-lua": peers.nginx_lua(lab, self.upstream, self.redis),
        }
        self._relays = {}
        for transport in transports:
            url = self.upstream.url(transport)
            embedded, shared = Settings(transport), Settings(transport, redis=self.redis)
            self._relays[transport] = {
                **common,
                "gateway": Gateway(lab, f"gateway-{transport}", url, embedded),
                "gateway-redis": Gateway(lab, f"gateway-redis-{transport}", url, shared),
            }

    def relay(self, transport, name):
        """A relay by its name in `ENTRANTS`."""
        return self._relays[transport][name]

    def cut_logs(self):
        for relays in self._relays.values():
            for relay in relays.values():
                if os.path.getsize(relay.child.log) > _LOG_BYTES:
                    os.truncate(relay.child.log, 0)
