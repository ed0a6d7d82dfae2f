"""The dashboards of the relay gateway, as code."""
