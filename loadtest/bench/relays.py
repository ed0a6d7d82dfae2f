"""The processes of a comparison: upstream, Redis, the peers, and the gateway with both ledgers."""

import os

from bench import peers
from bench.gateway import Gateway, Settings
from bench.redis import Redis
from bench.upstream import Upstream

# The relays of each API. The others are compared with the first one.
RELAYS_BY_API = {
    "notice": ("nginx", "haproxy", "gateway"),
    "prepay": ("nginx", "haproxy", "nginx-lua", "gateway", "gateway-redis"),
    "pay_result": ("nginx", "haproxy", "gateway", "gateway-redis"),
    "link_create": ("nginx", "haproxy", "gateway", "gateway-redis"),
}

# A log larger than this is truncated between slices: a run writes gigabytes of call lines.
_LOG_BYTES = 64 << 20


class Relays:
    """Starts every relay for the given transports."""

    def __init__(self, environment, transports):
        self.environment = environment
        self.upstream = Upstream(environment)
        self.redis = Redis(environment)
        common = {
            "nginx": peers.nginx(environment, self.upstream),
            "haproxy": peers.haproxy(environment, self.upstream),
            "nginx-lua": peers.nginx_lua(environment, self.upstream, self.redis),
        }
        self._relays = {}
        for transport in transports:
            url = self.upstream.url(transport)
            embedded, with_redis = Settings(transport), Settings(transport, redis=self.redis)
            self._relays[transport] = {
                **common,
                "gateway": Gateway(environment, f"gateway-{transport}", url, embedded),
                "gateway-redis": Gateway(environment, f"gateway-redis-{transport}", url, with_redis),
            }

    def get(self, transport, name):
        """Returns a relay by its name in `RELAYS_BY_API`."""
        return self._relays[transport][name]

    def truncate_logs(self):
        for relays in self._relays.values():
            for relay in relays.values():
                if os.path.getsize(relay.child.log) > _LOG_BYTES:
                    os.truncate(relay.child.log, 0)
