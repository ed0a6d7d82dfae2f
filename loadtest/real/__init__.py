"""Real servers, clients and balancers around a gateway."""
