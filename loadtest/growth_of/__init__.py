"""One file for each thing that grows: billers, bills, connections, workers, nodes."""
