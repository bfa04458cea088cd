"""What Showcase is measured by. `python -m bench` measures everything, `python -m bench NAME` one thing."""
