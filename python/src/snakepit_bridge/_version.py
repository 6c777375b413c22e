"""The version of this package, as in the npm package; a test compares them."""

__version__ = "0.1.0"
