"""Writes down what libxkbcommon makes of the keyboard layouts of xkb-data, for the keys that a scanner may press.

usage: keyboard_layouts.py LAYOUT...
One JSON object a line: {"layout", "code", "levels"}. `code` is the evdev code; `levels` are plain, Shift, AltGr, Shift+AltGr: a character,
"dead NAME" for a dead key, null for nothing that types. Keys of the number pad are shown as with Num Lock on.
"""

import ctypes
import json
import sys

KEYS = [*range(2, 14), *range(16, 28), *range(30, 42), *range(43, 54), 55, 57, *range(71, 84), 86, 98]
NUMBER_PAD = {*range(71, 84)} - {74, 78}


class RuleNames(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("rules", "model", "layout", "variant", "options")]


xkb = ctypes.CDLL("libxkbcommon.so.0")
xkb.xkb_context_new.restype = ctypes.c_void_p
xkb.xkb_context_new.argtypes = [ctypes.c_int]
xkb.xkb_keymap_new_from_names.restype = ctypes.c_void_p
xkb.xkb_keymap_new_from_names.argtypes = [ctypes.c_void_p, ctypes.POINTER(RuleNames), ctypes.c_int]
xkb.xkb_keymap_key_get_syms_by_level.argtypes = [
    ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32, ctypes.POINTER(ctypes.POINTER(ctypes.c_uint32))]
xkb.xkb_keymap_num_levels_for_key.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32]
xkb.xkb_keysym_get_name.argtypes = [ctypes.c_uint32, ctypes.c_char_p, ctypes.c_size_t]
xkb.xkb_keysym_to_utf32.restype = ctypes.c_uint32
xkb.xkb_keysym_to_utf32.argtypes = [ctypes.c_uint32]


def text(keysym):
    name = ctypes.create_string_buffer(64)
    xkb.xkb_keysym_get_name(keysym, name, 64)
    if name.value.startswith(b"dead_"):
        return "dead " + name.value[5:].decode()
    character = xkb.xkb_keysym_to_utf32(keysym)
    return chr(character) if character > 0x20 or character == 0x20 else None


def levels(keymap, code):
    found = []
    for level in range(min(4, xkb.xkb_keymap_num_levels_for_key(keymap, code + 8, 0))):
        symbols = ctypes.POINTER(ctypes.c_uint32)()
        count = xkb.xkb_keymap_key_get_syms_by_level(keymap, code + 8, 0, level, ctypes.byref(symbols))
        found.append(text(symbols[0]) if count == 1 else None)
    return found[1:2] if code in NUMBER_PAD else found


context = xkb.xkb_context_new(0)
for layout in sys.argv[1:]:
    names = RuleNames(b"evdev", b"pc105", layout.encode(), b"", b"")
    keymap = xkb.xkb_keymap_new_from_names(context, ctypes.byref(names), 0)
    if not keymap:
        sys.exit(f"xkb-data has no layout {layout}")
    for code in KEYS:
        print(json.dumps({"layout": layout, "code": code, "levels": levels(keymap, code)}, ensure_ascii=False))
