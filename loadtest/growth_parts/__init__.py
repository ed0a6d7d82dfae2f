"""The parts of `growth`: billers, bills, connections, workers, nodes, and four of a large ledger."""
