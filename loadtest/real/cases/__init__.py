"""What is asked of the gateway before each real server."""
