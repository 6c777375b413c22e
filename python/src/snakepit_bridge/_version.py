"""The version of the package, the same as of the npm package."""

__version__ = "0.1.0"
