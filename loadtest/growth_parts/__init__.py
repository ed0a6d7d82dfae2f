"""The parts of `growth`: billers, bills, connections, workers, nodes."""
