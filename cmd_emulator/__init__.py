"""Emulators of CAMELS multifield maps: Emulator, open_maps, show_maps, simulate. Each is imported when it is first used."""

from importlib import import_module

__version__ = "0.2.0"
__all__ = ["Emulator", "open_maps", "show_maps", "simulate"]
_HOMES = {"Emulator": "emulator", "open_maps": "maps", "show_maps": "maps", "simulate": "universe"}


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module 'cmd_emulator' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__():
    return sorted([*globals(), *__all__])
