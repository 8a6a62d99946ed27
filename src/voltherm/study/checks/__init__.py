"""Checks that validation cases name: `check(folder, **arguments)` returns {quantity: error}."""
