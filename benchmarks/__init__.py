"""What is fast, against which floor and which peer. `python -m benchmarks` prints it; README.md explains it."""
