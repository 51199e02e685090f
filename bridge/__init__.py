"""The number-masking bridge."""
