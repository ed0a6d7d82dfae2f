"""One table of a comparison: an API, a transport, a number of connections, and all that carry it."""

from dataclasses import dataclass

from lab import rounds
from lab.call import CALLS
from lab.field import ENTRANTS
from lab.slice import closed, measure


@dataclass(frozen=True)
class Contest:
    """Its slices per relay, round by round."""

    api: str
    transport: str
    connections: int
    slices: dict

    @property
    def title(self):
        wire = "TLS on both sides" if self.transport == "tls" else "plain HTTP"
        return f"`{self.api}`, {wire}, {self.connections} connections"

    def spread(self, relay, member):
        """Median and range of one member of a relay's slices."""
        return rounds.Spread.of(getattr(one, member) for one in self.slices[relay])

    def ratio(self, relay, other):
        """CPU time per call of one relay over that of another, paired by round."""
        def cost(name):
            return [one.cpu_seconds_per_call for one in self.slices[name]]
        return rounds.ratio(cost(relay), cost(other))


def hold(field, api, transport, connections, count, seconds):
    """Measures all relays of an API by turns."""
    def slice_of(name):
        relay = field.relay(transport, name)
        load = closed(field.lab, CALLS[api], relay, transport, connections)

        def measured():
            field.cut_logs()
            return measure([relay], field.upstream, [load], seconds, transport)
        return measured

    slices = rounds.alternate(count, {name: slice_of(name) for name in ENTRANTS[api]})
    return Contest(api, transport, connections, slices)
