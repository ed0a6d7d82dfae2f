"""What the load tests are made of: one file per noun."""
