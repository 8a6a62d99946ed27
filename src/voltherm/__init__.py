"""voltherm."""
