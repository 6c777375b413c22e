"""`python -m snakepit_bridge.worker`: runs a program that ends when its starter does."""

import sys

from snakepit_bridge.worker._launch import main

# The last statement: by then this module's names are the program's.
main(sys.argv[1:])
