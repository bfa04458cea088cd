"""Takes jobs and does them. `loop` holds leases; each kind of job is a module of its own."""
