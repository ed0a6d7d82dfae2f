"""One table of a comparison: all relays of an API, for one transport and number of connections."""

from dataclasses import dataclass

from bench import rounds
from bench.call import CALLS
from bench.relays import RELAYS_BY_API
from bench.slice import closed, measure as measure_slice


@dataclass(frozen=True)
class Comparison:
    """`slices` maps a relay's name to its slices, one per round."""

    api: str
    transport: str
    connections: int
    slices: dict

    @property
    def title(self):
        wire = "TLS on both sides" if self.transport == "tls" else "plain HTTP"
        return f"`{self.api}`, {wire}, {self.connections} connections"

    def spread(self, relay, member):
        """Returns median and range of one figure of a relay's slices."""
        return rounds.Spread.of(getattr(one, member) for one in self.slices[relay])

    def ratio(self, relay, other):
        """Returns one relay's CPU time per call divided by another's, round by round."""
        def cost(name):
            return [one.cpu_seconds_per_call for one in self.slices[name]]
        return rounds.ratio(cost(relay), cost(other))


def measure(relays, api, transport, connections, count, seconds):
    """Measures all relays of an API in turn."""
    def slice_of(name):
        relay = relays.get(transport, name)
        load = closed(relays.environment, CALLS[api], relay, transport, connections)

        def measured():
            relays.truncate_logs()
            return measure_slice([relay], relays.upstream, [load], seconds, transport)
        return measured

    slices = rounds.alternate(count, {name: slice_of(name) for name in RELAYS_BY_API[api]})
    return Comparison(api, transport, connections, slices)
