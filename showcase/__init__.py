"""Showcase: online exhibition streaming for the Creative Cities of Media Arts."""

__version__ = "0.1.0"
